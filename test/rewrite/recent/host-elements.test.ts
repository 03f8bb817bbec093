/** The elements of a host whose hits are known, in the sets of each form of a list. */

import { expect, test } from "vitest";
import { hostElements } from "../../../src/rewrite/recent/host-elements.js";
import { setsOfStore, type HostStore, type RingStore } from "../../../src/rewrite/recent/host-stores.js";

const seconds = (...ages: number[]): number[] => ages.map((age) => age * 1000);

/** Elements as `set` or `set expires milliseconds`. */
function held(store: HostStore, ages: readonly number[], ttl = 0): string[] {
  return hostElements([store], { address: "192.0.2.7", ages, ttl }).map(
    ({ set, digit, expires }) => set + (digit === undefined ? "" : ` . ${digit}`) + (expires === undefined ? "" : ` ${expires}`),
  );
}

const window = { seconds: 60, hits: 4 };

const ring: RingStore = {
  kind: "ring",
  window,
  most: 4,
  few: ["few_0", "few_1"],
  busy: "busy",
  hit: ["hit_0", "hit_1", "hit_2", "hit_3", "hit_4", "hit_5"],
  turn: ["turn_0", "turn_1", "turn_2"],
  ban: undefined,
  guards: ["pass", "rate"],
};

test("the last hit says how long a host stays in a set of those seen lately", () => {
  const store: HostStore = { kind: "seen", set: "recent", time: 60004 };
  expect(held(store, seconds(50, 20))).toEqual(["recent 40004"]);
  expect(held(store, [0])).toEqual(["recent"]);
  expect(held(store, [60000])).toEqual(["recent 4"]);
  expect(held(store, [60004])).toEqual([]);
  expect(held({ ...store, time: undefined }, seconds(5000))).toEqual(["recent"]);
  expect(held(store, [])).toEqual([]);
});

test("hits at any time fill the first sets, from the last pause on after which hosts are forgotten", () => {
  const store: HostStore = { kind: "count", sets: ["count_0", "count_1", "count_2"], time: undefined };
  expect(held(store, seconds(900, 20))).toEqual(["count_0", "count_1"]);
  expect(held(store, seconds(900, 20, 3, 2, 1))).toEqual(["count_0", "count_1", "count_2"]);
  expect(held({ ...store, time: 100004 }, seconds(900, 20))).toEqual(["count_0 80004"]);
});

test("few hits wait in the slow lane, more stand on the ring behind the turn of the last one", () => {
  expect(held(ring, seconds(50, 30, 70))).toEqual(["few_0 10004", "few_1 30004"]);
  expect(held(ring, seconds(50, 30, 20))).toEqual([
    "hit_0 10004",
    "hit_1 30004",
    "hit_2 40004",
    "busy 42004",
    "turn_0 42004",
    "turn_1 42004",
  ]);
});

test("of more hits than there are slots the newest count", () => {
  const elements = held(ring, seconds(8, 7, 6, 5, 4, 3, 2, 1));
  expect(elements.slice(0, 7)).toEqual([
    ...["hit_0 54004", "hit_1 55004", "hit_2 56004", "hit_3 57004", "hit_4 58004", "hit_5 59004"],
    "busy 61004",
  ]);
  // The code of the last of six slots.
  expect(elements.slice(7)).toEqual(["turn_2 61004"]);
});

test("timers hold the newest hits, and an exact ban says no more than they do", () => {
  const passed = ["passed_0", "passed_1"];
  const timers: HostStore = { kind: "timers", window: { seconds: 60, hits: 2 }, passed, ban: undefined };
  expect(held(timers, seconds(50, 49, 1))).toEqual(["passed_0 11004", "passed_1 59004"]);
  expect(held({ ...timers, ban: { banned: "banned", exact: true } }, seconds(50, 49, 1))).toEqual(["passed_0 11004", "passed_1 59004"]);
});

test("a short ban lasts for the window after the last hit of a host that was over the limit", () => {
  const passed = ["passed_0", "passed_1"];
  const ban = { banned: "banned", exact: false };
  const store: HostStore = { kind: "timers", window: { seconds: 60, hits: 2 }, passed, ban };
  expect(held(store, seconds(50, 49, 1))).toEqual(["passed_0 10004", "passed_1 11004", "banned 59004"]);
  expect(held(store, seconds(150, 149, 148, 1))).toEqual(["passed_0 59004"]);
  expect(held({ ...ring, most: 2, ban }, seconds(50, 49, 1))).toEqual(["few_0 10004", "few_1 11004", "banned 59004"]);
});

test("a limit bans a host that has taken all tokens, until it is silent", () => {
  const store: HostStore = { kind: "limit", window, tokens: "tokens", banned: "banned" };
  expect(held(store, seconds(10, 9, 8))).toEqual([]);
  expect(held(store, seconds(10, 9, 8, 7))).toEqual(["banned 53004"]);
  expect(held(store, seconds(10, 9, 8, 7, 1))).toEqual(["banned 59004"]);
  // Tokens come back every 15 s.
  expect(held(store, seconds(46, 45, 44, 7))).toEqual([]);
});

test("the TTL of the last hit is that of the headers which the list sees", () => {
  const digits: HostStore = {
    kind: "ttl",
    pieces: { kind: "digits", low: "low", high: "high" },
    known: "known",
    rate: "ttl_rate",
    header: "as received",
    time: 60004,
  };
  expect(held(digits, seconds(1), 0x42)).toEqual(["low . 2 59008", "high . 64 59008", "known 59012"]);
  expect(held({ ...digits, header: "forwarded" }, seconds(1), 0x40)).toEqual(["low . 15 59008", "high . 48 59008", "known 59012"]);
  expect(held({ ...digits, header: "forwarded" }, seconds(1), 0)).toEqual(["low . 0 59008", "high . 0 59008", "known 59012"]);
  const bits: HostStore = { ...digits, pieces: { kind: "bits", bits: ["bit_0", "bit_1", "bit_2"] }, time: undefined, header: "both" };
  expect(held(bits, seconds(1), 5)).toEqual(["bit_0", "bit_2", "known"]);
});

test("a host that leaves is deleted from the sets in which it has no element at first, too", () => {
  expect(setsOfStore(ring)).toEqual(expect.arrayContaining(["pass", "rate", "turn_0", "few_1"]));
});
