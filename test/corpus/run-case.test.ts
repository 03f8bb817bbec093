import { describe, expect, it } from "vitest";
import { findCases } from "../../src/corpus/layout.js";
import { runCase, translateCase, type CaseTexts } from "../../src/corpus/run-case.js";
import { translate } from "../../src/translate.js";

const files = findCases(["web/rules.v4", "web/options.json"], "root").cases[0]!;
const rules = { file: "rules.v4", text: "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m geoip --src-cc CN -j DROP\nCOMMIT\n" };
const made = translateCase({ sources: [rules] }, translate);
const right: CaseTexts = { sources: [rules], script: made.script!, diagnostics: made.diagnostics };

function problems(texts: CaseTexts, translator = translate): readonly unknown[] {
  return runCase(files, texts, translator).problems;
}

describe("runCase", () => {
  it("is content with what is expected", () => {
    expect(problems(right)).toEqual([]);
    expect(made.diagnostics).toContain("rules.v4:3:10: warning:");
  });

  it("shows what differs in script and diagnostics", () => {
    expect(problems({ ...right, script: right.script!.replace("policy accept", "policy drop"), diagnostics: "" })).toEqual([
      {
        kind: "script",
        message: "the script differs",
        words: ["chain filter_INPUT of table ip ipt2nft: 1 line less, 1 line more"],
        detail: expect.stringMatching(/^--- web\/expected\.nft\n\+\+\+ made now\n@@[^]*\n-.*policy drop;\n\+.*policy accept;\n/) as string,
      },
      {
        kind: "diagnostics",
        message: "the diagnostics differ",
        words: ["1 more: warning untranslatable-match"],
        detail: expect.stringContaining("\n+rules.v4:3:10: warning:") as string,
      },
    ]);
  });

  it("says that nothing is expected yet", () => {
    expect(problems({ sources: [rules] })).toEqual([
      { kind: "missing", message: "nothing is expected yet (no web/expected.diagnostics); --update writes what is made now", detail: "" },
    ]);
  });

  it("says so of what is no ruleset, with the first error", () => {
    expect(problems({ sources: [{ file: "rules.v4", text: "no rules\nat all\n" }] })).toMatchObject([
      {
        kind: "missing",
        message:
          "nothing is expected yet (no web/expected.diagnostics), and the input is no ruleset; --update says that it is to be refused",
        words: ["rules.v4 line 1: this line is outside of any table", "2 more errors"],
      },
    ]);
  });

  it("tells a script that is not made from one that is not expected", () => {
    const { script: _, ...without } = right;
    expect(problems(without)).toMatchObject([{ kind: "script", message: "a script is made, and none is expected" }]);
    const broken = { file: "rules.v4", text: "*filter\n" };
    expect(
      problems({ ...right, sources: [broken], diagnostics: translateCase({ sources: [broken] }, translate).diagnostics }),
    ).toMatchObject([{ kind: "script", message: "no script is made any more; the input is refused" }]);
  });

  it("translates with the options and the tables of the case", () => {
    const options = { file: "web/options.json", text: '{"table": "front"}' };
    const geoip = { file: "web/geoip.csv", text: "192.0.2.0,192.0.2.255,CN\n" };
    const { script } = translateCase({ sources: [rules], options, geoip }, translate);
    expect(script).toContain("table ip front {");
    expect(script).toContain("192.0.2.0/24");
  });

  it("names the place in an options file and in a table of countries that are not right", () => {
    expect(problems({ ...right, options: { file: "web/options.json", text: "{\n x" } })).toMatchObject([
      { kind: "options", message: expect.stringMatching(/^web\/options\.json:2:2: /) as string },
    ]);
    expect(problems({ ...right, geoip: { file: "web/geoip.csv", text: "192.0.2.0,192.0.2.255,CN\nwhat\n" } })).toMatchObject([
      { kind: "options", message: expect.stringMatching(/^web\/geoip\.csv:2:1: /) as string },
    ]);
  });

  it("survives a fault of the translator", () => {
    expect(
      problems(right, () => {
        throw new TypeError("no such thing");
      }),
    ).toMatchObject([{ kind: "crash", detail: expect.stringContaining("no such thing") as string }]);
  });
});
