/** In which form a list is written: what is decided about it before anything is written, and what follows from that. */

import { greatest } from "../../append.js";
import type { RecentUse } from "../../extensions/matches/recent.js";
import type { Family } from "../../iptables/ast.js";
import type { TtlForm } from "./last-ttl.js";
import { longestMute } from "./ring.js";
import { isCheck, type ListUsage } from "./usage.js";
import type { Window } from "./window.js";

export interface ListForm {
  readonly family: Family;
  /** Elements a set may hold. */
  readonly setSize: number;
  /** Seconds without a hit after which a host is taken off a list that would keep it for ever; absent: never. */
  readonly forgetAfter: number | undefined;
  /** Which windows are written as a limit with a ban. */
  readonly asLimit: (window: Window) => boolean;
  /** Rules that stand side by side ban a host that was over the limit, where an exact window would be long (see fused.ts). */
  readonly bans: boolean;
  /** The script is for an nft whose rules can delete from a set. */
  readonly mayDelete: boolean;
  /** Every `--update` records with the walk of its check, also where several rules do. */
  readonly oneWalk: boolean;
  /** Find slots without nesting chains. */
  readonly flat: boolean;
  /** How the TTLs of its hosts are kept where `--rttl` asks for them; absent where the nft of the script cannot. */
  readonly ttl: TtlForm | undefined;
  /** The script is for an nft whose rules cannot delete from a set: a window of several hits is a limit, or nothing. */
  readonly ringless: boolean;
  /**
   * Sets that are kept when a script is loaded keep their elements, with the time and limit these were made with: a set must not be
   * known by the name that one of another window or form had.
   */
  readonly windowsInNames: boolean;
}

/** A ring of more hits needs more levels of chains than the kernel allows. */
export const largestRing = 255;

/** Whether a rule asks for more hits than any exact form holds; it is refused, and its list does without. */
export function isTooLarge({ seconds, hits }: RecentUse, form: ListForm): boolean {
  if (seconds === undefined) return hits > largestRing;
  return hits > (form.ringless ? 1 : largestRing) && !form.asLimit({ seconds, hits });
}

/** The windows of several hits that rules ask for, each once, in the order of the rules. */
export function windowsOf(usage: ListUsage, form: ListForm): Window[] {
  const windows = new Map<string, Window>();
  for (const use of usage.uses) {
    const { seconds, hits } = use;
    if (!isCheck(use) || seconds === undefined || hits === 1 || isTooLarge(use, form)) continue;
    windows.set(windowId({ seconds, hits }), { seconds, hits });
  }
  return [...windows.values()];
}

/**
 * How long the sets keep a host that rules may ask for without seconds, in seconds: as long as `--forget-after` says, but never
 * shorter than any window of the list, so that who is in a window is on the list. Undefined: for ever.
 */
export function keptFor({ uses }: ListUsage, { forgetAfter }: ListForm): number | undefined {
  return forgetAfter === undefined
    ? undefined
    : greatest(
        uses.map(({ seconds = 0 }) => seconds),
        forgetAfter,
      );
}

export function windowId({ seconds, hits }: Window): string {
  return `${hits}_in_${seconds}s`;
}

/**
 * How many hits one packet may record, at most, as far as the flood guard allows for them: where LOG and DROP both update
 * behind a `--set`, it is three. Rules that no packet meets together count too, so there is an end to it.
 */
export function touchesOfOnePacket({ uses }: ListUsage): number {
  const touching = uses.filter(({ operation }) => operation === "set" || operation === "update").length;
  return Math.min(Math.max(touching, 2), 6);
}

/** How much longer than by xt_recent a flooding host may stay blocked, in seconds, by a list that is no fused group; 0 without a ring. */
export function longestMuteOf(usage: ListUsage, form: ListForm): number {
  const rings = windowsOf(usage, form).filter((window) => !form.asLimit(window));
  return Math.max(0, ...rings.map(({ hits }) => longestMute(hits, touchesOfOnePacket(usage))));
}

/**
 * Bytes of kernel memory that an element of a set with timeouts takes, with its share of the table (measured on Linux 6.18,
 * `npm run bench -- memory`); one with a limit takes some 100 more.
 */
export const elementBytes: Readonly<Record<Family, number>> = { ipv4: 90, ipv6: 130 };
