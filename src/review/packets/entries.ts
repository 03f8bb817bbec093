/** Which packets come into a chain. */

import { everything, hull, intersect, type Box } from "./box.js";
import type { FollowedTable } from "./paths.js";

/**
 * For each chain a box that holds every packet that comes into it; no entry for a chain that none reaches. What rules before a
 * jump take away is not looked at.
 */
export function entriesOf(table: FollowedTable): ReadonlyMap<string, Box> {
  let entries = known.get(table);
  if (!entries) known.set(table, (entries = findEntries(table)));
  return entries;
}

const known = new WeakMap<FollowedTable, ReadonlyMap<string, Box>>();

function findEntries(table: FollowedTable): Map<string, Box> {
  const found = new Map<string, Box | undefined>();
  const callers = new Map<string, { readonly chain: string; readonly condition: Box }[]>();
  for (const [name, { rules }] of table.chains) {
    for (const { action, condition } of rules) {
      if (action.kind !== "jump" || !condition) continue;
      const list = callers.get(action.chain);
      if (list) list.push({ chain: name, condition });
      else callers.set(action.chain, [{ chain: name, condition }]);
    }
  }
  const entry = (name: string): Box | undefined => {
    if (found.has(name)) return found.get(name);
    // Chains that call each other in a circle are refused where they are reached, so this ends the search soundly.
    found.set(name, undefined);
    const builtIn = table.chains.get(name)?.chain.policy !== undefined;
    const boxes = builtIn
      ? [everything]
      : (callers.get(name) ?? []).flatMap(({ chain, condition }) => {
          const before = entry(chain);
          return (before && intersect(before, condition)) ?? [];
        });
    const box = boxes.length === 0 ? undefined : hull(boxes);
    found.set(name, box);
    return box;
  };
  for (const name of table.chains.keys()) entry(name);
  return new Map([...found].flatMap(([name, box]) => (box ? [[name, box] as const] : [])));
}
