import { describe, expect, test } from "vitest";

import { CaptureFault, isCapture, readCapture } from "../../src/capture/read-pcap.js";
import { ethernetFrame, fileHeader, recordOf } from "../../src/verify/pcap.js";
import { joined, serialize, tcp } from "../../src/verify/packet.js";

const frame = ethernetFrame("02:00:00:00:00:01", "02:00:00:00:00:02", serialize(tcp("192.0.2.1", "198.51.100.1", 22), 1)[0]!);

/** Numbers of four bytes, and bytes as they are, filled up to four. */
function words(little: boolean, ...parts: readonly (number | Uint8Array)[]): Uint8Array {
  return joined(
    parts.map((part) => {
      if (typeof part !== "number") return joined([part, new Uint8Array((4 - (part.length % 4)) % 4)]);
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, part, little);
      return bytes;
    }),
  );
}

function block(little: boolean, type: number, body: Uint8Array): Uint8Array {
  return joined([words(little, type, body.length + 12), body, words(little, body.length + 12)]);
}

const sectionStart = (little: boolean): Uint8Array =>
  block(little, 0x0a0d0d0a, words(little, 0x1a2b3c4d, little ? 1 : 0x10000, 0xffffffff, 0xffffffff));
const interfaceOf = (little: boolean, ...options: readonly (number | Uint8Array)[]): Uint8Array =>
  block(little, 1, words(little, little ? 1 : 0x10000, 65535, ...options));

describe("pcap", () => {
  test("as our own writer writes it", () => {
    const file = joined([fileHeader, recordOf({ at: 1.5, bytes: frame }), recordOf({ at: 2.000_000_001, bytes: frame })]);
    expect(isCapture(file)).toBe(true);
    expect(readCapture(file)).toEqual([
      { at: 1.5, linkType: 1, bytes: frame, offset: 40 },
      { at: 2.000_000_001, linkType: 1, bytes: frame, offset: 56 + frame.length },
    ]);
  });

  test("with microseconds and the other byte order", () => {
    const header = words(true, 0xa1b2c3d4, 0x40002, 0, 0, 65535, 1);
    const [packet] = readCapture(joined([header, words(true, 7, 250_000, frame.length, frame.length), frame]));
    expect(packet).toEqual({ at: 7.25, linkType: 1, bytes: frame, offset: 40 });
  });

  test.each([
    ["within its header", fileHeader.subarray(0, 20), 20],
    ["within the header of a packet", joined([fileHeader, new Uint8Array(5)]), 24],
    ["within a packet", joined([fileHeader, recordOf({ at: 0, bytes: frame }).subarray(0, -1)]), 40],
  ])("that ends %s is a fault with its place", (name, file, offset) => {
    expect(() => readCapture(file)).toThrow(new CaptureFault(`the file ends ${name}`, offset));
    try {
      readCapture(file);
    } catch (error) {
      expect((error as CaptureFault).offset).toBe(offset);
    }
  });
});

describe("pcapng", () => {
  test.each([[true], [false]])("little-endian %s: microseconds unless an interface says otherwise", (little) => {
    const packet = (number: number, ticks: number): Uint8Array =>
      block(little, 6, words(little, number, 0, ticks, frame.length, frame.length, frame));
    // The option if_tsresol, 10^-9, then the end of options.
    const nanoseconds = interfaceOf(little, little ? 0x1_0009 : 0x9_0001, Uint8Array.of(9), 0);
    const file = joined([
      sectionStart(little),
      interfaceOf(little),
      packet(0, 2_500_000),
      block(little, 5, new Uint8Array(8)),
      nanoseconds,
      packet(1, 500_000_000),
    ]);
    expect(readCapture(file).map(({ at, linkType, bytes }) => ({ at, linkType, bytes }))).toEqual([
      { at: 2.5, linkType: 1, bytes: frame },
      { at: 0.5, linkType: 1, bytes: frame },
    ]);
  });

  test.each([
    ["a packet of an unknown interface", block(true, 6, words(true, 3, 0, 0, 0, 0)), /interface 3/],
    ["a packet without its time", block(true, 3, words(true, 0)), /without its time/],
    [
      "a packet longer than its block",
      joined([interfaceOf(true), block(true, 6, words(true, 0, 0, 0, 100, 100))]),
      /longer than its block/,
    ],
    ["a block that says too little", words(true, 1, 4, 4), /a block of 4 bytes/],
    ["a block that says too much", words(true, 1, 400, 4), /ends within a block/],
  ])("%s is a fault", (_, rest, message) => {
    expect(() => readCapture(joined([sectionStart(true), rest]))).toThrow(message);
  });
});

test("other files are no captures", () => {
  expect(isCapture(Buffer.from("time,source\n"))).toBe(false);
  expect(isCapture(new Uint8Array())).toBe(false);
});
