import { describe, expect, it } from "vitest";
import { renderCorpusJunit, renderCorpusText } from "../../src/corpus/render.js";
import type { CaseResult, CorpusReport } from "../../src/corpus/result.js";

const passed: CaseResult = { name: "web/a", file: "web/a.v4", seconds: 0.5, problems: [], written: [] };
const verified: CaseResult = {
  ...passed,
  name: "web/b",
  kernel: { verified: { packets: 120, rules: 10, hit: 9, leftOut: 2 }, notes: ["--seconds 60 is 1"] },
};
const notVerified: CaseResult = { ...passed, name: "c", file: "c.v4", kernel: { notes: ["not verified: no module"] } };
const failed = (name: string, ...kinds: readonly CaseResult["problems"][number]["kind"][]): CaseResult => ({
  ...passed,
  name,
  problems: kinds.map((kind) => ({ kind, message: `${kind} is wrong`, detail: "" })),
});
const reportOf = (...results: readonly CaseResult[]): CorpusReport => ({ results, notes: [], seconds: 1.25, threads: 0, complete: true });

describe("renderCorpusText", () => {
  it("counts every case once in each way that it fails", () => {
    const text = renderCorpusText(
      reportOf(passed, failed("d", "script", "diagnostics"), failed("e", "missing"), failed("f", "crash"), failed("g", "load", "verify")),
      { color: false },
    );
    expect(text).toBe(
      "d: script is wrong\nd: diagnostics is wrong\ne: missing is wrong\nf: crash is wrong\ng: load is wrong\ng: verify is wrong\n" +
        "not as expected:\n  d\n  e\n  f\n  g\n" +
        "5 cases: 1 as expected, 1 otherwise, 1 without expectation, 1 not run, 1 wrong on the kernel (1.3 s)\n",
    );
  });

  it("sums up what was compared on the kernel, and names what was not", () => {
    expect(renderCorpusText(reportOf(notVerified, verified, verified), { color: false })).toBe(
      "note: c: not verified: no module\n3 cases: 3 as expected (1.3 s)\non the kernel: 2 verified, 240 packets, 18 of 20 rules hit, 4 left out\n",
    );
  });

  it("shows long differences in part", () => {
    const detail = `--- a\n+++ b\n${"-x\n".repeat(200)}`;
    const report = reportOf({ ...passed, problems: [{ kind: "script", message: "differs", words: ["set a is new"], detail }] });
    const text = renderCorpusText(report, { color: false });
    expect(text.split("\n")).toHaveLength(2 + 20 + 1 + 1 + 1);
    expect(text).toMatch(/^web\/a: differs\n {2}set a is new\n--- a\n/);
    expect(text).toContain("… and 182 more lines\n");
    expect(renderCorpusText(report, { color: false, quiet: true })).toBe(
      "web/a: differs\n  set a is new\n1 case: 0 as expected, 1 otherwise (1.3 s)\n",
    );
  });
});

it("renderCorpusJunit tells failures of the ruleset from those of the tool, and groups by folder", () => {
  const xml = renderCorpusJunit(reportOf(failed("d", "script"), failed("web/e", "crash"), verified));
  expect(xml).toContain('<testsuite name="corpus" tests="1" failures="1" errors="0"');
  expect(xml).toContain('<testsuite name="web" tests="2" failures="0" errors="1"');
  expect(xml).toContain("<system-out>120 packets, 9 of 10 rules hit, 2 left out\n--seconds 60 is 1</system-out>");
});
