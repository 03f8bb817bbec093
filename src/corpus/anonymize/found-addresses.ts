/** Addresses in a line of a dump or an ipset file: alone, with a mask, or as a range; and MAC addresses. */

import { addressBits, parseHost, prefixLength, prefixMask } from "../../extensions/values/address.js";
import type { Family } from "../../iptables/ast.js";
import type { AddressMaps, Digest } from "./address-map.js";

const mac = "(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])";
const ipv6 = "[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:(?:[0-9]{1,3}[.]){3}[0-9]{1,3})?(?![0-9A-Za-z_.:])";
// Within longer words, too: names are made of addresses (ban-192.0.2.1).
const ipv4 = "(?<![0-9.])[0-9]{1,3}(?:[.][0-9]{1,3}){3}(?![.]?[0-9])";
const tail = (address: string, family: string): string =>
  `(?:/(?<mask_${family}>${address}|[0-9]{1,3})|(?<between_${family}>-|\\]-\\[)(?<to_${family}>${address}))?`;
const pattern = new RegExp(
  `(?<![0-9A-Za-z_.:])(?:(?<mac>${mac})|(?<address_ipv6>${ipv6})${tail(ipv6, "ipv6")})|(?<address_ipv4>${ipv4})${tail(ipv4, "ipv4")}`,
  "g",
);

/** What looks like an address, perhaps with its mask or the end of its range. */
interface Found {
  readonly family: Family;
  readonly address: string;
  readonly mask?: string;
  readonly between?: string;
  readonly to?: string;
}

/** Puts what `replace` or `replaceMac` returns in the place of everything that looks like an address. */
function replaceFound(text: string, replace: (found: Found) => string | undefined, ofMac: (mac: string) => string): string {
  return text.replace(pattern, (whole: string, ...rest: readonly unknown[]) => {
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>;
    if (groups["mac"] !== undefined) return ofMac(groups["mac"]);
    const family = groups["address_ipv6"] === undefined ? "ipv4" : "ipv6";
    const [address, mask, between, to] = ["address", "mask", "between", "to"].map((name) => groups[`${name}_${family}`]);
    return (
      replace({
        family,
        address: address!,
        ...(mask !== undefined && { mask }),
        ...(between !== undefined && { between }),
        ...(to !== undefined && { to }),
      }) ?? whole
    );
  });
}

/** Tells the maps of every range in the text, so that it stays one. */
export function keepRanges(text: string, maps: AddressMaps): void {
  replaceFound(
    text,
    ({ family, address, to }) => {
      const from = parse(address, family);
      const end = to === undefined ? undefined : parse(to, family);
      if (from !== undefined && end !== undefined) maps.keepRange(family, from, end);
      return undefined;
    },
    (mac) => mac,
  );
}

/** The text with the images of all addresses in it. */
export function replaceAddresses(text: string, maps: AddressMaps, digest: Digest): string {
  return replaceFound(
    text,
    (found) => replaceOne(found, maps),
    (mac) => replaceMac(mac, digest),
  );
}

/** Undefined if it is no address. */
function replaceOne({ family, address: text, mask, between, to }: Found, maps: AddressMaps): string | undefined {
  const address = parse(text, family);
  if (address === undefined) return undefined;
  if (to !== undefined) {
    const end = parse(to, family);
    return end === undefined ? undefined : maps.format(family, address) + between + maps.format(family, end);
  }
  return mask === undefined ? maps.format(family, address) : `${maps.format(family, address, mappedBits(address, mask, family))}/${mask}`;
}

/**
 * Leading bits that get an image: those of the network if the others are zero, and then these stay zero; of a mask that is no
 * prefix those before its first zero, since no image of the others keeps what it asks.
 */
function mappedBits(address: bigint, text: string, family: Family): number {
  const all = addressBits[family];
  const mask = /^[0-9]+$/.test(text) ? prefixMask(Math.min(all, Number(text)), family) : (parseHost(text, family) ?? 0n);
  const length = prefixLength(mask, family);
  if (length === undefined) return mask.toString(2).padStart(all, "0").indexOf("0");
  return (address & ~mask) === 0n ? length : all;
}

function parse(text: string, family: Family): bigint | undefined {
  // A leading zero would be octal, and nothing that prints addresses writes it.
  return family === "ipv4" && /(?:^|\.)0[0-9]/.test(text) ? undefined : parseHost(text, family);
}

/** A locally administered address; those of groups, such as broadcast and multicast, stay. */
function replaceMac(text: string, digest: Digest): string {
  if ((Number.parseInt(text.slice(0, 2), 16) & 1) === 1 || /^(?:00:){5}00$/.test(text)) return text;
  const bytes = [...digest(`mac ${text.toLowerCase()}`).slice(0, 5)].map((byte) => byte.toString(16).padStart(2, "0"));
  const image = ["02", ...bytes].join(":");
  return /[A-F]/.test(text) ? image.toUpperCase() : image;
}
