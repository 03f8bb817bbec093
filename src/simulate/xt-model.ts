/** iptables with xt_recent in virtual time: one ruleset, packet by packet. */

import type { RecentUse } from "../extensions/matches/recent.js";
import type { Geoip } from "../geoip/ranges.js";
import type { ExtensionUse, IptablesChain, IptablesRule, IptablesRuleset, IptablesTable } from "../iptables/ast.js";
import { baseChainOf } from "../nft/base-chains.js";
import type { Hook } from "../nft/ast.js";
import { Borrower, type Groups, type Place } from "./borrowed.js";
import type { MachineState, RuleEnd } from "./nft-machine.js";
import type { Firewall } from "./firewall.js";
import { Flight, hooksOf, NotModelled, packetCost, type Outcome, type Packet, type Verdict } from "./packet.js";
import { Passing } from "./passing.js";
import { RecentLists, type ListsState } from "./recent-lists.js";
import { matchTest, packetTests, wantedValue, type Test } from "./xt-matches.js";

export interface XtOptions {
  /** Hosts a list remembers (`ip_list_tot`); `Infinity` for lists that never forget. 100 unless told. */
  readonly listSize?: number;
  /** Seconds without a hit after which a host is off its list (`--forget-after`); never unless told. */
  readonly forgetAfter?: number;
  /** Elements of a dynamic set, for the state of borrowed matches; 65535 unless told. */
  readonly setSize?: number;
  /** What the rules were translated with. */
  readonly geoip?: Geoip;
  /** Rules that the script has only in part; all are whole unless told. */
  readonly cut?: ReadonlyMap<IptablesRule, Cut>;
}

/** What is left of a rule: so many of its matches, which record their hits, and no target; `undefined`: nothing. */
export type Cut = number | undefined;

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
  | { readonly kind: "call"; readonly rules: CompiledChain; readonly goto: boolean };

interface CompiledChain {
  readonly chain: IptablesChain;
  rules: readonly CompiledRule[];
  passing: Passing;
}

/** A test that is made when all statements are, and whether it asks the packet alone. */
interface PreparedTest {
  readonly make: () => Test;
  readonly asksPacket: boolean;
}
interface BaseChain {
  readonly compiled: CompiledChain;
  readonly priority: number;
  readonly nat: boolean;
}

export class XtModel implements Firewall<XtState> {
  readonly lists: RecentLists;
  private readonly hooks = new Map<Hook, BaseChain[]>();
  private readonly borrower: Borrower;
  private readonly cut: ReadonlyMap<IptablesRule, Cut>;
  private readonly groups = new Map<ExtensionUse, Groups>();
  private observer: Observer | undefined;
  private lastRule: IptablesRule | undefined;
  /** Rules that packets were held against since there is this model, and `packetCost` for each packet. */
  asked = 0;
  /** Packets that each rule has matched. */
  readonly counts = new Map<IptablesRule, number>();
  /** Rules that the script has only in part, and that are here as they are there. */
  readonly refused: ReadonlySet<IptablesRule>;

  constructor(
    readonly ruleset: IptablesRuleset,
    { listSize = 100, setSize = 65535, forgetAfter, cut = new Map(), geoip }: XtOptions = {},
  ) {
    this.cut = cut;
    this.lists = new RecentLists(ruleset, listSize, forgetAfter);
    this.borrower = new Borrower(ruleset, setSize, geoip);
    const refused = new Set<IptablesRule>();
    this.refused = refused;
    // Statements first, since the machine that runs them needs all their sets.
    const finishing: (() => void)[] = [];
    for (const table of ruleset.tables) {
      const chains = new Map(
        table.chains.map((chain): [string, CompiledChain] => [chain.name, { chain, rules: [], passing: new Passing([], this) }]),
      );
      for (const compiled of chains.values()) {
        const later = compiled.chain.rules.map((rule) => this.prepare({ table, chain: compiled.chain, rule }, chains, refused));
        finishing.push(() => {
          compiled.rules = later.map((finish) => finish());
          const fronts = compiled.rules.map(({ rule, tests, front }) => ({
            tests: tests.slice(0, front),
            wanted: this.cut.has(rule) ? undefined : wantedValue(rule),
          }));
          compiled.passing = new Passing(fronts, this);
        });
      }
      this.addBaseChains(table, chains);
    }
    for (const finish of finishing) finish();
  }

  private addBaseChains(table: IptablesTable, chains: ReadonlyMap<string, CompiledChain>): void {
    for (const chain of table.chains) {
      if (chain.policy === undefined) continue;
      const base = baseChainOf(table.name, chain.name, "accept")?.base;
      if (!base) throw new NotModelled(`no hook for chain ${chain.name} of table ${table.name}`);
      const list = this.hooks.get(base.hook) ?? [];
      list.push({ compiled: chains.get(chain.name)!, priority: base.priority, nat: table.name === "nat" });
      list.sort((a, b) => a.priority - b.priority);
      this.hooks.set(base.hook, list);
    }
  }

  /** The nft statements of a match, of which the conditions for a packet are read off; `undefined` if there are none. */
  groupsOf(match: ExtensionUse, place: Place): Groups | undefined {
    return this.groups.get(match) ?? this.borrower.match(match, place);
  }

  /** Sets that only `-m set` asks, whose elements are facts of a packet. */
  get opaqueSets(): ReadonlySet<string> {
    return this.borrower.opaqueSets;
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
      for (const { compiled, nat } of this.hooks.get(hook) ?? []) {
        if (nat && !flight.opensConnection) continue;
        const end = this.runChain(compiled, flight);
        if (end === "return") this.lastRule = undefined;
        const verdict = end !== "return" ? end : compiled.chain.policy === "DROP" ? "drop" : "accept";
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

  private runChain(compiled: CompiledChain, flight: Flight): End {
    const { rules, passing } = compiled;
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

  /** Makes the statements that a rule borrows; what it returns makes the rule. */
  private prepare(place: Place, chains: ReadonlyMap<string, CompiledChain>, refused: Set<IptablesRule>): () => CompiledRule {
    const { rule } = place;
    const tests: PreparedTest[] = packetTests(rule).map(ofPacket);
    const { fragment } = rule;
    // Packets here are whole.
    if (fragment) tests.push(ofPacket(() => fragment.inverted));
    const made = (): Pick<CompiledRule, "rule" | "tests" | "front"> => {
      const other = tests.findIndex(({ asksPacket }) => !asksPacket);
      return { rule, tests: tests.map(({ make }) => make()), front: other < 0 ? tests.length : other };
    };
    const isCut = this.cut.has(rule);
    const left = isCut ? this.cut.get(rule) : rule.matches.length;
    if (isCut) refused.add(rule);
    if (left === undefined) return () => ({ rule, tests: [() => false], front: 1 });
    for (const match of rule.matches.slice(0, left)) {
      const test = this.prepareMatch(match, place);
      tests.push(test ?? ofPacket(() => false));
      if (test) continue;
      // What stands in front of a match that has no translation still records its hits, on both sides.
      refused.add(rule);
      return made;
    }
    if (isCut) return made;
    const target = this.prepareTarget(place, chains);
    if (rule.target && !target) refused.add(rule);
    return () => ({ ...made(), ...(target && { target: target() }) });
  }

  private prepareMatch(match: ExtensionUse, place: Place): PreparedTest | undefined {
    if (match.extension === "recent" && !match.unknown) {
      const use = this.lists.useOf(match);
      return {
        make: () => (flight) => this.observer?.recent?.(use, place.rule) ?? this.lists.ask(use, flight),
        asksPacket: false,
      };
    }
    const own = match.unknown ? undefined : matchTest(match);
    if (own) return ofPacket(own);
    const groups = this.borrower.match(match, place);
    if (groups) this.groups.set(match, groups);
    return groups && { make: () => this.borrower.test(groups), asksPacket: this.borrower.asksPacket(groups) };
  }

  private prepareTarget(place: Place, chains: ReadonlyMap<string, CompiledChain>): (() => Target) | undefined {
    const { target } = place.rule;
    if (!target) return undefined;
    if (target.kind === "chain") {
      const rules = chains.get(target.chain);
      if (!rules) throw new NotModelled(`no chain ${target.chain}`);
      return () => ({ kind: "call", rules, goto: target.goto });
    }
    const end = ends[target.extension];
    if (end) return () => ({ kind: "end", end });
    const statements = this.borrower.target(target, place);
    return statements && (() => ({ kind: "effect", run: this.borrower.effect(statements) }));
  }
}

function ofPacket(test: Test): PreparedTest {
  return { make: () => test, asksPacket: true };
}

const ends: Readonly<Record<string, End>> = { ACCEPT: "accept", DROP: "drop", REJECT: "drop", RETURN: "return" };
