/**
 * What the firewall remembers of earlier packets, as far as it matters for finding packets: connections, the lists of
 * `recent` without their clock, and the tokens of limits. Only a guess: what counts is the kernel.
 */

import { hasPorts } from "../../extensions/values/protocols.js";
import type { Fields } from "./draft.js";

export interface Connection {
  /** As the first packet was sent. */
  readonly original: string;
  /** As answers come in: after address translation, turned. */
  readonly replyFields: Fields;
  readonly replied: boolean;
  readonly mark: number;
  readonly sourceChanged: boolean;
  readonly destinationChanged: boolean;
  /** As packets of the original direction are after translation. */
  readonly translated: Fields;
}

export interface ListEntry {
  readonly stamps: number;
  readonly ttl: number;
}

/** A layer over an earlier world: what is remembered here is forgotten with it, unless it is kept. */
export class World {
  private readonly connections = new Map<string, Connection>();
  private readonly entries = new Map<string, ListEntry | undefined>();
  private readonly counts = new Map<string, number>();

  constructor(private readonly below?: World) {}

  /** By the tuple of a packet of either direction. */
  connection(tuple: string): Connection | undefined {
    return this.connections.get(tuple) ?? this.below?.connection(tuple);
  }

  remember(connection: Connection): void {
    this.connections.set(connection.original, connection);
    this.connections.set(tupleOf(connection.replyFields), connection);
  }

  /** Of a host on a list; undefined if it is not there. */
  entry(list: string, host: bigint): ListEntry | undefined {
    const key = `${list}\n${host}`;
    return this.entries.has(key) ? this.entries.get(key) : this.below?.entry(list, host);
  }

  setEntry(list: string, host: bigint, entry: ListEntry | undefined): void {
    this.entries.set(`${list}\n${host}`, entry);
  }

  /** How often something was counted so far. */
  count(name: string): number {
    return this.counts.get(name) ?? this.below?.count(name) ?? 0;
  }

  setCount(name: string, count: number): void {
    this.counts.set(name, count);
  }

  /** Writes all that is remembered here into the world below. */
  keep(): void {
    const { below } = this;
    if (below === undefined) return;
    for (const [tuple, connection] of this.connections) below.connections.set(tuple, connection);
    for (const [key, entry] of this.entries) below.entries.set(key, entry);
    for (const [key, count] of this.counts) below.counts.set(key, count);
  }
}

/** What tells a packet's connection and direction. */
export function tupleOf({ protocol, source, sourcePort, destination, destinationPort, icmpType }: Fields): string {
  const identifier = protocol === 1 || protocol === 58;
  const ports = hasPorts(protocol) ? `${sourcePort} ${destinationPort}` : identifier ? `${sourcePort} ${answered(icmpType)}` : "";
  return `${protocol} ${source} ${destination} ${ports}`;
}

/** A question and its answer share a number. */
function answered(type: number): number {
  return ({ 0: 8, 14: 13, 16: 15, 18: 17, 129: 128, 140: 139 } as Readonly<Record<number, number>>)[type] ?? type;
}
