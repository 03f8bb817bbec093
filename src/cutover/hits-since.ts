/**
 * The hits that the new firewall has seen, for the lists of the old one when it comes back.
 *
 * The kernel's file takes a host and no time, so each becomes a hit of the moment at which it is written.
 */

import { formatAddress } from "../extensions/values/address.js";
import { labelName } from "../rewrite/recent/set-label.js";
import { hostsOf, readAddress, type Host } from "../lists/hosts.js";
import type { List } from "../lists/lists.js";

/** A list of the old firewall. */
export interface OldList {
  readonly name: string;
  /** Seconds after which a stamp counts for no rule; may be infinite. */
  readonly window: number;
  /** Hits that it had before the change, by host, as /proc/net/xt_recent prints it. */
  readonly before: ReadonlyMap<string, number>;
}

export interface Moment {
  /** Seconds for which the new firewall has decided alone. */
  readonly decided: number;
  /** Seconds since 1970. */
  readonly now: number;
  /** Hosts that a list of the kernel holds; a further one takes the place of that which was silent longest. */
  readonly mostHosts: number;
}

export interface NewHits {
  readonly list: string;
  /** In the order in which they are to be written: who was seen last comes last, and is forgotten last. */
  readonly hits: readonly NewHit[];
}

export interface NewHit {
  readonly address: string;
  /** Seconds since 1970 from which on it counts for no rule; undefined: it counts as long as it is there. */
  readonly until: number | undefined;
}

export function hitsSince(loaded: readonly List[], old: readonly OldList[], { decided, now, mostHosts }: Moment): NewHits[] {
  return old.flatMap(({ name, window, before }) => {
    const key = labelName(name);
    const list = loaded.find((one) => one.key === key);
    if (!list) return [];
    const known = new Map([...before].map(([address, hits]) => [canonical(address), hits]));
    const hosts = hostsOf(list)
      .map((host) => ({ host, ages: agesSince(host, known.get(host.address) ?? 0, decided * 1000) }))
      .filter(({ ages }) => ages.some((age) => age < window * 1000))
      .sort((a, b) => newest(b.ages) - newest(a.ages))
      .slice(-mostHosts);
    const hits = hosts.flatMap(({ host: { address }, ages }) =>
      ages
        .filter((age) => age < window * 1000)
        .map((age) => ({ address, until: window === Infinity ? undefined : Math.floor(now + window - age / 1000) })),
    );
    return hits.length === 0 ? [] : [{ list: name, hits }];
  });
}

const newest = (ages: readonly number[]): number => ages.reduce((least, age) => Math.min(least, age), Infinity);

/** Milliseconds since each hit of the time; of hits that are kept without a time those that are more than there were. */
function agesSince({ ages, count }: Host, before: number, decided: number): number[] {
  const since = ages.filter((age) => age < decided);
  const untimed = count > ages.length ? Math.max(0, count - before - since.length) : 0;
  return [...since, ...Array.from({ length: untimed }, () => 0)];
}

function canonical(address: string): string {
  const read = readAddress(address);
  return read ? formatAddress(read.value, read.family) : address;
}
