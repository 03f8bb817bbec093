/** What nft's expressions read of a packet, and what a value is compared with. What is not read here throws `NotModelled`. */

import { icmpSymbols } from "../extensions/matches/icmp.js";
import { icmpv6Symbols } from "../extensions/matches/icmp6.js";
import { addressBits, parseAddress, prefixMask } from "../extensions/values/address.js";
import type { Family } from "../iptables/ast.js";
import type { Expression } from "../nft/ast.js";
import { headerTtl, icmpTypeOf, NotModelled, tcpFlagBits, tcpFlagsOf, type Flight } from "./packet.js";

export type Value = bigint | string;

/** A value of the packet, and whether the packet has it: nft ends the rule where it does not. */
export interface Reader {
  readonly read: (flight: Flight) => Value;
  /** Absent: every packet has it. */
  readonly applies?: (flight: Flight) => boolean;
}

const protocolNumbers: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  comp: 108,
  sctp: 132,
  udplite: 136,
};

/** Bytes of the IPv6 header, which its length field leaves out. */
const ipv6Header = 40;
const usualLength = 60;

/** How an expression is read from a packet of this family. */
export function readerOf(expression: Expression, family: Family): Reader {
  switch (expression.kind) {
    case "payload":
      return payloadReader(expression.protocol, expression.field, family);
    case "meta":
      return metaReader(expression.key, family);
    case "ct": {
      if (expression.direction !== undefined) break;
      if (expression.key === "state") return { read: ({ state }) => state };
      if (expression.key === "mark") return { read: ({ connectionMark }) => connectionMark, applies: hasConnection };
      break;
    }
    case "binary":
      return binaryReader(expression, family);
    case "number": {
      const value = BigInt(expression.value);
      return { read: () => value };
    }
    default:
      break;
  }
  throw new NotModelled(`expression ${expression.kind}`);
}

/** How nft calls a family. */
export function familyWord(family: Family): "ip" | "ip6" {
  return family === "ipv4" ? "ip" : "ip6";
}

/** Whether an expression reads a header that no packet of this family has. */
export function isOfOtherFamily(expression: Expression, family: Family): boolean {
  const read = expression.kind === "binary" ? expression.left : expression;
  return read.kind === "payload" && (read.protocol === "ip" || read.protocol === "ip6") && read.protocol !== familyWord(family);
}

function binaryReader({ operator, left, right }: Expression & { kind: "binary" }, family: Family): Reader {
  const { read, applies } = readerOf(left, family);
  const also = applies && { applies };
  if (right.kind !== "number" && right.kind !== "address" && right.kind !== "symbol" && right.kind !== "binary")
    throw new NotModelled(`operand ${right.kind}`);
  if (right.kind === "symbol" || (right.kind === "binary" && isConstant(right))) {
    const mask = constantOf(right, left, family);
    if (operator !== "&" || typeof mask !== "bigint") throw new NotModelled(`operator ${operator}`);
    return { read: (flight) => (read(flight) as bigint) & mask, ...also };
  }
  const other = right.kind === "address" ? { read: constant(constantOf(right, left, family)) } : readerOf(right, family);
  const value = (flight: Flight): bigint => other.read(flight) as bigint;
  const mine = (flight: Flight): bigint => read(flight) as bigint;
  switch (operator) {
    case "&":
      return { read: (flight) => mine(flight) & value(flight), ...also };
    case "|":
      return { read: (flight) => mine(flight) | value(flight), ...also };
    case "^":
      return { read: (flight) => mine(flight) ^ value(flight), ...also };
    case "<<":
      return { read: (flight) => BigInt.asUintN(32, mine(flight) << value(flight)), ...also };
    case ">>":
      return { read: (flight) => mine(flight) >> value(flight), ...also };
  }
}

const constant = (value: Value) => (): Value => value;

function isConstant(expression: Expression): boolean {
  return (
    expression.kind === "symbol" ||
    expression.kind === "number" ||
    (expression.kind === "binary" && isConstant(expression.left) && isConstant(expression.right))
  );
}

function hasConnection({ state }: Flight): boolean {
  return state !== "invalid" && state !== "untracked";
}

function payloadReader(protocol: string, field: string, family: Family): Reader {
  if (protocol === "ip" || protocol === "ip6") {
    if (protocol !== familyWord(family)) return { read: () => 0n, applies: () => false };
    switch (field) {
      case "saddr":
        return { read: ({ source }) => source };
      case "daddr":
        return { read: ({ destination }) => destination };
      case "ttl":
      case "hoplimit":
        return { read: ({ packet, hook }) => BigInt(headerTtl(packet, hook)) };
      case "protocol":
        return { read: ({ packet }) => BigInt(packet.protocol) };
      case "length": {
        const header = protocol === "ip" ? 0 : ipv6Header;
        return { read: ({ packet }) => BigInt((packet.length ?? usualLength) - header) };
      }
      // Packets here are whole.
      case "frag-off":
        return { read: () => 0n };
      default:
        throw new NotModelled(`field ${protocol} ${field}`);
    }
  }
  // Of whatever transport header there is: of those without ports, too, whatever stands in their place.
  if (protocol === "th" && field === "sport") return { read: ({ sourcePort }) => BigInt(sourcePort) };
  if (protocol === "th" && field === "dport") return { read: ({ destinationPort }) => BigInt(destinationPort) };
  const number = protocolNumbers[protocol];
  if (number === undefined) throw new NotModelled(`field ${protocol} ${field}`);
  const applies = ({ packet }: Flight): boolean => packet.protocol === number;
  switch (field) {
    case "sport":
      return { read: ({ sourcePort }) => BigInt(sourcePort), applies };
    case "dport":
      return { read: ({ destinationPort }) => BigInt(destinationPort), applies };
    case "flags":
      if (protocol === "tcp") return { read: ({ packet }) => BigInt(tcpFlagsOf(packet)), applies };
      break;
    case "type":
      return { read: ({ packet }) => BigInt(icmpTypeOf(packet)), applies };
    case "code":
      return { read: ({ packet }) => BigInt(packet.icmpCode ?? 0), applies };
    default:
      break;
  }
  throw new NotModelled(`field ${protocol} ${field}`);
}

function metaReader(key: string, family: Family): Reader {
  switch (key) {
    case "iifname":
      return { read: (flight) => flight.inInterface };
    case "oifname":
      return { read: (flight) => flight.outInterface };
    // Any number but 0, which is no interface.
    case "iif":
      return { read: ({ packet }) => (packet.path === "output" ? 0n : 1n) };
    case "oif":
      return { read: ({ hook }) => (hook === "prerouting" || hook === "input" ? 0n : 1n) };
    case "l4proto":
      return { read: ({ packet }) => BigInt(packet.protocol) };
    case "mark":
      return { read: ({ mark }) => mark };
    case "nfproto":
      return { read: constant(family) };
    default:
      throw new NotModelled(`meta ${key}`);
  }
}

// --------------------------------------------------------------------------------------------------- comparisons

/** Whether a value is the one on the right of `==`. `left` tells what words there mean. */
export function equalityTest(right: Expression, left: Expression, family: Family): (value: Value) => boolean {
  switch (right.kind) {
    case "string": {
      const { value } = right;
      if (!value.endsWith("*")) return (found) => found === value;
      const beginning = value.slice(0, -1);
      return (found) => String(found).startsWith(beginning);
    }
    case "address": {
      const wanted = addressOf(right.address, family);
      if (right.prefixLength === undefined) return (found) => found === wanted;
      const mask = prefixMask(right.prefixLength, family);
      return (found) => ((found as bigint) & mask) === wanted;
    }
    case "range": {
      const [from, to] = [constantOf(right.from, left, family), constantOf(right.to, left, family)];
      return (found) => found >= from && found <= to;
    }
    case "anonymous-set": {
      const tests = right.elements.map((element) => equalityTest(element, left, family));
      return (found) => tests.some((test) => test(found));
    }
    case "flags": {
      if (left.kind !== "ct" || left.key !== "state") throw new NotModelled("flags");
      const { flags } = right;
      return (found) => flags.includes(found as string);
    }
    default: {
      const wanted = constantOf(right, left, family);
      return (found) => found === wanted;
    }
  }
}

/** The value of a constant; `left` tells what words in it mean. */
export function constantOf(expression: Expression, left: Expression, family: Family): Value {
  switch (expression.kind) {
    case "number":
      return BigInt(expression.value);
    case "symbol":
      return symbolValue(expression.name, left.kind === "binary" ? left.left : left);
    case "address":
      if (expression.prefixLength === undefined) return addressOf(expression.address, family);
      break;
    case "binary": {
      const [one, other] = [constantOf(expression.left, left, family), constantOf(expression.right, left, family)];
      if (expression.operator === "|" && typeof one === "bigint" && typeof other === "bigint") return one | other;
      break;
    }
    default:
      break;
  }
  throw new NotModelled(`constant ${expression.kind}`);
}

function addressOf(text: string, family: Family): bigint {
  const value = parseAddress(text, family);
  if (value === undefined || value >= 1n << BigInt(addressBits[family])) throw new NotModelled(`address ${text}`);
  return value;
}

function symbolValue(name: string, left: Expression): Value {
  const numberIn = (names: Readonly<Record<string, number>>): bigint | undefined =>
    names[name] === undefined ? undefined : BigInt(names[name]);
  const value = ((): Value | undefined => {
    if (left.kind === "meta" && left.key === "nfproto") return name === "ipv4" || name === "ipv6" ? name : undefined;
    if (left.kind === "meta" && left.key === "l4proto") return numberIn(protocolNumbers);
    if (left.kind === "ct" && left.key === "state") return name;
    if (left.kind !== "payload") return undefined;
    if (left.protocol === "tcp" && left.field === "flags") return numberIn(tcpFlagBits);
    if (left.field === "protocol") return numberIn(protocolNumbers);
    if (left.field === "type" && (left.protocol === "icmp" || left.protocol === "icmpv6")) {
      const symbols = left.protocol === "icmp" ? icmpSymbols : icmpv6Symbols;
      const found = Object.entries(symbols).find(([, symbol]) => symbol === name);
      return found && BigInt(found[0]);
    }
    return undefined;
  })();
  if (value === undefined) throw new NotModelled(`word ${name}`);
  return value;
}
