/** Who uses which list, and for what: gathered over the whole ruleset, because a list belongs to all its tables and chains. */

import { recentUse, type RecentUse } from "../../extensions/matches/recent.js";
import type { IptablesChain, IptablesRule, IptablesRuleset, IptablesTable } from "../../iptables/ast.js";
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

/**
 * The lists of a ruleset in the order of their creation. iptables hands the rules to the kernel table by table, built-in
 * chains in hook order, then user chains sorted by name; the first rule of a list fixes its mask (measured).
 */
export function gatherLists(ruleset: IptablesRuleset): Map<string, ListUsage> {
  const lists = new Map<string, ListUsage & { uses: PlacedUse[] }>();
  for (const table of ruleset.tables) {
    for (const chain of inLoadOrder(table.chains)) {
      for (const rule of chain.rules) {
        for (const match of rule.matches) {
          if (match.extension !== "recent" || match.unknown) continue;
          const use = { ...recentUse(match, ruleset.family), table, chain, rule };
          const list = lists.get(use.list);
          if (list) list.uses.push(use);
          else lists.set(use.list, { name: use.list, uses: [use], mask: use.mask });
        }
      }
    }
  }
  return lists;
}

const hookOrder = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

function inLoadOrder(chains: readonly IptablesChain[]): IptablesChain[] {
  const builtIn = chains.filter((chain) => chain.policy !== undefined);
  const user = chains.filter((chain) => chain.policy === undefined);
  builtIn.sort((a, b) => hookOrder.indexOf(a.name) - hookOrder.indexOf(b.name));
  user.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...builtIn, ...user];
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
