import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressMap, AddressMaps } from "../../../src/corpus/anonymize/address-map.js";
import { addressBits, formatAddress, parseHost } from "../../../src/extensions/values/address.js";
import type { Family } from "../../../src/iptables/ast.js";

const digestOf =
  (key: string) =>
  (text: string): Uint8Array =>
    createHmac("sha256", key).update(text).digest();
const mapOf = (family: Family, key = "key"): AddressMap => new AddressMap(family, digestOf(key));

function image(text: string, map = new AddressMaps(digestOf("key"))): string {
  const family = text.includes(":") ? "ipv6" : "ipv4";
  return map.format(family, parseHost(text, family)!);
}

/** Leading bits that two addresses share. */
function common(family: Family, one: bigint, other: bigint): number {
  return addressBits[family] - (one === other ? 0 : (one ^ other).toString(2).length);
}

/** Addresses of which many lie near each other, and near the special networks. */
function addresses(family: Family): fc.Arbitrary<bigint> {
  const near =
    family === "ipv4"
      ? ["10.1.2.3", "192.168.0.1", "172.31.255.255", "203.0.113.7", "127.0.0.1", "239.1.1.1"]
      : ["2001:db8::1", "fe80::1", "fd00::1", "ff02::1", "::1"];
  const bits = addressBits[family];
  return fc.oneof(
    fc.bigInt(0n, (1n << BigInt(bits)) - 1n),
    fc
      .tuple(fc.constantFrom(...near), fc.integer({ min: 0, max: bits - 1 }))
      .map(([text, bit]) => parseHost(text, family)! ^ (1n << BigInt(bit))),
  );
}

describe.each(["ipv4", "ipv6"] as const)("AddressMap of %s", (family) => {
  it("keeps how many leading bits two addresses share, so different ones stay different", () => {
    const map = mapOf(family);
    fc.assert(
      fc.property(addresses(family), addresses(family), (one, other) => {
        expect(common(family, map.map(one), map.map(other))).toBe(common(family, one, other));
      }),
      { numRuns: 500 },
    );
  });

  it("makes a range of a range, of the same addresses", () => {
    fc.assert(
      fc.property(addresses(family), addresses(family), addresses(family), fc.string(), (one, other, third, key) => {
        const [from, to] = one < other ? [one, other] : [other, one];
        const map = mapOf(family, key);
        map.keepRange(from, to);
        const [low, middle, high] = [from, third, to].map((address) => map.map(address));
        expect(low! <= middle! && middle! <= high!).toBe(from <= third && third <= to);
      }),
      { numRuns: 500 },
    );
  });

  it("follows from the key and nothing else", () => {
    const all = fc.sample(addresses(family), { numRuns: 100, seed: 1 });
    const forward = mapOf(family);
    const backward = mapOf(family);
    const images = all.map((address) => forward.map(address));
    expect(
      [...all]
        .reverse()
        .map((address) => backward.map(address))
        .reverse(),
    ).toEqual(images);
    const other = mapOf(family, "another key");
    expect(all.map((address) => other.map(address))).not.toEqual(images);
  });
});

describe("AddressMaps", () => {
  it.each([
    ["10.1.2.3", "10.0.0.0", 8],
    ["172.20.1.1", "172.16.0.0", 12],
    ["192.168.7.1", "192.168.0.0", 16],
    ["100.100.1.1", "100.64.0.0", 10],
    ["fd12:3456::1", "fd00::", 8],
    ["fe80::211:22ff:fe33:4455", "fe80::", 64],
    ["2001:db8::1", "2000::", 3],
  ])("keeps %s in %s/%i, and changes it", (text, network, length) => {
    const family = text.includes(":") ? "ipv6" : "ipv4";
    expect(common(family, parseHost(image(text), family)!, parseHost(network, family)!)).toBeGreaterThanOrEqual(length);
    expect(image(text)).not.toBe(text);
  });

  it.each([
    "0.0.0.0",
    "127.0.0.1",
    "127.0.0.53",
    "169.254.169.254",
    "224.0.0.251",
    "239.255.255.250",
    "255.255.255.255",
    "255.255.255.0",
    "::",
    "::1",
    "ff02::fb",
  ])("leaves %s", (text) => {
    expect(image(text)).toBe(text);
  });

  it("keeps public addresses out of the networks that are not", () => {
    const map = mapOf("ipv4");
    fc.assert(
      fc.property(fc.nat({ max: 0xffff_ffff }), (number) => {
        const isPrivate = (address: bigint): boolean =>
          /^(?:0|10|127|169\.254|192\.168|172\.(?:1[6-9]|2[0-9]|3[01])|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])|2(?:2[4-9]|[345][0-9]))\./.test(
            formatAddress(address, "ipv4"),
          );
        expect(isPrivate(map.map(BigInt(number)))).toBe(isPrivate(BigInt(number)));
      }),
      { numRuns: 2_000 },
    );
  });

  it("gives an IPv4 address within an IPv6 one the image it has by itself", () => {
    const inside = (text: string): string => formatAddress(parseHost(image(text), "ipv6")! & 0xffff_ffffn, "ipv4");
    expect(inside("::ffff:198.51.100.7")).toBe(image("198.51.100.7"));
    expect(inside("64:ff9b::198.51.100.7")).toBe(image("198.51.100.7"));
  });
});
