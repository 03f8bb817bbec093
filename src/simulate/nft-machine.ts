/**
 * Runs an nft table in virtual time: the AST that is emitted, not what its author meant by it.
 *
 * Measured on nft 1.0.6 and Linux 6.18: `add` leaves the timer of a living element alone, `update` restarts it; a new element
 * in a full set ends the rule; deleting an absent element does not. Tests of what packets here do not have are facts (`facts.ts`).
 */

import { parseAddress } from "../extensions/values/address.js";
import type { Family } from "../iptables/ast.js";
import type {
  Comparison,
  Expression,
  Hook,
  LimitStatement,
  MatchStatement,
  NftChain,
  NatStatement,
  NftSet,
  NftTable,
  SetElement,
  SetStatement,
  Statement,
  VerdictMapStatement,
} from "../nft/ast.js";
import { deepestLevel } from "../nft/levels.js";
import { factName, withoutName, type Fact } from "./facts.js";
import type { Firewall } from "./firewall.js";
import {
  fullBucket,
  goesOn,
  hasRoom,
  living,
  runningSet,
  take,
  ticks,
  tokensAt,
  type Bucket,
  type Element,
  type RunningSet,
} from "./nft-sets.js";
import { constantOf, equalityTest, familyWord, isOfOtherFamily, readerOf, type Value } from "./nft-values.js";
import { Flight, hooksOf, NotModelled, packetCost, type Outcome, type Packet, type Verdict } from "./packet.js";
import { Passing, type WantedValue } from "./passing.js";

type Step = "next" | "break" | Verdict | "return" | { readonly jump: RunningChain; readonly goto: boolean };
type Run = (flight: Flight) => Step;
interface RunningChain {
  readonly chain: NftChain;
  /** Made when the first packet comes: to most chains of a large script none of a search comes. */
  compiled?: CompiledChain;
}
interface CompiledChain {
  readonly rules: readonly (readonly Run[])[];
  readonly passing: Passing;
}

/** What a rule that stands for itself came to. */
export type RuleEnd = "matched" | "failed" | Verdict | "return";

export interface MachineOptions {
  /** Of the packets, in a table of the family inet. */
  readonly family?: Family;
  /** Sets whose elements are nobody's concern here: whether an element is in one is a fact. Those of a script with elements always are. */
  readonly opaqueSets?: ReadonlySet<string>;
}

/** What a machine remembers at one moment. */
export interface MachineState {
  readonly sets: readonly (readonly [RunningSet, readonly (readonly [string, Element])[]])[];
  readonly buckets: readonly (readonly [LimitStatement, Bucket])[];
}

export class NftMachine implements Firewall<MachineState> {
  private readonly sets: Map<string, RunningSet>;
  private readonly opaque: ReadonlySet<string>;
  /** Sets whose elements stand for rules. */
  private readonly ofRules: ReadonlyMap<string, NftSet>;
  private readonly chains: Map<string, RunningChain>;
  private readonly hooks = new Map<Hook, RunningChain[]>();
  private readonly family: Family;
  /** Rules that packets were held against since there is this machine, and `packetCost` for each packet. */
  asked = 0;
  /** Sets that hold anything: resets and copies pass over the others, which are many. */
  private readonly filled = new Set<RunningSet>();
  /** Buckets of limits that stand in a rule. */
  private readonly buckets = new Map<LimitStatement, Bucket>();
  /** Packets counted by each counter, under the bytes it started with: the caller may tell rules apart by them. */
  readonly counts = new Map<bigint, number>();

  constructor(
    readonly table: NftTable,
    { family, opaqueSets = new Set() }: MachineOptions = {},
  ) {
    this.family = table.family === "inet" ? (family ?? "ipv4") : table.family === "ip" ? "ipv4" : "ipv6";
    this.opaque = new Set([...opaqueSets, ...table.sets.filter(({ elements, ofRules }) => elements && !ofRules).map(({ name }) => name)]);
    this.ofRules = new Map(table.sets.filter(({ ofRules }) => ofRules).map((set) => [set.name, set]));
    this.sets = new Map(table.sets.map((set) => [set.name, runningSet(set)]));
    this.chains = new Map(table.chains.map((chain) => [chain.name, { chain }]));
    for (const running of this.chains.values()) {
      const { chain } = running;
      for (const entry of chain.entries) if (entry.kind === "rule") this.refuseUnknown(entry.statements);
      if (!chain.base) continue;
      const list = this.hooks.get(chain.base.hook) ?? [];
      list.push(running);
      list.sort((a, b) => a.chain.base!.priority - b.chain.base!.priority);
      this.hooks.set(chain.base.hook, list);
    }
  }

  /** Empties all sets and counts. */
  reset(): void {
    this.empty();
    this.counts.clear();
  }

  private empty(): void {
    for (const { elements } of this.filled) elements.clear();
    this.filled.clear();
    this.buckets.clear();
  }

  /** Sends one packet through all hooks of its path. */
  send(packet: Packet): Outcome {
    const flight = new Flight(packet);
    this.asked += packetCost;
    for (const hook of hooksOf(packet.path)) {
      flight.change({ hook });
      for (const running of this.hooks.get(hook) ?? []) {
        const { base } = running.chain;
        if (base!.type === "nat" && !flight.opensConnection) continue;
        const end = this.runChain(running, flight, 0);
        if ((end === "return" ? base!.policy : end) === "drop") return flight.outcome("drop");
      }
    }
    return flight.outcome("accept");
  }

  /** Throws `NotModelled` for statements that cannot be run; a test that cannot is a fact. */
  refuseUnknown(statements: readonly Statement[]): void {
    for (const statement of statements) if (!alwaysRun.has(statement.kind)) this.compile(statement);
  }

  /** A rule that stands in no chain, run on demand. */
  rule(statements: readonly Statement[]): (flight: Flight) => RuleEnd {
    const runs = statements.map((statement) => this.compile(statement));
    return (flight) => {
      const end = this.runRule(runs, flight, 0);
      return end === "break" ? "failed" : end === "next" ? "matched" : end;
    };
  }

  // --------------------------------------------------------------------------------------------------- its state

  /** Names of the sets that hold a living element under this key, or one that begins with it, at a time in ticks. */
  setsWith(key: bigint, time: number): string[] {
    const whole = String(key);
    const isOfHost = (name: string): boolean => name === whole || name.startsWith(`${whole} . `);
    return [...this.sets.values()]
      .filter((set) => [...set.elements].some(([name, { expires }]) => time < expires && isOfHost(name)))
      .map(({ name }) => name);
  }

  /** The ticks at which living elements run out. */
  /** Sets hold elements, which `expiries` tells. */
  allStamps(): readonly number[] {
    return [];
  }

  expiries(time: number): readonly number[] {
    const found = new Set<number>();
    for (const { elements } of this.filled) {
      for (const { expires } of elements.values()) if (expires > time && expires !== Infinity) found.add(expires);
    }
    return [...found];
  }

  save(): MachineState {
    return {
      sets: [...this.filled]
        .filter(({ elements }) => elements.size > 0)
        .map((set) => [set, [...set.elements].map(([key, element]) => [key, copyOf(element)])]),
      buckets: [...this.buckets].map(([statement, bucket]) => [statement, { ...bucket }]),
    };
  }

  restore({ sets, buckets }: MachineState): void {
    this.empty();
    for (const [set, elements] of sets) {
      this.filled.add(set);
      for (const [key, element] of elements) set.elements.set(key, copyOf(element));
    }
    for (const [statement, bucket] of buckets) this.buckets.set(statement, { ...bucket });
  }

  /** The state as text, the same for states that go on in the same way from `time` on. */
  describeState(time: number): string {
    const parts: string[] = [];
    for (const { name, elements } of this.filled) {
      for (const [key, { expires, bucket }] of elements) {
        if (expires <= time) continue;
        parts.push(`${name} ${key} ${expires - time} ${bucket ? describeBucket(bucket, time) : ""}`);
      }
    }
    for (const bucket of this.buckets.values()) parts.push(describeBucket(bucket, time));
    return parts.sort().join("\n");
  }

  // ------------------------------------------------------------------------------------------------------ running

  private runChain(running: RunningChain, flight: Flight, level: number): Verdict | "return" {
    if (level > deepestLevel) throw new Error(`more than ${deepestLevel} levels at chain ${running.chain.name}`);
    const { rules, passing } = (running.compiled ??= this.compileChain(running.chain));
    const found = passing.of(flight);
    const { changes } = flight;
    let index = -1;
    for (let nth = 0; ; nth++) {
      // What was found holds as long as the packet stays as it is.
      index = flight.changes === changes ? (found[nth] ?? rules.length) : index + 1;
      if (index >= rules.length) return "return";
      const end = this.runRule(rules[index]!, flight, level);
      if (end !== "next" && end !== "break") return end;
    }
  }

  private runRule(rule: readonly Run[], flight: Flight, level: number): "next" | "break" | Verdict | "return" {
    this.asked += 1;
    for (const run of rule) {
      const step = run(flight);
      if (step === "next") continue;
      if (typeof step === "string") return step;
      const end = this.runChain(step.jump, flight, level + 1);
      if (end !== "return" || step.goto) return end;
    }
    return "next";
  }

  // --------------------------------------------------------------------------------------------------- statements

  private compileChain({ entries }: NftChain): CompiledChain {
    const statementsOf = entries.flatMap((entry) => (entry.kind === "rule" ? [entry.statements] : []));
    const rules = statementsOf.map((statements) => statements.map((statement) => this.compile(statement)));
    const fronts = statementsOf.map((statements, index) => {
      const other = statements.findIndex((statement) => !asksPacket(statement, this.opaque));
      const front = rules[index]!.slice(0, other < 0 ? statements.length : other);
      return {
        tests: front.map((run) => (flight: Flight) => run(flight) === "next"),
        wanted: first(statements.slice(0, front.length), (statement) => wantedValue(statement, this.family)),
      };
    });
    return { rules, passing: new Passing(fronts, this) };
  }

  private compile(statement: Statement): Run {
    switch (statement.kind) {
      case "match":
        return orFact(
          () => this.compileMatch(statement),
          () => factName(statement, this.opaque),
        );
      case "existence":
        return factRun(factName({ ...statement, exists: true }, this.opaque), !statement.exists);
      case "counter":
        return () => {
          this.count(statement.bytes);
          return "next";
        };
      case "limit":
        return orFact(
          () => this.compileLimit(statement),
          () => factName(statement, this.opaque),
        );
      case "quota":
        return factRun(factName(statement, this.opaque), false);
      case "log":
        return ({ logs }) => {
          logs.push(statement.prefix ?? "");
          return "next";
        };
      case "reject":
        return () => "drop";
      case "verdict": {
        const { verdict } = statement;
        return verdict === "continue" ? () => "break" : () => verdict;
      }
      case "jump": {
        const jump = this.chains.get(statement.chain);
        // A rule on its own may name chains of a table that is not here.
        if (!jump) throw new NotModelled(`chain ${statement.chain}`);
        const step = { jump, goto: statement.goto };
        return () => step;
      }
      case "verdict-map":
        return this.compileVerdictMap(statement);
      case "assignment":
        return this.compileAssignment(statement.target, statement.value);
      case "set":
        return this.compileSetStatement(statement);
      case "nat":
        return this.compileNat(statement);
      case "keyword-statement":
        return statement.words.join(" ") !== "notrack"
          ? () => "next"
          : (flight) => {
              flight.change({ state: "untracked" });
              return "next";
            };
      // Handed to user space or answered by the kernel: either way no rule sees it again.
      case "queue":
        return () => "accept";
      case "synproxy":
        return () => "drop";
      case "dup":
      case "tproxy":
      case "object":
        return () => "next";
      case "ct-count":
        throw new NotModelled("a count of connections outside of a set");
    }
  }

  private compileLimit(statement: LimitStatement): Run {
    if (statement.bytes) throw new NotModelled("a limit of bytes");
    return ({ packet }) => {
      let bucket = this.buckets.get(statement);
      if (!bucket) this.buckets.set(statement, (bucket = fullBucket(statement, packet.time)));
      return take(bucket, packet.time) ? "next" : "break";
    };
  }

  private compileAssignment(target: Expression, value: Expression): Run {
    if (value.kind === "named-map") {
      const find = this.compileFinding(value.key, this.ofRules.get(value.map.set)?.elements ?? []);
      return (flight) => {
        const element = find(flight);
        return element?.data ? this.compileAssignment(target, element.data)(flight) : "break";
      };
    }
    const isMark = target.kind === "meta" && target.key === "mark";
    const isConnectionMark = target.kind === "ct" && target.key === "mark";
    if (!isMark && !isConnectionMark) return () => "next";
    const { read, applies = always } = readerOf(value, this.family);
    return (flight) => {
      if (!applies(flight)) return "break";
      const mark = read(flight) as bigint;
      flight.change(isMark ? { mark } : { connectionMark: mark });
      return "next";
    };
  }

  /** The first address and port of those that may be taken; which one the kernel takes is not for rules to say. */
  private compileNat({ type, address, port, family, found }: NatStatement): Run {
    if (found) {
      const find = this.compileFinding(found.key, this.ofRules.get(found.map.set)?.elements ?? []);
      const runs = new Map<SetElement, Run>();
      return (flight) => {
        const element = find(flight);
        if (!element?.data) return "break";
        let run = runs.get(element);
        if (!run) {
          const parts = element.data.kind === "concatenation" ? element.data.parts : [element.data];
          const [newAddress, newPort] = type === "dnat" || type === "snat" ? parts : [undefined, ...parts];
          run = this.compileNat({
            kind: "nat",
            type,
            ...(family && { family }),
            ...(newAddress && { address: newAddress }),
            ...(newPort && { port: newPort }),
          });
          runs.set(element, run);
        }
        return run(flight);
      };
    }
    const first = (expression: Expression): bigint | undefined => {
      const one = expression.kind === "range" ? expression.from : expression;
      return one.kind === "number" || one.kind === "address" ? (constantOf(one, one, this.family) as bigint) : undefined;
    };
    const newAddress = address && (family ?? familyWord(this.family)) === familyWord(this.family) ? first(address) : undefined;
    const newPort = port && first(port);
    return (flight) => {
      if (type === "dnat" && newAddress !== undefined) flight.change({ destination: newAddress });
      if ((type === "dnat" || type === "redirect") && newPort !== undefined) flight.change({ destinationPort: Number(newPort) });
      if (type === "snat" && newAddress !== undefined) flight.change({ source: newAddress });
      if ((type === "snat" || type === "masquerade") && newPort !== undefined) flight.change({ sourcePort: Number(newPort) });
      return "accept";
    };
  }

  private compileSetStatement(statement: SetStatement): Run {
    const { set: setName, operation } = statement;
    if (this.opaque.has(setName)) return () => "next";
    const set = this.set(setName);
    const { key, applies } = this.compileKey(statement.key);
    if (operation === "delete") {
      return (flight) => {
        if (!applies(flight)) return "break";
        set.elements.delete(key(flight));
        return "next";
      };
    }
    const timeout = statement.timeout === undefined ? set.timeout : ticks(statement.timeout);
    const [inner, ...more] = statement.statements ?? [];
    if (inner && (more.length > 0 || inner.kind !== "limit" || inner.bytes))
      return factRun(factName(withoutName(statement), this.opaque), false);
    return (flight) => {
      if (!applies(flight)) return "break";
      const { time } = flight.packet;
      const name = key(flight);
      let element = living(set, name, time);
      if (element) {
        if (operation === "update") element.expires = time + timeout;
      } else {
        set.elements.delete(name);
        if (!hasRoom(set, time)) return "break";
        element = { expires: time + timeout, bucket: inner && fullBucket(inner, time) };
        set.elements.set(name, element);
        this.filled.add(set);
      }
      return goesOn(element, time) ? "next" : "break";
    };
  }

  // ------------------------------------------------------------------------------------------------------- matches

  private compileMatch({ left, operator, right }: MatchStatement): Run {
    if (right.kind === "set-reference") return this.compileLookup(left, operator, right.set);
    if (right.kind === "anonymous-set" && right.elements.some(({ kind }) => kind === "element")) {
      const find = this.compileFinding(left, right.elements);
      return (flight) => (find(flight) ? "next" : "break");
    }
    // True of whatever is there to read, and packets here are whole.
    if (left.kind === "raw-payload" && operator === ">=" && right.kind === "number" && BigInt(right.value) === 0n) return () => "next";
    if (isOfOtherFamily(left, this.family)) return () => "break";
    const { read, applies = always } = readerOf(left, this.family);
    const holds = this.comparison(left, operator, right);
    return (flight) => (applies(flight) && holds(read(flight)) ? "next" : "break");
  }

  private comparison(left: Expression, operator: Comparison, right: Expression): (value: Value) => boolean {
    if (operator === "==" || operator === "!=") {
      const test = equalityTest(right, left, this.family);
      const inverted = operator === "!=";
      return (value) => test(value) !== inverted;
    }
    const bound = constantOf(right, left, this.family);
    switch (operator) {
      case "<":
        return (value) => value < bound;
      case ">":
        return (value) => value > bound;
      case "<=":
        return (value) => value <= bound;
      case ">=":
        return (value) => value >= bound;
    }
  }

  private compileVerdictMap({ key, map }: VerdictMapStatement): Run {
    const find = this.compileFinding(key, map.kind === "anonymous-set" ? map.elements : (this.ofRules.get(map.set)?.elements ?? []));
    const runs = new Map<SetElement, Run>();
    return (flight) => {
      const element = find(flight);
      if (!element?.verdict) return "break";
      let run = runs.get(element);
      if (!run) runs.set(element, (run = this.compile(element.verdict)));
      return run(flight);
    };
  }

  /** The element that a packet finds, which counts it. Throws an Error where it finds two: the kernel refuses them, or chooses one. */
  private compileFinding(key: Expression, elements: readonly Expression[]): (flight: Flight) => SetElement | undefined {
    const parts = key.kind === "concatenation" ? key.parts : [key];
    if (parts.some((part) => isOfOtherFamily(part, this.family))) return () => undefined;
    const readers = parts.map((part) => readerOf(part, this.family));
    const tests = elements.map((element) => {
      const own: SetElement = element.kind === "element" ? element : { kind: "element", key: element };
      const wanted = own.key.kind === "concatenation" ? own.key.parts : [own.key];
      return { own, wanted: wanted.map((one, index) => equalityTest(one, parts[index]!, this.family)) };
    });
    return (flight) => {
      if (!readers.every(({ applies = always }) => applies(flight))) return undefined;
      const values = readers.map(({ read }) => read(flight));
      const [found, other] = tests.filter(({ wanted }) => wanted.every((test, index) => test(values[index]!)));
      if (other) throw new Error("elements of a set overlap");
      if (found?.own.counter) this.count(found.own.counter.bytes);
      return found?.own;
    };
  }

  private count(bytes: bigint): void {
    this.counts.set(bytes, (this.counts.get(bytes) ?? 0) + 1);
  }

  private compileLookup(left: Expression, operator: Comparison, setName: string): Run {
    const ofRules = this.ofRules.get(setName);
    if (ofRules && operator === "==") {
      const find = this.compileFinding(left, ofRules.elements ?? []);
      return (flight) => (find(flight) ? "next" : "break");
    }
    if (this.opaque.has(setName)) throw new NotModelled(`set ${setName}`);
    const set = this.set(setName);
    const { key, applies } = this.compileKey(left);
    if (operator !== "==" && operator !== "!=") throw new NotModelled(`operator ${operator}`);
    const inverted = operator === "!=";
    return (flight) => {
      if (!applies(flight)) return "break";
      const element = living(set, key(flight), flight.packet.time);
      // A limit in the element runs only where the look-up matches (`nft_lookup_eval`).
      if (inverted) return element === undefined ? "next" : "break";
      return element !== undefined && goesOn(element, flight.packet.time) ? "next" : "break";
    };
  }

  private compileKey(expression: Expression): { readonly key: (flight: Flight) => string; readonly applies: (flight: Flight) => boolean } {
    const parts = (expression.kind === "concatenation" ? expression.parts : [expression]).map((part) => readerOf(part, this.family));
    const conditions = parts.flatMap(({ applies }) => (applies ? [applies] : []));
    const applies = conditions.length === 0 ? always : (flight: Flight): boolean => conditions.every((condition) => condition(flight));
    const [only] = parts;
    if (parts.length === 1 && only) return { applies, key: (flight) => String(only.read(flight)) };
    return { applies, key: (flight) => parts.map(({ read }) => String(read(flight))).join(" . ") };
  }

  private set(name: string): RunningSet {
    const set = this.sets.get(name);
    if (!set) throw new Error(`no set ${name}`);
    return set;
  }
}

/** What is run whatever it says. */
const alwaysRun: ReadonlySet<Statement["kind"]> = new Set([
  "match",
  "existence",
  "counter",
  "limit",
  "quota",
  "log",
  "reject",
  "verdict",
  "queue",
  "synproxy",
  "dup",
  "tproxy",
  "object",
]);

/** Whether a statement only tells whether the packet, as it is, has something: it remembers nothing, and asks for no time. */
export function asksPacket(statement: Statement, opaqueSets: ReadonlySet<string>): boolean {
  switch (statement.kind) {
    case "match":
      return statement.right.kind !== "set-reference" || opaqueSets.has(statement.right.set);
    case "existence":
      return true;
    default:
      return false;
  }
}

/** What a statement wants of the packet, where that is one value of an address or a port. */
function wantedValue(statement: Statement, family: Family): WantedValue | undefined {
  if (statement.kind !== "match" || statement.operator !== "==" || statement.left.kind !== "payload") return undefined;
  const { left, right } = statement;
  if (right.kind === "number" && (left.protocol === "tcp" || left.protocol === "udp")) {
    const value = Number(right.value);
    if (left.field === "dport") return { field: "destinationPort", value };
    if (left.field === "sport") return { field: "sourcePort", value };
  }
  if (right.kind === "address" && right.prefixLength === undefined && left.protocol === familyWord(family)) {
    const value = parseAddress(right.address, family);
    if (value !== undefined && left.field === "saddr") return { field: "source", value };
    if (value !== undefined && left.field === "daddr") return { field: "destination", value };
  }
  return undefined;
}

function first<Item, Found>(items: readonly Item[], find: (item: Item) => Found | undefined): Found | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

const always = (): boolean => true;

function copyOf({ expires, bucket }: Element): Element {
  return { expires, bucket: bucket && { ...bucket } };
}

function describeBucket(bucket: Bucket, time: number): string {
  return String(tokensAt(bucket, time) / bucket.cost);
}

function orFact(compile: () => Run, name: () => Fact): Run {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
    const fact = name();
    return factRun(fact, fact.inverted);
  }
}

function factRun({ name }: Fact, inverted: boolean): Run {
  return ({ packet }) => ((packet.facts?.has(name) ?? false) !== inverted ? "next" : "break");
}
