/** Whether a machine's rules are still those that somebody has reviewed. */

import type { Family } from "../iptables/ast.js";
import { families } from "../iptables/family.js";
import { leaveToOwners } from "./leave-to-owners.js";
import type { Machine } from "./machine.js";
import { goingRules } from "./plan.js";
import { readSaved } from "./saved-rules.js";

/** What a save program of one family printed when the rules were reviewed. */
export interface ReviewedRules {
  readonly family: Family;
  readonly text: string;
}

/** Characters of a rule that are shown. */
const mostShown = 300;

/**
 * What the rules that would go have more or less than the reviewed ones; undefined where they are the same line by line, but for counters
 * and comments. Chains that stay with live programs may be otherwise, in the machine and in what was reviewed.
 */
export function differenceFromReviewed(machine: Machine, leaving: boolean, reviewed: readonly ReviewedRules[]): string | undefined {
  const found = goingRules(machine, leaving).map(({ family, text, parted }) => ({ family, text: parted?.moving ?? text }));
  const wanted = reviewed.map(({ family, text }) => ({
    family,
    text: (leaving ? leaveToOwners(text, machine.live)?.moving : undefined) ?? text,
  }));
  const now = families.flatMap((family) => linesOf(found, family));
  const then = families.flatMap((family) => linesOf(wanted, family));
  const more = without(now, then);
  const less = without(then, now);
  if (more.length + less.length > 0)
    return `the rules are no longer those that were reviewed: ${[...told(more, "came"), ...told(less, "went")].join(", ")}`;
  if (now.some((line, index) => line !== then[index])) return "the rules no longer stand in the order in which they were reviewed";
  return undefined;
}

/** All that decides, each line with its table, the tables by their names: their order says nothing. */
function linesOf(saved: readonly ReviewedRules[], family: Family): string[] {
  return saved
    .filter((one) => one.family === family)
    .flatMap(({ text }) => readSaved(text))
    .filter(({ chains, rules }) => rules.length > 0 || chains.some(({ policy }) => policy !== "ACCEPT" && policy !== "-"))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, chains, rules }) => [
      ...chains.map((chain) => `${family} ${name}: :${chain.name} ${chain.policy}`).sort(),
      ...rules.map((rule) => `${family} ${name}: ${rule}`),
    ]);
}

/** Lines of the first that the second lacks, as often as it lacks them. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

function told(lines: readonly string[], verb: string): string[] {
  const [first] = lines;
  if (first === undefined) return [];
  const shown = JSON.stringify(first.length > mostShown ? `${first.slice(0, mostShown)}…` : first);
  return [lines.length === 1 ? `${shown} ${verb}` : `${lines.length} lines ${verb}, the first ${shown}`];
}
