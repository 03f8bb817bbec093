/** Capture files in the nanosecond pcap format (magic 0xa1b23c4d, link type Ethernet), in pieces for a pipe. */

import { joined } from "./packet.js";

export interface CapturedFrame {
  /** Seconds from the start of the capture. */
  readonly at: number;
  /** From the Ethernet header on. */
  readonly bytes: Uint8Array;
}

const nanosecondMagic = 0xa1b2_3c4d;
const snapshotLength = 65_535;
const ethernet = 1;

/** What a capture file begins with. */
export const fileHeader = makeFileHeader();

function makeFileHeader(): Uint8Array {
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  view.setUint32(0, nanosecondMagic);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, snapshotLength);
  view.setUint32(20, ethernet);
  return header;
}

/** A frame as it stands in a capture file. */
export function recordOf({ at, bytes }: CapturedFrame): Uint8Array {
  const header = new Uint8Array(16);
  const view = new DataView(header.buffer);
  const nanoseconds = Math.round(at * 1e9);
  view.setUint32(0, Math.floor(nanoseconds / 1e9));
  view.setUint32(4, nanoseconds % 1e9);
  view.setUint32(8, bytes.length);
  view.setUint32(12, bytes.length);
  return joined([header, bytes]);
}

/** An Ethernet frame around an IP packet. */
export function ethernetFrame(destination: string, source: string, packet: Uint8Array): Uint8Array {
  const etherType = packet[0]! >> 4 === 4 ? [0x08, 0x00] : [0x86, 0xdd];
  return joined([hardwareAddress(destination), hardwareAddress(source), Uint8Array.from(etherType), packet]);
}

function hardwareAddress(text: string): Uint8Array {
  return Uint8Array.from(text.split(":").map((byte) => Number.parseInt(byte, 16)));
}
