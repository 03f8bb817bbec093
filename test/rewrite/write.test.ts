import { describe, expect, it } from "vitest";

import { nothingGivenUp } from "../../src/rewrite/decide.js";
import { giveUpMore } from "../../src/rewrite/ruleset.js";
import { analysed, dumpOf, written } from "./phases.js";

const helper = "-p tcp -m tcp --dport 21 -j CT --helper ftp";

/** The names of everything but the chains of the dump. */
function declared(dump: string, ...rest: Parameters<typeof written> extends [string, ...infer Rest] ? Rest : never): string[] {
  const { table } = written(dump, ...rest);
  return [...table.helpers, ...table.sets, ...table.chains].map(({ name }) => name).filter((name) => !/^(raw|filter)_[A-Z]+$/.test(name));
}

describe("what is written", () => {
  it("has the set, the helper and the hooked chain of a rule that is written", () => {
    expect(declared(dumpOf("raw", `PREROUTING ${helper}`))).toEqual(["helper_ftp_tcp", "helped_ftp_tcp", "helper_ftp_tcp_prerouting"]);
  });

  it("has nothing of a rule that never matches", () => {
    expect(declared(dumpOf("raw", `PREROUTING ! -s 0.0.0.0/0 ${helper}`))).toEqual([]);
    expect(declared(dumpOf("filter", "INPUT ! -s 0.0.0.0/0 -m connlimit --connlimit-above 3 -j DROP"))).toEqual([]);
    expect(declared(dumpOf("filter", "INPUT ! -s 0.0.0.0/0 -m recent --set --name seen"))).toEqual([]);
  });

  it.each([
    ["a match that cannot be translated", `PREROUTING -m geoip --src-cc CN ${helper}`, {}],
    ["a list", `PREROUTING -m recent --rcheck --seconds 60 --hitcount 300 ${helper}`, { recent: "exact" as const }],
    ["the nft it is for", `PREROUTING ${helper}`, { targetNft: "0.9.1" }],
  ])("has nothing of a rule refused for %s", (_, rule, options) => {
    expect(declared(dumpOf("raw", rule), options)).toEqual([]);
  });

  it("has nothing of a rule that is given up, nor of its list", () => {
    const dump = dumpOf("raw", `PREROUTING -m recent --set --name seen ${helper}`);
    const rule = analysed(dump).chains.flatMap(({ rules }) => rules)[0]!.rule;
    // The same rule by its place: every phase makes the ruleset anew.
    const { table } = written(dump);
    expect(table.helpers).toHaveLength(1);
    const plan = giveUpMore(nothingGivenUp, { ...written(dump), tooLarge: [rule] }, "auto");
    expect([...plan!.refused]).toEqual([rule]);
  });

  it("has what stands in front of the last hit that a refused rule records, and no more", () => {
    const rule =
      "PREROUTING -m connlimit --connlimit-above 3 -m recent --set --name seen -m connlimit --connlimit-above 9 -m geoip --src-cc CN -j DROP";
    expect(declared(dumpOf("raw", rule))).toEqual([expect.stringMatching(/^connlimit_above_3_[0-9a-f]{6}$/), "seen_seen"]);
  });

  it("has no set of a list that nothing asks or fills", () => {
    const sets = written(dumpOf("filter", "INPUT -m recent --rcheck --seconds 60 --hitcount 4 --name seen -j DROP")).table.sets;
    expect(sets.map(({ name }) => name)).not.toContain("seen_rate");
    expect(sets.map(({ name }) => name)).toContain("seen_hit_0");
    // What the sets are for stands above the first that is there.
    expect(sets[0]!.comment?.[0]).toBe('list "seen": exact window of 4 hits in 60 s');
  });

  it("tells which rules do not fit and how deep the lists nest", () => {
    const { tooLarge, owners, listChains } = written(
      dumpOf(
        "filter",
        "INPUT -m recent --set --name a",
        "INPUT -s 192.0.2.1 -m recent --rcheck --seconds 60 --hitcount 4 --name a -j DROP",
      ),
    );
    expect(tooLarge).toEqual([]);
    expect([...owners.keys()]).toEqual([expect.stringMatching(/^filter_INPUT_a_[0-9a-f]{6}_over$/)]);
    expect(listChains.get("a")).toContain("a_touch_hits");
  });
});

describe("giving up", () => {
  const nested = (levels: number): string =>
    dumpOf(
      "filter",
      "INPUT -j c0",
      ...Array.from({ length: levels }, (_, level) => `c${level} -j c${level + 1}`),
      `c${levels} -m recent --set --name ssh`,
      `c${levels} -p tcp`,
      `c${levels} -m recent --update --seconds 60 --hitcount 40 --name ssh -j DROP`,
    );

  it("takes first the second walk, then the nesting, then the exact form, then the deepest jumps", () => {
    const dump = nested(12);
    const zeroth = giveUpMore(nothingGivenUp, written(dump), "auto")!;
    expect([...zeroth.oneWalk]).toEqual(["ssh"]);
    const first = giveUpMore(zeroth, written(dump, {}, zeroth), "auto")!;
    expect([...first.flat]).toEqual(["ssh"]);
    const second = { ...first, flat: new Set(["ssh"]) };
    const third = giveUpMore(second, written(nested(14), {}, second), "auto")!;
    expect([...third.limited]).toEqual(["ssh"]);
    expect(giveUpMore(second, written(nested(14), {}, second), "exact")!.deepestCaller).toBe(14);
  });

  it.each([4, 20, 60, 100])("takes no nesting from rules of %i hits that stand apart in a built-in chain", (hits) => {
    const check = `INPUT -m recent --update --seconds 60 --hitcount ${hits} --name ssh -j DROP`;
    for (const rules of [
      ["INPUT -m recent --set --name ssh", "INPUT -p tcp", check],
      [check, "INPUT -p tcp", "INPUT -m recent --set --name ssh"],
    ]) {
      expect(giveUpMore(nothingGivenUp, written(dumpOf("filter", ...rules)), "exact")).toBeUndefined();
    }
  });

  it("takes nothing where the kernel takes the table", () => {
    const throttle = dumpOf(
      "filter",
      "INPUT -j c",
      "c -m recent --set --name a",
      "c -m recent --rcheck --seconds 60 --hitcount 9 --name a",
    );
    expect(giveUpMore(nothingGivenUp, written(throttle), "auto")).toBeUndefined();
  });
});
