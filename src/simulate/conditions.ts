/** What a packet must be for a rule's tests to hold, field by field, so that packets can be made for it. */

import { interfaceMatches } from "../extensions/values/interface.js";
import type { AddressMask, Family, IptablesRule, OptionUse } from "../iptables/ast.js";
import type { Expression, Statement } from "../nft/ast.js";
import type { Groups } from "./borrowed.js";
import { factName, withoutName } from "./facts.js";
import { constantOf, equalityTest, type Value } from "./nft-values.js";
import { NotModelled } from "./packet.js";

/** A member of `Packet`, or `fact` and the name of a fact. */
export type Field =
  | "source"
  | "destination"
  | "inInterface"
  | "outInterface"
  | "protocol"
  | "sourcePort"
  | "destinationPort"
  | "state"
  | "tcpFlags"
  | "icmpType"
  | "icmpCode"
  | "length"
  | "mark"
  | "connectionMark"
  | "ttl"
  | `fact ${string}`;

/** One demand on one field. */
export interface Condition {
  readonly field: Field;
  readonly holds: (value: Value) => boolean;
  /** Values at and around what the test names; not all of them hold. */
  readonly candidates: readonly Value[];
}

/** Ways for a rule's tests to hold: one of them, with all its conditions. */
export type Ways = readonly (readonly Condition[])[];

/** The same field, the other answer. */
export function opposite({ field, holds, candidates }: Condition): Condition {
  return { field, candidates, holds: (value) => !holds(value) };
}

// ------------------------------------------------------------------------------------------------- packet tests

export function packetConditions({ source, destination, inInterface, outInterface, protocol }: IptablesRule): Condition[] {
  const found: Condition[] = [];
  if (source) found.push(addressCondition("source", source));
  if (destination) found.push(addressCondition("destination", destination));
  if (inInterface) found.push(interfaceCondition("inInterface", inInterface));
  if (outInterface) found.push(interfaceCondition("outInterface", outInterface));
  if (protocol) {
    const { value, inverted } = protocol;
    const number = BigInt(value);
    found.push({
      field: "protocol",
      holds: (one) => (value === 0 || one === number) !== inverted,
      candidates: value === 0 ? [] : [number],
    });
  }
  return found;
}

function addressCondition(field: "source" | "destination", { value: { address, mask }, inverted }: OptionUse<AddressMask>): Condition {
  return { field, holds: (value) => (((value as bigint) & mask) === address) !== inverted, candidates: addressesAround(address, mask) };
}

/** In the network and just outside of it. */
function addressesAround(address: bigint, mask: bigint): bigint[] {
  const size = mask & -mask || 1n;
  return [size > 2n ? address + 1n : address, size > 2n ? address + 2n : address, address + size, address - 1n].filter((one) => one > 0n);
}

function interfaceCondition(field: "inInterface" | "outInterface", { value, inverted }: OptionUse<string>): Condition {
  return {
    field,
    holds: (found) => interfaceMatches(String(found), value) !== inverted,
    candidates: [value.replace(/\+$/u, "0")],
  };
}

// --------------------------------------------------------------------------------------------------- statements

/** The ways in which a match's groups hold. */
export function waysOf({ groups, negated }: Groups, family: Family, opaqueSets: ReadonlySet<string>): Ways {
  const each = groups.map((statements) => statements.flatMap((statement) => conditionsOf(statement, family, opaqueSets)));
  if (!negated) return each;
  // One condition of every group fails; the first of each will do for making packets.
  return [each.flatMap(([first]) => (first ? [opposite(first)] : []))];
}

const protocolOf: Readonly<Record<string, bigint>> = { tcp: 6n, udp: 17n, icmp: 1n, icmpv6: 58n, udplite: 136n, sctp: 132n, dccp: 33n };

/** None for statements that are no tests, such as limits, which hold at first. */
function conditionsOf(statement: Statement, family: Family, opaqueSets: ReadonlySet<string>): Condition[] {
  if (statement.kind === "existence") return [factCondition(factName({ ...statement, exists: true }, opaqueSets).name, statement.exists)];
  if (statement.kind === "quota") return [factCondition(factName(statement, opaqueSets).name, true)];
  if (statement.kind === "set") {
    const [inner] = statement.statements ?? [];
    const isFact = inner && (inner.kind !== "limit" || inner.bytes);
    return isFact ? [factCondition(factName(withoutName(statement), opaqueSets).name, true)] : [];
  }
  if (statement.kind !== "match") return [];
  try {
    const { left } = statement;
    const { field, mask } = fieldOf(left);
    const read = left.kind === "binary" ? left.left : left;
    const protocol = read.kind === "payload" ? protocolOf[read.protocol] : undefined;
    const holds = comparison(statement, family);
    const view = mask === undefined ? holds : (value: Value) => holds((value as bigint) & mask);
    const condition = new StatementCondition(field, view, statement, family);
    return protocol === undefined
      ? [condition]
      : [{ field: "protocol", holds: (value) => value === protocol, candidates: [protocol] }, condition];
  } catch (error) {
    if (!(error instanceof NotModelled)) throw error;
    const { name, inverted } = factName(statement, opaqueSets);
    return [factCondition(name, !inverted)];
  }
}

/** Its candidates are worked out when they are asked for: of thousands of tests few are. What `comparison` takes, they take. */
class StatementCondition implements Condition {
  private known: readonly Value[] | undefined;

  constructor(
    readonly field: Field,
    readonly holds: (value: Value) => boolean,
    private readonly statement: Statement & { kind: "match" },
    private readonly family: Family,
  ) {}

  get candidates(): readonly Value[] {
    const { left, operator, right } = this.statement;
    return (this.known ??=
      operator === "==" || operator === "!=" ? valuesIn(right, left, this.family) : boundaries(constantOf(right, left, this.family)));
  }
}

function factCondition(name: string, wanted: boolean): Condition {
  return { field: `fact ${name}`, holds: (value) => (value === 1n) === wanted, candidates: [0n, 1n] };
}

function comparison({ left, operator, right }: Statement & { kind: "match" }, family: Family): (value: Value) => boolean {
  if (operator === "==" || operator === "!=") {
    const test = equalityTest(right, left, family);
    return operator === "==" ? test : (value) => !test(value);
  }
  const bound = constantOf(right, left, family);
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

/** The packet's member that an expression reads, perhaps under a mask. */
function fieldOf(expression: Expression): { readonly field: Field; readonly mask?: bigint } {
  if (expression.kind === "binary" && expression.operator === "&") {
    const mask = constantOf(expression.right, expression.left, "ipv4");
    if (typeof mask === "bigint") return { field: fieldOf(expression.left).field, mask };
  }
  if (expression.kind === "meta") {
    const field = ({ iifname: "inInterface", oifname: "outInterface", l4proto: "protocol", mark: "mark" } as const)[expression.key];
    if (field) return { field };
  }
  if (expression.kind === "ct" && expression.direction === undefined) {
    if (expression.key === "state") return { field: "state" };
    if (expression.key === "mark") return { field: "connectionMark" };
  }
  if (expression.kind === "payload") {
    const field = (
      {
        saddr: "source",
        daddr: "destination",
        sport: "sourcePort",
        dport: "destinationPort",
        flags: "tcpFlags",
        type: "icmpType",
        code: "icmpCode",
        ttl: "ttl",
        hoplimit: "ttl",
        protocol: "protocol",
      } as const
    )[expression.field];
    if (field) return { field };
    if (expression.protocol === "ip" && expression.field === "length") return { field: "length" };
  }
  throw new NotModelled(`field of ${expression.kind}`);
}

function boundaries(value: Value): Value[] {
  return typeof value === "string" ? [value] : [value, value + 1n, ...(value > 0n ? [value - 1n] : [])];
}

/** The values that the right side of `==` names, and their neighbours. */
function valuesIn(right: Expression, left: Expression, family: Family): Value[] {
  switch (right.kind) {
    case "string":
      return [right.value.endsWith("*") ? `${right.value.slice(0, -1)}0` : right.value];
    case "flags":
      return [...right.flags];
    case "anonymous-set":
      return right.elements.slice(0, 16).flatMap((element) => valuesIn(element, left, family));
    case "range":
      return [...boundaries(constantOf(right.from, left, family)), ...boundaries(constantOf(right.to, left, family))];
    case "address": {
      const address = constantOf({ kind: "address", address: right.address }, left, family) as bigint;
      const bits = right.prefixLength === undefined ? 0n : BigInt((family === "ipv4" ? 32 : 128) - right.prefixLength);
      return addressesAround(address, -1n << bits);
    }
    default:
      return boundaries(constantOf(right, left, family));
  }
}
