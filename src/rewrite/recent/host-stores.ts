/** The sets of a list by what each is for: what `host-elements.ts` fills, and what a list says of the sets that it has declared. */

import type { HeaderTtls } from "./usage.js";
import type { Window } from "./window.js";

/** Sets that answer one question of a list, by what each is for. Times in milliseconds; no time keeps elements for ever. */
export type HostStore = SeenStore | CountStore | LimitStore | TimerStore | RingStore | TtlStore;

/** Hosts seen in the last N seconds, or ever. */
export interface SeenStore {
  readonly kind: "seen";
  readonly set: string;
  readonly time: number | undefined;
}

/** Hits at any time: a host with three is in the first three sets. */
export interface CountStore {
  readonly kind: "count";
  readonly sets: readonly string[];
  /** Since the last hit. */
  readonly time: number | undefined;
}

/** A bucket for each host, and a ban. */
export interface LimitStore {
  readonly kind: "limit";
  readonly window: Window;
  readonly tokens: string;
  readonly banned: string;
}

/** A set for each hit that passes; a host in all of them is over the limit. */
export interface TimerStore {
  readonly kind: "timers";
  readonly window: Window;
  readonly passed: readonly string[];
  readonly ban: Ban | undefined;
}

/** Slots for the last hits, and which of them was written last. */
export interface RingStore {
  readonly kind: "ring";
  readonly window: Window;
  /** Hits in the window with which the next try is over the limit. */
  readonly most: number;
  readonly few: readonly string[];
  readonly busy: string;
  readonly hit: readonly string[];
  readonly turn: readonly string[];
  readonly ban: Ban | undefined;
  /** Sets of which a host begins without an element: tokens, and what guards against floods. */
  readonly guards: readonly string[];
}

export interface Ban {
  readonly banned: string;
  /** A ban says no more than the hits do; else it lasts until the host has been silent for the length of the window. */
  readonly exact: boolean;
}

/** The TTL of a host's last hit. */
export interface TtlStore {
  readonly kind: "ttl";
  /** Sets of addresses and digits, the low one first; or one for each bit, the lowest first. */
  readonly pieces:
    | { readonly kind: "digits"; readonly low: string; readonly high: string }
    | { readonly kind: "bits"; readonly bits: readonly string[] };
  readonly known: string;
  readonly rate: string;
  /** Which TTL the list's packets have in their headers. */
  readonly header: HeaderTtls;
  /** Of the hits that ask for it. */
  readonly time: number | undefined;
}

/** All sets of a store: where a host that leaves the list has to be deleted. */
export function setsOfStore(store: HostStore): string[] {
  switch (store.kind) {
    case "seen":
      return [store.set];
    case "count":
      return [...store.sets];
    case "limit":
      return [store.tokens, store.banned];
    case "timers":
      return [...store.passed, ...(store.ban ? [store.ban.banned] : [])];
    case "ring":
      return [...store.few, store.busy, ...store.hit, ...store.turn, ...(store.ban ? [store.ban.banned] : []), ...store.guards];
    case "ttl":
      return [...(store.pieces.kind === "digits" ? [store.pieces.low, store.pieces.high] : store.pieces.bits), store.known, store.rate];
  }
}
