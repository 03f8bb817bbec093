/**
 * A set of packets as a box: a set of values for each of some fields, and answers to tests that no field tells. What a box
 * says nothing of may have any value.
 */

import { packetStates, type PacketState } from "../../extensions/values/connection-state.js";
import type { ExtensionUse, Family } from "../../iptables/ast.js";
import { anyInterface, interfacesMeet, intersectInterfaces, subtractInterfaces, type InterfaceSet } from "./interfaces.js";
import { complement, intersectIntervals, intervalsMeet, type Intervals, type Range } from "./intervals.js";

/** Numbers of protocols, addresses, ports; ICMP's type and code as `type * 256 + code`. */
const intervalFields = ["protocol", "source", "destination", "sourcePort", "destinationPort", "icmp"] as const;
/** One bit for each value: states of connections; combinations of the six TCP flags. */
const bitFields = ["state", "flags"] as const;
const interfaceFields = ["inInterface", "outInterface"] as const;

export type IntervalField = (typeof intervalFields)[number];
export type BitField = (typeof bitFields)[number];
export type InterfaceField = (typeof interfaceFields)[number];

/** The answer of a test that no field of a box tells. */
export interface Answer {
  readonly holds: boolean;
  /** What is asked, in words that follow "where" or "unless". */
  readonly words: string;
  /** The rule that asks, where others ask the same in words and count apart: "line 12". */
  readonly place?: string;
  /** How it follows from other answers; absent where nothing is known of that. */
  readonly question?: Question;
}

/** A question whose answers say something of each other. */
export interface Question {
  /** The memory asked; answers of different memories have nothing to do with each other. */
  readonly memory: string;
  readonly asks: RecentAsk | MatchAsk;
  /** What the packet did to the memory before it asked; absent: nothing. */
  readonly behind?: string;
  /** Asked in one version of the rules only, whose memory is not that of the other. */
  readonly version?: Version;
}

/** Of two versions of a ruleset. */
export type Version = "old" | "new";

/** What a use of `recent` asks, apart from its inversion. */
export interface RecentAsk {
  readonly kind: "recent";
  readonly list: string;
  readonly side: "saddr" | "daddr";
  /** Width of the window; undefined: stamps of any age count. */
  readonly seconds: number | undefined;
  /** Hits that must be there before those of the packet itself. */
  readonly hits: number;
  /** Hits of the packet itself that count. */
  readonly own: number;
  readonly rttl: boolean;
}

/** What another match that counts or remembers asks. */
export interface MatchAsk {
  readonly kind: "match";
  readonly use: ExtensionUse;
}

export type Box = { readonly [Field in IntervalField]?: Intervals } & { readonly [Field in BitField]?: bigint } & {
  readonly [Field in InterfaceField]?: InterfaceSet;
} & {
  /** Answers of other tests, by the text that tells them apart. */
  readonly tests?: ReadonlyMap<string, Answer>;
};

export const everything: Box = {};

/** The largest value of each field; addresses have 128 bits in both families. */
const largest: Readonly<Record<IntervalField, bigint>> = {
  protocol: 255n,
  source: 2n ** 128n - 1n,
  destination: 2n ** 128n - 1n,
  sourcePort: 65535n,
  destinationPort: 65535n,
  icmp: 65535n,
};
/** One bit for each combination of the six flags. */
export const allFlags = 2n ** 64n - 1n;
const allBits: Readonly<Record<BitField, bigint>> = { state: 2n ** BigInt(packetStates.length) - 1n, flags: allFlags };

/** Addresses of IPv4 are the upper 32 of 128 bits, so that both families have all addresses in common. */
const lowerBits: Readonly<Record<Family, bigint>> = { ipv4: 96n, ipv6: 0n };

/** The addresses from one to another, both included, as a box has them. */
export function addressRange(from: bigint, to: bigint, family: Family): Range {
  const bits = lowerBits[family];
  return [from << bits, ((to + 1n) << bits) - 1n];
}

/** The first and the last address of a box's range. */
export function addressesOf([from, to]: Range, family: Family): Range {
  return [from >> lowerBits[family], to >> lowerBits[family]];
}

/** All addresses that are not in the set. */
export function otherAddresses(addresses: Intervals): Intervals {
  return complement(addresses, largest.source);
}

/** The bits of these states. */
export function stateBits(states: readonly PacketState[]): bigint {
  return states.reduce((bits, state) => bits | (1n << BigInt(packetStates.indexOf(state))), 0n);
}

/** The states of these bits. */
export function statesOf(bits: bigint): PacketState[] {
  return packetStates.filter((_, index) => (bits >> BigInt(index)) & 1n);
}

type Fields = { -readonly [Field in keyof Box]: Box[Field] };

type Both<Value> = readonly [a: Value | undefined, b: Value | undefined];

/** What two boxes share is the same object, as a rule. */
const apart = (...[a, b]: Both<Intervals>): boolean => a !== undefined && b !== undefined && a !== b && !intervalsMeet(a, b);
const haveNoBit = (...[a, b]: Both<bigint>): boolean => a !== undefined && b !== undefined && (a & b) === 0n;
const haveNoName = (...[a, b]: Both<InterfaceSet>): boolean => a !== undefined && b !== undefined && !interfacesMeet(a, b);

/** Whether any packet is in both: as `intersect`, and much faster. */
export function meet(a: Box, b: Box): boolean {
  // Field by field and not over their names: a review asks this some million times.
  if (
    apart(a.source, b.source) ||
    apart(a.destinationPort, b.destinationPort) ||
    apart(a.protocol, b.protocol) ||
    apart(a.destination, b.destination) ||
    apart(a.sourcePort, b.sourcePort) ||
    apart(a.icmp, b.icmp) ||
    haveNoBit(a.state, b.state) ||
    haveNoBit(a.flags, b.flags) ||
    haveNoName(a.inInterface, b.inInterface) ||
    haveNoName(a.outInterface, b.outInterface)
  ) {
    return false;
  }
  if (a.tests && b.tests) for (const [test, { holds }] of b.tests) if ((a.tests.get(test)?.holds ?? holds) !== holds) return false;
  return true;
}

/** Undefined if no packet is in both. */
export function intersect(a: Box, b: Box): Box | undefined {
  if (!meet(a, b)) return undefined;
  const common: Fields = { ...a };
  for (const field of intervalFields) {
    const right = b[field];
    if (right === undefined) continue;
    const left = a[field];
    // What two boxes share is the same object, as a rule.
    if (left === right) continue;
    const both = left ? intersectIntervals(left, right) : right;
    if (both.length === 0) return undefined;
    common[field] = both;
  }
  for (const field of bitFields) {
    const right = b[field];
    if (right === undefined) continue;
    const both = (a[field] ?? allBits[field]) & right;
    if (both === 0n) return undefined;
    common[field] = both;
  }
  for (const field of interfaceFields) {
    const right = b[field];
    if (!right) continue;
    const both = intersectInterfaces(a[field] ?? anyInterface, right);
    if (!both) return undefined;
    common[field] = both;
  }
  if (b.tests) {
    const tests = new Map(a.tests);
    for (const [test, answer] of b.tests) {
      if ((tests.get(test) ?? answer).holds !== answer.holds) return undefined;
      tests.set(test, answer);
    }
    common.tests = tests;
  }
  return common;
}

const outsides = new Map(intervalFields.map((field) => [field, new WeakMap<Intervals, Intervals>()]));

/** All other values of a field. The values of a rule are taken away from thousands of boxes. */
function outsideOf(values: Intervals, field: IntervalField): Intervals {
  const known = outsides.get(field)!;
  let outside = known.get(values);
  if (!outside) known.set(values, (outside = complement(values, largest[field])));
  return outside;
}

/** The packets of the first box that are not in the second, as boxes without a packet in common. */
export function subtract(a: Box, b: Box): Box[] {
  if (!meet(a, b)) return [a];
  const pieces: Box[] = [];
  let rest: Fields = { ...a };
  for (const field of intervalFields) {
    const right = b[field];
    if (!right) continue;
    const outside = outsideOf(right, field);
    const left = rest[field];
    const piece = left ? intersectIntervals(left, outside) : outside;
    if (piece.length > 0) pieces.push({ ...rest, [field]: piece });
    rest[field] = left ? intersectIntervals(left, right) : right;
  }
  for (const field of bitFields) {
    const right = b[field];
    if (right === undefined) continue;
    const left = rest[field] ?? allBits[field];
    const piece = left & (allBits[field] ^ right);
    if (piece !== 0n) pieces.push({ ...rest, [field]: piece });
    rest[field] = left & right;
  }
  for (const field of interfaceFields) {
    const right = b[field];
    if (!right) continue;
    const left = rest[field] ?? anyInterface;
    for (const piece of subtractInterfaces(left, right)) pieces.push({ ...rest, [field]: piece });
    const both = intersectInterfaces(left, right);
    if (both) rest[field] = both;
  }
  for (const [test, answer] of b.tests ?? []) {
    if (rest.tests?.has(test)) continue;
    pieces.push({ ...rest, tests: new Map([...(rest.tests ?? []), [test, { ...answer, holds: !answer.holds }]]) });
    rest = { ...rest, tests: new Map([...(rest.tests ?? []), [test, answer]]) };
  }
  return pieces;
}

/** Where a cut leaves the most, as a rule, comes first. */
const cutOrder = ["source", "destination", "sourcePort", "destinationPort", "icmp"] as const;

/** One box of packets of the first that are not in the second; undefined if there are none. One of those that `subtract` could give. */
export function somePiece(a: Box, b: Box): Box | undefined {
  if (!meet(a, b)) return a;
  return (
    pieceByIntervals(a, b, cutOrder) ??
    pieceByNames(a, b) ??
    pieceByTests(a, b) ??
    pieceByBits(a, b) ??
    pieceByIntervals(a, b, ["protocol"])
  );
}

function pieceByIntervals(a: Box, b: Box, fields: readonly IntervalField[]): Box | undefined {
  for (const field of fields) {
    const [left, right] = [a[field], b[field]];
    if (!right) continue;
    const outside = outsideOf(right, field);
    const piece = left ? intersectIntervals(left, outside) : outside;
    if (piece.length > 0) return { ...a, [field]: piece };
  }
  return undefined;
}

function pieceByNames(a: Box, b: Box): Box | undefined {
  for (const field of interfaceFields) {
    const right = b[field];
    const [piece] = right ? subtractInterfaces(a[field] ?? anyInterface, right) : [];
    if (piece) return { ...a, [field]: piece };
  }
  return undefined;
}

function pieceByTests(a: Box, b: Box): Box | undefined {
  for (const [test, answer] of b.tests ?? []) {
    if (a.tests?.has(test)) continue;
    return { ...a, tests: new Map([...(a.tests ?? []), [test, { ...answer, holds: !answer.holds }]]) };
  }
  return undefined;
}

function pieceByBits(a: Box, b: Box): Box | undefined {
  for (const field of bitFields) {
    const right = b[field];
    const piece = right === undefined ? 0n : (a[field] ?? allBits[field]) & (allBits[field] ^ right);
    if (piece !== 0n) return { ...a, [field]: piece };
  }
  return undefined;
}

/** Whether every packet of the second box is in the first. */
export function contains(outer: Box, inner: Box): boolean {
  return meet(outer, inner) && subtract(inner, outer).length === 0;
}

/** Field by field the values that any of the boxes has; answers that all of them have. */
export function hull(boxes: readonly Box[]): Box {
  const [first, ...others] = boxes;
  if (!first) return everything;
  return others.reduce(joined, first);
}

function joined(a: Box, b: Box): Box {
  const both: Fields = {};
  for (const field of intervalFields) {
    const [left, right] = [a[field], b[field]];
    if (!left || !right) continue;
    const inNeither = intersectIntervals(complement(left, largest[field]), complement(right, largest[field]));
    if (inNeither.length > 0) both[field] = complement(inNeither, largest[field]);
  }
  for (const field of bitFields) {
    const [left, right] = [a[field], b[field]];
    if (left !== undefined && right !== undefined && (left | right) !== allBits[field]) both[field] = left | right;
  }
  for (const field of interfaceFields) {
    const [left, right] = [a[field], b[field]];
    if (!left || !right) continue;
    if (left.pattern === right.pattern)
      both[field] = { pattern: left.pattern, without: left.without.filter((name) => right.without.includes(name)) };
  }
  const tests = new Map([...(a.tests ?? [])].filter(([test, answer]) => b.tests?.get(test)?.holds === answer.holds));
  if (tests.size > 0) both.tests = tests;
  return both;
}
