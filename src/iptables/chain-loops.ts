/** Chains that jump in a circle, which the kernel refuses to load. */

import type { IptablesChain, IptablesRule, IptablesTable } from "./ast.js";

/** A jump that closes a circle. */
export interface ChainLoop {
  readonly rule: IptablesRule;
  /** The chains of the circle in the order of the jumps; the last one holds `rule` and jumps to the first. */
  readonly chains: readonly string[];
}

const terminal = new Set(["ACCEPT", "DROP", "RETURN", "QUEUE"]);

/** Whether every packet that comes here leaves the chain; the kernel looks at no rule behind. */
function endsChain(rule: IptablesRule): boolean {
  return (
    rule.target?.kind === "extension" &&
    terminal.has(rule.target.extension) &&
    rule.matches.length === 0 &&
    rule.source === undefined &&
    rule.destination === undefined &&
    rule.inInterface === undefined &&
    rule.outInterface === undefined &&
    rule.protocol === undefined &&
    rule.fragment === undefined
  );
}

/**
 * All jumps that close a circle which a packet can get into: from a built-in chain, over rules that are not behind an
 * unconditional ACCEPT, DROP or RETURN (mark_source_chains of the kernel's ip_tables.c; other circles load). nf_tables
 * follows the rules behind such a verdict too, though no packet comes there: with `includingDead` so does this function.
 */
export function findChainLoops(table: IptablesTable, includingDead = false): ChainLoop[] {
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const loops: ChainLoop[] = [];
  const done = new Set<string>();
  for (const start of table.chains) {
    if (start.policy === undefined) continue;
    // An explicit stack: a chain of 100,000 chains must not be deeper than the call stack.
    const path: { readonly chain: IptablesChain; next: number }[] = [{ chain: start, next: 0 }];
    const places = new Map([[start.name, 0]]);
    for (let top = path[0]; top !== undefined; top = path[path.length - 1]) {
      const rule = top.chain.rules[top.next++];
      if (rule === undefined || (!includingDead && endsChain(rule))) {
        path.pop();
        places.delete(top.chain.name);
        done.add(top.chain.name);
        continue;
      }
      if (rule.target?.kind !== "chain") continue;
      const chain = chains.get(rule.target.chain);
      if (chain === undefined || done.has(chain.name)) continue;
      const place = places.get(chain.name);
      if (place === undefined) {
        places.set(chain.name, path.length);
        path.push({ chain, next: 0 });
      } else {
        loops.push({ rule, chains: path.slice(place, place + 20).map((step) => step.chain.name) });
      }
    }
  }
  return loops;
}
