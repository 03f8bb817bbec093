/** What a rule of nft asks and does, as far as rules are brought together by it. */

import { parseAddress } from "../extensions/values/address.js";
import { protocol as parseProtocol } from "../extensions/values/protocols.js";
import {
  concatenation,
  type AssignmentStatement,
  type CounterStatement,
  type Expression,
  type JumpStatement,
  type MatchStatement,
  type NatStatement,
  type NftRule,
  type SetReference,
  type Statement,
  type VerdictStatement,
} from "../nft/ast.js";
import { emitStatement } from "../nft/emit.js";
import { isPlainTest } from "../nft/test-order.js";
import { prefixInterval, protocolOfPorts, type Field, type Interval, type Values } from "./fields.js";

/** A rule as its place in the chain sees it. */
export interface ReadRule {
  readonly rule: NftRule;
  /** What is asked before anything that remembers or changes something: no other packet gets any further. */
  readonly selectors: ReadonlyMap<Field, Values>;
  /** Absent for a rule that stays as it is: it does more than ask plain tests, count, and do one thing. */
  readonly plain?: PlainRule;
}

export interface PlainRule {
  /** The tests that are no selectors, in their order. */
  readonly others: readonly Statement[];
  /** The statement that asks for a field; a port's asks for the protocol as well. */
  readonly asking: ReadonlyMap<Field, Statement>;
  readonly counter: CounterStatement | undefined;
  readonly end: Statement;
}

/** @param isIdle whether every packet that comes to the rule passes a test */
export function readRule(rule: NftRule, isIdle: (test: Statement) => boolean = () => false): ReadRule {
  const { statements } = rule;
  const selectors = new Map<Field, Values>();
  const asking = new Map<Field, Statement>();
  const others: Statement[] = [];
  let index = 0;
  for (; index < statements.length && isPlainTest(statements[index]!); index++) {
    const statement = statements[index]!;
    if (isIdle(statement)) continue;
    const read = statement.kind === "match" ? selectorOf(statement) : undefined;
    if (!read || selectors.has(read.field) || (read.protocol !== undefined && contradicts(selectors.get("protocol"), read.protocol))) {
      others.push(statement);
      continue;
    }
    selectors.set(read.field, read.values);
    asking.set(read.field, statement);
    if (read.protocol !== undefined && !selectors.has("protocol")) selectors.set("protocol", single(read.protocol));
  }
  const counter = statements[index]?.kind === "counter" ? (statements[index++] as CounterStatement) : undefined;
  const end = statements[index];
  const isPlain = end !== undefined && index === statements.length - 1 && isPlainEnd(end);
  return { rule, selectors, ...(isPlain && { plain: { others, asking, counter, end } }) };
}

/** No packet has two protocols: such a test is none that a key can hold. */
function contradicts(known: Values | undefined, protocol: bigint): boolean {
  return known !== undefined && !(known.kind === "numbers" && known.intervals.length === 1 && known.intervals[0]![0] === protocol);
}

/** Whether this ends the way of a packet in its chain, calls another chain, or gives it a mark or a class. */
function isPlainEnd(statement: Statement): boolean {
  switch (statement.kind) {
    case "verdict":
      return statement.verdict !== "continue";
    case "jump":
    case "reject":
      return true;
    case "nat":
      return !statement.prefix;
    case "assignment":
      return markedBy(statement) !== undefined && isPlainValue(statement.value);
    default:
      return false;
  }
}

export function isMapped(end: Statement): end is VerdictStatement | JumpStatement {
  return end.kind === "verdict" || end.kind === "jump";
}

/** What an end gives a packet, where a named map can give it in its place. */
export interface Given {
  /** The same for ends whose values one map can hold. */
  readonly kind: string;
  readonly value: Expression;
  /** What nft calls the types of the value. */
  readonly types: readonly string[];
}

export function givenBy(end: Statement): Given | undefined {
  switch (end.kind) {
    case "nat":
      return translationOf(end);
    case "assignment": {
      const type = markedBy(end);
      return type !== undefined && end.value.kind === "number"
        ? { kind: emitStatement({ ...end, value: zero }), value: end.value, types: [type] }
        : undefined;
    }
    default:
      return undefined;
  }
}

/** The end that gives what a key finds in a map. */
export function endWithMap(end: Statement, key: Expression, map: SetReference): Statement {
  if (end.kind === "assignment") return { ...end, value: { kind: "named-map", key, map } };
  if (end.kind !== "nat") throw new Error(`nothing is given by ${end.kind}`);
  const { type, address, port } = end;
  const withPort = address !== undefined && port !== undefined;
  const family = end.family ?? (withPort && isLong(address) ? "ip6" : undefined);
  return { kind: "nat", type, ...(family && { family }), found: { key, map, withPort } };
}

/** One address, one and a port, or a port of this machine. */
function translationOf({ type, address, port, prefix, flags = [] }: NatStatement): Given | undefined {
  if (prefix || flags.length > 0 || (port && port.kind !== "number")) return undefined;
  if (type === "redirect" || type === "masquerade") {
    return port && { kind: type, value: port, types: ["inet_service"] };
  }
  if (address?.kind !== "address" || address.prefixLength !== undefined) return undefined;
  const addressType = isLong(address) ? "ipv6_addr" : "ipv4_addr";
  if (!port) return { kind: `${type} ${addressType}`, value: address, types: [addressType] };
  return { kind: `${type} ${addressType} with a port`, value: concatenation(address, port), types: [addressType, "inet_service"] };
}

function isLong(address: Expression): boolean {
  return address.kind === "address" && address.address.includes(":");
}

const zero: Expression = { kind: "number", value: 0 };

/** What nft calls the type of a mark or a class; undefined where something else is written. */
function markedBy({ target }: AssignmentStatement): "mark" | "classid" | undefined {
  if (target.kind === "meta" && target.key === "priority") return "classid";
  const isMark = (target.kind === "meta" || (target.kind === "ct" && target.direction === undefined)) && target.key === "mark";
  return isMark ? "mark" : undefined;
}

/** Of numbers and marks: it remembers nothing from one packet to the next, as a generator of numbers does. */
function isPlainValue(value: Expression): boolean {
  switch (value.kind) {
    case "number":
      return true;
    case "meta":
    case "ct":
      return value.key === "mark";
    case "binary":
      return isPlainValue(value.left) && isPlainValue(value.right);
    default:
      return false;
  }
}

/** Whether a packet goes on behind the rule that has this end. */
export function goesOn(end: Statement): boolean {
  return (end.kind === "jump" && !end.goto) || end.kind === "assignment";
}

// ------------------------------------------------------------------------------------------------- the selectors

interface Selector {
  readonly field: Field;
  readonly values: Values;
  /** That the test asks for, too. */
  readonly protocol?: bigint;
}

/** The interface that a test names, whether it wants that one or any other. */
export function interfaceOf({ left, right }: MatchStatement): Selector | undefined {
  if (left.kind !== "meta" || (left.key !== "iifname" && left.key !== "oifname") || right.kind !== "string") return undefined;
  return { field: left.key === "iifname" ? "inInterface" : "outInterface", values: namesOf(right.value) };
}

function selectorOf(test: MatchStatement): Selector | undefined {
  const { left, operator, right } = test;
  if (operator !== "==") return undefined;
  const named = interfaceOf(test);
  if (named) return named;
  if (left.kind === "meta") {
    const protocol = left.key === "l4proto" ? protocolNumber(right) : undefined;
    return protocol === undefined ? undefined : { field: "protocol", values: single(protocol) };
  }
  if (left.kind !== "payload") return undefined;
  if (left.protocol === "ip" || left.protocol === "ip6") {
    const family = left.protocol === "ip" ? "ipv4" : "ipv6";
    const field = addressFields[`${left.protocol} ${left.field}`];
    const intervals = field && intervalsOf(right, (one) => addressesOf(one, family));
    return intervals && { field, values: { kind: "numbers", intervals } };
  }
  const protocol = protocolOfPorts(left.protocol);
  const field = left.field === "sport" ? "sourcePort" : left.field === "dport" ? "destinationPort" : undefined;
  if (protocol === undefined || field === undefined) return undefined;
  const intervals = intervalsOf(right, portsOf);
  return intervals && { field, values: { kind: "numbers", intervals }, protocol };
}

const addressFields: Readonly<Record<string, Field | undefined>> = {
  "ip saddr": "source",
  "ip daddr": "destination",
  "ip6 saddr": "source6",
  "ip6 daddr": "destination6",
};

function single(value: bigint): Values {
  return { kind: "numbers", intervals: [[value, value]] };
}

/** A star at the end of a name stands for any rest. */
function namesOf(text: string): Values {
  return text.endsWith("*") ? { kind: "beginning", beginning: text.slice(0, -1) } : { kind: "name", name: text };
}

/** Elements of a set in place; a rule with more of them is left as it is. */
const mostInPlace = 64;

/** One interval, or those of a set in place; undefined where one is not known or holds nothing. */
function intervalsOf(right: Expression, read: (one: Expression) => Interval | undefined): readonly Interval[] | undefined {
  if (right.kind === "anonymous-set" && right.elements.length > mostInPlace) return undefined;
  const found = (right.kind === "anonymous-set" ? right.elements : [right]).map(read);
  return found.every((interval) => interval !== undefined && interval[0] <= interval[1]) ? (found as readonly Interval[]) : undefined;
}

function addressesOf(expression: Expression, family: "ipv4" | "ipv6"): Interval | undefined {
  if (expression.kind === "range") {
    const [from, to] = [addressesOf(expression.from, family), addressesOf(expression.to, family)];
    return from && to && [from[0], to[0]];
  }
  if (expression.kind !== "address") return undefined;
  const address = parseAddress(expression.address, family);
  if (address === undefined) return undefined;
  return expression.prefixLength === undefined ? [address, address] : prefixInterval(address, expression.prefixLength, family);
}

function portsOf(expression: Expression): Interval | undefined {
  if (expression.kind === "range") {
    const [from, to] = [portsOf(expression.from), portsOf(expression.to)];
    return from && to && [from[0], to[0]];
  }
  if (expression.kind !== "number") return undefined;
  const port = BigInt(expression.value);
  return [port, port];
}

function protocolNumber(expression: Expression): bigint | undefined {
  if (expression.kind === "number") return BigInt(expression.value);
  if (expression.kind !== "symbol") return undefined;
  const value = parseProtocol(expression.name, { family: "ipv4" });
  return typeof value === "number" ? BigInt(value) : undefined;
}
