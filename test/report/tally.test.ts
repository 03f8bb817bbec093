import { expect, it } from "vitest";
import { diagnostic } from "../../src/diagnostic.js";
import type { IptablesRule, IptablesRuleset } from "../../src/iptables/ast.js";
import { tally } from "../../src/report/tally.js";

const span = (line: number, file = "rules.v4") => ({ file, line, column: 1, length: 1 });
const rule = (line: number, file?: string): IptablesRule => ({ span: span(line, file), text: "", matches: [] });
const ruleset = (rules: IptablesRule[]): IptablesRuleset => ({
  family: "ipv4",
  tables: [{ name: "filter", span: span(1), chains: [{ name: "INPUT", span: span(2), rules }] }],
});

it("counts each rule line once, by the worst that is said about it", () => {
  const rulesets = [ruleset([rule(3), rule(3), rule(4), rule(5), rule(6)]), ruleset([rule(3, "rules.v6")])];
  expect(
    tally(rulesets, [
      diagnostic("recent-limit-form", span(4), ""),
      diagnostic("unknown-match", span(5), ""),
      diagnostic("recent-limit-form", span(5), ""),
      diagnostic("text-changed", span(6), ""),
      diagnostic("unknown-match", span(99), ""),
    ]),
  ).toEqual({ exact: 3, approximated: 1, refused: 1 });
});
