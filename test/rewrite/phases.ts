/** A dump taken through the phases one by one. */

import { analyseRuleset, type RulesetAnalysis } from "../../src/rewrite/analyse-ruleset.js";
import { decide, nothingGivenUp, type DecisionOptions, type GivenUp, type Plan } from "../../src/rewrite/decide.js";
import { write, type Written } from "../../src/rewrite/write.js";
import { translate } from "../../src/translate.js";

/** The rules of one table, without `-A`; chains that are not built in are declared. */
export function dumpOf(table: string, ...rules: readonly string[]): string {
  const own = new Set(rules.flatMap((rule) => /^[a-z]\S*/.exec(rule) ?? []));
  return [`*${table}`, ...[...own].map((name) => `:${name} - [0:0]`), ...rules.map((rule) => `-A ${rule}`), "COMMIT", ""].join("\n");
}

export function analysed(dump: string): RulesetAnalysis {
  return analyseRuleset(translate(dump, { family: "ipv4" }).iptables[0]!, { setSize: 65535, counters: false });
}

export function planned(dump: string, options: Partial<DecisionOptions> = {}, given: GivenUp = nothingGivenUp): Plan {
  return decide(analysed(dump), { recent: "auto", setSize: 65535, ...options }, given);
}

export function written(dump: string, options: Partial<DecisionOptions> = {}, given: GivenUp = nothingGivenUp): Written {
  return write(planned(dump, options, given), { table: "t", counters: false });
}
