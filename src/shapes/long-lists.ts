/** Long lists of rules in a dump of which most rules are left out: their words stand in the text. */

import type { Diagnostic, Span } from "../diagnostic.js";
import { counterValues } from "../extensions/values/uniform.js";
import type { IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import { writtenRules } from "../iptables/written-rules.js";
import { LongLists, shortestList, type LongListOptions } from "../optimise/long-lists.js";
import type { Dump } from "./dump.js";
import { placeOfRule, textOfRule, type Scan } from "./scan.js";

/**
 * The notes that the whole dump would have.
 * @param ruleset of the reduced dump
 */
export function longListsByShapes(dump: Dump, ruleset: IptablesRuleset, options: LongListOptions): Diagnostic[] {
  const found = new LongLists();
  const {
    scanned: scan,
    source: { file },
  } = dump;
  const { line: lines } = scan.rules;
  const spanOf = (rule: number) => (): Span => ({ file, line: lines[rule]!, ...placeOfRule(scan, rule) });
  const read = new Map<string, readonly IptablesRule[]>(
    ruleset.tables.flatMap((table) => table.chains.map(({ name, rules }) => [`${table.name} ${name}`, rules] as const)),
  );
  for (const [chain, { tableName, name }] of scan.chains.entries()) {
    const rows = dump.rulesOf(chain);
    const own = read.get(`${tableName} ${name}`) ?? [];
    const shaped = rows.reduce((sum, [from, to]) => sum + to - from, 0);
    if (shaped + own.length <= shortestList) continue;
    // Each of those is one line, and is there as in the whole dump.
    const others = writtenRules(own).filter(({ span }) => dump.ruleAt(span.line) === undefined);
    if (shaped + others.length <= shortestList) continue;
    found.interrupt();
    let next = 0;
    const addOthers = (line: number): void => {
      for (; next < others.length && others[next]!.span.line < line; next++) {
        const { text, span } = others[next]!;
        found.add(text, span.line, () => span);
      }
    };
    const add = (rule: number): void => {
      addOthers(lines[rule]!);
      found.add(textOfRule(scan, rule), lines[rule]!, spanOf(rule));
    };
    for (const [from, to] of rows) {
      for (let rule = from, end; rule < to; rule = end) {
        end = endOfSingles(scan, rule, to);
        const second = rule + 1;
        add(rule);
        if (second < end) add(second);
        const last = end - 1;
        const isList = found.isInList && second < last && textOfRule(scan, rule) !== textOfRule(scan, second);
        const othersLine = others[next]?.span.line ?? Infinity;
        // What the first two differ in is the one value in which all of them may differ.
        if (isList && othersLine > lines[last]!) found.addAlike(last - second, textOfRule(scan, last), lines[last]!, spanOf(last));
        else for (let further = second + 1; further < end; further++) add(further);
      }
    }
    addOthers(Infinity);
  }
  return found.notes(options);
}

/** Where rules end that stand behind each other, are of one shape, and differ in one value at most, beside their counters. */
function endOfSingles({ rules, shapes }: Scan, from: number, to: number): number {
  const shape = rules.shape[from]!;
  if (shapes[shape]!.classes.filter((kind) => kind !== counterValues).length !== 1) return from + 1;
  let end = from + 1;
  while (end < to && rules.shape[end] === shape) end++;
  return end;
}
