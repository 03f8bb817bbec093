/** Who uses which list, and for what: gathered over the whole ruleset, because a list belongs to all its tables and chains. */

import { recentUsesOf, type RecentUse } from "../../extensions/matches/recent.js";
import type { IptablesChain, IptablesRule, IptablesRuleset, IptablesTable } from "../../iptables/ast.js";
import { rulesInLoadOrder } from "../../iptables/load-order.js";
import type { Hook } from "../../nft/ast.js";

export interface PlacedUse extends RecentUse {
  readonly table: IptablesTable;
  readonly chain: IptablesChain;
  readonly rule: IptablesRule;
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
    for (const recent of recentUsesOf(placed.rule, ruleset.family)) {
      const use = { ...recent, ...placed };
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

/** Whether the packets that reach these hooks carry the TTL they arrived with (or were sent with) in the header. */
export function sameTtl(hooks: Iterable<Hook>): boolean {
  const kinds = new Set([...hooks].map((hook) => (hook === "forward" || hook === "postrouting" ? "forwarded" : "as received")));
  return kinds.size <= 1;
}
