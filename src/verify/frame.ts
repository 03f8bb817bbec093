/** A packet on its way to the firewall: when, from where, by which interface. */

import type { Packet } from "./packet.js";

/** A network interface of the firewall under test. */
export interface Interface {
  readonly name: string;
  /** With prefix length. */
  readonly addresses: readonly string[];
}

/** The default route leaves by the first. */
export const defaultInterfaces: readonly Interface[] = [
  { name: "eth0", addresses: ["192.0.2.1/24", "2001:db8::1/64"] },
  { name: "eth1", addresses: ["198.51.100.1/24", "2001:db8:1::1/64"] },
];

/** A packet, when it is sent and where it comes in. */
export interface Frame {
  /** Seconds from the start. */
  readonly at: number;
  readonly packet: Packet;
  /** The first interface unless told. */
  readonly interface?: string;
  /** The hardware address it comes from; one and the same unless told. */
  readonly hardwareSource?: string;
  /**
   * The firewall sends it itself: a UDP datagram or the SYN of a TCP connection. It is known by its source port, which no
   * other packet of the firewall's own may have; addresses, ports, TTL and length count, the rest is the kernel's.
   */
  readonly own?: true;
}

/** Where frames come from that name no sender. */
export const senderAddress = "02:00:00:00:00:fe";

/** The hardware address of the firewall's interface of this position. */
export function hardwareAddress(index: number): string {
  return `02:00:00:00:00:${(index + 1).toString(16).padStart(2, "0")}`;
}

export function describePacket({ source, destination, transport }: Packet): string {
  const host = (address: string, port: number): string => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`);
  switch (transport.kind) {
    case "tcp":
      return `tcp ${host(source, transport.sourcePort)} → ${host(destination, transport.destinationPort)} ${transport.flags.join(",")}`;
    case "udp":
      return `udp ${host(source, transport.sourcePort)} → ${host(destination, transport.destinationPort)}`;
    case "icmp":
      return `icmp ${transport.type}/${transport.code} ${source} → ${destination}`;
    case "other":
      return `protocol ${transport.number} ${source} → ${destination}`;
  }
}
