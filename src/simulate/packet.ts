/** A packet as far as the models look at it, the hooks it passes, and what becomes of it on its way. */

import type { PacketState } from "../extensions/values/connection-state.js";
import { firstTcpFlags, tcpFlags } from "../extensions/values/tcp-flags.js";
import type { Hook } from "../nft/ast.js";

/** One tick of the kernel's clock on HZ=250, in milliseconds. */
export const millisecondsPerTick = 4;

/** Ticks in a second. */
export const ticksPerSecond = 1000 / millisecondsPerTick;

export type Path = "input" | "forward" | "output";

export interface Packet {
  /** In ticks since some moment; packets of a schedule come in this order. */
  readonly time: number;
  readonly path: Path;
  readonly source: bigint;
  readonly destination: bigint;
  /** As received or, on the path `output`, as sent. */
  readonly ttl: number;
  /** Number of the protocol. */
  readonly protocol: number;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** Empty on the path `output`. */
  readonly inInterface: string;
  /** Empty on the path `input`. */
  readonly outInterface: string;
  /** What connection tracking says; `new` unless told. Only new packets see the chains of NAT. */
  readonly state?: PacketState;
  /** Bits of the TCP header; SYN for a new packet and ACK for others unless told. */
  readonly tcpFlags?: number;
  /** Of ICMP; an echo request unless told. */
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** Bytes with the IP header; 60 unless told. */
  readonly length?: number;
  /** As the packet comes; 0 unless told. */
  readonly mark?: number;
  /** Of its connection; 0 unless told. */
  readonly connectionMark?: number;
  /** Tests without a model of their own that hold for this packet, as `NftMachine` names them; the others do not hold. */
  readonly facts?: ReadonlySet<string>;
}

const hooksOfPath: Readonly<Record<Path, readonly Hook[]>> = {
  input: ["prerouting", "input"],
  forward: ["prerouting", "forward", "postrouting"],
  output: ["output", "postrouting"],
};

/** The hooks a packet passes, in order. */
export function hooksOf(path: Path): readonly Hook[] {
  return hooksOfPath[path];
}

/** The TTL in the packet's header at a hook: a router has taken one off before the forward hook. */
export function headerTtl(packet: Packet, hook: Hook): number {
  return packet.path === "forward" && hook !== "prerouting" ? packet.ttl - 1 : packet.ttl;
}

/** Bits of the TCP header by their names, as far as both models tell them apart. */
export const tcpFlagBits: Readonly<Record<string, number>> = Object.fromEntries(firstTcpFlags.map((flag) => [flag, tcpFlags[flag]]));

/** Of a packet that does not say: SYN for a new one, ACK for others. */
export function usualTcpFlags(state: PacketState): number {
  return state === "new" ? tcpFlagBits["syn"]! : tcpFlagBits["ack"]!;
}

export function tcpFlagsOf({ tcpFlags, state = "new" }: Packet): number {
  return tcpFlags ?? usualTcpFlags(state);
}

export function icmpTypeOf({ icmpType, protocol }: Packet): number {
  return icmpType ?? (protocol === 1 ? 8 : 128);
}

/** What a packet costs beside the rules it is held against, in rules: what is remembered of it, copied and described. */
export const packetCost = 20;

/** What changes on the way of a packet. */
type Changing = Pick<Flight, "hook" | "source" | "destination" | "sourcePort" | "destinationPort" | "state" | "mark" | "connectionMark">;

/** A packet on its way: what rules can change of it. */
export class Flight {
  readonly hook: Hook = "prerouting";
  readonly source: bigint;
  readonly destination: bigint;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly state: PacketState;
  readonly mark: bigint;
  readonly connectionMark: bigint;
  readonly logs: string[] = [];
  /** How often something has become different. */
  changes = 0;
  private knownShape: string | undefined;

  constructor(readonly packet: Packet) {
    this.source = packet.source;
    this.destination = packet.destination;
    this.sourcePort = packet.sourcePort;
    this.destinationPort = packet.destinationPort;
    this.state = packet.state ?? "new";
    this.mark = BigInt(packet.mark ?? 0);
    this.connectionMark = BigInt(packet.connectionMark ?? 0);
  }

  change(changed: Partial<Changing>): void {
    if ((Object.keys(changed) as (keyof Changing)[]).every((name) => this[name] === changed[name])) return;
    Object.assign(this, changed);
    this.changes += 1;
    this.knownShape = undefined;
  }

  /** The same for packets, at whatever time, of which nothing that a test reads is different. */
  get shape(): string {
    return (this.knownShape ??= this.describe());
  }

  private describe(): string {
    const { path, inInterface, outInterface, protocol, ttl, state, tcpFlags, icmpType, icmpCode, length, facts } = this.packet;
    const asItCame = [path, inInterface, outInterface, protocol, ttl, state, tcpFlags, icmpType, icmpCode, length];
    const now = [this.hook, this.source, this.destination, this.sourcePort, this.destinationPort, this.state, this.mark];
    return [...asItCame, ...now, this.connectionMark, ...(facts ? [...facts].sort() : [])].join("\0");
  }

  get inInterface(): string {
    return this.hook === "output" || this.hook === "postrouting" ? "" : this.packet.inInterface;
  }

  get outInterface(): string {
    return this.hook === "prerouting" || this.hook === "input" ? "" : this.packet.outInterface;
  }

  /** Chains of NAT see the first packet of a connection only. */
  get opensConnection(): boolean {
    return this.state === "new";
  }

  /** What became of it. */
  outcome(verdict: Verdict): Outcome {
    const { logs, mark, source, sourcePort, destination, destinationPort } = this;
    const { packet } = this;
    const sent = destination === packet.destination && destinationPort === packet.destinationPort;
    const own = source === packet.source && sourcePort === packet.sourcePort;
    return {
      verdict,
      logs,
      ...(mark !== 0n && { mark }),
      ...(!sent && verdict === "accept" && { sentTo: { address: destination, port: destinationPort } }),
      ...(!own && verdict === "accept" && { sentFrom: { address: source, port: sourcePort } }),
    };
  }
}

export type Verdict = "accept" | "drop";

/** What became of one packet. */
export interface Outcome {
  readonly verdict: Verdict;
  /** Prefixes of the log lines it left, in order. */
  readonly logs: readonly string[];
  /** The packet's mark at its end, unless 0. */
  readonly mark?: bigint;
  /** Where an accepted packet went instead of its destination. */
  readonly sentTo?: { readonly address: bigint; readonly port: number };
  /** What an accepted packet had in place of its source when it left. */
  readonly sentFrom?: { readonly address: bigint; readonly port: number };
}

export function sameOutcome(a: Outcome, b: Outcome): boolean {
  return (
    a.verdict === b.verdict &&
    a.mark === b.mark &&
    a.logs.length === b.logs.length &&
    a.logs.every((log, index) => log === b.logs[index]) &&
    a.sentTo?.address === b.sentTo?.address &&
    a.sentTo?.port === b.sentTo?.port &&
    a.sentFrom?.address === b.sentFrom?.address &&
    a.sentFrom?.port === b.sentFrom?.port
  );
}

/** A ruleset holds something that the models know nothing of. */
export class NotModelled extends Error {
  override readonly name = "NotModelled";
}
