/** Random packets and writes to lists, at moments at which no hit is near the end of a window. */

import { seededRandom } from "../../src/random.js";

export interface Slot {
  /** Seconds from the start. */
  readonly writesAt: number;
  readonly packetsAt: number;
  readonly writes: readonly { readonly list: string; readonly text: string; readonly host: string }[];
  /** Each has a port of its own, by which it is known. */
  readonly packets: readonly { readonly source: string; readonly port: number; readonly host: string }[];
}

export interface Schedule {
  readonly slots: readonly Slot[];
}

/** A list, and how hosts on it are called. */
export interface PlayedList {
  readonly name: string;
  /** What its rules do; `DPORT` stands for a match of its packets. */
  readonly rules: readonly string[];
  readonly family: "ipv4" | "ipv6";
  /** Bits of a host's address that its masks leave. */
  readonly mask?: number;
}

/** Ports of a list. */
export const portsOfList = 200;
export const firstPort = 10_000;

/**
 * The windows of these lists. Slots are 1.7 s apart, so hits of packets are 1.7, 3.4, 5.1 or 6.8 s old, and what is written, which takes up
 * to 0.7 s, 1.7 to 2.4, 3.4 to 4.1, 5.1 to 5.8 or 6.8 to 7.5 s.
 */
export const windowSeconds = 6;
export const shortWindowSeconds = 3;
const slotLength = 1.7;
const writeTime = 0.7;

const hostsOfList = 3;

export function makeSchedule(lists: readonly PlayedList[], slots: number, seed: number): Schedule {
  const random = seededRandom(seed);
  const next = lists.map((_, index) => firstPort + index * portsOfList);
  return {
    slots: Array.from({ length: slots }, (_, slot) => {
      const writes: { list: string; text: string; host: string }[] = [];
      const packets: { source: string; port: number; host: string }[] = [];
      for (const [index, list] of lists.entries()) {
        const host = (number: number): string =>
          list.family === "ipv4" ? `10.0.${index}.${number * 64 + 1}` : `fd00::${index + 1}:${number + 1}`;
        const written = host(Math.floor(random() * hostsOfList));
        const chance = random();
        // The kernel does not mask what is written: a host of a masked list is written as the list keeps it.
        const kept = list.mask === 24 ? `10.0.${index}.0` : written;
        // By which list and host the times are gathered: those of a masked list are one.
        const known = (address: string): string => `${list.name}|${list.mask === 24 ? kept : address}`;
        if (chance < 0.03) writes.push({ list: list.name, text: "/", host: `${list.name}|` });
        else if (chance < 0.13) writes.push({ list: list.name, text: `-${kept}`, host: known(kept) });
        else if (chance < 0.55) writes.push({ list: list.name, text: `+${kept}`, host: known(kept) });
        for (let number = 0; number < hostsOfList; number++) {
          const count = random() < 0.45 ? 0 : random() < 0.8 ? 1 : 3;
          for (let repeat = 0; repeat < count; repeat++)
            packets.push({ source: host(number), port: next[index]!++, host: known(host(number)) });
        }
      }
      return { writesAt: slot * slotLength, packetsAt: slot * slotLength + writeTime, writes, packets };
    }),
  };
}
