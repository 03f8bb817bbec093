/** iptables with xt_recent in virtual time: one ruleset, packet by packet. */

import type { RecentUse } from "../extensions/matches/recent.js";
import type { ExtensionUse, IptablesChain, IptablesRule, IptablesRuleset, IptablesTable } from "../iptables/ast.js";
import { baseChainOf } from "../nft/base-chains.js";
import type { Hook } from "../nft/ast.js";
import { Borrower, type Groups, type Place } from "./borrowed.js";
import type { MachineState, RuleEnd } from "./nft-machine.js";
import type { Firewall } from "./firewall.js";
import { Flight, hooksOf, NotModelled, packetCost, type Outcome, type Packet, type Verdict } from "./packet.js";
import { Passing } from "./passing.js";
import { PreparedRules, type PreparedRule, type PreparedTarget, type PreparedTest, type PreparingOptions } from "./prepared-rules.js";
import { RecentLists, type ListsState } from "./recent-lists.js";
import { wantedValue, type Test } from "./xt-matches.js";

export interface XtOptions extends PreparingOptions {
  /** Hosts a list remembers (`ip_list_tot`); `Infinity` for lists that never forget. 100 unless told. */
  readonly listSize?: number;
  /** Seconds without a hit after which a host is off its list (`--forget-after`); never unless told. */
  readonly forgetAfter?: number;
}

/** What the model remembers at one moment. */
export interface XtState {
  readonly lists: ListsState;
  readonly borrowed: MachineState;
}

type End = Verdict | "return";

/** Told of every rule that a packet reaches, and how it went on there. */
export interface Observer {
  /** All tests of the rule hold. */
  matched?(rule: IptablesRule): void;
  /** Instead of the list: what a `-m recent` answers. */
  recent?(use: RecentUse, rule: IptablesRule): boolean | undefined;
}

interface CompiledRule {
  readonly rule: IptablesRule;
  /** The matches in order, those of `recent` among them. */
  readonly tests: readonly Test[];
  /** So many of them stand in front of all that remember something. */
  readonly front: number;
  /** Absent for a rule without target, or with one that has no translation. */
  readonly target?: Target;
}

type Target =
  | { readonly kind: "end"; readonly end: End }
  | { readonly kind: "effect"; readonly run: (flight: Flight) => RuleEnd }
  | { readonly kind: "call"; readonly rules: Chain; readonly goto: boolean };

interface CompiledChain {
  readonly rules: readonly CompiledRule[];
  readonly passing: Passing;
}

/** Compiled when the first packet comes: to most chains of a large ruleset none of a search comes. */
interface Chain {
  readonly chain: IptablesChain;
  /** Chains of its table. */
  readonly beside: ReadonlyMap<string, Chain>;
  compiled?: CompiledChain;
}

interface BaseChain {
  readonly chain: Chain;
  readonly priority: number;
  readonly nat: boolean;
}

export class XtModel implements Firewall<XtState> {
  readonly lists: RecentLists;
  private readonly hooks = new Map<Hook, BaseChain[]>();
  private readonly borrower: Borrower;
  private observer: Observer | undefined;
  private lastRule: IptablesRule | undefined;
  /** Rules that packets were held against since there is this model, and `packetCost` for each packet. */
  asked = 0;
  /** Packets that each rule has matched. */
  readonly counts = new Map<IptablesRule, number>();

  constructor(
    readonly ruleset: IptablesRuleset,
    { listSize = 100, forgetAfter, ...options }: XtOptions = {},
    private readonly prepared: PreparedRules = new PreparedRules(ruleset, options),
  ) {
    this.lists = new RecentLists(ruleset, listSize, forgetAfter);
    this.borrower = new Borrower(prepared.borrowed);
    const tables = ruleset.tables.map((table) => {
      const chains = new Map<string, Chain>();
      for (const chain of table.chains) chains.set(chain.name, { chain, beside: chains });
      this.addBaseChains(table, chains);
      return chains;
    });
    for (const chains of tables)
      for (const { chain } of chains.values()) for (const rule of chain.rules) this.refuseUnknown(prepared.of(rule), chains);
  }

  /** Another model of the same rules, with lists of its own. */
  another(options: Pick<XtOptions, "listSize" | "forgetAfter">): XtModel {
    return new XtModel(this.ruleset, options, this.prepared);
  }

  /** Throws `NotModelled` for a rule that could not be compiled. */
  private refuseUnknown({ tests, target }: PreparedRule, chains: ReadonlyMap<string, Chain>): void {
    for (const test of tests) if ("groups" in test) for (const statements of test.groups.groups) this.borrower.refuseUnknown(statements);
    if (target?.kind === "call" && !chains.has(target.chain)) throw new NotModelled(`no chain ${target.chain}`);
    if (target?.kind === "effect") this.borrower.refuseUnknown(target.statements);
  }

  private addBaseChains(table: IptablesTable, chains: ReadonlyMap<string, Chain>): void {
    for (const chain of table.chains) {
      if (chain.policy === undefined) continue;
      const base = baseChainOf(table.name, chain.name, "accept")?.base;
      if (!base) throw new NotModelled(`no hook for chain ${chain.name} of table ${table.name}`);
      const list = this.hooks.get(base.hook) ?? [];
      list.push({ chain: chains.get(chain.name)!, priority: base.priority, nat: table.name === "nat" });
      list.sort((a, b) => a.priority - b.priority);
      this.hooks.set(base.hook, list);
    }
  }

  /** Rules that the script has only in part, and that are here as they are there. */
  get refused(): ReadonlySet<IptablesRule> {
    return this.prepared.refused;
  }

  /** The nft statements of a match, of which the conditions for a packet are read off; `undefined` if there are none. */
  groupsOf(match: ExtensionUse, place: Place): Groups | undefined {
    return this.prepared.groups.get(match) ?? this.prepared.borrowed.match(match, place);
  }

  /** Sets that only `-m set` asks, whose elements are facts of a packet. */
  get opaqueSets(): ReadonlySet<string> {
    return this.prepared.borrowed.opaqueSets;
  }

  /** Forgets all hosts and counts. */
  reset(): void {
    this.lists.reset();
    this.borrower.reset();
    this.counts.clear();
  }

  save(): XtState {
    return { lists: this.lists.save(), borrowed: this.borrower.save() };
  }

  restore({ lists, borrowed }: XtState): void {
    this.lists.restore(lists);
    this.borrower.restore(borrowed);
  }

  /** See `RecentLists.describeState`. */
  describeState(time: number, horizon: number): string {
    return `${this.lists.describeState(time, horizon)}\n${this.borrower.describeState(time)}`;
  }

  allStamps(list: string): readonly number[] {
    return this.lists.allStamps(list);
  }

  /** Stamps stay until others take their place. */
  expiries(): readonly number[] {
    return [];
  }

  /** Sends one packet through all hooks of its path. */
  send(packet: Packet, observer?: Observer): Outcome {
    this.observer = observer;
    this.lastRule = undefined;
    const flight = new Flight(packet);
    this.asked += packetCost;
    for (const hook of hooksOf(packet.path)) {
      flight.change({ hook });
      for (const { chain, nat } of this.hooks.get(hook) ?? []) {
        if (nat && !flight.opensConnection) continue;
        const end = this.runChain(chain, flight);
        if (end === "return") this.lastRule = undefined;
        const verdict = end !== "return" ? end : chain.chain.policy === "DROP" ? "drop" : "accept";
        if (verdict === "drop") return flight.outcome("drop");
      }
    }
    return flight.outcome("accept");
  }

  /** The rule that decided the last packet; `undefined` where a policy did. */
  get decidedBy(): IptablesRule | undefined {
    return this.lastRule;
  }

  /** The stamps of a host in ticks, the newest last; `undefined` if it is not on the list. */
  stamps(list: string, address: bigint): readonly number[] | undefined {
    return this.lists.stamps(list, address);
  }

  private runChain(chain: Chain, flight: Flight): End {
    const { rules, passing } = (chain.compiled ??= this.compile(chain));
    const found = passing.of(flight);
    const { changes } = flight;
    let index = -1;
    for (let nth = 0; ; nth++) {
      // What was found holds as long as the packet stays as it is.
      index = flight.changes === changes ? (found[nth] ?? rules.length) : index + 1;
      if (index >= rules.length) return "return";
      const { rule, tests, target } = rules[index]!;
      this.asked += 1;
      if (!tests.every((test) => test(flight))) continue;
      this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1);
      this.observer?.matched?.(rule);
      if (!target) continue;
      if (target.kind === "call") {
        const end = this.runChain(target.rules, flight);
        if (end !== "return" || target.goto) return end;
        continue;
      }
      const end = target.kind === "end" ? target.end : target.run(flight);
      if (end === "matched" || end === "failed") continue;
      this.lastRule = rule;
      return end;
    }
  }

  // ------------------------------------------------------------------------------------------------------- rules

  private compile({ chain, beside }: Chain): CompiledChain {
    const rules = chain.rules.map((rule) => this.compileRule(this.prepared.of(rule), beside));
    const fronts = rules.map(({ rule, tests, front }) => ({
      tests: tests.slice(0, front),
      wanted: this.prepared.cut.has(rule) ? undefined : wantedValue(rule),
    }));
    return { rules, passing: new Passing(fronts, this) };
  }

  private compileRule({ rule, tests, target }: PreparedRule, chains: ReadonlyMap<string, Chain>): CompiledRule {
    const other = tests.findIndex((test) => !this.asksPacket(test));
    return {
      rule,
      tests: tests.map((test) => this.compileTest(test, rule)),
      front: other < 0 ? tests.length : other,
      ...(target && { target: this.compileTarget(target, chains) }),
    };
  }

  private asksPacket(test: PreparedTest): boolean {
    return typeof test === "function" || ("groups" in test && this.prepared.borrowed.asksPacket(test.groups));
  }

  private compileTest(test: PreparedTest, rule: IptablesRule): Test {
    if (typeof test === "function") return test;
    if ("groups" in test) return this.borrower.test(test.groups);
    const use = this.lists.useOf(test.recent);
    return (flight) => this.observer?.recent?.(use, rule) ?? this.lists.ask(use, flight);
  }

  private compileTarget(target: PreparedTarget, chains: ReadonlyMap<string, Chain>): Target {
    switch (target.kind) {
      case "end":
        return target;
      case "call":
        return { kind: "call", rules: chains.get(target.chain)!, goto: target.goto };
      case "effect":
        return { kind: "effect", run: this.borrower.effect(target.statements) };
    }
  }
}
