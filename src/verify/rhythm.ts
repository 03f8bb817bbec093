/**
 * When senders send: bursts, steady rates just under and just over a limit, gaps longer than the window.
 *
 * Two packets of one sender are never almost exactly a window apart. At that distance both sides may be right: a packet is
 * sent up to some milliseconds late, and whether its age is then one tick below or above the window is chance.
 */

import type { Random } from "../random.js";

/** What a list asks of its senders: the windows in seconds, and the hit count of the tightest of them. */
export interface Limit {
  readonly windows: readonly number[];
  readonly hits: number;
}

/** How far from a window's length two packets stay, in seconds; ten ticks of a kernel with HZ=250. */
export const tieMargin = 0.04;

/** Packets that are sent together: how long after the group before it they start, and the distance inside, in seconds. */
interface Group {
  readonly after: number;
  readonly count: number;
  readonly spacing: number;
}
type Habit = (limit: { readonly window: number; readonly hits: number }, random: Random) => Group;

const between = (random: Random, low: number, high: number): number => low + (high - low) * random();

/** Packets at a multiple of the rate of `hits` per window, in small groups so that there is room between forbidden moments. */
function steady(factor: number): Habit {
  return ({ window, hits }, random) => {
    const rate = (factor * hits) / window;
    const count = Math.max(1, Math.round(rate * 0.25));
    return { after: (count / rate) * between(random, 0.95, 1.05), count, spacing: 0.004 };
  };
}

const burst: Habit = ({ window, hits }, random) => ({
  after: window * between(random, 0.4, 1.6),
  count: 1 + Math.floor(random() * (hits + 2)),
  spacing: between(random, 0.003, 0.03),
});
const longBurst: Habit = ({ window, hits }, random) => ({
  after: window * between(random, 1.2, 2),
  count: 2 * hits + 2,
  spacing: between(random, 0.002, 0.01),
});
const sparse: Habit = ({ window }, random) => ({ after: window * between(random, 0.3, 1.8), count: 1, spacing: 0 });
/** One to three at a time, so far apart that some of the last ones are forgotten and others are not. */
const staggered: Habit = ({ window, hits }, random) => ({
  after: window * between(random, 0.25, 0.75),
  count: 1 + Math.floor(random() * Math.max(2, hits * 0.75)),
  spacing: between(random, 0.003, 0.02),
});
const mixed: Habit = (limit, random) => {
  const habits = [burst, steady(0.8), steady(1.25), sparse, longBurst, steady(0.4)];
  return habits[Math.floor(random() * habits.length)]!(limit, random);
};

const habits: readonly Habit[] = [burst, steady(0.85), steady(1.2), sparse, longBurst, mixed, staggered];

/** How many senders there are, each with a habit of its own. */
export const senderCount = habits.length;

/** The moments, in seconds from 0 to `duration`, at which the sender of this number sends; ascending. */
export function momentsOf(sender: number, { windows, hits }: Limit, duration: number, random: Random): number[] {
  const habit = habits[sender % habits.length]!;
  const limit = { window: Math.min(...windows), hits };
  const moments: number[] = [];
  let next = random() * 0.2;
  while (next < duration) {
    const group = habit(limit, random);
    const offsets = Array.from({ length: group.count }, (_, index) => index * group.spacing);
    const start = firstAllowed(next, offsets, moments, windows);
    moments.push(...offsets.map((offset) => start + offset));
    next = start + Math.max(group.after, (offsets.at(-1) ?? 0) + 0.002);
  }
  return moments.filter((moment) => moment < duration);
}

/** The first start from `from` on at which none of the group's packets is a window away from an earlier packet or from its fellows. */
function firstAllowed(from: number, offsets: readonly number[], moments: readonly number[], windows: readonly number[]): number {
  const tied = (moment: number, earlier: number): boolean => windows.some((window) => Math.abs(moment - earlier - window) < tieMargin);
  const horizon = Math.max(...windows) + tieMargin + (offsets.at(-1) ?? 0);
  for (let start = from; ; start += 0.005) {
    const near = moments.filter((earlier) => start - earlier < horizon);
    if (offsets.every((offset) => !near.some((earlier) => tied(start + offset, earlier)))) return start;
  }
}
