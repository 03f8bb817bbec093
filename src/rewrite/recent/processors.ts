/**
 * What keeps a count right where packets of one host come on several processors at once.
 *
 * xt_recent looks and records under one lock. Between a look-up in a set and the `update` behind it another processor may have
 * looked, too, and found the same: both packets pass, and count as one. The limit of an element is asked under a lock of its own,
 * and whatever the number of packets, a limit of one packet lets one of them through. `add` leaves the timer of an element that is there
 * alone, so such an element is a timer that one packet takes, at the moment when it is made.
 *
 * A limit in an element runs wherever a look-up finds the element (`nft_lookup_eval`, since Linux 5.7), and takes a token there;
 * `!= @set` never takes one.
 */

import { addToSet, type LimitStatement, type Statement } from "../../nft/ast.js";
import type { Key } from "../table-builder.js";

/** One packet, then none for longer than two processors are in one rule. */
const once = { kind: "limit", rate: 1, unit: "week", burst: 1 } as const satisfies Omit<LimitStatement, "over">;

/**
 * Starts a host's timer, and lets the rule go on for the packet that has started it. For others the rule ends, and also where there is
 * no room for the host: a rule behind it has to tell the one from the other.
 */
export function startTimer(set: string, key: Key): Statement {
  return addToSet(set, key, [{ ...once, over: false }]);
}
