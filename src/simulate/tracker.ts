/**
 * Connection states for packets that do not say theirs: an approximation of connection tracking for captured traffic.
 *
 * A connection is new until a packet comes back. Where only one direction was captured, a TCP segment other than a SYN counts
 * as established all the same.
 */

import type { PacketState } from "../extensions/values/connection-state.js";
import { tcpFlagBits, type Packet } from "./packet.js";

/** Types of ICMP and ICMPv6 that report an error of another connection. */
const errors: Readonly<Record<number, readonly number[]>> = { 1: [3, 4, 5, 11, 12], 58: [1, 2, 3, 4] };

export class Tracker {
  /** By protocol and ends, as seen first: whether it was answered. */
  private readonly answered = new Map<string, boolean>();

  stateOf(packet: Omit<Packet, "state">): PacketState {
    const { protocol, source, destination, sourcePort, destinationPort, tcpFlags, icmpType } = packet;
    if (icmpType !== undefined && errors[protocol]?.includes(icmpType)) return "related";
    const key = `${protocol} ${source} ${sourcePort} ${destination} ${destinationPort}`;
    const back = `${protocol} ${destination} ${destinationPort} ${source} ${sourcePort}`;
    if (this.answered.has(back)) {
      this.answered.set(back, true);
      return "established";
    }
    const opens =
      protocol !== 6 || tcpFlags === undefined || (tcpFlags & (tcpFlagBits["syn"]! | tcpFlagBits["ack"]!)) === tcpFlagBits["syn"];
    // A SYN of its own after an answer begins the connection anew.
    const isAnswered = this.answered.get(key) === true && !(protocol === 6 && opens && tcpFlags !== undefined);
    this.answered.set(key, isAnswered);
    return isAnswered || !opens ? "established" : "new";
  }
}
