/** The headers of captured packets, down to the transport protocol. */

import { hasPorts } from "../extensions/values/protocols.js";
import { firstTcpFlags, flagBits } from "../extensions/values/tcp-flags.js";
import type { Family } from "../iptables/ast.js";

export interface DecodedPacket {
  readonly family: Family;
  readonly source: bigint;
  readonly destination: bigint;
  /** TTL or hop limit. */
  readonly ttl: number;
  /** Number of the transport protocol, behind IPv6's extension headers. */
  readonly protocol: number;
  /** Bytes with the IP header. */
  readonly length: number;
  /** 0 where the protocol has none, or they were cut off. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly tcpFlags?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
}

const ethernet = 1;
const etherTypes = { ipv4: 0x0800, ipv6: 0x86dd };
/** 802.1Q, 802.1ad. */
const vlanTypes = [0x8100, 0x88a8];

/** Where the IP header begins, by link type: see the registry at tcpdump.org/linktypes.html. */
function networkHeader(linkType: number, bytes: Uint8Array): number | undefined {
  const word = (offset: number): number => ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
  const behind = (type: number, offset: number): number | undefined =>
    type === etherTypes.ipv4 || type === etherTypes.ipv6 ? offset : undefined;
  switch (linkType) {
    case ethernet: {
      let offset = 12;
      while (vlanTypes.includes(word(offset))) offset += 4;
      return behind(word(offset), offset + 2);
    }
    // Null and loopback of BSD, raw IP in three numbers, Linux "cooked" captures of both versions.
    case 0:
    case 108:
      return 4;
    case 101:
    case 228:
    case 229:
    case 12:
    case 14:
      return 0;
    case 113:
      return behind(word(14), 16);
    case 276:
      return behind(word(0), 20);
    default:
      return undefined;
  }
}

/** Whether packets of a link type can be read at all. */
export function isKnownLinkType(linkType: number): boolean {
  return [ethernet, 0, 108, 101, 228, 229, 12, 14, 113, 276].includes(linkType);
}

/** `undefined` for anything that is not a whole IP header. */
export function decode(linkType: number, bytes: Uint8Array): DecodedPacket | undefined {
  const start = networkHeader(linkType, bytes);
  const version = start === undefined ? 0 : (bytes[start] ?? 0) >> 4;
  if (start === undefined) return undefined;
  const header = bytes.subarray(start);
  return version === 4 ? decodeIpv4(header) : version === 6 ? decodeIpv6(header) : undefined;
}

function decodeIpv4(bytes: Uint8Array): DecodedPacket | undefined {
  if (bytes.length < 20) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const protocol = view.getUint8(9);
  const isLaterFragment = (view.getUint16(6) & 0x1fff) !== 0;
  return {
    family: "ipv4",
    source: BigInt(view.getUint32(12)),
    destination: BigInt(view.getUint32(16)),
    ttl: view.getUint8(8),
    protocol,
    length: view.getUint16(2),
    ...transport(protocol, isLaterFragment ? new Uint8Array() : bytes.subarray((view.getUint8(0) & 0xf) * 4)),
  };
}

/** Extension headers that are skipped: hop-by-hop, routing, destination options; fragment has a length of its own. */
const extensionHeaders = [0, 43, 60];
const fragmentHeader = 44;

function decodeIpv6(bytes: Uint8Array): DecodedPacket | undefined {
  if (bytes.length < 40) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let protocol = view.getUint8(6);
  let offset = 40;
  while ((extensionHeaders.includes(protocol) || protocol === fragmentHeader) && offset + 8 <= bytes.length) {
    const isLaterFragment = protocol === fragmentHeader && (view.getUint16(offset + 2) & 0xfff8) !== 0;
    const length = protocol === fragmentHeader ? 8 : 8 * (view.getUint8(offset + 1) + 1);
    protocol = view.getUint8(offset);
    offset = isLaterFragment ? bytes.length : offset + length;
  }
  const address = (from: number): bigint => (view.getBigUint64(from) << 64n) | view.getBigUint64(from + 8);
  return {
    family: "ipv6",
    source: address(8),
    destination: address(24),
    ttl: view.getUint8(7),
    protocol,
    length: 40 + view.getUint16(4),
    ...transport(protocol, bytes.subarray(offset)),
  };
}

const knownFlags = flagBits(firstTcpFlags);

function transport(
  protocol: number,
  bytes: Uint8Array,
): Pick<DecodedPacket, "sourcePort" | "destinationPort" | "tcpFlags" | "icmpType" | "icmpCode"> {
  const none = { sourcePort: 0, destinationPort: 0 };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (hasPorts(protocol) && bytes.length >= 4) {
    const ports = { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2) };
    return protocol === 6 && bytes.length >= 14 ? { ...ports, tcpFlags: view.getUint8(13) & knownFlags } : ports;
  }
  if ((protocol === 1 || protocol === 58) && bytes.length >= 2) return { ...none, icmpType: view.getUint8(0), icmpCode: view.getUint8(1) };
  return none;
}
