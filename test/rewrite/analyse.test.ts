import { describe, expect, it } from "vitest";

import { analysed, dumpOf } from "./phases.js";

const analysesOf = (...rules: readonly string[]) =>
  analysed(dumpOf("raw", ...rules)).chains.flatMap(({ rules: own }) => own.map(({ analysis }) => analysis));

describe("the analysis of a rule", () => {
  it("says what the rule wants declared, by names that are none in nft, and which match wants it", () => {
    const [first] = analysesOf("PREROUTING -p tcp -m tcp --dport 21 -m connlimit --connlimit-above 3 -j CT --helper ftp");
    if (first?.kind !== "parts") throw new Error(`it is ${first?.kind}`);
    const { declarations } = first.parts;
    expect(declarations.map(({ kind, match }) => [kind, match])).toEqual([
      ["set", 1],
      ["set", undefined],
      ["helper", undefined],
      ["chain", undefined],
    ]);
    expect(declarations.every(({ name }) => name.includes("#"))).toBe(true);
  });

  it("speaks of what two rules share by one name, and of what they do not by two", () => {
    const rule =
      "PREROUTING -p udp -m connlimit --connlimit-above 3 -m hashlimit --hashlimit-upto 5/sec --hashlimit-name web --hashlimit-mode srcip";
    const [first, second] = analysesOf(rule, rule).map((analysis) =>
      analysis.kind === "parts" ? analysis.parts.declarations.map(({ name }) => name) : [],
    );
    expect(first).toHaveLength(2);
    expect(first![0]).not.toBe(second![0]);
    expect(first![1]).toBe(second![1]);
  });

  it("comes out the same when it is made again", () => {
    const dump = dumpOf("raw", "PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp", "PREROUTING -m geoip --src-cc CN -j DROP");
    expect(analysed(dump)).toEqual(analysed(dump));
  });

  it("keeps what there is to say beside the rule", () => {
    const [first] = analysesOf("PREROUTING -m recent --set --name a -m geoip --src-cc CN -j DROP");
    expect(first).toMatchObject({
      kind: "refused",
      diagnostic: { code: "untranslatable-match" },
      recording: { steps: [{ kind: "recent", use: { list: "a" } }] },
    });
  });
});
