/**
 * Packets as data, and their bytes on the wire (RFC 791, 8200, 9293, 768, 792, 4443).
 *
 * Every packet of a replay carries a number of its own, by which the observers know it again behind the firewall:
 * the IPv4 identification or the IPv6 flow label.
 */

import { flagBits, type TcpFlag } from "../extensions/values/tcp-flags.js";
import type { Family } from "../iptables/ast.js";

export interface TcpSegment {
  readonly kind: "tcp";
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: readonly TcpFlag[];
  /** Made from the packet's number unless told, so that a reset names the packet it answers. */
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly window?: number;
  /** Options as bytes; filled up with end-of-list to a multiple of four. */
  readonly options?: Uint8Array;
}
export interface UdpDatagram {
  readonly kind: "udp";
  readonly sourcePort: number;
  readonly destinationPort: number;
}
/** ICMP, or ICMPv6 in an IPv6 packet. */
export interface IcmpMessage {
  readonly kind: "icmp";
  readonly type: number;
  readonly code: number;
  /** The four bytes after the checksum; for echo messages made of identifier 1 and the packet's number unless told. */
  readonly rest?: number;
}
/** Any other protocol: the payload follows the IP header as it is. */
export interface OtherProtocol {
  readonly kind: "other";
  readonly number: number;
}
export type Transport = TcpSegment | UdpDatagram | IcmpMessage | OtherProtocol;

export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly transport: Transport;
  readonly payload?: Uint8Array;
  /** TTL or hop limit; 64 unless told. */
  readonly ttl?: number;
  /** TOS byte or traffic class. */
  readonly tos?: number;
  readonly dontFragment?: boolean;
  /** IPv4 options as bytes; filled up to a multiple of four. */
  readonly ipOptions?: Uint8Array;
  /** IPv6 extension headers: the protocol number of each and its bytes without the leading next-header byte. */
  readonly extensionHeaders?: readonly (readonly [number, Uint8Array])[];
  /** Cut the IP payload into fragments of this many bytes (a multiple of eight). */
  readonly fragmentSize?: number;
  /** Send this one of the fragments alone; 0 is the first. */
  readonly onlyFragment?: number;
}

const headerNumbers = { tcp: 6, udp: 17, icmpv4: 1, icmpv6: 58, fragment: 44 };

/** The most packets one replay can tell apart: the IPv4 identification has 16 bits and 0 is what the kernel writes itself. */
export const packetLimit = 65_535;

type TransportOptions<Kind extends Transport> = Partial<Omit<Kind, "kind" | "destinationPort">>;
type HeaderOptions = Partial<Omit<Packet, "source" | "destination" | "transport">>;

/** A TCP segment, a SYN from port 40000 unless told. */
export function tcp(
  source: string,
  destination: string,
  destinationPort: number,
  options: TransportOptions<TcpSegment> & HeaderOptions = {},
): Packet {
  const { sourcePort = 40_000, flags = ["syn"], sequence, acknowledgement, window, options: tcpOptions, ...header } = options;
  return {
    source,
    destination,
    ...header,
    transport: {
      kind: "tcp",
      sourcePort,
      destinationPort,
      flags,
      ...(sequence === undefined ? {} : { sequence }),
      ...(acknowledgement === undefined ? {} : { acknowledgement }),
      ...(window === undefined ? {} : { window }),
      ...(tcpOptions === undefined ? {} : { options: tcpOptions }),
    },
  };
}

/** A UDP datagram, from port 40000 and with four bytes of payload unless told. */
export function udp(
  source: string,
  destination: string,
  destinationPort: number,
  options: TransportOptions<UdpDatagram> & HeaderOptions = {},
): Packet {
  const { sourcePort = 40_000, ...header } = options;
  return { source, destination, payload: new Uint8Array(4), ...header, transport: { kind: "udp", sourcePort, destinationPort } };
}

/** An echo request of the addresses' family. */
export function echoRequest(source: string, destination: string, header: HeaderOptions = {}): Packet {
  return {
    source,
    destination,
    payload: new Uint8Array(32),
    ...header,
    transport: { kind: "icmp", type: isIpv6(destination) ? 128 : 8, code: 0 },
  };
}

export function icmp(
  source: string,
  destination: string,
  type: number,
  code: number,
  header: HeaderOptions & { rest?: number } = {},
): Packet {
  const { rest, ...others } = header;
  return { source, destination, ...others, transport: { kind: "icmp", type, code, ...(rest === undefined ? {} : { rest }) } };
}

export function otherProtocol(source: string, destination: string, protocol: number, header: HeaderOptions = {}): Packet {
  return { source, destination, payload: new Uint8Array(8), ...header, transport: { kind: "other", number: protocol } };
}

export function familyOf(packet: Packet): Family {
  return isIpv6(packet.destination) ? "ipv6" : "ipv4";
}

/** The TCP option "maximum segment size". */
export function maximumSegmentOption(bytes: number): Uint8Array {
  return Uint8Array.of(2, 4, bytes >> 8, bytes & 0xff);
}

/** The second word of an ICMP header: of an echo, its identifier and its number. */
export function icmpRest({ rest }: { readonly rest?: number }, packetNumber: number): number {
  return (rest ?? (1 << 16) | packetNumber) >>> 0;
}

/** The sequence and acknowledgement number a segment has on the wire. */
export function tcpNumbers(segment: TcpSegment, packetNumber: number): { readonly sequence: number; readonly acknowledgement: number } {
  // Neighbouring numbers, so that segments of one connection stay inside conntrack's window.
  return {
    sequence: segment.sequence ?? 1_000_000 + packetNumber,
    acknowledgement: segment.acknowledgement ?? (segment.flags.includes("ack") ? 2_000_000 + packetNumber : 0),
  };
}

/**
 * The packet's bytes from the IP header on: one element, or one per fragment.
 * `packetNumber` is 1..65535.
 */
export function serialize(packet: Packet, packetNumber: number): Uint8Array[] {
  const pieces = familyOf(packet) === "ipv4" ? serializeIpv4(packet, packetNumber) : serializeIpv6(packet, packetNumber);
  return packet.onlyFragment === undefined ? pieces : pieces.slice(packet.onlyFragment, packet.onlyFragment + 1);
}

function serializeIpv4(packet: Packet, packetNumber: number): Uint8Array[] {
  const source = parseAddress(packet.source);
  const destination = parseAddress(packet.destination);
  const body = transportBytes(packet, packetNumber, source, destination);
  const options = padded(packet.ipOptions ?? new Uint8Array(0), 4);
  return cut(body, packet.fragmentSize).map(({ offset, bytes, more }) => {
    const header = new Uint8Array(20 + options.length);
    const view = new DataView(header.buffer);
    view.setUint8(0, 0x40 | (header.length / 4));
    view.setUint8(1, packet.tos ?? 0);
    view.setUint16(2, header.length + bytes.length);
    view.setUint16(4, packetNumber);
    view.setUint16(6, (packet.dontFragment === true ? 0x4000 : 0) | (more ? 0x2000 : 0) | (offset / 8));
    view.setUint8(8, packet.ttl ?? 64);
    view.setUint8(9, protocolNumber(packet));
    header.set(source, 12);
    header.set(destination, 16);
    header.set(options, 20);
    view.setUint16(10, checksum([header]));
    return joined([header, bytes]);
  });
}

function serializeIpv6(packet: Packet, packetNumber: number): Uint8Array[] {
  const source = parseAddress(packet.source);
  const destination = parseAddress(packet.destination);
  let body = transportBytes(packet, packetNumber, source, destination);
  let next = protocolNumber(packet);
  for (const [number, bytes] of [...(packet.extensionHeaders ?? [])].reverse()) {
    body = joined([Uint8Array.of(next), bytes, body]);
    next = number;
  }
  return cut(body, packet.fragmentSize).map(({ offset, bytes, more }) => {
    const fragmented = packet.fragmentSize !== undefined;
    const fragment = new Uint8Array(fragmented ? 8 : 0);
    if (fragmented) {
      const view = new DataView(fragment.buffer);
      view.setUint8(0, next);
      view.setUint16(2, offset | (more ? 1 : 0));
      view.setUint32(4, packetNumber);
    }
    const header = new Uint8Array(40);
    const view = new DataView(header.buffer);
    view.setUint32(0, (0x6000_0000 | ((packet.tos ?? 0) << 20) | packetNumber) >>> 0);
    view.setUint16(4, fragment.length + bytes.length);
    view.setUint8(6, fragmented ? headerNumbers.fragment : next);
    view.setUint8(7, packet.ttl ?? 64);
    header.set(source, 8);
    header.set(destination, 24);
    return joined([header, fragment, bytes]);
  });
}

function protocolNumber({ transport, destination }: Packet): number {
  if (transport.kind === "other") return transport.number;
  if (transport.kind === "icmp") return isIpv6(destination) ? headerNumbers.icmpv6 : headerNumbers.icmpv4;
  return headerNumbers[transport.kind];
}

function transportBytes(packet: Packet, packetNumber: number, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const { transport, payload = new Uint8Array(0) } = packet;
  switch (transport.kind) {
    case "other":
      return payload;
    case "tcp": {
      const options = padded(transport.options ?? new Uint8Array(0), 4);
      const header = new Uint8Array(20 + options.length);
      const view = new DataView(header.buffer);
      const { sequence, acknowledgement } = tcpNumbers(transport, packetNumber);
      view.setUint16(0, transport.sourcePort);
      view.setUint16(2, transport.destinationPort);
      view.setUint32(4, sequence >>> 0);
      view.setUint32(8, acknowledgement >>> 0);
      view.setUint8(12, (header.length / 4) << 4);
      view.setUint8(13, flagBits(transport.flags));
      view.setUint16(14, transport.window ?? 65_535);
      header.set(options, 20);
      return withChecksum(joined([header, payload]), 16, pseudoHeader(packet, source, destination, header.length + payload.length));
    }
    case "udp": {
      const header = new Uint8Array(8);
      const view = new DataView(header.buffer);
      view.setUint16(0, transport.sourcePort);
      view.setUint16(2, transport.destinationPort);
      view.setUint16(4, 8 + payload.length);
      return withChecksum(joined([header, payload]), 6, pseudoHeader(packet, source, destination, 8 + payload.length));
    }
    case "icmp": {
      const header = new Uint8Array(8);
      const view = new DataView(header.buffer);
      view.setUint8(0, transport.type);
      view.setUint8(1, transport.code);
      view.setUint32(4, icmpRest(transport, packetNumber));
      const pseudo = isIpv6(packet.destination) ? pseudoHeader(packet, source, destination, 8 + payload.length) : new Uint8Array(0);
      return withChecksum(joined([header, payload]), 2, pseudo);
    }
  }
}

function pseudoHeader(packet: Packet, source: Uint8Array, destination: Uint8Array, length: number): Uint8Array {
  const tail =
    source.length === 4
      ? Uint8Array.of(0, protocolNumber(packet), length >> 8, length & 0xff)
      : Uint8Array.of(0, 0, length >> 8, length & 0xff, 0, 0, 0, protocolNumber(packet));
  return joined([source, destination, tail]);
}

function withChecksum(bytes: Uint8Array, position: number, pseudo: Uint8Array): Uint8Array {
  const sum = checksum([pseudo, bytes]);
  new DataView(bytes.buffer).setUint16(position, sum === 0 ? 0xffff : sum);
  return bytes;
}

/** The internet checksum (RFC 1071); every part but the last has an even length. */
function checksum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let index = 0; index < part.length; index += 2) sum += (part[index]! << 8) | (part[index + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return ~sum & 0xffff;
}

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly more: boolean;
}

function cut(body: Uint8Array, size: number | undefined): Piece[] {
  if (size === undefined) return [{ offset: 0, bytes: body, more: false }];
  if (size <= 0 || size % 8 !== 0) throw new RangeError(`fragments of ${size} bytes: not a multiple of eight`);
  const pieces: Piece[] = [];
  for (let offset = 0; offset === 0 || offset < body.length; offset += size) {
    pieces.push({ offset, bytes: body.subarray(offset, offset + size), more: offset + size < body.length });
  }
  return pieces;
}

function isIpv6(address: string): boolean {
  return address.includes(":");
}

/** 4 or 16 bytes; the caller writes addresses himself, so a wrong one is a mistake in a test and throws. */
export function parseAddress(address: string): Uint8Array {
  if (!isIpv6(address)) {
    const bytes = address.split(".").map(Number);
    if (bytes.length !== 4 || bytes.some((byte) => !(byte >= 0 && byte <= 255)))
      throw new RangeError(`"${address}" is not an IPv4 address`);
    return Uint8Array.from(bytes);
  }
  const [left = "", right] = address.split("::");
  const words = (text: string): number[] => (text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16)));
  const head = words(left);
  const tail = right === undefined ? [] : words(right);
  const gap = right === undefined ? 0 : 8 - head.length - tail.length;
  const all = [...head, ...new Array<number>(Math.max(gap, 0)).fill(0), ...tail];
  if (all.length !== 8 || all.some((word) => !(word >= 0 && word <= 0xffff))) throw new RangeError(`"${address}" is not an IPv6 address`);
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function padded(bytes: Uint8Array, multiple: number): Uint8Array {
  const result = new Uint8Array(Math.ceil(bytes.length / multiple) * multiple);
  result.set(bytes);
  return result;
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let position = 0;
  for (const part of parts) {
    result.set(part, position);
    position += part.length;
  }
  return result;
}
