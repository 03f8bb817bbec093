/** Who uses which list, and for what: gathered over the whole ruleset, because a list belongs to all its tables and chains. */

import { recentUsesOf, type RecentUse } from "../../extensions/matches/recent.js";
import type { IptablesChain, IptablesRule, IptablesRuleset, IptablesTable } from "../../iptables/ast.js";
import { rulesInLoadOrder } from "../../iptables/load-order.js";
import type { Hook } from "../../nft/ast.js";

export interface PlacedUse extends RecentUse {
  readonly table: IptablesTable;
  readonly chain: IptablesChain;
  readonly rule: IptablesRule;
  /** All packets that come here are of hosts on the list, because of what stands before it in the rule. */
  readonly knownPresent: boolean;
}

export interface ListUsage {
  readonly name: string;
  readonly uses: readonly PlacedUse[];
  /** That of the rule which creates the list; xt_recent ignores the masks of all others. */
  readonly mask: bigint;
}

/** The lists of a ruleset in the order of their creation; the rule that creates a list fixes its mask (measured). */
export function gatherLists(ruleset: IptablesRuleset): Map<string, ListUsage> {
  const lists = new Map<string, ListUsage & { uses: PlacedUse[] }>();
  for (const placed of rulesInLoadOrder(ruleset)) {
    const all = recentUsesOf(placed.rule, ruleset.family);
    for (const [index, recent] of all.entries()) {
      const use = { ...recent, ...placed, knownPresent: isKnownPresent(all.slice(0, index + 1)) };
      const list = lists.get(use.list);
      if (list) list.uses.push(use);
      else lists.set(use.list, { name: use.list, uses: [use], mask: use.mask });
    }
  }
  return lists;
}

/** Whether a use takes part in deciding the verdict by time: a `--rcheck` or `--update`. */
export function isCheck(use: RecentUse): boolean {
  return use.operation === "rcheck" || use.operation === "update";
}

/** Which TTLs are in the headers that a list sees: those with which packets came or were sent, those of which a router has taken one. */
export type HeaderTtls = "as received" | "forwarded" | "both";

/** The TTLs of the packets that reach these hooks. POSTROUTING sees forwarded ones and those of this machine. */
export function headerTtls(hooks: Iterable<Hook>): HeaderTtls {
  const kinds = new Set([...hooks].map((hook) => (hook === "postrouting" ? "both" : hook === "forward" ? "forwarded" : "as received")));
  const [first = "as received"] = kinds;
  return kinds.size > 1 ? "both" : first;
}

/** Whether the answer of this use depends on a host having been touched at any time, however long ago. */
export function asksForPresence(use: PlacedUse): boolean {
  switch (use.operation) {
    case "set":
      return false;
    case "remove":
      return !use.knownPresent;
    case "update":
      return use.inverted || asksWithoutTime(use);
    case "rcheck":
      return asksWithoutTime(use);
  }
}

const asksWithoutTime = ({ seconds, hits }: RecentUse): boolean => seconds === undefined && hits === 1;

/** `--remove` in a rule that does nothing else: whether it matched shows in its counter only. */
export function isQuietRemoval({ operation, inverted, rule, use }: PlacedUse): boolean {
  return operation === "remove" && !inverted && rule.target === undefined && rule.matches.at(-1) === use;
}

/**
 * Whether all packets that come to the last of these uses, which stand in one rule, are of hosts on its list: the one before has found
 * or recorded them there. Who is in a window is on the list.
 */
function isKnownPresent(uses: readonly RecentUse[]): boolean {
  const use = uses.at(-1)!;
  const before = uses.slice(0, -1).findLast(({ list }) => list === use.list);
  return before !== undefined && before.side === use.side && !before.inverted && before.operation !== "remove";
}
