/** IPv4 and IPv6 addresses and masks: reading them as xtables does, and saying them in nft. */

import type { AddressMask, Family } from "../../iptables/ast.js";
import { binary, match, type AddressLiteral, type Expression, type Statement } from "../../nft/ast.js";
import { Invalid, type ValueParser } from "../extension.js";
import { parseInteger } from "./number.js";
import { ipv4Address, ipv6Address, uniform } from "./uniform.js";

/** Bits of an address. */
export const addressBits: Readonly<Record<Family, number>> = { ipv4: 32, ipv6: 128 };

/** The mask of a prefix length in bits. */
export function prefixMask(length: number, family: Family): bigint {
  const bits = BigInt(addressBits[family]);
  return ((1n << BigInt(length)) - 1n) << (bits - BigInt(length));
}

const wholeIpv4 = prefixMask(32, "ipv4");
const wholeIpv6 = prefixMask(128, "ipv6");

/** Four bytes, each decimal, octal or hexadecimal. */
function parseDottedQuad(text: string): bigint | undefined {
  const bytes = text.split(".");
  if (bytes.length !== 4) return undefined;
  let address = 0n;
  for (const byte of bytes) {
    const value = parseInteger(byte);
    if (value === undefined || value > 255n) return undefined;
    address = (address << 8n) | value;
  }
  return address;
}

/** The short forms of the resolver: the last part fills the rest (`3221225985` is 192.0.2.1, `192.513` is 192.0.2.1). */
function parseShortHost(parts: readonly (bigint | undefined)[]): bigint | undefined {
  if (parts.length > 4) return undefined;
  let address = 0n;
  for (const [index, part] of parts.entries()) {
    if (part === undefined) return undefined;
    const bits = BigInt(index === parts.length - 1 ? 8 * (4 - index) : 8);
    if (part >= 1n << bits) return undefined;
    address = (address << bits) | part;
  }
  return address;
}

/** xtables completes a short IPv4 address on the right (`10.1` is 10.1.0.0); what it cannot complete goes to the resolver. */
function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".").map(parseInteger);
  const isNetwork = parts.length < 4 && parts.every((part) => part !== undefined && part <= 255n);
  return parseShortHost(isNetwork ? [...parts, ...Array<bigint>(4 - parts.length).fill(0n)] : parts);
}

/** Reads an address where xtables asks only the resolver (`10.1` is 10.0.0.1 there); `undefined` if the text is none. */
export function parseHost(text: string, family: Family): bigint | undefined {
  return family === "ipv4" ? parseShortHost(text.split(".").map(parseInteger)) : parseIpv6(text);
}

function parseGroups(text: string): bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const words = text.split(":");
  for (const [index, word] of words.entries()) {
    if (word.includes(".")) {
      const isDecimal = /^(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})$/.test(word);
      const quad = index === words.length - 1 && isDecimal ? parseDottedQuad(word) : undefined;
      if (quad === undefined) return undefined;
      groups.push(quad >> 16n, quad & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(word)) {
      groups.push(BigInt(`0x${word}`));
    } else {
      return undefined;
    }
  }
  return groups;
}

/** A zone after `%` is read and forgotten, as ip6tables does. */
function parseIpv6(text: string): bigint | undefined {
  const [withoutZone = ""] = text.split("%", 1);
  const [left = "", right, ...more] = withoutZone.split("::");
  if (more.length > 0) return undefined;
  const head = parseGroups(left);
  const tail = parseGroups(right ?? "");
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  if (right !== undefined && left.includes(".")) return undefined;
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce((address, group) => (address << 16n) | group, 0n);
}

/** Reads a numeric address; `undefined` if the text is none (a host name, for instance). */
export function parseAddress(text: string, family: Family): bigint | undefined {
  return family === "ipv4" ? parseIpv4(text) : parseIpv6(text);
}

/** Canonical notation: dotted decimal, or RFC 5952 (all in hexadecimal). */
export function formatAddress(value: bigint, family: Family): string {
  if (family === "ipv4") return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => ((value >> BigInt(16 * (7 - index))) & 0xffffn).toString(16));
  let longest = { start: 0, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === "0") length++;
    if (length > longest.length) longest = { start, length };
  }
  if (longest.length < 2) return groups.join(":");
  return `${groups.slice(0, longest.start).join(":")}::${groups.slice(longest.start + longest.length).join(":")}`;
}

/** Leading ones of a mask; `undefined` if other ones follow a zero. */
export function prefixLength(mask: bigint, family: Family): number | undefined {
  const bits = addressBits[family];
  const hostBits = mask ^ prefixMask(bits, family);
  if ((hostBits & (hostBits + 1n)) !== 0n) return undefined;
  return bits - (hostBits === 0n ? 0 : hostBits.toString(2).length);
}

/** A prefix length, or a mask written as an address. IPv4 masks are never abbreviated. */
function parseMask(text: string, family: Family): bigint | undefined {
  const written = family === "ipv4" ? parseDottedQuad(text) : parseIpv6(text);
  if (written !== undefined) return written;
  const length = parseInteger(text);
  return length === undefined || length > BigInt(addressBits[family]) ? undefined : prefixMask(Number(length), family);
}

/** `address` alone; of the family of the rule. */
export const address: ValueParser<bigint> = (text, { family }) =>
  parseAddress(text, family) ?? new Invalid(`"${text}" is not an ${family === "ipv4" ? "IPv4" : "IPv6"} address`);

/** `address`, `address/length` or `address/mask`. Host bits are cleared, and with an empty mask any name is an address. */
export const addressMask = uniform<AddressMask>(
  (text, { family }) => {
    const slash = text.lastIndexOf("/");
    const addressText = slash === -1 ? text : text.slice(0, slash);
    const whole = family === "ipv4" ? wholeIpv4 : wholeIpv6;
    const mask = slash === -1 ? whole : parseMask(text.slice(slash + 1), family);
    if (mask === undefined) return new Invalid(`"${text.slice(slash + 1)}" is neither a prefix length nor a mask`);
    if (mask === 0n) return { family, address: 0n, mask };
    const value = parseAddress(addressText, family);
    if (value !== undefined) return { family, address: value & mask, mask };
    const other: Family = family === "ipv4" ? "ipv6" : "ipv4";
    if (addressText.includes(other === "ipv6" ? ":" : ".") && parseAddress(addressText, other) !== undefined) {
      return new Invalid(`"${addressText}" is an ${other === "ipv4" ? "IPv4" : "IPv6"} address`);
    }
    return new Invalid(
      /^[0-9.:/]*$/.test(addressText) ? `"${addressText}" is not an address` : `"${addressText}" is a name, which cannot be resolved here`,
    );
  },
  ipv4Address,
  ipv6Address,
);

/** The address as nft writes it. */
export function addressLiteral(value: bigint, family: Family): AddressLiteral {
  return { kind: "address", address: formatAddress(value, family) };
}

/** Address and mask as one nft expression, a host or a prefix; `undefined` where the mask is not a prefix. */
export function addressExpression({ family, address: value, mask }: AddressMask): AddressLiteral | undefined {
  const length = prefixLength(mask, family);
  if (length === undefined) return undefined;
  return length === addressBits[family]
    ? addressLiteral(value, family)
    : { kind: "address", address: formatAddress(value, family), prefixLength: length };
}

/** `field address`, `field prefix/length`, or `field & mask == address` for a mask that is not a prefix. */
export function addressMatch(field: Expression, value: AddressMask, inverted: boolean): Statement {
  const prefix = addressExpression(value);
  if (prefix !== undefined) return match(field, prefix, inverted);
  const masked = binary(field, "&", addressLiteral(value.mask, value.family));
  return match(masked, addressLiteral(value.address, value.family), inverted);
}

/** A mask applied to a field, or the field itself where the mask has all ones (the key of a set). */
export function maskedField(field: Expression, { mask, family }: { mask: bigint; family: Family }): Expression {
  return prefixLength(mask, family) === addressBits[family] ? field : binary(field, "&", addressLiteral(mask, family));
}

/** The addresses from one to another as nft writes them shortest: a host, a network or a range. */
export function addressInterval(from: bigint, to: bigint, family: Family): Expression {
  const length = prefixLength(prefixMask(addressBits[family], family) ^ from ^ to, family);
  const isNetwork = from !== to && length !== undefined && (from & prefixMask(length, family)) === from;
  return isNetwork
    ? { kind: "address", address: formatAddress(from, family), prefixLength: length }
    : addressRangeExpression(from, to, family);
}

/** The lowest and highest of a range `from-to` of numbers or addresses, as one nft expression. */
export function addressRangeExpression(from: bigint, to: bigint, family: Family): Expression {
  return from === to ? addressLiteral(from, family) : { kind: "range", from: addressLiteral(from, family), to: addressLiteral(to, family) };
}
