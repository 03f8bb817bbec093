/**
 * What the sets of a list hold for a host of which the hits are known: so that after them the rules decide as xt_recent does with the same
 * stamps.
 *
 * An element gets the time that is left to it. Elements with limits are made without: such an element always lets the rule go on, as one
 * whose limit is used up does for the packet that has made it. So what counts hits a second time for several processors (see processors.ts)
 * begins full, and in the limit form a host that is not banned has all its tokens.
 */

import { limitRate } from "./limit.js";
import type { Ban, HostStore, RingStore, TimerStore, TtlStore } from "./host-stores.js";
import { turnCode } from "./turn-code.js";
import { tick, windowTime, type Window } from "./window.js";

/** A host as xt_recent has it. */
export interface HostHits {
  /** As the keys of the list's sets are written; with the list's mask applied. */
  readonly address: string;
  /** Milliseconds since each of its hits, in any order. */
  readonly ages: readonly number[];
  /** That its last hit came with; 0, which is that of hosts written to /proc/net/xt_recent, is any. */
  readonly ttl: number;
}

export interface HostElement {
  readonly set: string;
  readonly address: string;
  /** The second part of the key, in sets of addresses and digits of a TTL. */
  readonly digit?: number;
  /** Milliseconds that the element has to live; absent: as the set says for new elements, or for ever. */
  readonly expires?: number;
}

/** The elements of a host in all sets of its list; none of a host that no rule can tell from one that was never seen. */
export function hostElements(stores: readonly HostStore[], { address, ages, ttl }: HostHits): HostElement[] {
  const newestFirst = [...ages].sort((a, b) => a - b);
  if (newestFirst.length === 0) return [];
  return stores
    .flatMap((store) => writtenTo(store, newestFirst, ttl).filter(isLiving))
    .map(({ age, time, ...place }) => ({
      ...place,
      address,
      ...(time !== undefined && age > 0 && { expires: time - age }),
    }));
}

/** An element that was written `age` milliseconds ago and lives for `time`. */
interface Written {
  readonly set: string;
  readonly digit?: number;
  readonly age: number;
  readonly time: number | undefined;
}

const isLiving = ({ age, time }: Written): boolean => time === undefined || age < time;

function writtenTo(store: HostStore, ages: readonly number[], ttl: number): Written[] {
  const newest = ages[0]!;
  switch (store.kind) {
    case "seen":
      return [{ set: store.set, age: newest, time: store.time }];
    case "count": {
      const { sets, time } = store;
      return sets.slice(0, countOf(ages, time)).map((set) => ({ set, age: newest, time }));
    }
    case "limit": {
      const age = limitBan(store.window, ages);
      return age === undefined ? [] : [{ set: store.banned, age, time: windowTime(store.window.seconds) }];
    }
    case "timers":
      return timerElements(store, ages);
    case "ring":
      return ringElements(store, ages);
    case "ttl":
      return ttlElements(store, newest, ttl);
  }
}

/** Hits since the last pause that is so long that the host was forgotten. */
function countOf(ages: readonly number[], time: number | undefined): number {
  if (time === undefined) return ages.length;
  const pause = ages.findIndex((age, index) => index > 0 && age - ages[index - 1]! >= time);
  return pause < 0 ? ages.length : pause;
}

/** How old the last hit of a host is that is banned in the limit form; undefined if it is not. */
function limitBan(window: Window, ages: readonly number[]): number | undefined {
  const { rate, unit } = limitRate(window);
  const cost = (secondsOf[unit] * 1000) / rate;
  const most = (window.hits - 1) * cost;
  const time = windowTime(window.seconds);
  let bucket = { tokens: most, age: Infinity };
  let banned: number | undefined;
  for (const age of [...ages].reverse()) {
    if (banned !== undefined && banned - age < time) {
      banned = age;
      continue;
    }
    const silence = bucket.age - age;
    const tokens = silence < time ? Math.min(most, bucket.tokens + silence) : most;
    if (tokens < cost) banned = age;
    bucket = { tokens: tokens < cost ? tokens : tokens - cost, age };
  }
  return banned;
}

const secondsOf = { second: 1, minute: 60, hour: 3600, day: 86400, week: 604800 } as const;

function timerElements({ window, passed, ban }: TimerStore, ages: readonly number[]): Written[] {
  const time = windowTime(window.seconds);
  const { banned, hits } = replayed(window, passed.length, ban, ages);
  // Of more hits than there are timers the newest say when the host is under the limit again.
  const timers = hits.slice(0, passed.length).reverse();
  return [...timers.map((age, index) => ({ set: passed[index]!, age, time })), ...banned];
}

function ringElements(store: RingStore, ages: readonly number[]): Written[] {
  const { window, most, few, busy, hit, turn, ban } = store;
  const time = windowTime(window.seconds);
  const { banned, hits } = replayed(window, most, ban, ages);
  const living = hits.filter((age) => age < time);
  if (living.length <= few.length) return [...living.reverse().map((age, index) => ({ set: few[index]!, age, time })), ...banned];
  const slots = living.slice(0, hit.length).reverse();
  const newest = slots.at(-1)!;
  const code = turnCode(hit.length).code(slots.length - 1);
  // What tells the slot written last lives longer than the slots.
  const outliving = time + 2000;
  return [
    ...slots.map((age, slot) => ({ set: hit[slot]!, age, time })),
    { set: busy, age: newest, time: outliving },
    ...turn.filter((_, bit) => (code >> bit) & 1).map((set) => ({ set, age: newest, time: outliving })),
    ...banned,
  ];
}

/**
 * The hits that are recorded as such, the newest first, and the ban of a host that went over the limit where a ban is more than the hits
 * say.
 */
function replayed(
  window: Window,
  most: number,
  ban: Ban | undefined,
  ages: readonly number[],
): { readonly hits: number[]; readonly banned: readonly Written[] } {
  if (!ban || ban.exact) return { hits: [...ages], banned: [] };
  const time = windowTime(window.seconds);
  let hits: number[] = [];
  let banned: number | undefined;
  for (const age of [...ages].reverse()) {
    if (banned !== undefined && banned - age < time) {
      banned = age;
      continue;
    }
    hits = hits.filter((other) => other - age < time);
    if (hits.length >= most) banned = age;
    else hits.unshift(age);
  }
  return { hits, banned: banned === undefined ? [] : [{ set: ban.banned, age: banned, time }] };
}

function ttlElements({ pieces, known, header, time }: TtlStore, age: number, ttl: number): Written[] {
  const living = (ticks: number): Pick<Written, "age" | "time"> => ({ age, time: time === undefined ? undefined : time + ticks * tick });
  // A router has taken one off. What it would leave 0 of is not forwarded, so 0 stays free for any.
  const kept = header === "forwarded" ? Math.max(0, ttl - 1) : ttl;
  const held =
    pieces.kind === "digits"
      ? [
          { set: pieces.low, digit: kept & 0x0f },
          { set: pieces.high, digit: kept & 0xf0 },
        ]
      : pieces.bits.filter((_, bit) => (kept >> bit) & 1).map((set) => ({ set }));
  return [...held.map((one) => ({ ...one, ...living(1) })), { set: known, ...living(2) }];
}
