/** Long lists of rules in a dump of which most rules are left out: their words stand in the text. */

import type { Diagnostic } from "../diagnostic.js";
import type { IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import { writtenRules } from "../iptables/written-rules.js";
import { LongLists, shortestList, type LongListOptions } from "../optimise/long-lists.js";
import { placeOfRule, textOfRule, type Scan } from "./scan.js";

/**
 * The notes that the whole dump would have.
 * @param ruleset of the reduced dump
 * @param rulesOf rules of a chain, by its index, that have a shape, in their order: from one to before another
 * @param ruleAt the rule of a line that has a shape
 */
export function longListsByShapes(
  scan: Scan,
  file: string,
  ruleset: IptablesRuleset,
  rulesOf: (chain: number) => readonly (readonly [from: number, to: number])[],
  ruleAt: (line: number) => number | undefined,
  options: LongListOptions,
): Diagnostic[] {
  const found = new LongLists();
  const read = new Map<string, readonly IptablesRule[]>(
    ruleset.tables.flatMap((table) => table.chains.map(({ name, rules }) => [`${table.name} ${name}`, rules] as const)),
  );
  for (const [chain, { tableName, name }] of scan.chains.entries()) {
    const rows = rulesOf(chain);
    // Each of those is one line, and is there as in the whole dump.
    const others = writtenRules(read.get(`${tableName} ${name}`) ?? []).filter(({ span }) => ruleAt(span.line) === undefined);
    if (rows.reduce((sum, [from, to]) => sum + to - from, others.length) <= shortestList) continue;
    found.interrupt();
    let next = 0;
    const addOthers = (line: number): void => {
      for (; next < others.length && others[next]!.span.line < line; next++) {
        const { text, span } = others[next]!;
        found.add(text, span.line, () => span);
      }
    };
    for (const [from, to] of rows) {
      for (let rule = from; rule < to; rule++) {
        const line = scan.rules.line[rule]!;
        addOthers(line);
        found.add(textOfRule(scan, rule), line, () => ({ file, line, ...placeOfRule(scan, rule) }));
      }
    }
    addOthers(Infinity);
  }
  return found.notes(options);
}
