/** The first phase: everything there is to know of a ruleset before anything is decided about it. Each rule is taken apart once. */

import { Declarations } from "../extensions/declarations.js";
import { judgementOf } from "../extensions/described.js";
import type { Ipsets } from "../extensions/extension.js";
import type { Geoip } from "../geoip/ranges.js";
import type { IptablesChain, IptablesRule, IptablesRuleset, IptablesTable } from "../iptables/ast.js";
import { findChainLoops } from "../iptables/chain-loops.js";
import { chainName, Names } from "../nft/names.js";
import { analyse, derived, type Analysis, type AnalysisContext } from "./analyse.js";
import { depthsOf, reachableHooks } from "./hooks.js";
import { gatherLists, headerTtls, type HeaderTtls, type ListUsage } from "./recent/usage.js";
import { tracksConnections } from "./tracking.js";

export interface AnalysisOptions {
  /** Elements a dynamic set may hold. */
  readonly setSize: number;
  /** Write a counter into every rule. */
  readonly counters: boolean;
  /** What sets hold at run time is kept when the script is loaded again. */
  readonly keepSets?: boolean;
  /** The sets of ipset that rules may ask. */
  readonly ipsets?: Ipsets;
  /** The addresses of countries that rules may ask; none if undefined. */
  readonly geoip?: Geoip | undefined;
}

export interface AnalysedRule {
  readonly rule: IptablesRule;
  readonly analysis: Analysis;
}

export interface AnalysedChain {
  readonly table: IptablesTable;
  readonly chain: IptablesChain;
  /** In nft. */
  readonly name: string;
  /** Jumps from a built-in chain to this one, on the longest way; absent if there is none. */
  readonly depth: number | undefined;
  readonly rules: readonly AnalysedRule[];
}

export interface RulesetAnalysis {
  readonly ruleset: IptablesRuleset;
  readonly chains: readonly AnalysedChain[];
  /** The lists of `recent` by name, in the order of their creation. */
  readonly lists: ReadonlyMap<string, AnalysedList>;
}

export interface AnalysedList {
  readonly usage: ListUsage;
  readonly headerTtls: HeaderTtls;
}

export function analyseRuleset(ruleset: IptablesRuleset, options: AnalysisOptions): RulesetAnalysis {
  const names = new Names();
  const chainNames = new Map(
    ruleset.tables.map((table) => [
      table,
      new Map(table.chains.map(({ name }) => [name, names.unique(chainName(table.name, name))] as const)),
    ]),
  );
  const hooks = new Map(ruleset.tables.map((table) => [table, reachableHooks(table)]));
  const common = {
    family: ruleset.family,
    ruleset,
    setSize: options.setSize,
    counters: options.counters,
    keepSets: options.keepSets === true,
    ...(options.ipsets && { ipsets: options.ipsets }),
    ...(options.geoip && { geoip: options.geoip }),
    reassembles: tracksConnections(ruleset),
  };
  let number = 0;
  const chains = ruleset.tables.flatMap((table) => {
    const deadLoops = new Set(findChainLoops(table, true).map(({ rule }) => rule));
    const depths = depthsOf(table);
    const nameOf = (name: string): string => chainNames.get(table)?.get(name) ?? name;
    return table.chains.map((chain): AnalysedChain => {
      const context = { ...common, table: table.name, hooks: hooks.get(table)?.get(chain.name) ?? new Set(), chainName: nameOf };
      const rules = chain.rules.map((rule) => ({
        rule,
        analysis: deadLoops.has(rule) ? deadLoop : analyseRule(rule, context, number++),
      }));
      return { table, chain, name: nameOf(chain.name), depth: depths.get(chain.name), rules };
    });
  });
  const lists = new Map(
    [...gatherLists(ruleset)].map(([name, usage]) => {
      const reached = usage.uses.flatMap(({ table, chain }) => [...(hooks.get(table)?.get(chain.name) ?? [])]);
      return [name, { usage, headerTtls: headerTtls(reached) }] as const;
    }),
  );
  return { ruleset, chains, lists };
}

/** Of a rule that closes a circle of jumps which no packet goes round. */
export const deadLoop: Analysis = {
  kind: "never",
  remarks: [],
  reason: "a rule before it takes all packets; nft would refuse the circle of jumps all the same",
};

function analyseRule(rule: IptablesRule, context: Omit<AnalysisContext, "rule" | "protocol" | "declare">, number: number): Analysis {
  const { protocol } = rule;
  return analyse(
    rule,
    derived(context, {
      rule,
      judgement: judgementOf(rule, context.table),
      protocol: protocol && !protocol.inverted && protocol.value !== 0 ? protocol.value : undefined,
      declare: new Declarations(number),
    }),
  );
}
