/** How deep the jumps of a table go. */

import type { NftChain, NftTable } from "./ast.js";

/** The kernel refuses a ruleset with more levels of jump and goto below a base chain (measured on Linux 6.18). */
export const deepestLevel = 15;

/**
 * How many levels of jump and goto lie below each chain; `Infinity` on a loop. A chain that no rule leaves has 0.
 */
export function levelsBelow(table: NftTable): Map<string, number> {
  const targets = new Map(table.chains.map((chain) => [chain.name, [...callees(chain)]]));
  const levels = new Map<string, number>();
  const open = new Set<string>();
  // Most chains of large rulesets call none.
  for (const [name, below] of targets) if (below.length === 0) levels.set(name, 0);
  // An explicit stack: a ruleset may chain thousands of chains.
  for (const root of targets.keys()) {
    const stack = [root];
    while (stack.length > 0) {
      const name = stack.at(-1)!;
      if (levels.has(name)) {
        stack.pop();
        continue;
      }
      const below = targets.get(name) ?? [];
      const waiting = open.has(name) ? [] : below.filter((target) => !levels.has(target));
      open.add(name);
      if (waiting.length > 0) {
        for (const target of waiting) {
          if (open.has(target)) levels.set(target, Infinity);
          else stack.push(target);
        }
        continue;
      }
      levels.set(
        name,
        below.reduce((deepest, target) => Math.max(deepest, 1 + (levels.get(target) ?? Infinity)), 0),
      );
      open.delete(name);
      stack.pop();
    }
  }
  return levels;
}

/** The chains on the longest way down from a base chain, that chain first; empty without base chains. */
export function deepestPath(table: NftTable): string[] {
  const levels = levelsBelow(table);
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  let next = table.chains
    .filter(({ base }) => base)
    .map(({ name }) => name)
    .reduce<string | undefined>((best, name) => (best !== undefined && levels.get(best)! >= levels.get(name)! ? best : name), undefined);
  const path: string[] = [];
  while (next !== undefined && path.length <= chains.size) {
    path.push(next);
    const below: number = levels.get(next)! - 1;
    next = [...callees(chains.get(next)!)].find((target) => levels.get(target) === below);
  }
  return path;
}

/** The chains that a chain's rules jump or go to; such a statement is the last of its rule. */
function callees(chain: NftChain): Set<string> {
  const names = new Set<string>();
  for (const entry of chain.entries) {
    const last = entry.kind === "rule" ? entry.statements[entry.statements.length - 1] : undefined;
    if (last?.kind === "jump") names.add(last.chain);
  }
  return names;
}
