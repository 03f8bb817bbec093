/** Reads the entry of an `add` line as the type of its set has it. */

import { Invalid } from "../extensions/extension.js";
import { addressBits, parseHost, prefixMask } from "../extensions/values/address.js";
import { protocol as protocolNumber } from "../extensions/values/protocols.js";
import { services } from "../extensions/values/services.js";
import { parseInteger } from "../extensions/values/number.js";
import type { Family } from "../iptables/ast.js";
import { byteLength, longestInterfaceName } from "../iptables/tables.js";
import type { AddressPart, Dimension, Ipset, Part, PortPart } from "./ast.js";
import { icmp6Messages, icmpMessages } from "./icmp-names.js";

/** Protocols whose port ipset reads from the packet. */
export const protocolsWithPorts: readonly number[] = [6, 17, 132, 136];
const icmp = 1;
const icmp6 = 58;

export const messageProtocol: Readonly<Record<Family, number>> = { ipv4: icmp, ipv6: icmp6 };

/** Elements that ranges of one entry may make. No real entry comes near; a hostile one must not fill the memory. */
const mostExpanded = 200_000;

/**
 * All elements that one entry stands for: ipset makes one for each address and port of a range. `Invalid` where ipset
 * refuses the entry, or where it makes more elements than the set may hold.
 */
export function readEntry(entry: string, set: Ipset): readonly (readonly Part[])[] | Invalid {
  const { dimensions } = set.type;
  const words = splitEntry(entry);
  if (words.length > dimensions.length || words.length < leastParts(set)) {
    return new Invalid(`"${entry}" does not have the parts ${dimensions.join(",")}`);
  }
  let elements: (readonly Part[])[] = [[]];
  for (const [index, dimension] of dimensions.entries()) {
    const word = words[index];
    const choices = word === undefined ? [{ kind: "hardware", address: undefined } as const] : readPart(word, dimension, index, set);
    if (choices instanceof Invalid) return choices;
    const most = Math.min(set.maxelem, mostExpanded);
    if (elements.length * choices.length > most) return new Invalid(`"${entry}" makes more than ${most} elements`);
    elements = elements.flatMap((parts) => choices.map((choice) => [...parts, choice]));
  }
  return elements;
}

/** Commas between parts; none inside of brackets, which keep names with dashes together. */
function splitEntry(entry: string): string[] {
  return entry.split(",").map((word) => (word.startsWith("[") && word.endsWith("]") ? word.slice(1, -1) : word));
}

/** The hardware address of a `bitmap:ip,mac` may be missing. */
function leastParts({ type }: Ipset): number {
  return type.name === "bitmap:ip,mac" ? 1 : type.dimensions.length;
}

function readPart(word: string, dimension: Dimension, index: number, set: Ipset): readonly Part[] | Invalid {
  const family = set.family ?? "ipv4";
  switch (dimension) {
    case "ip":
      return readAddresses(word, set, family);
    case "net":
      return readNetworks(word, family, set.type.name !== "hash:net" || index > 0);
    case "port":
      return set.type.method === "bitmap" ? readPlainPorts(word, set) : readPorts(word, family);
    case "iface":
      return readInterface(word);
    case "mac":
      return readHardware(word);
    case "mark": {
      const mark = parseInteger(word);
      return mark === undefined || mark > 0xffffffffn
        ? new Invalid(`"${word}" is not a mark`)
        : [{ kind: "mark", mark: Number(mark & BigInt(set.markmask)) }];
    }
    case "set":
      return [{ kind: "member", set: word }];
  }
}

interface Range {
  readonly from: bigint;
  readonly to: bigint;
  readonly prefixLength: number | undefined;
}

/** `address`, `address/length` or `from-to`. */
function readRange(word: string, family: Family): Range | Invalid {
  const bits = addressBits[family];
  const address = (text: string): bigint | Invalid => {
    const value = isNumeric(text, family) ? parseHost(text, family) : undefined;
    return (
      value ??
      new Invalid(
        /[a-zA-Z]/.test(text) && !text.includes(":")
          ? `"${text}" is a name, which cannot be resolved here`
          : `"${text}" is not an ${family === "ipv4" ? "IPv4" : "IPv6"} address`,
      )
    );
  };
  const slash = word.indexOf("/");
  const dash = word.indexOf("-");
  const first = address(slash >= 0 ? word.slice(0, slash) : dash >= 0 ? word.slice(0, dash) : word);
  if (first instanceof Invalid) return first;
  if (slash >= 0) {
    const length = /^[0-9]{1,3}$/.test(word.slice(slash + 1)) ? Number(word.slice(slash + 1)) : bits + 1;
    if (length > bits) return new Invalid(`"${word}" has no valid prefix length`);
    const from = first & prefixMask(length, family);
    return { from, to: from + (1n << BigInt(bits - length)) - 1n, prefixLength: length };
  }
  if (dash < 0) return { from: first, to: first, prefixLength: bits };
  const last = address(word.slice(dash + 1));
  if (last instanceof Invalid) return last;
  return first <= last ? { from: first, to: last, prefixLength: undefined } : { from: last, to: first, prefixLength: undefined };
}

function isNumeric(text: string, family: Family): boolean {
  return family === "ipv4" ? /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(text) : /^[0-9a-fA-F:.]+$/.test(text);
}

function readAddresses(word: string, set: Ipset, family: Family): readonly AddressPart[] | Invalid {
  const found = readRange(word, family);
  if (found instanceof Invalid) return found;
  const bits = addressBits[family];
  if (family === "ipv6" && found.from !== found.to)
    return new Invalid(`"${word}" is more than one IPv6 address, which only networks can be`);
  const { range, mask } = set;
  if (range && (found.from < range.from || found.to > range.to)) return new Invalid(`"${word}" is outside of the set's range`);
  const most = BigInt(range ? 65536 : Math.min(set.maxelem, mostExpanded));
  // Under a mask that is a prefix, one element stands for a whole network.
  const step = mask === undefined ? 1n : stepOf(mask, bits);
  const first = found.from & (mask ?? prefixMask(bits, family));
  if ((found.to - first) / step >= most) return new Invalid(`"${word}" makes more than ${most} elements`);
  const parts: AddressPart[] = [];
  for (let address = first; address <= found.to; address += step) {
    const last = range && mask !== undefined ? address + step - 1n : address;
    parts.push({ kind: "address", from: mask === undefined ? address : address & mask, to: last, prefixLength: bits });
  }
  return parts;
}

/** Distance of two addresses that differ behind the mask: its lowest bit. */
function stepOf(mask: bigint, bits: number): bigint {
  return mask === 0n ? 1n << BigInt(bits) : mask & -mask;
}

/** A range becomes the fewest networks that make it up, as ipset stores it. */
function readNetworks(word: string, family: Family, zeroAllowed: boolean): readonly AddressPart[] | Invalid {
  const found = readRange(word, family);
  if (found instanceof Invalid) return found;
  const { from, to, prefixLength } = found;
  if (prefixLength === 0 && !zeroAllowed) return new Invalid(`"${word}": a hash:net holds no network of all addresses`);
  if (prefixLength !== undefined) return [{ kind: "address", from, to, prefixLength }];
  const bits = addressBits[family];
  const parts: AddressPart[] = [];
  for (let start = from; start <= to; ) {
    let size = start === 0n ? 1n << BigInt(bits) : start & -start;
    while (start + size - 1n > to) size >>= 1n;
    parts.push({ kind: "address", from: start, to: start + size - 1n, prefixLength: bits - (size.toString(2).length - 1) });
    start += size;
  }
  return parts;
}

function portNumber(text: string): number | undefined {
  const value = parseInteger(text);
  if (value === undefined) return services.get(text);
  return value > 65535n ? undefined : Number(value);
}

/** `first` or `first-last`. */
function portRange(text: string): readonly number[] | Invalid {
  const whole = portNumber(text);
  if (whole !== undefined) return [whole];
  const dash = text.indexOf("-");
  const from = portNumber(text.slice(0, Math.max(0, dash)));
  const to = portNumber(text.slice(dash + 1));
  if (dash < 0 || from === undefined || to === undefined) return new Invalid(`"${text}" is not a port`);
  const [first, last] = from <= to ? [from, to] : [to, from];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function readPlainPorts(word: string, { range }: Ipset): readonly PortPart[] | Invalid {
  const colon = word.indexOf(":");
  const ports = portRange(word.slice(colon + 1));
  if (ports instanceof Invalid) return ports;
  const outside = ports.find((port) => range && (BigInt(port) < range.from || BigInt(port) > range.to));
  if (outside !== undefined) return new Invalid(`port ${outside} is outside of the set's range`);
  return ports.map((port) => ({ kind: "port", protocol: undefined, port }));
}

/** `[protocol:]port`, of TCP unless told; for ICMP `type/code` or the message's name; 0 where there are no ports. */
function readPorts(word: string, family: Family): readonly PortPart[] | Invalid {
  const colon = word.indexOf(":");
  const protocol = colon < 0 ? 6 : protocolNumber(word.slice(0, colon), { family });
  if (protocol instanceof Invalid) return protocol;
  if (protocol === 0) return new Invalid(`"${word}" names no protocol`);
  const rest = word.slice(colon + 1);
  if (protocolsWithPorts.includes(protocol)) {
    const ports = portRange(rest);
    return ports instanceof Invalid ? ports : ports.map((port) => ({ kind: "port", protocol, port }));
  }
  if (protocol === icmp || protocol === icmp6) {
    if (protocol !== messageProtocol[family]) return new Invalid(`"${word}" is not of the set's family`);
    const port = messageNumber(rest, protocol === icmp ? icmpMessages : icmp6Messages);
    return port === undefined ? new Invalid(`"${rest}" is not an ICMP message`) : [{ kind: "port", protocol, port }];
  }
  return rest === "0"
    ? [{ kind: "port", protocol, port: 0 }]
    : new Invalid(`"${word}": this protocol has no ports, and only 0 stands for them`);
}

function messageNumber(text: string, names: ReadonlyMap<string, readonly [number, number]>): number | undefined {
  const named = names.get(text);
  const [type, code] = named ?? (/^[0-9]{1,3}\/[0-9]{1,3}$/.test(text) ? text.split("/").map(Number) : []);
  return type === undefined || code === undefined || type > 255 || code > 255 ? undefined : type * 256 + code;
}

function readInterface(word: string): readonly Part[] | Invalid {
  const physical = word.startsWith("physdev:");
  const name = physical ? word.slice("physdev:".length) : word;
  if (name === "" || byteLength(name) > longestInterfaceName) return new Invalid(`"${name}" is not the name of an interface`);
  return [{ kind: "interface", name, wildcard: false, physical }];
}

function readHardware(word: string): readonly Part[] | Invalid {
  if (!/^[0-9a-fA-F]{1,2}(?::[0-9a-fA-F]{1,2}){5}$/.test(word)) return new Invalid(`"${word}" is not a hardware address`);
  const address = word.split(":").reduce((value, byte) => (value << 8n) | BigInt(`0x${byte}`), 0n);
  return address === 0n ? new Invalid("the hardware address of all zeros matches nothing") : [{ kind: "hardware", address }];
}

/** What two elements share that ipset takes for the same; `nomatch`, timeout and the like are no part of it. */
export function elementKey(parts: readonly Part[], { type }: Ipset): string {
  // A bitmap has one hardware address for each address (measured).
  const telling = type.method === "bitmap" ? parts.slice(0, 1) : parts;
  return telling
    .map((part) => {
      switch (part.kind) {
        case "address":
          return `${part.from}/${part.prefixLength}`;
        case "port":
          return `${part.protocol ?? ""}:${part.port}`;
        case "interface":
          return `${part.physical ? "p" : "i"}${part.wildcard ? "*" : "="}${part.name}`;
        case "hardware":
          return String(part.address);
        case "mark":
          return String(part.mark);
        case "member":
          return part.set;
      }
    })
    .join(",");
}
