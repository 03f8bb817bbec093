/** From which hooks a chain can be reached, and how deep the jumps go. */

import type { IptablesTable } from "../iptables/ast.js";
import type { Hook, NftChain, NftTable } from "../nft/ast.js";

const hookOf: Readonly<Record<string, Hook>> = {
  PREROUTING: "prerouting",
  INPUT: "input",
  FORWARD: "forward",
  OUTPUT: "output",
  POSTROUTING: "postrouting",
};

/** The hooks of each chain of a table, by following jumps and gotos from the built-in chains. */
export function reachableHooks(table: IptablesTable): Map<string, Set<Hook>> {
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const hooks = new Map<string, Set<Hook>>(table.chains.map((chain) => [chain.name, new Set<Hook>()]));
  for (const start of table.chains) {
    const hook = start.policy === undefined ? undefined : hookOf[start.name];
    if (hook === undefined) continue;
    const waiting = [start.name];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const reached = hooks.get(name);
      if (!reached || reached.has(hook)) continue;
      reached.add(hook);
      for (const rule of chains.get(name)?.rules ?? []) if (rule.target?.kind === "chain") waiting.push(rule.target.chain);
    }
  }
  return hooks;
}

/** The longest way from a built-in chain to each chain, in jumps. */
export function depthsOf(table: IptablesTable): Map<string, number> {
  const depths = new Map<string, number>(table.chains.filter(({ policy }) => policy !== undefined).map(({ name }) => [name, 0]));
  const callees = new Map(
    table.chains.map(({ name, rules }) => [
      name,
      [...new Set(rules.flatMap(({ target }) => (target?.kind === "chain" ? [target.chain] : [])))],
    ]),
  );
  // Loops among reachable chains have been refused, so as many rounds as there are chains reach the longest way.
  let waiting = [...depths.keys()];
  for (let round = 0; round <= callees.size && waiting.length > 0; round++) {
    const deeper = new Set<string>();
    for (const name of waiting) {
      for (const callee of callees.get(name) ?? []) {
        if ((depths.get(callee) ?? -1) >= depths.get(name)! + 1) continue;
        depths.set(callee, depths.get(name)! + 1);
        deeper.add(callee);
      }
    }
    waiting = [...deeper];
  }
  return depths;
}

/** The kernel refuses a ruleset with more levels of jump and goto below a base chain (measured on Linux 6.18). */
export const deepestLevel = 15;

/**
 * How many levels of jump and goto lie below each chain; `Infinity` on a loop. A chain that no rule leaves has 0.
 */
export function levelsBelow(table: NftTable): Map<string, number> {
  const targets = new Map(table.chains.map((chain) => [chain.name, [...callees(chain)]]));
  const levels = new Map<string, number>();
  const open = new Set<string>();
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
