/** Long lists of rules in a dump of which most rules are left out: their words stand in the text. */

import type { Diagnostic } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import { writtenRules } from "../iptables/written-rules.js";
import { LongLists, type LongListOptions } from "../optimise/long-lists.js";
import { placeOfRule, textOfRule, type Scan } from "./scan.js";

/**
 * The notes that the whole dump would have.
 * @param ruleset of the reduced dump
 * @param rulesOf rules of a chain that have a shape, in their order: from one to before another
 * @param ruleAt the rule of a line that has a shape
 */
export function longListsByShapes(
  scan: Scan,
  file: string,
  ruleset: IptablesRuleset,
  rulesOf: (table: string, chain: string) => readonly (readonly [from: number, to: number])[],
  ruleAt: (line: number) => number | undefined,
  options: LongListOptions,
): Diagnostic[] {
  const found = new LongLists();
  for (const { name: table, chains } of ruleset.tables) {
    for (const { name, rules } of chains) {
      found.interrupt();
      // Each of those is one line, and is there as in the whole dump.
      const others = writtenRules(rules).filter(({ span }) => ruleAt(span.line) === undefined);
      let next = 0;
      const addOthers = (line: number): void => {
        for (; next < others.length && others[next]!.span.line < line; next++) {
          const { text, span } = others[next]!;
          found.add(text, span.line, () => span);
        }
      };
      for (const [from, to] of rulesOf(table, name)) {
        for (let rule = from; rule < to; rule++) {
          const line = scan.rules.line[rule]!;
          addOthers(line);
          found.add(textOfRule(scan, rule), line, () => ({ file, line, ...placeOfRule(scan, rule) }));
        }
      }
      addOthers(Infinity);
    }
  }
  return found.notes(options);
}
