/**
 * The fields of a packet by which rules are brought together, and sets of their values.
 *
 * Nothing that a rule does changes one of them while its chain runs: address translation ends the chain. So two rules that want other
 * values of a field are never both run for one packet.
 */

import { addressBits, addressInterval } from "../extensions/values/address.js";
import { hasPorts, protocolExpression, protocolName, protocolsWithPorts } from "../extensions/values/protocols.js";
import { meta, number, payload, range, string, type Expression } from "../nft/ast.js";

export const fields = [
  "source",
  "destination",
  "source6",
  "destination6",
  "inInterface",
  "outInterface",
  "protocol",
  "sourcePort",
  "destinationPort",
] as const;
export type Field = (typeof fields)[number];

/** Both ends belong to it. */
export type Interval = readonly [from: bigint, to: bigint];

export type Values =
  /** In the order of the rule; they may overlap. */
  | { readonly kind: "numbers"; readonly intervals: readonly Interval[] }
  | { readonly kind: "name"; readonly name: string }
  /** All names that begin so. */
  | { readonly kind: "beginning"; readonly beginning: string };

/** A single value. */
export type Point = bigint | string;

/** The values one by one; undefined where some are given as an interval or a beginning. */
export function pointsOf(values: Values): readonly Point[] | undefined {
  switch (values.kind) {
    case "numbers":
      return values.intervals.every(([from, to]) => from === to) ? values.intervals.map(([from]) => from) : undefined;
    case "name":
      return [values.name];
    case "beginning":
      return undefined;
  }
}

/** Whether any value is in both. */
export function valuesMeet(a: Values, b: Values): boolean {
  if (a.kind === "numbers" || b.kind === "numbers") {
    if (a.kind !== "numbers" || b.kind !== "numbers") return true;
    return a.intervals.some(([from, to]) => b.intervals.some(([first, last]) => from <= last && first <= to));
  }
  if (a.kind === "name") return b.kind === "name" ? a.name === b.name : a.name.startsWith(b.beginning);
  if (b.kind === "name") return b.name.startsWith(a.beginning);
  return a.beginning.startsWith(b.beginning) || b.beginning.startsWith(a.beginning);
}

/** The same for equal values in the same order. */
export function textOf(values: Values): string {
  switch (values.kind) {
    case "numbers":
      return values.intervals.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
    case "name":
      return `"${values.name}"`;
    case "beginning":
      return `"${values.beginning}"*`;
  }
}

/** The protocol of a header with ports. */
export function protocolOfPorts(header: string): bigint | undefined {
  const protocol = protocolsWithPorts.find((one) => protocolName(one) === header);
  return protocol === undefined ? undefined : BigInt(protocol);
}

/** What nft calls the type of a field. */
export const typeOfField: Readonly<Record<Field, string>> = {
  source: "ipv4_addr",
  destination: "ipv4_addr",
  source6: "ipv6_addr",
  destination6: "ipv6_addr",
  inInterface: "ifname",
  outInterface: "ifname",
  protocol: "inet_proto",
  sourcePort: "inet_service",
  destinationPort: "inet_service",
};

/** For names of sets. */
export const wordOfField: Readonly<Record<Field, string>> = {
  source: "saddr",
  destination: "daddr",
  source6: "saddr",
  destination6: "daddr",
  inInterface: "iif",
  outInterface: "oif",
  protocol: "proto",
  sourcePort: "sport",
  destinationPort: "dport",
};

/** Bytes of a value in a set. */
export const bytesOfField: Readonly<Record<Field, number>> = {
  source: 4,
  destination: 4,
  source6: 16,
  destination6: 16,
  inInterface: 16,
  outInterface: 16,
  protocol: 1,
  sourcePort: 2,
  destinationPort: 2,
};

/** Bytes that the kernel takes as the key of a set: 16 registers. */
export const longestKey = 64;

/** Bytes of several values in a row: each fills whole registers. */
export function bytesOfKey(fieldsOfKey: readonly Field[]): number {
  return fieldsOfKey.reduce((sum, field) => sum + Math.ceil(bytesOfField[field] / 4) * 4, 0);
}

/**
 * How a field is read.
 *
 * @param header whose ports; `th` reads them of any protocol, and whatever stands in their place
 */
export function readingOf(field: Field, header: string): Expression {
  switch (field) {
    case "source":
      return payload("ip", "saddr");
    case "destination":
      return payload("ip", "daddr");
    case "source6":
      return payload("ip6", "saddr");
    case "destination6":
      return payload("ip6", "daddr");
    case "inInterface":
      return meta("iifname");
    case "outInterface":
      return meta("oifname");
    case "protocol":
      return meta("l4proto");
    case "sourcePort":
      return payload(header, "sport");
    case "destinationPort":
      return payload(header, "dport");
  }
}

/** The header whose ports a protocol has. */
export function headerOf(protocol: bigint): string | undefined {
  return hasPorts(Number(protocol)) ? protocolName(Number(protocol)) : undefined;
}

/** An interval of a field's values as an element of a set. */
export function elementKey(field: Field, [from, to]: readonly [from: Point, to: Point]): Expression {
  if (typeof from === "string" || typeof to === "string") return string(String(from));
  switch (field) {
    case "source":
    case "destination":
      return addressInterval(from, to, "ipv4");
    case "source6":
    case "destination6":
      return addressInterval(from, to, "ipv6");
    case "protocol":
      return protocolExpression(Number(from));
    default:
      return from === to ? number(Number(from)) : range(number(Number(from)), number(Number(to)));
  }
}

/** The addresses of a prefix. */
export function prefixInterval(address: bigint, length: number, family: "ipv4" | "ipv6"): Interval {
  const size = 1n << BigInt(addressBits[family] - length);
  const from = address - (address % size);
  return [from, from + size - 1n];
}
