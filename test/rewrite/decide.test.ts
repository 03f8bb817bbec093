import { describe, expect, it } from "vitest";

import { nothingGivenUp } from "../../src/rewrite/decide.js";
import { analysed, dumpOf, planned } from "./phases.js";

const throttle = ["INPUT -m recent --name ssh --set", "INPUT -m recent --name ssh --update --seconds 60 --hitcount 10 -j DROP"];
const dump = dumpOf("filter", ...throttle);

const kindsOf = (plan: ReturnType<typeof planned>): string[] =>
  plan.chains.flatMap(({ rules }) => rules.map(({ decision }) => (decision.kind === "refused" ? decision.diagnostic.code : decision.kind)));

describe("a plan", () => {
  it("makes one of rules that set and check side by side", () => {
    const { fused, lists } = planned(dump);
    expect([...fused.values()].map(({ window, length }) => ({ ...window, length }))).toEqual([{ seconds: 60, hits: 10, length: 2 }]);
    expect(lists.get("ssh")).toMatchObject({ used: true, fused: { setFirst: true } });
  });

  it("keeps rules apart whose list is to be a limit", () => {
    const { fused, lists } = planned(dump, {}, { ...nothingGivenUp, limited: new Set(["ssh"]) });
    expect(fused.size).toBe(0);
    expect(lists.get("ssh")!.form.asLimit({ seconds: 60, hits: 10 })).toBe(true);
  });

  it("has no ring for an nft whose rules do not delete, and says so", () => {
    expect(planned(dump, { targetNft: "0.9.2" }).lists.get("ssh")!.form).toMatchObject({ ringless: true });
    expect(kindsOf(planned(dump, { targetNft: "0.9.2" }))).toEqual(["parts", "parts"]);
    expect(kindsOf(planned(dump, { targetNft: "0.9.2", recent: "exact" }))).toEqual(["parts", "needs-newer-nft"]);
    expect(planned(dump, { targetNft: "0.9.3" }).lists.get("ssh")!.form).toMatchObject({ ringless: false });
  });

  it("sees that a rule refused for one list leaves the other's rules apart, which then need a ring too", () => {
    // Side by side, list b needs no ring: set and update come to two hits. Its update goes with list a, whose window is a ring.
    const both = dumpOf(
      "filter",
      "INPUT -m recent --name b --set",
      "INPUT -m recent --name b --update --seconds 60 --hitcount 2 -m recent --name a --update --seconds 60 --hitcount 9 -j DROP",
      "INPUT -m recent --name b --rcheck --seconds 60 --hitcount 5 -j DROP",
      "INPUT -m recent --name a --set",
    );
    const plan = planned(both, { targetNft: "0.9.2", recent: "exact" });
    expect([...plan.lists.values()].map(({ form }) => form.ringless)).toEqual([true, true]);
    expect(kindsOf(plan)).toEqual(["parts", "needs-newer-nft", "needs-newer-nft", "parts"]);
  });

  it("refuses jumps from chains too deep, with what the rule records before", () => {
    const nested = dumpOf("filter", "INPUT -j one", "one -m recent --name seen --set -j two", "two -j DROP");
    const plan = planned(nested, {}, { ...nothingGivenUp, deepestCaller: 1 });
    expect(kindsOf(plan)).toEqual(["parts", "too-many-levels", "parts"]);
    expect(plan.chains.flatMap(({ rules }) => rules)[1]!.decision).toMatchObject({ recording: { steps: [{ kind: "recent" }] } });
    expect(plan.diagnostics.map(({ code }) => code)).toContain("too-many-levels");
  });

  it("leaves the analysis as it was", () => {
    const analysis = analysed(dump);
    const before = structuredClone(analysis.chains.map(({ rules }) => rules));
    planned(dump, { targetNft: "0.9.2", recent: "exact" });
    expect(analysis.chains.map(({ rules }) => rules)).toEqual(before);
  });

  it("knows the lists that no rule uses any more", () => {
    const refused = dumpOf("filter", "INPUT -m geoip --src-cc CN -m recent --name seen --set -j DROP");
    expect(planned(refused).lists.get("seen")!.used).toBe(false);
  });
});
