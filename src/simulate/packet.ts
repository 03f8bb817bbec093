/** A packet as far as the models look at it, and the hooks it passes. */

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

export type Verdict = "accept" | "drop";

/** What became of one packet. */
export interface Outcome {
  readonly verdict: Verdict;
  /** Prefixes of the log lines it left, in order. */
  readonly logs: readonly string[];
}

/** A ruleset holds something that the models know nothing of. */
export class NotModelled extends Error {
  override readonly name = "NotModelled";
}
