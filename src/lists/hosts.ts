/**
 * What the sets of a list say of its hosts: the hits of each with their ages, from the time that is left to elements.
 *
 * A ban says that a host went over the limit so long ago. It is read as that many hits at that moment, after which every form of the list
 * answers as the ban does: so hosts can be carried from one form to another.
 */

import { formatAddress, parseAddress } from "../extensions/values/address.js";
import type { Family } from "../iptables/ast.js";
import { windowTime } from "../rewrite/recent/window.js";
import type { ListedElement, ListedSet } from "./listing.js";
import type { List, ListSide, ListStore, Question } from "./lists.js";

/** A host on a list. */
export interface Host {
  /** In the canonical notation. */
  readonly address: string;
  readonly family: Family;
  /** Milliseconds since each hit of which the time is known, the newest first. */
  readonly ages: readonly number[];
  /** Hits that are known, those without a time among them. */
  readonly count: number;
  /** TTL that its last hit came with; 0: any; undefined where the list does not keep it. */
  readonly ttl: number | undefined;
  readonly answers: readonly Answer[];
}

/** What a rule's question would be answered now. */
export interface Answer {
  readonly question: Question;
  /** Hits in the window. */
  readonly hits: number;
  /** The host is over the limit, or on a list that is asked for no more. */
  readonly holds: boolean;
  /** Milliseconds until that ends without another hit; undefined: never, or it does not hold. */
  readonly freeIn: number | undefined;
}

/** One tick of the kernel, and what it may round: hits so close are one that two sets hold. */
const sameHit = 8;

/** The hosts of a list, by address. */
export function hostsOf({ sides }: List): Host[] {
  return sides
    .flatMap((side) => hostsOfSide(side))
    .map((host) => ({ host, key: sortKey(host) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ host }) => host);
}

export function hostsOfSide(side: ListSide): Host[] {
  const indexed = indexOf(side);
  const addresses = new Set<string>();
  // Elements of guards alone outlive a host's hits.
  for (const { store, flood } of side.stores) {
    if (store.kind === "ttl") continue;
    for (const name of telling(store, flood)) for (const address of indexed.get(name)?.keys() ?? []) addresses.add(address);
  }
  return [...addresses].flatMap((address) => hostFrom(side, address, indexed) ?? []);
}

/** One host; undefined if it is not on the list. */
export function hostOf(side: ListSide, address: string): Host | undefined {
  return hostFrom(side, address, indexOf(side));
}

/** Elements of a side by set and host. Made once: a list of many hosts is asked for each of them. */
export function indexOf(side: ListSide): Indexed {
  let indexed = indexes.get(side);
  if (!indexed) indexes.set(side, (indexed = new Map([...side.sets].map(([name, set]) => [name, byHost(set)]))));
  return indexed;
}

const indexes = new WeakMap<ListSide, Indexed>();

export type Indexed = ReadonlyMap<string, ReadonlyMap<string, readonly ListedElement[]>>;

function byHost({ elements }: ListedSet): Map<string, ListedElement[]> {
  const hosts = new Map<string, ListedElement[]>();
  for (const element of elements) {
    const address = canonical(element.key[0]!);
    const found = hosts.get(address);
    if (found) found.push(element);
    else hosts.set(address, [element]);
  }
  return hosts;
}

/** nft writes the end of some addresses of IPv6 as one of IPv4. */
function canonical(address: string): string {
  const value = address.includes(":") && address.includes(".") ? parseAddress(address, "ipv6") : undefined;
  return value === undefined ? address : formatAddress(value, "ipv6");
}

/** Sets with an element for each host that has hits. */
function telling(store: ListStore["store"], flood: string | undefined): readonly string[] {
  switch (store.kind) {
    case "seen":
      return [store.set];
    case "count":
      return store.sets.slice(0, 1);
    case "limit":
      return [store.tokens, store.banned];
    case "timers":
      return [...store.passed, ...(store.ban ? [store.ban.banned] : [])];
    case "ring":
      return [...store.few, ...store.hit, ...(store.ban ? [store.ban.banned] : []), ...(flood === undefined ? [] : [flood])];
    case "ttl":
      return [];
  }
}

interface StoreHits {
  readonly ages: readonly number[];
  readonly count: number;
}

function hostFrom(side: ListSide, address: string, indexed: Indexed): Host | undefined {
  const ageIn = (name: string): number | undefined => {
    const element = indexed.get(name)?.get(address)?.[0];
    const timeout = element?.timeout ?? side.sets.get(name)?.timeout;
    return element?.expires === undefined || timeout === undefined ? undefined : Math.max(0, timeout - element.expires);
  };
  const has = (name: string): boolean => indexed.get(name)?.has(address) ?? false;
  const found = side.stores.map((one) => hitsIn(one, has, ageIn));
  if (found.every(({ count }) => count === 0)) return undefined;
  // The store that knows most; what only others know is added.
  const ages = [...found].sort((a, b) => b.ages.length - a.ages.length).reduce<number[]>((all, one) => merged(all, one.ages), []);
  ages.sort((a, b) => a - b);
  const answers = side.stores.flatMap((one, index) => (one.question ? [answerOf(one.question, found[index]!)] : []));
  return {
    address,
    family: side.family,
    ages,
    count: Math.max(ages.length, ...found.map(({ count }) => count)),
    ttl: ttlOf(side, address, indexed),
    answers,
  };
}

/** The hits of both, each once. */
export function merged(all: readonly number[], more: readonly number[]): number[] {
  const left = [...all];
  const added: number[] = [];
  for (const age of more) {
    const same = left.findIndex((other) => Math.abs(other - age) <= sameHit);
    if (same < 0) added.push(age);
    else left.splice(same, 1);
  }
  return [...all, ...added];
}

function hitsIn(
  { store, question, flood }: ListStore,
  has: (set: string) => boolean,
  ageIn: (set: string) => number | undefined,
): StoreHits {
  const agesIn = (sets: readonly string[]): number[] => sets.flatMap((set) => ageIn(set) ?? []);
  const repeated = (age: number | undefined): number[] => (age === undefined ? [] : Array.from({ length: question!.hits }, () => age));
  const timed = (ages: readonly number[]): StoreHits => ({ ages: [...ages].sort((a, b) => a - b), count: ages.length });
  switch (store.kind) {
    case "seen":
      return { ages: agesIn([store.set]), count: has(store.set) ? 1 : 0 };
    case "count": {
      const count = store.sets.filter(has).length;
      return { ages: agesIn(store.sets.slice(0, 1)), count };
    }
    case "limit": {
      const banned = ageIn(store.banned);
      return timed(banned === undefined ? agesIn([store.tokens]) : repeated(banned));
    }
    case "timers": {
      const passed = agesIn(store.passed);
      return timed([...passed, ...repeated(store.ban && ageIn(store.ban.banned))]);
    }
    case "ring": {
      const hits = agesIn([...store.few, ...store.hit]);
      const banned = store.ban && ageIn(store.ban.banned);
      // "Had so many hits until a quarter of a second from when this was written."
      const flooded = flood === undefined ? undefined : ageIn(flood);
      return timed([...hits, ...repeated(banned), ...(flooded === undefined ? [] : repeated(Math.max(0, flooded - 250)))]);
    }
    case "ttl":
      return { ages: [], count: 0 };
  }
}

function answerOf(question: Question, { ages, count }: StoreHits): Answer {
  const { hits, seconds, own } = question;
  const needed = Math.max(1, hits - own);
  if (seconds === undefined) return { question, hits: count, holds: count >= needed, freeIn: undefined };
  const time = windowTime(seconds);
  const living = ages.filter((age) => age < time);
  const holds = living.length >= needed;
  return { question, hits: living.length, holds, freeIn: holds ? time - living[needed - 1]! : undefined };
}

function ttlOf(side: ListSide, address: string, indexed: Indexed): number | undefined {
  for (const { store } of side.stores) {
    if (store.kind !== "ttl") continue;
    const { pieces, header } = store;
    const told = pieces.kind === "digits" ? pieces.low : store.known;
    if (!indexed.get(told)?.has(address)) continue;
    const digit = (name: string): number => Number(indexed.get(name)?.get(address)?.[0]?.key[1] ?? 0);
    const held =
      pieces.kind === "digits"
        ? digit(pieces.low) + digit(pieces.high)
        : pieces.bits.reduce((sum, name, bit) => sum + (indexed.get(name)?.has(address) ? 1 << bit : 0), 0);
    return header === "forwarded" && held > 0 ? held + 1 : held;
  }
  return undefined;
}

/** IPv4 before IPv6, and by number. */
function sortKey({ address, family }: Host): string {
  if (family === "ipv6") return `6${(parseAddress(address, family) ?? 0n).toString(16).padStart(32, "0")}`;
  return `4${address
    .split(".")
    .map((byte) => byte.padStart(3, "0"))
    .join("")}`;
}

/** An address in the notation of nft; undefined if the text is none. */
export function readAddress(text: string): { readonly family: Family; readonly value: bigint } | undefined {
  const family: Family = text.includes(":") ? "ipv6" : "ipv4";
  // Not what a resolver would make of it: `10.1` and octal numbers are somebody's mistake.
  if (family === "ipv4" && !/^(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})$/.test(text)) return undefined;
  const value = text.includes("%") ? undefined : parseAddress(text, family);
  return value === undefined ? undefined : { family, value };
}
