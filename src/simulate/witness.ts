/**
 * Makes packets that reach a rule: they satisfy its tests and those of the jumps to it, and no rule before takes them away.
 *
 * The tests become conditions on the packet's fields; a packet that satisfies them is sent through the model, and where a
 * rule on the way takes it, one of that rule's conditions is turned into its opposite and the packet made anew.
 */

import type { Family, IptablesChain, IptablesRule, IptablesTable } from "../iptables/ast.js";
import type { Random } from "../random.js";
import { opposite, packetConditions, waysOf, type Condition, type Field, type Ways } from "./conditions.js";
import type { Place } from "./borrowed.js";
import type { Value } from "./nft-values.js";
import { fieldOf, fits, plainPacket, usualValues, withField } from "./packet-fields.js";
import type { Packet, Path } from "./packet.js";
import type { XtModel } from "./xt-model.js";

const mostPaths = 12;
const mostAttempts = 80;
/** Of the ways in which a rule's alternatives can be combined. */
const mostWays = 24;
const mostValues = 48;

const pathsOfChain: Readonly<Record<string, readonly Path[]>> = {
  PREROUTING: ["input", "forward"],
  INPUT: ["input"],
  FORWARD: ["forward"],
  OUTPUT: ["output"],
  POSTROUTING: ["forward", "output"],
};

/** The rules that lead to a rule, from a built-in chain on. */
interface Route {
  readonly path: Path;
  readonly calls: readonly IptablesRule[];
}

export class Witnesses {
  private readonly family: Family;
  private readonly places = new Map<IptablesRule, Place>();
  private readonly callers = new Map<IptablesChain, IptablesRule[]>();
  private readonly ways = new Map<IptablesRule, Ways>();
  private readonly values: Map<Field, Value[]>;

  /** @param isOver whether the time is up: then nothing more is found */
  constructor(
    private readonly model: XtModel,
    private readonly random: Random,
    private readonly isOver: () => boolean = () => false,
  ) {
    const { ruleset } = model;
    this.family = ruleset.family;
    this.values = new Map([...usualValues(this.family)].map(([field, values]) => [field, [...values]]));
    for (const table of ruleset.tables) this.indexTable(table);
    for (const rule of this.places.keys()) for (const condition of this.waysOf(rule).flat()) this.learnValues(condition);
  }

  private indexTable(table: IptablesTable): void {
    const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
    for (const chain of table.chains) {
      for (const rule of chain.rules) {
        this.places.set(rule, { table, chain, rule });
        const called = rule.target?.kind === "chain" ? chains.get(rule.target.chain) : undefined;
        if (!called) continue;
        const callers = this.callers.get(called);
        if (callers) callers.push(rule);
        else this.callers.set(called, [rule]);
      }
    }
  }

  private learnValues(condition: Condition): void {
    const { field } = condition;
    let values = this.values.get(field);
    if (!values) this.values.set(field, (values = []));
    if (values.length >= mostValues) return;
    for (const value of condition.candidates) if (values.length < mostValues && !values.includes(value)) values.push(value);
  }

  /** The place of a rule of the model's ruleset. */
  placeOf(rule: IptablesRule): Place {
    return this.places.get(rule)!;
  }

  /** Rules whose jumps may lead to this one. */
  callsTo(rule: IptablesRule): IptablesRule[] {
    return [...new Set(this.routesTo(rule).flatMap(({ calls }) => calls))];
  }

  /** False if no packet can come to the rule: nothing jumps to its chain, or every jump wants another protocol than the rule. */
  mayBeReached(rule: IptablesRule): boolean {
    return this.routesTo(rule).some(({ calls }) => {
      const ways = combinations([...calls.map((call) => this.waysOf(call)), this.waysOf(rule, true)]);
      // Of so many not all are here.
      return ways.length >= mostWays || ways.some(hasProtocol);
    });
  }

  /** A packet for which the rule's first `-m recent` is asked, given that lists answer as its jumps need; `undefined` if none was found. */
  reach(rule: IptablesRule): Packet | undefined {
    for (const wholeRule of [true, false]) {
      for (const route of this.routesTo(rule)) {
        const found = this.reachBy(route, rule, wholeRule);
        if (found) return found;
      }
    }
    return undefined;
  }

  /** A packet like this one but for one field. */
  mutate(packet: Packet): Packet {
    const fields = [...this.values.keys()];
    const field = fields[Math.floor(this.random() * fields.length)]!;
    const value = this.pick(this.values.get(field)!);
    return value === undefined || !fits(field, value, packet.path, this.family) ? packet : withField(packet, field, value);
  }

  private pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.random() * items.length)];
  }

  // ------------------------------------------------------------------------------------------------------- routes

  private routesTo(rule: IptablesRule): Route[] {
    const routes: Route[] = [];
    const walk = (current: IptablesRule, calls: readonly IptablesRule[]): void => {
      if (routes.length >= mostPaths || calls.length > 32) return;
      const { chain } = this.placeOf(current);
      if (chain.policy !== undefined) for (const path of pathsOfChain[chain.name] ?? []) routes.push({ path, calls });
      for (const caller of this.callers.get(chain) ?? []) if (!calls.includes(caller)) walk(caller, [caller, ...calls]);
    };
    walk(rule, []);
    return routes;
  }

  private reachBy({ path, calls }: Route, rule: IptablesRule, wholeRule: boolean): Packet | undefined {
    const needed = [...calls.map((call) => this.waysOf(call)), this.waysOf(rule, !wholeRule)];
    const { table } = this.placeOf(rule);
    const fixed: Condition[] = table.name === "nat" ? [{ field: "state", holds: (value) => value === "new", candidates: ["new"] }] : [];
    for (const way of combinations(needed)) {
      const found = this.reachUnder([...fixed, ...way], path, calls, rule);
      if (found) return found;
    }
    return undefined;
  }

  private reachUnder(needed: readonly Condition[], path: Path, calls: readonly IptablesRule[], rule: IptablesRule): Packet | undefined {
    let conditions = needed;
    for (let attempt = 0; attempt < mostAttempts && !this.isOver(); attempt++) {
      const packet = this.solve(conditions, path);
      // A dead end: from the start again, another way.
      if (!packet) {
        if (conditions === needed) return undefined;
        conditions = needed;
        continue;
      }
      const { reached, matched } = this.follow(packet, calls, rule);
      if (reached) return packet;
      const blockers = matched.filter((one) => one.target !== undefined && !calls.includes(one) && one !== rule);
      const blocker = this.random() < 0.7 ? blockers.at(-1) : this.pick(blockers);
      if (!blocker) return undefined;
      const condition = this.pick(this.pick(this.waysOf(blocker)) ?? []);
      const isTurned = condition !== undefined && this.random() < 0.8;
      conditions = [...conditions, ...(isTurned ? [opposite(condition)] : this.wayAround(blocker))];
    }
    return undefined;
  }

  /** The tests of a rule that leaves the chain before this one takes the packet. */
  private wayAround(blocker: IptablesRule): readonly Condition[] {
    const { rules } = this.placeOf(blocker).chain;
    const returning = rules
      .slice(0, rules.indexOf(blocker))
      .filter(({ target }) => target?.kind === "extension" && target.extension === "RETURN");
    // The first is what its author had in mind for most packets.
    const chosen = this.random() < 0.7 ? returning[0] : this.pick(returning);
    return (chosen && this.pick(this.waysOf(chosen))) ?? [];
  }

  /** Whether the packet comes to the rule's lists, and all rules it matched; every state is that of empty lists. */
  private follow(
    packet: Packet,
    calls: readonly IptablesRule[],
    rule: IptablesRule,
  ): { readonly reached: boolean; readonly matched: readonly IptablesRule[] } {
    let reached = false;
    const matched: IptablesRule[] = [];
    this.model.reset();
    this.model.send(packet, {
      recent: (_use, asking) => {
        if (asking === rule) reached = true;
        return asking === rule || calls.includes(asking);
      },
      matched: (one) => matched.push(one),
    });
    this.model.reset();
    return { reached, matched };
  }

  // --------------------------------------------------------------------------------------------------- conditions

  /** @param front only what is asked in front of the first `-m recent` */
  private waysOf(rule: IptablesRule, front = false): Ways {
    const known = front ? undefined : this.ways.get(rule);
    if (known) return known;
    const place = this.placeOf(rule);
    const parts: Ways[] = [[packetConditions(rule)]];
    for (const match of rule.matches) {
      if (match.extension === "recent" && !match.unknown) {
        if (front) break;
        continue;
      }
      const groups = this.model.groupsOf(match, place);
      if (groups) parts.push(waysOf(groups, this.family, this.model.opaqueSets));
    }
    const ways = combinations(parts);
    if (!front) this.ways.set(rule, ways);
    return ways;
  }

  /** The plain packet, changed until all conditions hold. */
  private solve(conditions: readonly Condition[], path: Path): Packet | undefined {
    let packet: Packet = {
      ...plainPacket[this.family],
      path,
      ...(path === "output" && { inInterface: "" }),
      ...(path !== "input" && { outInterface: path === "output" ? "eth0" : "eth1" }),
    };
    const byField = new Map<Field, Condition[]>();
    for (const condition of conditions) {
      const list = byField.get(condition.field);
      if (list) list.push(condition);
      else byField.set(condition.field, [condition]);
    }
    for (const [field, wanted] of byField) {
      const holds = (value: Value): boolean => fits(field, value, path, this.family) && wanted.every((condition) => condition.holds(value));
      if (holds(fieldOf(packet, field))) continue;
      const value = [...wanted.flatMap(({ candidates }) => candidates), ...(this.values.get(field) ?? [])].find(holds);
      if (value === undefined) return undefined;
      packet = withField(packet, field, value);
    }
    return packet;
  }
}

const protocols = Array.from({ length: 256 }, (_, number) => BigInt(number));

/** Whether there is a protocol for which all conditions on it hold. */
function hasProtocol(way: readonly Condition[]): boolean {
  const conditions = way.filter(({ field }) => field === "protocol");
  return protocols.some((protocol) => conditions.every((condition) => condition.holds(protocol)));
}

/** Every choice of one way from each; not all where they are many. */
function combinations(parts: readonly Ways[]): Ways {
  let ways: (readonly Condition[])[] = [[]];
  for (const part of parts) ways = ways.flatMap((way) => part.map((more) => [...way, ...more])).slice(0, mostWays);
  return ways;
}
