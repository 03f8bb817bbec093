/** Packets in virtual time: schedules built from gaps, and how fast a host may go before the flood guard steps in. */

import { ticksPerSecond, type Packet } from "./packet.js";

/** In ticks; the first gap lies before the first packet. */
export type Gaps = readonly number[];

/** Packets like `packet`, one after each gap. */
export function packetsAfter(gaps: Gaps, packet: Packet): Packet[] {
  let { time } = packet;
  return gaps.map((gap) => ({ ...packet, time: (time += gap) }));
}

/** Every sequence of exactly `length` gaps. */
export function* gapSequences(gaps: Gaps, length: number): Generator<number[]> {
  if (length === 0) {
    yield [];
    return;
  }
  for (const rest of gapSequences(gaps, length - 1)) for (const gap of gaps) yield [...rest, gap];
}

/** Schedules merged in the order of their times; packets of one time stay in the order of the schedules. */
export function merge(...schedules: readonly (readonly Packet[])[]): Packet[] {
  return schedules.flat().sort((a, b) => a.time - b.time);
}

/** What a host may do while the script is exact: a burst of tries, and from then on so many in a second. */
export const triesPerSecond = 20;
export function exactBurst(hits: number): number {
  return Math.max(20, 2 * hits);
}

/** Whether no host (by `key`) tries more often than the exact form of a window of `hits` follows. */
export function staysExact(schedule: readonly Packet[], hits: number, key: (packet: Packet) => bigint): boolean {
  const buckets = new Map<bigint, { tries: number; last: number }>();
  const burst = exactBurst(hits);
  return schedule.every((packet) => {
    const { tries, last } = buckets.get(key(packet)) ?? { tries: burst, last: packet.time };
    const now = Math.min(burst, tries + ((packet.time - last) * triesPerSecond) / ticksPerSecond);
    buckets.set(key(packet), { tries: now - 1, last: packet.time });
    return now >= 1;
  });
}
