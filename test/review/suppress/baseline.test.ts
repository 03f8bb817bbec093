import { describe, expect, it } from "vitest";
import { makeBaseline, parseBaseline } from "../../../src/review/suppress/baseline.js";
import { dump, review, told } from "../dumps.js";

const rule = "-A INPUT -m recent --rcheck --name banned -j DROP";
const baseline = makeBaseline(review(dump(rule)).findings);
const against = (...lines: string[]) => review(dump(...lines), undefined, { baseline: { file: "baseline.json", baseline } });

describe("a baseline", () => {
  it("accepts the findings it was made of", () => {
    expect(told(against(rule))).toEqual([expect.stringContaining("list-never-set 5 (baseline)")]);
    expect(against(rule).verdict).toBe("safe");
  });

  it("accepts them on other lines, with other blanks", () => {
    expect(told(against("-A INPUT -i lo -j ACCEPT", "", rule.replaceAll(" -m", "  -m")))).toEqual([
      expect.stringContaining("list-never-set 7 (baseline)"),
    ]);
  });

  it("accepts no second one of the kind", () => {
    expect(told(against(rule, rule.replace("banned", "others"))).map((line) => line.replace(/:.*/, ""))).toEqual([
      "list-never-set 5 (baseline)",
      "list-never-set 6",
    ]);
  });

  it("tells equal findings apart by their number", () => {
    const { findings } = review(dump("-A INPUT -j DROP", "-A INPUT -s 192.0.2.1 -j ACCEPT", "-A INPUT -s 192.0.2.1 -j ACCEPT"));
    expect(new Set(findings.map(({ fingerprint }) => fingerprint)).size).toBe(findings.length);
    expect(findings.filter(({ code }) => code === "unreachable-rule")).toHaveLength(2);
  });

  it("is told of where it accepts what is gone", () => {
    expect(told(against("-A INPUT -j DROP"))).toEqual([
      expect.stringContaining("stale-baseline 1: the baseline accepts 2 findings no longer there"),
    ]);
  });

  it("keeps the reasons people wrote into it", () => {
    const withReason = { ...baseline, findings: baseline.findings.map((entry) => ({ ...entry, reason: "fail2ban fills it" })) };
    expect(makeBaseline(review(dump(rule)).findings, withReason)).toEqual(withReason);
  });

  it.each([
    ["{\n", /^line 2, column 1: "}" is expected here, not the end of the file$/],
    ["[]", /^it has no "version"/],
    ['{"version":2,"findings":[]}', /^it has no "version"/],
    ['{"version":1,"findings":[{"fingerprint":1}]}', /^entry 1 of "findings"/],
  ])("%s is none", (text, reason) => {
    expect(parseBaseline(text)).toMatch(reason);
  });
});
