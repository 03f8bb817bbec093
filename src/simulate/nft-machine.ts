/**
 * Runs an nft table in virtual time: the AST that is emitted, not what its author meant by it.
 *
 * Measured on nft 1.0.6 and Linux 6.18: an element with a timeout of T ms lives while its age in ticks is less than T / 4
 * rounded down; `add` leaves the timer of a living element alone, `update` restarts it; a new element in a full set ends the
 * rule; deleting an absent element does not; whatever refers to an element with a limit runs the limit.
 */

import type { Expression, Hook, LimitStatement, NftChain, NftSet, NftTable, SetStatement, Statement } from "../nft/ast.js";
import { parseAddress, prefixMask, addressBits } from "../extensions/values/address.js";
import type { Family } from "../iptables/ast.js";
import { deepestLevel } from "../rewrite/hooks.js";
import { headerTtl, hooksOf, millisecondsPerTick, NotModelled, type Outcome, type Packet, type Verdict } from "./packet.js";

/** Nanoseconds, as nft_limit counts. */
interface Bucket { tokens: number; last: number; readonly cost: number; readonly most: number; readonly over: boolean }

interface Element {
  /** First tick at which the element is gone. */
  expires: number;
  bucket: Bucket | undefined;
}

interface RunningSet {
  readonly name: string;
  /** In ticks; no timeout keeps elements for ever. */
  readonly timeout: number;
  readonly size: number;
  readonly elements: Map<string, Element>;
}

interface Moment { readonly packet: Packet; readonly hook: Hook; readonly logs: string[] }

type Value = bigint | string;
type Step = "next" | "break" | Verdict | "return" | { readonly jump: RunningChain; readonly goto: boolean };
type Run = (moment: Moment) => Step;
interface RunningChain { readonly chain: NftChain; rules: Run[][] }

const nanosecondsPerTick = millisecondsPerTick * 1e6;
const secondsOf: Readonly<Record<LimitStatement["unit"], number>> = { second: 1, minute: 60, hour: 3600, day: 86400, week: 604800 };

/** Burst of a limit that does not say. */
const usualBurst = 5;

const protocolNumbers: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 };

export class NftMachine {
  private readonly sets: Map<string, RunningSet>;
  private readonly chains: Map<string, RunningChain>;
  private readonly hooks = new Map<Hook, RunningChain[]>();
  private readonly family: Family;
  /** Buckets of limits that stand in a rule. */
  private readonly buckets = new Map<LimitStatement, Bucket>();
  /** Packets counted by each counter, under the bytes it started with: the caller may tell rules apart by them. */
  readonly counts = new Map<bigint, number>();

  /** @param limit the answer of limits that stand in a rule and not in a set; they run as token buckets unless it is given */
  constructor(readonly table: NftTable, private readonly limit?: () => boolean) {
    this.family = table.family === "ip" ? "ipv4" : "ipv6";
    this.sets = new Map(table.sets.map((set) => [set.name, runningSet(set)]));
    this.chains = new Map(table.chains.map((chain) => [chain.name, { chain, rules: [] }]));
    for (const running of this.chains.values()) {
      const { chain } = running;
      running.rules = chain.entries.flatMap((entry) => (entry.kind === "rule" ? [entry.statements.map((statement) => this.compile(statement))] : []));
      if (!chain.base) continue;
      const list = this.hooks.get(chain.base.hook) ?? [];
      list.push(running);
      list.sort((a, b) => a.chain.base!.priority - b.chain.base!.priority);
      this.hooks.set(chain.base.hook, list);
    }
  }

  /** Empties all sets and counts. */
  reset(): void {
    for (const set of this.sets.values()) set.elements.clear();
    this.buckets.clear();
    this.counts.clear();
  }

  /** Sends one packet through all hooks of its path. */
  send(packet: Packet): Outcome {
    const logs: string[] = [];
    for (const hook of hooksOf(packet.path)) {
      for (const running of this.hooks.get(hook) ?? []) {
        const end = this.runChain(running, { packet, hook, logs }, 0);
        if ((end === "return" ? running.chain.base!.policy : end) === "drop") return { verdict: "drop", logs };
      }
    }
    return { verdict: "accept", logs };
  }

  /** Names of the sets that hold a living element under this key at a time in ticks. */
  setsWith(key: bigint, time: number): string[] {
    return [...this.sets.values()].filter((set) => living(set, String(key), time)).map(({ name }) => name);
  }

  private runChain(running: RunningChain, moment: Moment, level: number): Verdict | "return" {
    if (level > deepestLevel) throw new Error(`more than ${deepestLevel} levels at chain ${running.chain.name}`);
    for (const rule of running.rules) {
      for (const run of rule) {
        const step = run(moment);
        if (step === "next") continue;
        if (step === "break") break;
        if (typeof step === "string") return step;
        const end = this.runChain(step.jump, moment, level + 1);
        if (end !== "return" || step.goto) return end;
      }
    }
    return "return";
  }

  // ----------------------------------------------------------------------------------------------- statements

  private compile(statement: Statement): Run {
    switch (statement.kind) {
      case "match": return this.compileMatch(statement.left, statement.operator, statement.right);
      // Packets here have neither extension headers nor options.
      case "existence": return () => (statement.exists ? "break" : "next");
      case "counter": return () => {
        this.counts.set(statement.bytes, (this.counts.get(statement.bytes) ?? 0) + 1);
        return "next";
      };
      case "limit": return (moment) => (this.limit ? this.limit() : this.ruleLimit(statement, moment)) ? "next" : "break";
      case "log": return ({ logs }) => {
        logs.push(statement.prefix ?? "");
        return "next";
      };
      case "reject": return () => "drop";
      case "verdict": {
        const { verdict } = statement;
        return verdict === "continue" ? () => "break" : () => verdict;
      }
      case "jump": {
        const jump = this.chains.get(statement.chain);
        if (!jump) throw new Error(`no chain ${statement.chain}`);
        const step = { jump, goto: statement.goto };
        return () => step;
      }
      case "assignment": return () => "next";
      case "set": return this.compileSetStatement(statement);
      default: throw new NotModelled(`statement ${statement.kind}`);
    }
  }

  private compileSetStatement(statement: SetStatement): Run {
    const set = this.set(statement.set);
    const key = this.compileKey(statement.key);
    if (statement.operation === "delete") {
      return (moment) => {
        set.elements.delete(key(moment));
        return "next";
      };
    }
    const timeout = statement.timeout === undefined ? set.timeout : ticks(statement.timeout);
    const [inner, ...more] = statement.statements ?? [];
    if (more.length > 0 || (inner && inner.kind !== "limit")) throw new NotModelled("an element with other statements than one limit");
    return (moment) => {
      const { time } = moment.packet;
      const name = key(moment);
      let element = living(set, name, time);
      if (element) {
        if (statement.operation === "update") element.expires = time + timeout;
      } else {
        set.elements.delete(name);
        if (!hasRoom(set, time)) return "break";
        element = { expires: time + timeout, bucket: inner && fullBucket(inner, time) };
        set.elements.set(name, element);
      }
      return goesOn(element, time) ? "next" : "break";
    };
  }

  private ruleLimit(statement: LimitStatement, { packet }: Moment): boolean {
    let bucket = this.buckets.get(statement);
    if (!bucket) this.buckets.set(statement, bucket = fullBucket(statement, packet.time));
    return take(bucket, packet.time);
  }

  // -------------------------------------------------------------------------------------------------- matches

  private compileMatch(left: Expression, operator: string, right: Expression): Run {
    const holds = this.compileComparison(left, operator, right);
    return (moment) => (holds(moment) ? "next" : "break");
  }

  private compileComparison(left: Expression, operator: string, right: Expression): (moment: Moment) => boolean {
    if (right.kind === "set-reference") {
      const set = this.set(right.set);
      const key = this.compileKey(left);
      const inverted = this.inverted(operator);
      return (moment) => {
        const element = living(set, key(moment), moment.packet.time);
        return (element !== undefined && goesOn(element, moment.packet.time)) !== inverted;
      };
    }
    const read = this.compileValue(left);
    if (operator === "==" || operator === "!=") {
      const test = this.compileTest(right, left);
      const inverted = this.inverted(operator);
      const applies = this.applicability(left);
      return (moment) => applies(moment) && test(read(moment)) !== inverted;
    }
    throw new NotModelled(`operator ${operator}`);
  }

  private inverted(operator: string): boolean {
    if (operator !== "==" && operator !== "!=") throw new NotModelled(`operator ${operator}`);
    return operator === "!=";
  }

  /** `tcp dport` ends the rule for a packet that is not TCP, whatever it is compared with. */
  private applicability(left: Expression): (moment: Moment) => boolean {
    if (left.kind !== "payload" || (left.protocol !== "tcp" && left.protocol !== "udp")) return () => true;
    const protocol = protocolNumbers[left.protocol];
    return ({ packet }) => packet.protocol === protocol;
  }

  private compileTest(right: Expression, left: Expression): (value: Value) => boolean {
    switch (right.kind) {
      case "number": return (value) => value === BigInt(right.value);
      case "symbol": {
        const number = protocolNumbers[right.name];
        if (left.kind !== "meta" || left.key !== "l4proto" || number === undefined) throw new NotModelled(`word ${right.name}`);
        return (value) => value === BigInt(number);
      }
      case "string":
        return right.value.endsWith("*") ? (value) => String(value).startsWith(right.value.slice(0, -1)) : (value) => value === right.value;
      case "address": {
        const mask = right.prefixLength === undefined ? undefined : prefixMask(right.prefixLength, this.family);
        const address = this.address(right.address);
        return (value) => (mask === undefined ? value : (value as bigint) & mask) === address;
      }
      case "range": {
        const [from, to] = [this.constant(right.from), this.constant(right.to)];
        return (value) => (value as bigint) >= from && (value as bigint) <= to;
      }
      case "anonymous-set": {
        const tests = right.elements.map((element) => this.compileTest(element, left));
        return (value) => tests.some((test) => test(value));
      }
      default: throw new NotModelled(`comparison with ${right.kind}`);
    }
  }

  private compileKey(expression: Expression): (moment: Moment) => string {
    if (expression.kind === "concatenation") {
      const parts = expression.parts.map((part) => this.compileValue(part));
      return (moment) => parts.map((part) => String(part(moment))).join(" . ");
    }
    const value = this.compileValue(expression);
    return (moment) => String(value(moment));
  }

  private compileValue(expression: Expression): (moment: Moment) => Value {
    switch (expression.kind) {
      case "payload": return payloadReader(expression.protocol, expression.field);
      case "meta": return metaReader(expression.key);
      case "binary": {
        if (expression.operator !== "&") throw new NotModelled(`operator ${expression.operator}`);
        const value = this.compileValue(expression.left);
        const mask = this.constant(expression.right);
        return (moment) => (value(moment) as bigint) & mask;
      }
      default: throw new NotModelled(`expression ${expression.kind}`);
    }
  }

  private constant(expression: Expression): bigint {
    if (expression.kind === "number") return BigInt(expression.value);
    if (expression.kind === "address" && expression.prefixLength === undefined) return this.address(expression.address);
    throw new NotModelled(`constant ${expression.kind}`);
  }

  private address(text: string): bigint {
    const value = parseAddress(text, this.family);
    if (value === undefined || value >= 1n << BigInt(addressBits[this.family])) throw new Error(`not an address: ${text}`);
    return value;
  }

  private set(name: string): RunningSet {
    const set = this.sets.get(name);
    if (!set) throw new Error(`no set ${name}`);
    return set;
  }
}

function payloadReader(protocol: string, field: string): (moment: Moment) => Value {
  switch (`${protocol} ${field}`) {
    case "ip saddr": case "ip6 saddr": return ({ packet }) => packet.source;
    case "ip daddr": case "ip6 daddr": return ({ packet }) => packet.destination;
    case "ip ttl": case "ip6 hoplimit": return ({ packet, hook }) => BigInt(headerTtl(packet, hook));
    case "tcp sport": case "udp sport": return ({ packet }) => BigInt(packet.sourcePort);
    case "tcp dport": case "udp dport": return ({ packet }) => BigInt(packet.destinationPort);
    // No packet here is a fragment.
    case "ip frag-off": return () => 0n;
    default: throw new NotModelled(`field ${protocol} ${field}`);
  }
}

function metaReader(key: string): (moment: Moment) => Value {
  switch (key) {
    case "iifname": return ({ packet, hook }) => (hook === "output" || hook === "postrouting" ? "" : packet.inInterface);
    case "oifname": return ({ packet, hook }) => (hook === "prerouting" || hook === "input" ? "" : packet.outInterface);
    case "l4proto": return ({ packet }) => BigInt(packet.protocol);
    default: throw new NotModelled(`meta ${key}`);
  }
}

// ------------------------------------------------------------------------------------------------------- sets

function runningSet(set: NftSet): RunningSet {
  if (set.elements) throw new NotModelled("a set with elements");
  return {
    name: set.name,
    timeout: set.timeout === undefined ? Infinity : ticks(set.timeout),
    size: set.size ?? 65535,
    elements: new Map(),
  };
}

function ticks(milliseconds: number): number {
  return Math.floor(milliseconds / millisecondsPerTick);
}

function living(set: RunningSet, key: string, time: number): Element | undefined {
  const element = set.elements.get(key);
  return element && time < element.expires ? element : undefined;
}

/** The kernel collects dead elements once a second; here they free their place at once, which is the friendlier end of that. */
function hasRoom(set: RunningSet, time: number): boolean {
  if (set.elements.size < set.size) return true;
  for (const [key, { expires }] of set.elements) if (time >= expires) set.elements.delete(key);
  return set.elements.size < set.size;
}

/** Runs the element's limit, if it has one. */
function goesOn({ bucket }: Element, time: number): boolean {
  return !bucket || take(bucket, time);
}

function fullBucket({ over, rate, unit, burst = usualBurst, bytes }: LimitStatement, time: number): Bucket {
  if (bytes) throw new NotModelled("a limit of bytes");
  const cost = Math.floor((secondsOf[unit] * 1e9) / Number(rate));
  return { tokens: cost * Number(burst), last: time, cost, most: cost * Number(burst), over };
}

/** Whether the statement lets the rule go on; a packet over the limit takes nothing out of the bucket. */
function take(bucket: Bucket, time: number): boolean {
  const tokens = Math.min(bucket.most, bucket.tokens + (time - bucket.last) * nanosecondsPerTick);
  bucket.last = time;
  const enough = tokens >= bucket.cost;
  bucket.tokens = enough ? tokens - bucket.cost : tokens;
  return enough !== bucket.over;
}
