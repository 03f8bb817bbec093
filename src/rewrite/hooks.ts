/** From which hooks a chain can be reached, and by how many jumps. */

import type { IptablesTable } from "../iptables/ast.js";
import type { Hook } from "../nft/ast.js";

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
