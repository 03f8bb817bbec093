/**
 * Rules that no packet reaches: one before them, which ends the way of its packets, asks for the same or for less. It asks for fields
 * only whose values stay what they are while the chain runs.
 */

import { textOf } from "./fields.js";
import { goesOn, type ReadRule } from "./read-rule.js";

/** By the place of each such rule, the place of the one that covers it. */
export function coveredRules(rules: readonly (ReadRule | undefined)[]): Map<number, number> {
  const covered = new Map<number, number>();
  const ending = new Map<string, number>();
  for (const [place, read] of rules.entries()) {
    if (!read?.plain) continue;
    const tests = [...read.selectors].map(([field, values]) => `${field} ${textOf(values)}`).sort();
    const by = earliest(ending, tests);
    if (by !== undefined) covered.set(place, by);
    else if (read.plain.others.length === 0 && !goesOn(read.plain.end) && tests.length <= mostTests) {
      const key = tests.join("\n");
      if (!ending.has(key)) ending.set(key, place);
    }
  }
  return covered;
}

/** Rules with more tests are not looked up. */
const mostTests = 4;

/** The rule that asks for some of these tests and no other. */
function earliest(ending: ReadonlyMap<string, number>, tests: readonly string[]): number | undefined {
  if (ending.size === 0 || tests.length > mostTests) return undefined;
  let found: number | undefined;
  for (let chosen = 0; chosen < 1 << tests.length; chosen++) {
    const place = ending.get(tests.filter((_, index) => (chosen >> index) & 1).join("\n"));
    if (place !== undefined && (found === undefined || place < found)) found = place;
  }
  return found;
}
