/** A packet in the making: fields that rules ask about, set one after another until all that is wished for holds. */

import { formatAddress } from "../../extensions/values/address.js";
import { hasPorts } from "../../extensions/values/protocols.js";
import { tcpFlagNames, tcpFlags } from "../../extensions/values/tcp-flags.js";
import type { Family } from "../../iptables/ast.js";
import type { Frame } from "../frame.js";
import type { Packet, Transport } from "../packet.js";

/** What a packet says of itself; addresses as numbers. */
export interface Fields {
  source: bigint;
  destination: bigint;
  /** Where it comes in; empty for the firewall's own. */
  inInterface: string;
  protocol: number;
  /** Of ICMP, the identifier. */
  sourcePort: number;
  destinationPort: number;
  /** Bits of `tcpFlags`. */
  flags: number;
  tcpOptions: readonly number[];
  icmpType: number;
  icmpCode: number;
  ttl: number;
  tos: number;
  /** Of the whole packet, in bytes; the headers decide if they are longer. */
  length: number;
  fragmented: boolean;
  /** Of other protocols: the bytes after the IP header. */
  head: readonly number[] | undefined;
  extensionHeaders: readonly (readonly [number, Uint8Array])[];
  ipOptions: readonly number[] | undefined;
  hardwareSource: string | undefined;
  /** Of an ICMP error: the packet it is about, as it left. */
  about: Fields | undefined;
}

/** A packet that is sent. */
export interface Step {
  readonly fields: Fields;
  readonly own: boolean;
}

export type WishedState = "new" | "established" | "reply" | "related" | "invalid" | "untracked";

/**
 * How the packet comes to be: from outside to the firewall or through it, from a socket of the firewall, or as the answer of
 * the firewall's kernel to a packet from outside.
 */
export type Shape = "inward" | "through" | "own" | "answer";

export interface Draft extends Fields {
  shape: Shape;
  /** Where it is to leave; anywhere if undefined. */
  outInterface: string | undefined;
  state: WishedState;
}

export const { syn, ack, rst, fin } = tcpFlags;

export const tcpNumber = 6;
export const udpNumber = 17;
export const icmpNumber: Readonly<Record<Family, number>> = { ipv4: 1, ipv6: 58 };
export const echoRequest: Readonly<Record<Family, number>> = { ipv4: 8, ipv6: 128 };
export const echoReply: Readonly<Record<Family, number>> = { ipv4: 0, ipv6: 129 };
export const unreachable: Readonly<Record<Family, number>> = { ipv4: 3, ipv6: 1 };

/** Messages about another packet, as far as connection tracking takes them for such. */
const errors: Readonly<Record<Family, readonly number[]>> = { ipv4: [3, 4, 11, 12], ipv6: [1, 2, 3, 4] };
export const isIcmpError = (type: number, family: Family): boolean => errors[family].includes(type);

/** Bytes of the whole packet, as `-m length` sees them. */
export function lengthOf(fields: Fields, family: Family): number {
  const headers = headerLength(fields, family);
  return Math.max(fields.length, headers + smallestPayload(fields));
}

function headerLength({ protocol, tcpOptions, ipOptions, extensionHeaders }: Fields, family: Family): number {
  const network =
    family === "ipv4"
      ? 20 + Math.ceil((ipOptions?.length ?? 0) / 4) * 4
      : 40 + extensionHeaders.reduce((sum, [, bytes]) => sum + bytes.length + 1, 0);
  if (protocol === tcpNumber) return network + 20 + Math.ceil(tcpOptions.length / 4) * 4;
  return network + (protocol === udpNumber || protocol === icmpNumber[family] ? 8 : 0);
}

/** Bytes behind the headers without which the packet is malformed. */
function smallestPayload(fields: Fields): number {
  if (fields.fragmented) return 120;
  if (fields.protocol === tcpNumber || fields.protocol === udpNumber) return 0;
  return [1, 58].includes(fields.protocol) ? (fields.about ? 64 : 0) : headFor(fields).length;
}

/** Bytes: what fits on the wire at once, and what is sent in pieces at most. */
const wireLimit = 1500;
export const longest = 6000;

/** The packet as it is sent. */
export function packetOf(fields: Fields, family: Family): Packet {
  const { extensionHeaders, ipOptions, fragmented, about } = fields;
  const inner = about && innerBytes(about, family);
  const total = Math.min(lengthOf(fields, family), longest);
  const payload = inner ?? new Uint8Array(Math.max(0, total - headerLength(fields, family)));
  const transport = transportOf(fields, family);
  if (transport.kind === "other") payload.set(headFor(fields).slice(0, payload.length));
  // An SCTP chunk of no length is malformed: let the first one reach to the end.
  if (fields.protocol === 132 && payload.length >= 16) new DataView(payload.buffer).setUint16(14, payload.length - 12);
  return {
    source: formatAddress(fields.source, family),
    destination: formatAddress(fields.destination, family),
    transport,
    payload,
    ttl: fields.ttl,
    tos: fields.tos,
    // One fragment alone shows what becomes of it; of several, any that passes hides the fate of the others.
    ...(fragmented ? { fragmentSize: 64, onlyFragment: 1 } : total > wireLimit && { fragmentSize: 1440 }),
    ...(ipOptions !== undefined && family === "ipv4" && { ipOptions: Uint8Array.from(ipOptions) }),
    ...(family === "ipv6" && extensionHeaders.length > 0 && { extensionHeaders }),
  };
}

function transportOf(fields: Fields, family: Family): Transport {
  const { sourcePort, destinationPort, protocol, about } = fields;
  if (protocol === tcpNumber) {
    return {
      kind: "tcp",
      sourcePort,
      destinationPort,
      flags: tcpFlagNames.filter((flag) => fields.flags & tcpFlags[flag]),
      ...(fields.tcpOptions.length > 0 && { options: Uint8Array.from(fields.tcpOptions) }),
    };
  }
  if (protocol === udpNumber) return { kind: "udp", sourcePort, destinationPort };
  if (protocol !== icmpNumber[family]) return { kind: "other", number: protocol };
  return { kind: "icmp", type: fields.icmpType, code: fields.icmpCode, rest: about ? 0 : ((sourcePort << 16) | 1) >>> 0 };
}

/** The start of the packet that an error is about; the checksums nobody looks at. */
function innerBytes(about: Fields, family: Family): Uint8Array {
  const bytes = new Uint8Array(family === "ipv4" ? 28 : 48);
  const view = new DataView(bytes.buffer);
  const [addresses, width, transport] = family === "ipv4" ? [12, 4, 20] : [8, 16, 40];
  if (family === "ipv4") {
    view.setUint8(0, 0x45);
    view.setUint16(2, 60);
    view.setUint8(8, 60);
    view.setUint8(9, about.protocol);
  } else {
    view.setUint8(0, 0x60);
    view.setUint16(4, 20);
    view.setUint8(6, about.protocol);
    view.setUint8(7, 60);
  }
  for (let index = 0; index < width; index += 1) {
    const shift = BigInt(8 * (width - 1 - index));
    bytes[addresses + index] = Number((about.source >> shift) & 0xffn);
    bytes[addresses + width + index] = Number((about.destination >> shift) & 0xffn);
  }
  if (about.protocol === icmpNumber[family]) {
    view.setUint8(transport, about.icmpType);
    view.setUint16(transport + 4, about.sourcePort);
    view.setUint16(transport + 6, 1);
  } else {
    view.setUint16(transport, about.sourcePort);
    view.setUint16(transport + 2, about.destinationPort);
  }
  return bytes;
}

/** Enough bytes to be a packet of its protocol, with its ports where the protocol has them. */
export function headFor({ protocol, sourcePort, destinationPort, head }: Fields): readonly number[] {
  if (head !== undefined) return head;
  const ports = [sourcePort >> 8, sourcePort & 0xff, destinationPort >> 8, destinationPort & 0xff];
  switch (protocol) {
    // A common header and an INIT chunk; no checksum, which nobody verifies before the rules.
    case 132:
      return [...ports, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 20, 0, 0, 0, 1, 0, 0, 16, 0, 0, 1, 0, 1, 0, 0, 0, 1];
    // A generic header of five words, a request, and the service code.
    case 33:
      return [...ports, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    case 136:
      return [...ports, 0, 8, 0, 0];
    case 51:
      return [59, 4, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    case 50:
      return [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0];
    // A mobility header that is not the last is malformed.
    case 135:
      return [59, 0, 0, 0, 0, 0, 0, 0];
    case 108:
      return [59, 0, 0, 1, 0, 0, 0, 0];
    default:
      return [0, 0, 8, 0, 0, 0, 0, 0];
  }
}

export function frameOf({ fields, own }: Step, family: Family, at: number): Frame {
  const packet = packetOf(fields, family);
  if (own) return { at, packet, own };
  return {
    at,
    packet,
    interface: fields.inInterface,
    ...(fields.hardwareSource !== undefined && { hardwareSource: fields.hardwareSource }),
  };
}

/** A packet in the other direction of the same connection, otherwise plain. */
export function turned(fields: Fields): Fields {
  return {
    ...fields,
    source: fields.destination,
    destination: fields.source,
    ...(hasPorts(fields.protocol) && { sourcePort: fields.destinationPort, destinationPort: fields.sourcePort }),
    extensionHeaders: [],
    ipOptions: undefined,
    fragmented: false,
    hardwareSource: undefined,
    tcpOptions: [],
    length: 0,
    ttl: 64,
    tos: 0,
  };
}
