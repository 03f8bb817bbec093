import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AddressMaps } from "../../../src/corpus/anonymize/address-map.js";
import { keepRanges, replaceAddresses } from "../../../src/corpus/anonymize/found-addresses.js";
import { parseHost } from "../../../src/extensions/values/address.js";

const digest = (text: string): Uint8Array => createHmac("sha256", "key").update(text).digest();

function replaced(text: string): string {
  const maps = new AddressMaps(digest);
  keepRanges(text, maps);
  return replaceAddresses(text, maps, digest);
}

/** The text with what `address` becomes by itself in place of A. */
const like = (pattern: string, address: string): string => pattern.replaceAll("A", replaced(address));

describe("replaceAddresses", () => {
  it.each(["A", "A/32", "A:80", "A:80-90", "A,tcp:80,A", "ban-A", "ban_A", "!A", "A;", "(A)"])(
    "finds the IPv4 address in %s",
    (pattern) => {
      expect(replaced(pattern.replaceAll("A", "198.51.100.7"))).toBe(like(pattern, "198.51.100.7"));
      expect(replaced("198.51.100.7")).not.toBe("198.51.100.7");
    },
  );

  it.each(["A", "A/128", "[A]:80", "A,udp:53,A", "!A"])("finds the IPv6 address in %s", (pattern) => {
    expect(replaced(pattern.replaceAll("A", "2001:db8::7"))).toBe(like(pattern, "2001:db8::7"));
    expect(replaced("2001:db8::7")).not.toBe("2001:db8::7");
  });

  it.each([
    "1:65535",
    "10:20:30",
    "2024-01-01T10:20:30",
    "0>>22&0x3C@4=0x1:0x2",
    "300.1.2.3",
    "1.2.3",
    "1.2.3.4.5",
    "010.1.2.3",
    "::::",
    "dead::beef::1",
    "a::b_chain",
    "eth0.100",
    "[12:720]",
    "01:00:5e:00:00:fb",
    "ff:ff:ff:ff:ff:ff",
    "00:00:00:00:00:00",
  ])("leaves %s", (text) => {
    expect(replaced(text)).toBe(text);
  });

  it("keeps the zeros behind a mask, and no others", () => {
    const [network, mask] = replaced("198.51.100.0/24").split("/");
    expect([network!.endsWith(".0"), mask]).toEqual([true, "24"]);
    expect(replaced("198.51.100.0/255.255.255.0")).toBe(`${network}/255.255.255.0`);
    expect(replaced("198.51.100.7/24")).toBe(`${replaced("198.51.100.7")}/24`);
    expect(replaced("2001:db8::/32")).toMatch(/^[0-9a-f]+:[0-9a-f]+::\/32$/);
    expect(replaced("0.0.0.0/0 ::/0")).toBe("0.0.0.0/0 ::/0");
  });

  it("changes what a mask with holes asks for in its first network only", () => {
    expect(replaced("198.51.100.7/255.0.0.255")).toMatch(/^[0-9]+\.51\.100\.7\/255\.0\.0\.255$/);
  });

  it.each(["198.51.100.9-198.51.100.200", "203.0.113.7-203.0.114.1", "2001:db8::9-2001:db8::ff:1", "[2001:db8::9]-[2001:db8::ff:1]:80"])(
    "makes a range of %s",
    (range) => {
      const ends = (text: string): bigint[] =>
        text.split("-").map((end) => {
          const address = end.replace(/\]?(?<=\]):80$|[[\]]/g, "");
          return parseHost(address, address.includes(":") ? "ipv6" : "ipv4")!;
        });
      const [from, to] = ends(range);
      const [low, high] = ends(replaced(range));
      expect(high! - low!).toBe(to! - from!);
      expect(replaced(range)).not.toBe(range);
    },
  );

  it("makes MAC addresses others that nobody has been given", () => {
    expect(replaced("00:16:3e:12:34:56")).toMatch(/^02(?::[0-9a-f]{2}){5}$/);
    expect(replaced("00:16:3E:AB:CD:EF")).toBe(replaced("00:16:3e:ab:cd:ef").toUpperCase());
  });
});
