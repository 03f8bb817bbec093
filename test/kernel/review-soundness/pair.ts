/** Two rulesets that differ by one change, as a reviewer would get them. */

import type { Family } from "../../../src/iptables/ast.js";

export interface Ruleset {
  /** What `iptables-save` would print. */
  readonly text: string;
  /** What `ipset save` would print; empty where the rules ask no set. */
  readonly ipset: string;
}

export interface Pair {
  /** `idiom/ssh-throttle-set-then-update: rule taken out`. */
  readonly name: string;
  readonly family: Family;
  readonly old: Ruleset;
  readonly new: Ruleset;
}

/** The lines that only one side has, as `diff` would show them: what lies between the common beginning and the common end. */
export function changedLines({ old, new: changed }: Pair): { readonly old: readonly string[]; readonly new: readonly string[] } {
  const sides = { old: linesOf(old), new: linesOf(changed) };
  const least = Math.min(sides.old.length, sides.new.length);
  let head = 0;
  while (head < least && sides.old[head] === sides.new[head]) head += 1;
  let tail = 0;
  while (tail < least - head && sides.old.at(-1 - tail) === sides.new.at(-1 - tail)) tail += 1;
  return { old: sides.old.slice(head, sides.old.length - tail), new: sides.new.slice(head, sides.new.length - tail) };
}

function linesOf({ text, ipset }: Ruleset): string[] {
  return `${ipset}\n${text}`.split("\n");
}
