/** Capture files in the nanosecond pcap format (magic 0xa1b23c4d, link type Ethernet). */

import { joined } from "./packet.js";

export interface CapturedFrame {
  /** Seconds from the start of the file. */
  readonly at: number;
  /** From the Ethernet header on. */
  readonly bytes: Uint8Array;
}

const nanosecondMagic = 0xa1b2_3c4d;
const ethernet = 1;

/** The file's bytes; frames are written in the given order, which must be that of time. */
export function pcapFile(frames: readonly CapturedFrame[]): Uint8Array {
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  view.setUint32(0, nanosecondMagic);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, 65_535);
  view.setUint32(20, ethernet);
  return joined([header, ...frames.flatMap(({ at, bytes }) => [recordHeader(at, bytes.length), bytes])]);
}

function recordHeader(at: number, length: number): Uint8Array {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  const nanoseconds = Math.round(at * 1e9);
  // A capture that starts at the epoch's second 0 makes tcpreplay take the first frame's time for missing.
  view.setUint32(0, 1 + Math.floor(nanoseconds / 1e9));
  view.setUint32(4, nanoseconds % 1e9);
  view.setUint32(8, length);
  view.setUint32(12, length);
  return header;
}

/** An Ethernet frame around an IP packet. */
export function ethernetFrame(destination: string, source: string, packet: Uint8Array): Uint8Array {
  const etherType = packet[0]! >> 4 === 4 ? [0x08, 0x00] : [0x86, 0xdd];
  return joined([hardwareAddress(destination), hardwareAddress(source), Uint8Array.from(etherType), packet]);
}

function hardwareAddress(text: string): Uint8Array {
  return Uint8Array.from(text.split(":").map((byte) => Number.parseInt(byte, 16)));
}
