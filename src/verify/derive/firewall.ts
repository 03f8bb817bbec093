/** A ruleset made ready for walking: chains by name, each rule with its conditions and the ways to it. */

import type { Family, IptablesChain, IptablesRule, IptablesRuleset, IptablesTable, TableName } from "../../iptables/ast.js";
import type { Condition } from "./condition.js";
import { conditionsIn } from "./conditions.js";
import type { Ipsets } from "./conditions-of-sets.js";
import type { Net } from "./net.js";

export type BuiltIn = "PREROUTING" | "INPUT" | "FORWARD" | "OUTPUT" | "POSTROUTING";

export interface FirewallRule {
  readonly rule: IptablesRule;
  readonly table: TableName;
  readonly chain: string;
  /** From 0, in its chain. */
  readonly index: number;
  readonly conditions: readonly Condition[];
}

export interface FirewallChain {
  readonly name: string;
  readonly policy: "ACCEPT" | "DROP" | undefined;
  readonly rules: readonly FirewallRule[];
}

/** A rule as it is reached from a built-in chain: the rules on the way jump to it. */
export interface Place {
  readonly hook: BuiltIn;
  readonly way: readonly FirewallRule[];
  readonly goal: FirewallRule;
}

export interface Firewall {
  readonly family: Family;
  readonly net: Net;
  readonly tables: ReadonlyMap<TableName, ReadonlyMap<string, FirewallChain>>;
  readonly rules: readonly FirewallRule[];
  /** By rule; empty for rules of chains that no built-in chain leads to. */
  readonly places: ReadonlyMap<FirewallRule, readonly Place[]>;
  /** What the search for packets has cost so far. */
  readonly effort: {
    /** Rules that packets were held against. */
    asked: number;
  };
}

/** `sets` are those that `-m set` asks. */
export function firewallOf(ruleset: IptablesRuleset, net: Net, sets: Ipsets = new Map()): Firewall {
  const { family } = ruleset;
  const conditionsOf = conditionsIn(ruleset, sets);
  const tables = new Map(ruleset.tables.map((table) => [table.name, chainsOf(table, conditionsOf)] as const));
  const all = [...tables.values()].flatMap((chains) => [...chains.values()]);
  const rules = all.flatMap((chain) => chain.rules);
  const places = new Map<FirewallRule, Place[]>(rules.map((rule) => [rule, []]));
  for (const chains of tables.values()) for (const place of placesOf(chains)) places.get(place.goal)!.push(place);
  return { family, net, tables, rules, places, effort: { asked: 0 } };
}

function chainsOf(table: IptablesTable, conditionsOf: (rule: IptablesRule) => Condition[]): Map<string, FirewallChain> {
  const compile = (chain: IptablesChain): FirewallChain => ({
    name: chain.name,
    policy: chain.policy,
    rules: chain.rules.map((rule, index) => ({
      rule,
      table: table.name,
      chain: chain.name,
      index,
      conditions: conditionsOf(rule),
    })),
  });
  return new Map(table.chains.map((chain) => [chain.name, compile(chain)]));
}

/** Ways kept for a rule and built-in chain; some may be closed by rules before them. */
const waysKept = 6;

/** Jumps on a way; where chains nest deeper no packet is looked for. */
export const longestWay = 64;

/** Each rule for each built-in chain it can be reached from, by up to `waysKept` ways, short ones first. */
function placesOf(chains: ReadonlyMap<string, FirewallChain>): Place[] {
  const places: Place[] = [];
  for (const start of chains.values()) {
    if (start.policy === undefined) continue;
    const seen = new Map<string, number>();
    let queue: { readonly chain: FirewallChain; readonly way: readonly FirewallRule[] }[] = [{ chain: start, way: [] }];
    while (queue.length > 0) {
      const next: typeof queue = [];
      for (const { chain, way } of queue) {
        for (const rule of chain.rules) {
          places.push({ hook: start.name as BuiltIn, way, goal: rule });
          const { target } = rule.rule;
          const to = target?.kind === "chain" ? chains.get(target.chain) : undefined;
          if (to === undefined || way.length >= longestWay) continue;
          const count = seen.get(to.name) ?? 0;
          if (count >= waysKept) continue;
          seen.set(to.name, count + 1);
          next.push({ chain: to, way: [...way, rule] });
        }
      }
      queue = next;
    }
  }
  return places;
}
