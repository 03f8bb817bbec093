/**
 * Addresses made into others so that two share as many leading bits afterwards as before (as Crypto-PAn does): whether a bit
 * is flipped depends on the bits before it and the key. What lies in a network lies in the network's image then.
 */

import { addressBits, formatAddress, parseHost } from "../../extensions/values/address.js";
import type { Family } from "../../iptables/ast.js";

/** 32 bytes that follow from the text and a secret. */
export type Digest = (text: string) => Uint8Array;

interface SpecialNetwork {
  readonly address: bigint;
  readonly length: number;
  readonly whole: boolean;
}

/** Networks that stay where they are, since rules treat them as what they are; the addresses of some stay as well. */
const special: Readonly<Record<Family, readonly SpecialNetwork[]>> = {
  ipv4: [
    ...network("ipv4", false, "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"),
    // This host, loopback, link-local, multicast, reserved and broadcast (and masks, which look like these).
    ...network("ipv4", true, "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
  ],
  ipv6: [
    ...network("ipv6", false, "2000::/3", "fc00::/8", "fd00::/8", "fe80::/64"),
    // Unspecified, loopback and embedded IPv4; multicast.
    ...network("ipv6", true, "::/8", "64:ff9b::/96", "ff00::/8"),
  ],
};

function network(family: Family, whole: boolean, ...networks: readonly string[]): SpecialNetwork[] {
  return networks.map((text) => {
    const [address = "", length] = text.split("/");
    return { address: parseHost(address, family)!, length: Number(length), whole };
  });
}

/** Networks of IPv6 whose last 32 bits are an IPv4 address. */
const embedding = network("ipv6", true, "::ffff:0:0/96", "64:ff9b::/96");

export class AddressMap {
  /** Nodes of the tree of prefixes whose next bit stays: a one, then the bits of the prefix. */
  private readonly fixed = new Set<bigint>();
  private readonly digests = new Map<string, Uint8Array>();

  constructor(
    private readonly family: Family,
    private readonly digest: Digest,
  ) {}

  /** Keeps the order of the addresses from one to the other, so that the range becomes a range of the same ones. */
  keepRange(from: bigint, to: bigint): void {
    for (let length = this.common(from, to, this.bits); length < this.bits; length++) {
      this.fixed.add(this.node(from, length));
      this.fixed.add(this.node(to, length));
    }
  }

  /** The image of an address; of its first `length` bits only, if that is given, with the others as they are. */
  map(address: bigint, length = this.bits): bigint {
    let image = address;
    for (let at = this.fixedBits(address); at < length; at++) {
      if (this.flips(address, at)) image ^= 1n << BigInt(this.bits - 1 - at);
    }
    return image;
  }

  private get bits(): number {
    return addressBits[this.family];
  }

  /** The first bits of an address, with a one before them. */
  private node(address: bigint, length: number): bigint {
    return (1n << BigInt(length)) | (address >> BigInt(this.bits - length));
  }

  /** Leading bits that two addresses share, at most so many. */
  private common(one: bigint, other: bigint, most: number): number {
    const difference = one ^ other;
    return Math.min(most, difference === 0n ? this.bits : this.bits - difference.toString(2).length);
  }

  /** Leading bits that must stay so that nothing gets into a special network or out of it. */
  private fixedBits(address: bigint): number {
    return Math.max(
      ...special[this.family].map((one) => {
        const shared = this.common(address, one.address, one.length);
        return shared < one.length ? shared + 1 : one.whole ? this.bits : one.length;
      }),
    );
  }

  private flips(address: bigint, at: number): boolean {
    if (this.fixed.has(this.node(address, at))) return false;
    // One digest serves the eight bits below a byte's boundary: a tree of 255 nodes, numbered by a one and the bits so far.
    const start = at - (at % 8);
    const name = `${this.family} ${this.node(address, start).toString(16)}`;
    let digest = this.digests.get(name);
    if (digest === undefined) this.digests.set(name, (digest = this.digest(name)));
    const depth = at - start;
    const number = Number((1n << BigInt(depth)) | ((address >> BigInt(this.bits - at)) & ((1n << BigInt(depth)) - 1n)));
    return ((digest[number >> 3]! >> (number & 7)) & 1) === 1;
  }
}

/** The maps of both families; IPv4 addresses within IPv6 ones become what they become by themselves. */
export class AddressMaps {
  private readonly maps: Readonly<Record<Family, AddressMap>>;

  constructor(digest: Digest) {
    this.maps = { ipv4: new AddressMap("ipv4", digest), ipv6: new AddressMap("ipv6", digest) };
  }

  keepRange(family: Family, from: bigint, to: bigint): void {
    this.maps[family].keepRange(from, to);
  }

  map(family: Family, address: bigint, length = addressBits[family]): bigint {
    const embedded = family === "ipv6" && embedding.some((one) => address >> 32n === one.address >> 32n);
    if (!embedded) return this.maps[family].map(address, length);
    return ((address >> 32n) << 32n) | this.maps.ipv4.map(address & 0xffff_ffffn, Math.max(0, length - 96));
  }

  /** The image as text. */
  format(family: Family, address: bigint, length?: number): string {
    return formatAddress(this.map(family, address, length), family);
  }
}
