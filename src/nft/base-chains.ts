/** The built-in chains of iptables as nft base chains. */

import type { NftChain } from "./ast.js";

export type BaseChain = NonNullable<NftChain["base"]>;

const hookPriorities: Readonly<Record<string, readonly (readonly [chain: string, hook: BaseChain["hook"], priority: number])[]>> = {
  raw: [
    ["PREROUTING", "prerouting", -300],
    ["OUTPUT", "output", -300],
  ],
  mangle: [
    ["PREROUTING", "prerouting", -150],
    ["INPUT", "input", -150],
    ["FORWARD", "forward", -150],
    ["OUTPUT", "output", -150],
    ["POSTROUTING", "postrouting", -150],
  ],
  nat: [
    ["PREROUTING", "prerouting", -100],
    ["INPUT", "input", 100],
    ["OUTPUT", "output", -100],
    ["POSTROUTING", "postrouting", 100],
  ],
  filter: [
    ["INPUT", "input", 0],
    ["FORWARD", "forward", 0],
    ["OUTPUT", "output", 0],
  ],
  security: [
    ["INPUT", "input", 50],
    ["FORWARD", "forward", 50],
    ["OUTPUT", "output", 50],
  ],
};

/**
 * The built-in chains of iptables as base chains, named as the rewriter names them; their hooks and priorities are those of
 * the kernel's enum nf_ip_hook_priorities, and mangle's OUTPUT re-routes like iptables' does.
 */
export function baseChainOf(table: string, chain: string, policy: "accept" | "drop"): { name: string; base: BaseChain } | undefined {
  const entry = hookPriorities[table]?.find(([name]) => name === chain);
  if (!entry) return undefined;
  const [, hook, priority] = entry;
  const type = table === "nat" ? "nat" : table === "mangle" && chain === "OUTPUT" ? "route" : "filter";
  return { name: `${table}_${chain}`, base: { type, hook, priority, policy } };
}

/** Every base chain that a translation can have. */
export function allBaseChains(): { name: string; base: BaseChain }[] {
  return Object.entries(hookPriorities).flatMap(([table, chains]) =>
    chains.flatMap(([chain]) => baseChainOf(table, chain, "accept") ?? []),
  );
}
