/**
 * What keeps a count right where packets of one host come on several processors at once.
 *
 * xt_recent looks and records under one lock. Between a look-up in a set and the `update` behind it another processor may have
 * looked, too, and found the same: both packets pass, and count as one. The limit of an element is asked under a lock of its own: whatever
 * the number of packets, a limit of one packet lets one of them through, a limit of three packets three. `add` leaves the timer of an
 * element that is there alone, so such an element is a timer that one packet takes, at the moment when it is made.
 *
 * A limit in an element runs wherever a look-up finds the element (`nft_lookup_eval`, since Linux 5.7), and takes a token there;
 * `!= @set` never takes one.
 */

import { addToSet, updateSet, type LimitStatement, type Statement } from "../../nft/ast.js";
import type { Key } from "../table-builder.js";
import { rateOf } from "./rate.js";

/** One packet, then none for longer than two processors are in one rule. */
const once = { kind: "limit", rate: 1, unit: "week", burst: 1 } as const satisfies Omit<LimitStatement, "over">;

/**
 * Starts a host's timer, and lets the rule go on for the packet that has started it. For others the rule ends, and also where there is
 * no room for the host: a rule behind it has to tell the one from the other.
 */
export function startTimer(set: string, key: Key): Statement {
  return addToSet(set, key, [{ ...once, over: false }]);
}

/**
 * Counts a hit that is to pass with a host's first one, and lets the rule go on for as many as may pass in a window; for others the rule
 * ends, and also where there is no room for the host. All rules with this set have to count alike: an element keeps the limit it was made
 * with. The set may be tested by `!=` only.
 *
 * @param set of which elements live as long as the window, from the first hit on
 * @param passes hits of one host that may pass in a window
 */
export function countWithFirst(set: string, key: Key, passes: number): Statement {
  return addToSet(set, key, [{ ...once, over: false, burst: passes }]);
}

/** Seconds after which the limit of a timer would let a second packet through. */
const week = 604800;

/** Whether timers that run so many seconds may be asked by `findTimer`, and found by look-ups. */
export function isTimed(seconds: number): boolean {
  return seconds < week;
}

/**
 * Starts a host's timer where none runs, and lets the rule go on where one did. For the packet that has started it the rule ends, and
 * also where there is no room for the host.
 */
export function findTimer(set: string, key: Key): Statement {
  return addToSet(set, key, [{ ...once, over: true }]);
}

/**
 * Takes a token for a hit that is to pass, and lets the rule go on where there is none left, which happens only where hits passed that
 * were not counted.
 *
 * Of hits that are counted no more than `passes` lie in a window, so that any `passes` + 1 in a row take longer than it: a bucket that
 * holds `passes` and fills in the time of the window has a token for each of them. It may fill faster, not slower: the rate is rounded up.
 *
 * @param set of which elements live as long as the window after each hit: the bucket is full again then
 * @param passes hits of one host that may pass in a window
 * @param seconds length of the window
 */
export function takeToken(set: string, key: Key, passes: number, seconds: number): Statement {
  return updateSet(set, key, [{ kind: "limit", over: true, ...rateOf(passes, seconds, Math.ceil), burst: passes }]);
}
