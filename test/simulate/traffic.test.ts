import { describe, expect, test } from "vitest";

import { readTraffic, TrafficFault } from "../../src/simulate/traffic.js";
import { ethernetFrame, fileHeader, recordOf } from "../../src/verify/pcap.js";
import { icmp, joined, serialize, tcp, udp, type Packet } from "../../src/verify/packet.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function capture(packets: readonly (readonly [at: number, packet: Packet])[]): Uint8Array {
  return joined([
    fileHeader,
    ...packets.map(([at, packet], index) =>
      recordOf({ at, bytes: ethernetFrame("02:00:00:00:00:01", "02:00:00:00:00:02", serialize(packet, index + 1)[0]!) }),
    ),
  ]);
}

describe("rows", () => {
  const expected = {
    time: 0,
    path: "forward",
    source: 0xc000_0201n,
    destination: 0xc633_6401n,
    ttl: 61,
    protocol: 17,
    sourcePort: 5353,
    destinationPort: 53,
    inInterface: "eth2",
    outInterface: "eth3",
    state: "related",
    length: 100,
    mark: 16,
  };

  test("of CSV", () => {
    const text =
      "time,source,destination,protocol,sport,dport,in,out,state,ttl,length,mark\n# a comment\n12.5,192.0.2.1,198.51.100.1,UDP,5353,53,eth2,eth3,RELATED,61,100,0x10\n";
    expect(readTraffic(bytes(text)).packets).toEqual([{ family: "ipv4", packet: expected }]);
  });

  test("of JSON", () => {
    const row = {
      time: 12.5,
      source: "192.0.2.1",
      destination: "198.51.100.1",
      protocol: 17,
      sport: 5353,
      dport: 53,
      in: "eth2",
      out: "eth3",
      state: "related",
      ttl: 61,
      length: 100,
      mark: 16,
    };
    expect(readTraffic(bytes(JSON.stringify([row]))).packets).toEqual([{ family: "ipv4", packet: expected }]);
  });

  test("are put in the order of their times, in ticks from the first", () => {
    expect(
      readTraffic(bytes("time,source\n2,192.0.2.1\n1,192.0.2.2\n1.004,192.0.2.3\n")).packets.map(({ packet: { time, source } }) => [
        time,
        source & 0xffn,
      ]),
    ).toEqual([
      [0, 2n],
      [1, 3n],
      [250, 1n],
    ]);
  });

  test("have TCP flags and ICMP types", () => {
    const text = "time,source,protocol,flags,type,code\n0,192.0.2.1,tcp,syn ack,,\n1,192.0.2.1,icmp,,3,1\n";
    expect(readTraffic(bytes(text)).packets.map(({ packet }) => packet)).toMatchObject([
      { tcpFlags: 18, state: "established" },
      { icmpType: 3, icmpCode: 1, state: "related" },
    ]);
  });

  test.each([
    ['[{"time": 0}]', 'no "source"', 1, 2],
    ["[1]", "not an object", 1, 2],
    ["{}", "not an array of packets", 1, 1],
    [
      '[{"time": 0, "source": "192.0.2.1"},\n\n  {"time": 0, "source": "192.0.2.1", "state": "old"}]',
      'state "old" is none of invalid, untracked, new, established, related',
      3,
      47,
    ],
    ['[{"time": 0, "souce": "192.0.2.1"}]', '"souce" is none of time, source', 1, 14],
    ["time,source,dport\n\n0,192.0.2.1,22\n1,192.0.2.1,22,23\n", "more fields than the header has names", 4, 16],
    ["time,source,destination\n0,192.0.2.1,2001:db8::1\n", "source and destination are of different families", 2, 13],
    ["time,source,flags\n0,192.0.2.1,sin\n", 'flags "sin" is none of fin, syn, rst, psh, ack, urg', 2, 13],
  ])("%j is a fault with its place", (text, message, line, column) => {
    let fault: unknown;
    try {
      readTraffic(bytes(text));
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(TrafficFault);
    expect(fault).toMatchObject({ message: expect.stringContaining(message) as string, place: { line, column } });
  });

  test("broken JSON is a fault with its place", () => {
    expect(() => readTraffic(bytes('[{"time": 0,}]'))).toThrow(/^not JSON: /);
  });
});

describe("a capture", () => {
  test("goes in, out and through as its addresses say", () => {
    const file = capture([
      [0, tcp("192.0.2.9", "198.51.100.1", 22)],
      [0.01, tcp("198.51.100.1", "192.0.2.9", 40000, { sourcePort: 22, flags: ["syn", "ack"] })],
      [0.02, tcp("192.0.2.9", "198.51.100.1", 22, { flags: ["ack"] })],
      [1, udp("192.0.2.9", "203.0.113.1", 53)],
      [2, icmp("192.0.2.9", "198.51.100.1", 3, 1)],
    ]);
    expect(
      readTraffic(file, { local: ["198.51.100.1"], interface: "wan0" }).packets.map(
        ({ packet: { path, state, inInterface, outInterface } }) => [path, state, inInterface, outInterface],
      ),
    ).toEqual([
      ["input", "new", "wan0", ""],
      ["output", "established", "", "wan0"],
      ["input", "established", "wan0", ""],
      ["forward", "new", "wan0", "wan0"],
      ["input", "related", "wan0", ""],
    ]);
  });

  test("says how many frames were no IP packets", () => {
    const arp = ethernetFrame("ff:ff:ff:ff:ff:ff", "02:00:00:00:00:02", new Uint8Array(28));
    const file = joined([capture([[0, tcp("192.0.2.9", "198.51.100.1", 22)]]), recordOf({ at: 1, bytes: arp })]);
    expect(readTraffic(file)).toMatchObject({ packets: [{}], skipped: ["frames that are no whole IP packets: 1"] });
  });

  test("that ends too early is a fault", () => {
    expect(() => readTraffic(capture([[0, tcp("192.0.2.9", "198.51.100.1", 22)]]).subarray(0, 60))).toThrow(
      "byte 40: the file ends within a packet",
    );
  });
});
