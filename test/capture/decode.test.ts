import { expect, test } from "vitest";

import { decode } from "../../src/capture/decode.js";
import { ethernetFrame } from "../../src/verify/pcap.js";
import { echoRequest, joined, serialize, tcp, udp, type Packet } from "../../src/verify/packet.js";

function bytesOf(packet: Packet): Uint8Array {
  return serialize(packet, 1)[0]!;
}

const syn = bytesOf(tcp("192.0.2.1", "198.51.100.1", 22, { sourcePort: 40001, ttl: 61, flags: ["syn", "ack"] }));
const decoded = {
  family: "ipv4",
  source: 0xc000_0201n,
  destination: 0xc633_6401n,
  ttl: 61,
  protocol: 6,
  length: syn.length,
  sourcePort: 40001,
  destinationPort: 22,
  tcpFlags: 18,
};
const plain = ethernetFrame("02:00:00:00:00:01", "02:00:00:00:00:02", syn);

test.each([
  ["Ethernet", 1, plain],
  ["Ethernet with two VLAN tags", 1, joined([plain.subarray(0, 12), Uint8Array.of(0x88, 0xa8, 0, 1, 0x81, 0, 0, 2), plain.subarray(12)])],
  ["raw IP", 101, syn],
  ["BSD loopback", 0, joined([Uint8Array.of(2, 0, 0, 0), syn])],
  ["a cooked capture", 113, joined([new Uint8Array(14), Uint8Array.of(8, 0), syn])],
  ["a cooked capture, version 2", 276, joined([Uint8Array.of(8, 0), new Uint8Array(18), syn])],
])("%s", (_, linkType, bytes) => {
  expect(decode(linkType, bytes)).toEqual(decoded);
});

test("IPv6 and UDP", () => {
  expect(decode(101, bytesOf(udp("2001:db8::1", "2001:db8::2", 53, { sourcePort: 5353 })))).toMatchObject({
    family: "ipv6",
    source: 0x2001_0db8_0000_0000_0000_0000_0000_0001n,
    ttl: 64,
    protocol: 17,
    sourcePort: 5353,
    destinationPort: 53,
  });
});

test("ICMP has a type and no ports", () => {
  expect(decode(101, bytesOf(echoRequest("192.0.2.1", "198.51.100.1")))).toMatchObject({
    protocol: 1,
    icmpType: 8,
    icmpCode: 0,
    sourcePort: 0,
  });
});

test("IPv6 extension headers are skipped", () => {
  const hopByHop = bytesOf({ ...udp("2001:db8::1", "2001:db8::2", 53), extensionHeaders: [[0, new Uint8Array(7)]] });
  expect(decode(101, hopByHop)).toMatchObject({ protocol: 17, destinationPort: 53 });
});

test("a later fragment has no ports", () => {
  const [, second] = serialize({ ...udp("192.0.2.1", "198.51.100.1", 53), payload: new Uint8Array(64), fragmentSize: 32 }, 1);
  expect(decode(101, second!)).toMatchObject({ protocol: 17, sourcePort: 0, destinationPort: 0 });
});

test("what is no IP packet, or cut short, is nothing", () => {
  expect(decode(1, plain.subarray(0, 30))).toBeUndefined();
  expect(decode(1, joined([plain.subarray(0, 12), Uint8Array.of(8, 6), new Uint8Array(28)]))).toBeUndefined();
  expect(decode(101, new Uint8Array())).toBeUndefined();
  expect(decode(9999, syn)).toBeUndefined();
});
