/**
 * Packets of one host that came almost exactly a window apart: there both firewalls may be right, and may go on to differ. Packets
 * are sent so that this does not happen, but on a busy machine one may come late.
 */

import { parseAddress } from "../extensions/values/address.js";
import type { Family, IptablesRuleset } from "../iptables/ast.js";
import { gatherLists } from "../rewrite/recent/usage.js";
import type { Report } from "./fate.js";
import type { Frame } from "./frame.js";
import { familyOf } from "./packet.js";

/** Seconds; three ticks of a kernel with HZ=250. */
const margin = 0.012;

/** What the lists of a ruleset look at. */
interface Lists {
  readonly windows: readonly number[];
  readonly keys: readonly { readonly side: "source" | "destination"; readonly mask: bigint }[];
}

export type ListsOf = Partial<Readonly<Record<Family, Lists>>>;

export function listsOf(rulesets: readonly IptablesRuleset[]): ListsOf {
  return Object.fromEntries(
    rulesets.map((ruleset) => {
      const lists = [...gatherLists(ruleset).values()];
      const keys = new Map(
        lists
          .flatMap(({ mask, uses }) =>
            uses.map(({ side }) => ({ side: side === "saddr" ? ("source" as const) : ("destination" as const), mask })),
          )
          .map((key) => [`${key.side} ${key.mask}`, key]),
      );
      const windows = new Set(lists.flatMap(({ uses }) => uses.flatMap(({ seconds }) => seconds ?? [])));
      return [ruleset.family, { windows: [...windows], keys: [...keys.values()] }];
    }),
  );
}

/** Packets whose hosts had a tie before or with them. */
export function tied({ outcomes }: Report, lists: ListsOf): ReadonlySet<Frame> {
  const found = new Set<Frame>();
  const arrivals = new Map<string, number[]>();
  const spoiled = new Set<string>();
  const inOrder = outcomes.filter(({ arrival }) => arrival !== undefined).sort((a, b) => a.arrival! - b.arrival!);
  for (const { frame, arrival } of inOrder) {
    const family = familyOf(frame.packet);
    for (const { side, mask } of lists[family]?.keys ?? []) {
      const key = `${family} ${side} ${mask} ${parseAddress(frame.packet[side], family)! & mask}`;
      const before = arrivals.get(key) ?? [];
      if (lists[family]!.windows.some((window) => hasNear(before, arrival! - window))) spoiled.add(key);
      if (spoiled.has(key)) found.add(frame);
      before.push(arrival!);
      arrivals.set(key, before);
    }
  }
  return found;
}

/** Whether an ascending row has a value near the wanted one. */
function hasNear(row: readonly number[], wanted: number): boolean {
  let [low, high] = [0, row.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row[middle]! < wanted - margin) low = middle + 1;
    else high = middle;
  }
  return row[low] !== undefined && row[low]! <= wanted + margin;
}
