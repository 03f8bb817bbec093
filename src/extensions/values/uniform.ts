/**
 * Classes of texts that mean values of which no extension treats one differently from another: what is learned of one rule holds for
 * all rules that differ by such texts only (`src/shapes`). A parser names its classes; a test holds every one against the translation.
 */

import type { UniformClass, ValueParser } from "../extension.js";

const zero = 48;
const nine = 57;
const dot = 46;
const slash = 47;
const comma = 44;
const blank = 32;

/** The end of a number without leading zeros of at most so many digits; -1 if there is none. */
function scanNumber(bytes: Uint8Array, at: number, end: number, digits: number): number {
  const first = bytes[at]!;
  if (at >= end || first <= zero || first > nine) return -1;
  const limit = Math.min(end, at + digits);
  let index = at + 1;
  while (index < limit && bytes[index]! >= zero && bytes[index]! <= nine) index++;
  return index;
}

function isEnd(bytes: Uint8Array, at: number, end: number): boolean {
  return at >= end || bytes[at] === blank;
}

type Declared = Pick<UniformClass, "name" | "scan" | "marker"> & Partial<UniformClass>;

/** All have the same members in the same order, since code that meets many kinds of objects in one place is slow. */
export function uniformClass({ name, scan, pattern, marker, printed, once }: Declared): UniformClass {
  return { name, scan, pattern, marker, printed, once };
}

/** The number between two positions that hold digits only. */
function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index++) value = value * 10 + bytes[index]! - zero;
  return value;
}

/** Of the last address that was scanned, as a number of 32 bits with a sign: no other is kept without an object of its own. */
let scanned = 0;

/** The end of an IPv4 address as it is printed, from 1.0.0.0 on; -1 if there is none. */
function scanAddress(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  let index = at;
  for (let octet = 0; octet < 4; octet++) {
    if (index >= end) return -1;
    let number = bytes[index]! - zero;
    if (number < 0 || number > 9 || (number === 0 && octet === 0)) return -1;
    index++;
    for (const limit = number === 0 ? index : Math.min(end, index + 2); index < limit; index++) {
      const digit = bytes[index]! - zero;
      if (digit < 0 || digit > 9) break;
      number = number * 10 + digit;
    }
    if (number > 255) return -1;
    value = (value << 8) | number;
    if (octet === 3) break;
    if (index >= end || bytes[index] !== dot) return -1;
    index++;
  }
  scanned = value;
  return index;
}

/** Of one number of an address behind the first, as it is printed. */
const octetPattern = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

/** Shorter ones would not tell their markers apart. */
const shortestPrefix = 16;

const markedAddress = (number: number): readonly number[] => [217, 200 + number, 253, 199];

/** An IPv4 address alone or before `/16` to `/32`, without host bits: the prefix length is no part of the class. */
export const ipv4Address = uniformClass({
  name: "IPv4 address",
  scan(bytes, at, end) {
    const address = scanAddress(bytes, at, end);
    if (address === -1 || isEnd(bytes, address, end)) return address;
    if (bytes[address] !== slash) return -1;
    const after = scanNumber(bytes, address + 1, end, 2);
    if (after === -1 || !isEnd(bytes, after, end)) return -1;
    const length = numberAt(bytes, address + 1, after);
    if (length < shortestPrefix || length > 32) return -1;
    return (scanned & (2 ** (32 - length) - 1)) === 0 ? address : -1;
  },
  pattern: (behind) => (/^(?:\/32)?(?: |$)/.test(behind) ? `(?!0)${octetPattern}(?:\\.${octetPattern}){3}` : undefined),
  marker(number, _, behind) {
    const length = Number(/^\/(\d+)/.exec(behind)?.[1] ?? 32);
    const octets = markedAddress(number);
    const masked = octets.map((octet, index) => octet & ~(0xff >> Math.min(8, Math.max(0, length - 8 * index))) & 0xff);
    return masked.join(".");
  },
});

/** IPv4 addresses from one to a higher one. */
export const ipv4Range = uniformClass({
  name: "IPv4 addresses from one to another",
  scan(bytes, at, end) {
    const dash = scanAddress(bytes, at, end);
    const from = scanned;
    if (dash === -1 || bytes[dash] !== 45) return -1;
    const after = scanAddress(bytes, dash + 1, end);
    return after !== -1 && scanned >>> 0 > from >>> 0 && isEnd(bytes, after, end) ? after : -1;
  },
  marker: (number) => `${markedAddress(number).join(".")}-217.${200 + number}.254.3`,
});

const colon = 58;

/** The groups of an IPv6 address: where they end, and how many are written. */
interface Groups {
  readonly end: number;
  readonly count: number;
  /** Ends in `::`. */
  readonly open: boolean;
}

function isLowHexadecimal(code: number): boolean {
  return (code >= zero && code <= nine) || (code >= 97 && code <= 102);
}

/**
 * An IPv6 address from 2000:: on as it is printed (RFC 5952): undefined for one whose groups of zeros could be written in two ways, and
 * for one with dots.
 */
function scanGroups(bytes: Uint8Array, at: number, end: number): Groups | undefined {
  let [index, count, zeros, gap] = [at, 0, 0, false];
  for (;;) {
    const start = index;
    while (index < end && isLowHexadecimal(bytes[index]!)) index++;
    const length = index - start;
    if (length === 0) {
      // Only behind `::` at the end.
      return gap && zeros === 0 && count < 7 && bytes[index - 2] === colon ? { end: index, count, open: true } : undefined;
    }
    const isZero = length === 1 && bytes[start] === zero;
    if (length > 4 || (bytes[start] === zero && !isZero)) return undefined;
    if (count === 0 && (length < 4 || bytes[start]! < 50)) return undefined;
    zeros += isZero ? 1 : 0;
    count++;
    if (bytes[index] !== colon || index >= end) break;
    index++;
    if (index < end && bytes[index] === colon) {
      if (gap) return undefined;
      gap = true;
      index++;
    }
  }
  const isPrinted = gap ? zeros === 0 && count < 7 : count === 8 && zeros < 2;
  return isPrinted ? { end: index, count, open: false } : undefined;
}

const markedGroups = ["d7c8", "f0d9", "e1c7", "c7f3", "d9e5", "f1c9", "e7d3"];

/** An IPv6 address alone or before `/128`, or one that ends in `::` before a prefix of whole groups that has all of its groups. */
export const ipv6Address = uniformClass({
  name: "IPv6 address",
  scan(bytes, at, end) {
    const groups = scanGroups(bytes, at, end);
    if (!groups || isEnd(bytes, groups.end, end)) return groups?.end ?? -1;
    if (bytes[groups.end] !== slash) return -1;
    const after = scanNumber(bytes, groups.end + 1, end, 3);
    if (after === -1 || !isEnd(bytes, after, end)) return -1;
    const length = numberAt(bytes, groups.end + 1, after);
    const whole = groups.open && length >= 16 * groups.count && length < 128 && length % 16 === 0 && length > 16;
    return length === 128 || whole ? groups.end : -1;
  },
  marker(number, _, behind) {
    const length = Number(/^\/(\d+)/.exec(behind)?.[1] ?? 128);
    const groups = [`3ff${number}`, ...markedGroups].slice(0, length / 16);
    return groups.length === 8 ? groups.join(":") : `${groups.join(":")}::`;
  },
});

/** A mark that is neither 0 nor all of its mask nor outside of it, alone or before `/` and the mask: that is no part of the class. */
export const markValue = uniformClass({
  name: "mark",
  scan(bytes, at, end) {
    const after = scanHexadecimal(bytes, at, end);
    if (after === -1) return -1;
    const value = hexadecimalAt(bytes, at, after);
    const mask = maskBehind(bytes, after, end);
    return value !== 0 && mask !== undefined && value !== mask && (value & ~mask) === 0 ? after : -1;
  },
  marker(number, _, behind) {
    const mask = maskBehind(encoder.encode(behind), 0, /^[^ \n]*/.exec(behind)![0].length)!;
    const marked = ((0x5a69_a5c3 ^ (number * 0x1111_1111)) & mask) >>> 0;
    const lowest = (mask & -mask) >>> 0;
    return `0x${(marked === 0 || marked === mask ? lowest : marked).toString(16)}`;
  },
});

/** The end of `0x` and up to eight digits without leading zeros, as iptables-save prints a mark; -1 if there is none. */
function scanHexadecimal(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== zero || bytes[at + 1] !== 120) return -1;
  let index = at + 2;
  while (index < end && isLowHexadecimal(bytes[index]!)) index++;
  const length = index - at - 2;
  return length < 1 || length > 8 || (length > 1 && bytes[at + 2] === zero) ? -1 : index;
}

/** The number of which the digits begin behind `0x`. */
function hexadecimalAt(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let index = at + 2; index < end; index++) value = value * 16 + bytes[index]! - (bytes[index]! > nine ? 87 : zero);
  return value;
}

const encoder = new TextEncoder();

/** All ones where no mask follows; undefined where something else does. */
function maskBehind(bytes: Uint8Array, at: number, end: number): number | undefined {
  if (isEnd(bytes, at, end)) return 0xffff_ffff;
  const after = bytes[at] === slash ? scanHexadecimal(bytes, at + 1, end) : -1;
  return after === -1 || !isEnd(bytes, after, end) ? undefined : hexadecimalAt(bytes, at + 1, after);
}

function isHexadecimal(code: number): boolean {
  return isLowHexadecimal(code) || (code >= 65 && code <= 70);
}

/** An Ethernet address of six bytes with two digits each. */
export const ethernetAddress = uniformClass({
  name: "Ethernet address",
  scan(bytes, at, end) {
    for (let index = 0; index < 17; index++) {
      const code = bytes[at + index]!;
      if (at + index >= end || (index % 3 === 2 ? code !== colon : !isHexadecimal(code))) return -1;
    }
    return isEnd(bytes, at + 17, end) ? at + 17 : -1;
  },
  marker: (number) => `02:D7:C8:F0:D9:0${number}`,
  printed: (text) => text.toLowerCase(),
});

/** Where address translation leads: an IPv4 address alone. */
export const wholeIpv4Address = uniformClass({
  ...ipv4Address,
  name: "whole IPv4 address",
  scan(bytes, at, end) {
    const address = scanAddress(bytes, at, end);
    return address !== -1 && isEnd(bytes, address, end) ? address : -1;
  },
});

/** Where address translation leads: an IPv4 address with a port. */
export const ipv4Endpoint = uniformClass({
  name: "IPv4 address with a port",
  scan(bytes, at, end) {
    const address = scanAddress(bytes, at, end);
    if (address === -1 || isEnd(bytes, address, end)) return -1;
    const port = bytes[address] === colon ? scanPort(bytes, address + 1, end) : -1;
    return port !== -1 && isEnd(bytes, port, end) ? port : -1;
  },
  marker: (number) => `${markedAddress(number).join(".")}:${63_901 + 16 * number}`,
});

function scanPort(bytes: Uint8Array, at: number, end: number): number {
  const after = scanNumber(bytes, at, end, 5);
  return after === -1 || numberAt(bytes, at, after) > 65_535 ? -1 : after;
}

/** A port from 1 to 65535. */
export const onePort = uniformClass({
  name: "port",
  scan(bytes, at, end) {
    const after = scanPort(bytes, at, end);
    return after !== -1 && isEnd(bytes, after, end) ? after : -1;
  },
  marker: (number) => String(63_901 + 16 * number),
});

/** Two to fifteen ports, none of them twice. */
export const severalPorts = uniformClass({
  name: "ports",
  scan(bytes, at, end) {
    const ports: number[] = [];
    for (let index = at; ; ) {
      const after = scanPort(bytes, index, end);
      if (after === -1) return -1;
      const port = numberAt(bytes, index, after);
      if (ports.includes(port)) return -1;
      ports.push(port);
      if (isEnd(bytes, after, end)) return ports.length > 1 && ports.length <= 15 ? after : -1;
      if (bytes[after] !== comma) return -1;
      index = after + 1;
    }
  },
  marker: (number) => `${63_901 + 16 * number},${63_909 + 16 * number}`,
  printed: (text) => text.replaceAll(",", ", "),
});

const quote = 34;

/** Whether a text of these bytes is written in a comment of nft as it is, and needs no quotes' care. */
function isPlain(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 45 && code <= 58) || // - . / digits :
    code === 95
  );
}

/** nft has room for 128. */
const longestPlainComment = 120;

const backslash = 92;

/** Words in double quotes that every nft can hold as a comment; with the quotes. */
export const quotedComment = uniformClass({
  name: "comment in quotes",
  scan(bytes, at, end) {
    if (bytes[at] !== quote) return -1;
    let index = at + 1;
    for (; index < end; index++) {
      const code = bytes[index]!;
      if (code < blank || code > 126 || code === quote || code === backslash) break;
    }
    const length = index - at - 1;
    if (index >= end || bytes[index] !== quote || !isEnd(bytes, index + 1, end)) return -1;
    return length < 2 || length > longestPlainComment || bytes[at + 1] === blank || bytes[index - 1] === blank ? -1 : index + 1;
  },
  marker: () => '"qzvxj marked comment"',
  once: true,
});

/** One word without quotes. */
export const wordComment = uniformClass({
  name: "comment of one word",
  scan(bytes, at, end) {
    let index = at;
    while (index < end && isPlain(bytes[index]!)) index++;
    const isOption = bytes[at] === 45;
    return isOption || index === at || index - at > longestPlainComment || !isEnd(bytes, index, end) ? -1 : index;
  },
  marker: () => "qzvxjmarkedword",
  printed: (text) => `"${text}"`,
  once: true,
});

/** Packets and bytes of a counter, neither of them 0, in brackets. */
export const counterValues = uniformClass({
  name: "counter",
  scan(bytes, at, end) {
    if (bytes[at] !== 91) return -1;
    const packets = scanNumber(bytes, at + 1, end, 15);
    if (packets === -1 || bytes[packets] !== 58) return -1;
    const after = scanNumber(bytes, packets + 1, end, 15);
    return after === -1 || bytes[after] !== 93 ? -1 : after + 1;
  },
  marker: () => "[717273747:747372717]",
  printed: (text) => `packets ${text.slice(1, -1).replace(":", " bytes ")}`,
});

/** Says of a parser which texts it takes alike. */
export function uniform<Value>(parser: ValueParser<Value>, ...classes: readonly UniformClass[]): ValueParser<Value> {
  const own: ValueParser<Value> = (text, context) => parser(text, context);
  return Object.assign(own, { uniform: classes });
}
