/** The order in which iptables hands the rules of a ruleset to the kernel: what several rules share by name, the first of them fixes. */

import type { IptablesChain, IptablesRule, IptablesRuleset, IptablesTable } from "./ast.js";
import { builtInChains } from "./tables.js";

export interface LoadedRule {
  readonly table: IptablesTable;
  readonly chain: IptablesChain;
  readonly rule: IptablesRule;
}

/** Table by table, built-in chains in hook order, then user chains sorted by name (measured with iptables 1.8.9). */
export function rulesInLoadOrder({ tables }: IptablesRuleset): LoadedRule[] {
  return tables.flatMap((table) =>
    chainsInLoadOrder(table).flatMap((chain) => chain.rules.map((rule): LoadedRule => ({ table, chain, rule }))),
  );
}

function chainsInLoadOrder({ name, chains }: IptablesTable): IptablesChain[] {
  const hooks = builtInChains[name];
  const builtIn = chains.filter((chain) => chain.policy !== undefined).sort((a, b) => hooks.indexOf(a.name) - hooks.indexOf(b.name));
  const user = chains.filter((chain) => chain.policy === undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...builtIn, ...user];
}
