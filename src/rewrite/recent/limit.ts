/**
 * The limit form of a hit count: a token bucket per host that fills at H tokens in N seconds and holds H - 1, and a ban that
 * lasts until the host has kept silent for N seconds.
 *
 * It is not what xt_recent does. A host may pass nearly twice H hits in one window before its first ban (a full bucket,
 * and what flows in meanwhile), and one that stays just under the rate is never banned even though single windows hold H
 * hits. A banned host stays banned until it is silent, also where `--rcheck` would have let it in again.
 */

import { updateSet, type Statement } from "../../nft/ast.js";
import type { ChainBuilder, ChainGroup, Key } from "../table-builder.js";
import { rateOf, type Rate } from "./rate.js";
import { member } from "./ring.js";
import type { Window } from "./window.js";

export interface HitLimit {
  readonly window: Window;
  readonly rate: string;
  readonly banned: string;
}

/** H hits in N seconds, rounded down. */
export function limitRate({ seconds, hits }: Window): Rate & { readonly text: string } {
  const found = rateOf(hits, seconds, Math.floor);
  return { ...found, text: `${found.rate}/${found.unit}` };
}

/** Chain that takes a token for one hit and bans the host when there is none; a banned host's hit prolongs the ban. */
export function limitTouch(group: ChainGroup, wish: string, key: Key, { window, rate, banned }: HitLimit): ChainBuilder {
  const { rate: tokens, unit } = limitRate(window);
  const limit: Statement = { kind: "limit", over: true, rate: tokens, unit, burst: window.hits - 1 };
  return group
    .chain(wish)
    .rule([member(key, banned), updateSet(banned, key), { kind: "verdict", verdict: "return" }])
    .rule([updateSet(rate, key, [limit]), updateSet(banned, key)]);
}
