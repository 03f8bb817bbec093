/** One version of the rules of a family, prepared so that packets can be sent through it beside the other version. */

import type { Family, IptablesRule, IptablesRuleset, IptablesTable, TableName } from "../../iptables/ast.js";
import { reachableHooks } from "../../rewrite/hooks.js";
import type { Version } from "../packets/box.js";
import { followedTable, type FollowedTable } from "../packets/paths.js";
import type { ChainPair } from "../changes/chain-pairs.js";

/** A place where packets come to a table: a built-in chain. */
export interface Stage {
  readonly table: TableName;
  readonly chain: string;
}

export type PathName = "INPUT" | "FORWARD" | "OUTPUT";

const stages = (text: string): Stage[] =>
  text.split(" ").map((one) => {
    const [table, chain] = one.split("/") as [TableName, string];
    return { table, chain };
  });

/** The ways of a packet, by the priorities of iptables' hooks (netfilter_ipv4.h). */
export const paths: Readonly<Record<PathName, readonly Stage[]>> = {
  INPUT: stages("raw/PREROUTING mangle/PREROUTING nat/PREROUTING mangle/INPUT filter/INPUT security/INPUT nat/INPUT"),
  FORWARD: stages(
    "raw/PREROUTING mangle/PREROUTING nat/PREROUTING mangle/FORWARD filter/FORWARD security/FORWARD mangle/POSTROUTING nat/POSTROUTING",
  ),
  OUTPUT: stages("raw/OUTPUT mangle/OUTPUT nat/OUTPUT filter/OUTPUT security/OUTPUT mangle/POSTROUTING nat/POSTROUTING"),
};

export class Side {
  private readonly tables = new Map<TableName, FollowedTable>();
  /** Rules from which on a chain is not the same in both versions; chains that are the same throughout have no entry. */
  private readonly firstDifferences = new Map<string, number>();
  private readonly ids = new Map<IptablesRule, string>();
  private readonly hooks = new Map<IptablesTable, ReturnType<typeof reachableHooks>>();

  constructor(
    readonly version: Version,
    readonly family: Family,
    ruleset: IptablesRuleset | undefined,
    private readonly pairs: ReadonlyMap<TableName, readonly ChainPair[]>,
    /** In both versions the kernel puts fragments together before any rule sees them. */
    readonly reassembles: boolean,
  ) {
    for (const table of ruleset?.tables ?? []) {
      this.tables.set(table.name, followedTable(table, family));
      for (const pair of pairs.get(table.name) ?? []) this.notePair(table, pair);
    }
  }

  /** Whether the other version has a table that this one lacks. */
  isOnlyInOther(name: TableName): boolean {
    return this.pairs.has(name) && !this.tables.has(name);
  }

  private notePair(table: IptablesTable, pair: ChainPair): void {
    const { old, new: current, oldMeanings, newMeanings } = pair;
    const own = this.version === "old" ? old : current;
    if (!own) return;
    let same = 0;
    while (same < oldMeanings.length && oldMeanings[same] === newMeanings[same]) same++;
    const equal = same === oldMeanings.length && same === newMeanings.length && old?.policy === current?.policy;
    if (!equal) this.firstDifferences.set(`${table.name} ${own.name}`, old && current ? same : 0);
  }

  /** Gives a rule the name that it has in both versions. */
  nameRule(rule: IptablesRule, id: string): void {
    this.ids.set(rule, id);
  }

  idOf(rule: IptablesRule): string {
    return this.ids.get(rule) ?? `${this.version} ${rule.span.file}:${rule.span.line}:${rule.span.column}`;
  }

  /** The built-in chains from which a chain is reached. */
  basesOf({ table }: FollowedTable, chain: string): readonly string[] {
    let hooks = this.hooks.get(table);
    if (!hooks) this.hooks.set(table, (hooks = reachableHooks(table)));
    return [...(hooks.get(chain) ?? [])].map((hook) => hook.toUpperCase());
  }

  table(name: TableName): FollowedTable | undefined {
    return this.tables.get(name);
  }

  get followed(): IterableIterator<FollowedTable> {
    return this.tables.values();
  }

  /** The first rule at which the chain differs from the other version's; `Infinity` if none does. */
  firstDifference(table: TableName, chain: string): number {
    return this.firstDifferences.get(`${table} ${chain}`) ?? Infinity;
  }
}
