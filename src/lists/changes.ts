/** Changes of lists, as commands for their sets: after them the rules decide as xt_recent does after the same change. */

import { indexOf, merged, readAddress } from "./hosts.js";
import type { List, ListSide } from "./lists.js";
import { formatAddress } from "../extensions/values/address.js";
import type { SetCommand, SetElement, TableName } from "../nft/set-commands.js";
import { hostElements } from "../rewrite/recent/host-elements.js";
import { Failure } from "../failure.js";
import { familyWords, quoted } from "./words.js";

/** What belongs into one transaction. */
export interface TableChange {
  readonly table: TableName;
  readonly commands: readonly SetCommand[];
}

/** A host as it is to be. */
export interface HostState {
  readonly address: string;
  /** Milliseconds since each hit of which the time is known. */
  readonly ages: readonly number[];
  /** All hits, those without a time among them. */
  readonly count: number;
  readonly ttl: number;
}

/** Keeps a list from growing beyond what any form of it looks at. */
const mostHits = 255;

/** Older than any window that a rule can have. */
const longAgo = Number.MAX_SAFE_INTEGER;

/** The commands after which a host is on the list as it is to be, whatever of it was there. */
export function putHost(side: ListSide, { address, ages, count, ttl }: HostState): SetCommand[] {
  const known = newest(ages);
  const timeless = Array.from({ length: Math.min(mostHits, count) - known.length }, () => longAgo);
  const elements = side.stores.flatMap(({ store }): readonly SetElement[] => {
    const isKept = (store.kind === "seen" || store.kind === "count" || store.kind === "ttl") && store.time === undefined;
    // What is kept from the last hit on: all hits are there as long as the last one is.
    const isCounted = store.kind === "count" && store.time !== undefined;
    const hits = isKept ? [...known, ...timeless] : isCounted && known.length > 0 ? [...known, ...timeless].map(() => known[0]!) : known;
    return hostElements([store], { address, ages: hits, ttl }).filter(({ set }) => side.sets.has(set));
  });
  const guards = new Set(side.stores.flatMap((store) => store.guards));
  const cleared = unique([...elementsOf(side, address).filter(({ set }) => !guards.has(set)), ...elements.map(bare)]);
  return [...clearing(cleared), ...(elements.length > 0 ? [{ kind: "add" as const, elements }] : [])];
}

/**
 * The commands after which a host is on no set of the list.
 * @param everywhere also where it is not now, but a packet may bring it meanwhile; such a command fails where a set is full
 */
export function takeHost(side: ListSide, address: string, everywhere = true): SetCommand[] {
  const present = elementsOf(side, address);
  const plain = [...side.sets.values()].filter(({ type }) => !type.includes(" . ")).map(({ name }) => ({ set: name, address }));
  const elements = everywhere ? unique([...present, ...plain]) : present;
  return everywhere ? clearing(elements) : elements.length === 0 ? [] : [{ kind: "delete", elements }];
}

/** The commands that empty a list. */
export function clearList({ sides }: List): TableChange[] {
  return sides.map(({ table, sets }) => ({ table, commands: [...sets.keys()].map((set) => ({ kind: "flush", set })) }));
}

/** Adding a living element changes nothing before Linux 6.12, and deleting what has just gone fails: so each is added and deleted. */
function clearing(elements: readonly SetElement[]): SetCommand[] {
  return elements.length === 0
    ? []
    : [
        { kind: "add", elements },
        { kind: "delete", elements },
      ];
}

function elementsOf(side: ListSide, address: string): SetElement[] {
  return [...indexOf(side)].flatMap(([set, hosts]) =>
    (hosts.get(address) ?? []).map(({ key }) => ({ set, address, ...(key[1] !== undefined && { digit: Number(key[1]) }) })),
  );
}

const bare = ({ set, address, digit }: SetElement): SetElement => ({ set, address, ...(digit !== undefined && { digit }) });

function unique(elements: readonly SetElement[]): SetElement[] {
  const found = new Map(elements.map((element) => [`${element.set} ${element.digit ?? ""} ${element.address}`, element]));
  return [...found.values()];
}

/** The host after one more hit. */
export function withHits(host: HostState | undefined, address: string, hits: number): HostState {
  const now = Array.from({ length: hits }, () => 0);
  return { address, ages: [...now, ...(host?.ages ?? [])], count: hits + (host?.count ?? 0), ttl: host?.ttl ?? 0 };
}

/** The host with hits that are known from elsewhere, beside those that the list holds. */
export function joined(host: HostState | undefined, other: HostState): HostState {
  const ages = merged(newest(other.ages), newest(host?.ages ?? []));
  return {
    ...other,
    ages,
    count: Math.max(ages.length, other.count, host?.count ?? 0),
    ttl: other.ttl === 0 ? (host?.ttl ?? 0) : other.ttl,
  };
}

const newest = (ages: readonly number[]): number[] => [...ages].sort((a, b) => a - b).slice(0, mostHits);

/** Where an address belongs on a list. */
export interface Place {
  readonly side: ListSide;
  /** As the sets hold it. */
  readonly address: string;
  /** The list's mask has taken bits away. */
  readonly masked: boolean;
}

/**
 * Where the list keeps a host, by its mask unless `asWritten`, as the kernel's file takes addresses. Throws a Failure for what is no
 * address, for networks, and for a family that the list has no rules for.
 */
export function placeOf(list: List, text: string, asWritten = false): Place {
  if (text.includes("/"))
    throw new Failure(`${quoted(text)} is a network, and lists hold hosts: a set without intervals would take it for one of them`);
  const address = readAddress(text);
  if (!address) throw new Failure(`${quoted(text)} is no address`);
  const side = list.sides.find(({ family }) => family === address.family);
  if (!side) throw new Failure(`the list ${quoted(list.name)} has no rules for ${familyWords[address.family]}`);
  if (side.mask === undefined && !asWritten)
    throw new Failure(
      `the mask of the list ${quoted(list.name)} is too long for the label of a set: give the masked address to "lists write"`,
    );
  const value = asWritten ? address.value : address.value & side.mask!;
  return { side, address: formatAddress(value, address.family), masked: value !== address.value };
}

/** Hits after which a host is over every limit of the list. */
export function hitsOverLimit(side: ListSide): number {
  return Math.max(1, ...side.stores.flatMap(({ question }) => (question ? [question.hits] : [])));
}
