/** The lists of a loaded table: which sets are whose, by their labels, and what they are asked. */

import { addressBits, parseAddress, prefixMask } from "../extensions/values/address.js";
import type { Family } from "../iptables/ast.js";
import type { TableName } from "../nft/set-commands.js";
import type { HostStore, TtlStore } from "../rewrite/recent/host-stores.js";
import { tick } from "../rewrite/recent/window.js";
import { readLabel, type HitForm, type ReadLabel } from "../rewrite/recent/set-label.js";
import type { ListedSet } from "./listing.js";

/** What the rules ask of a list. */
export interface Question {
  /** Hits in the window; 1 for "was it seen". */
  readonly hits: number;
  /** Undefined: at any time. */
  readonly seconds: number | undefined;
  /** Hits of a packet itself that the rules count with those before it. */
  readonly own: number;
  readonly form: HitForm | "seen" | "count";
}

export interface ListStore {
  /** Undefined for the TTL of a host's last hit, which is part of other questions. */
  readonly question: Question | undefined;
  readonly store: HostStore;
  /** Sets of elements that guard against floods, and are not made by hand. */
  readonly guards: readonly string[];
  /** The one of them that says that a host was over the limit until a quarter of a second from when it was written. */
  readonly flood?: string | undefined;
}

/** The part of a list that holds the hosts of one family. */
export interface ListSide {
  readonly family: Family;
  readonly table: TableName;
  /** Undefined where the label of the list does not hold it. */
  readonly mask: bigint | undefined;
  readonly stores: readonly ListStore[];
  readonly sets: ReadonlyMap<string, ListedSet>;
}

export interface List {
  /** As in the rules, or its beginning. */
  readonly name: string;
  /** By which lists are told apart. */
  readonly key: string;
  readonly sides: readonly ListSide[];
}

export interface LoadedTable {
  readonly table: TableName;
  readonly sets: readonly ListedSet[];
}

export interface Loaded {
  readonly lists: readonly List[];
  /** Sets that belong to no list. */
  readonly others: readonly { readonly table: TableName; readonly set: ListedSet }[];
  /** Sets of lists that hold a label which cannot be read, or lack others of theirs. */
  readonly unreadable: readonly string[];
}

interface Labelled {
  readonly label: ReadLabel;
  readonly set: ListedSet;
}

/** Finds the lists. `labels` are those of a script, which count before the comments of the sets. */
export function findLists(tables: readonly LoadedTable[], labels: ReadonlyMap<string, string> = new Map()): Loaded {
  const lists = new Map<string, { name: string; key: string; sides: ListSide[] }>();
  const others: { table: TableName; set: ListedSet }[] = [];
  const unreadable: string[] = [];
  for (const { table, sets } of tables) {
    const sides = new Map<string, Labelled[]>();
    for (const set of sets) {
      const text = labels.get(`${table.family} ${table.name} ${set.name}`) ?? set.comment;
      const label = text === undefined ? undefined : readLabel(text);
      if (label === undefined) others.push({ table, set });
      else push(sides, `${familyOf(set, table)} ${label.key}`, { label, set });
    }
    for (const labelled of sides.values()) {
      const { key, list: name } = labelled[0]!.label;
      const side = sideOf(table, labelled, unreadable);
      const list = lists.get(key) ?? { name, key, sides: [] };
      list.sides.push(side);
      lists.set(key, list);
    }
  }
  const byName = [...lists.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { lists: byName, others, unreadable };
}

function push<Item>(map: Map<string, Item[]>, key: string, item: Item): void {
  const items = map.get(key);
  if (items) items.push(item);
  else map.set(key, [item]);
}

function familyOf({ type }: ListedSet, { family }: TableName): Family {
  if (family !== "inet") return family === "ip" ? "ipv4" : "ipv6";
  return /^ip6|^ipv6_addr/.test(type) ? "ipv6" : "ipv4";
}

function sideOf(table: TableName, labelled: readonly Labelled[], unreadable: string[]): ListSide {
  const family = familyOf(labelled[0]!.set, table);
  const sets = new Map(labelled.map(({ set }) => [set.name, set]));
  const masks = labelled.flatMap(({ label }) => label.mask ?? []);
  const groups = new Map<string, Labelled[]>();
  for (const one of labelled) push(groups, `${kindOf(one.label)} ${one.label.number}`, one);
  const stores = [...groups].flatMap(([id, group]): ListStore[] => {
    const store = storeOf(id.split(" ")[0] as StoreKind, group);
    if (!store) unreadable.push(...group.map(({ set }) => set.name));
    return store ? [store] : [];
  });
  return { family, table, mask: readMask(masks[0], family), stores, sets };
}

function readMask(text: string | undefined, family: Family): bigint | undefined {
  if (text === undefined) return prefixMask(addressBits[family], family);
  if (/^[0-9]+$/.test(text)) return Number(text) <= addressBits[family] ? prefixMask(Number(text), family) : undefined;
  return parseAddress(text, family);
}

type StoreKind = "recent" | "seen" | "count" | "hits" | "ttl" | "kept-ttl";

function kindOf({ role }: ReadLabel): StoreKind {
  if (role === "recent" || role === "seen" || role === "count") return role;
  if (role.startsWith("ttl-")) return "ttl";
  return role.startsWith("kept-ttl-") ? "kept-ttl" : "hits";
}

/** Undefined where a set is missing, or its label. */
function storeOf(kind: StoreKind, group: readonly Labelled[]): ListStore | undefined {
  const named = (role: ReadLabel["role"]): Labelled | undefined => group.find(({ label }) => label.role === role);
  /** All sets of a role by their index; undefined where one is missing. */
  const row = (role: ReadLabel["role"]): string[] | undefined => {
    const found = group.filter(({ label }) => label.role === role).sort((a, b) => a.label.index! - b.label.index!);
    return found.every(({ label }, index) => label.index === index) ? found.map(({ set }) => set.name) : undefined;
  };
  switch (kind) {
    case "recent":
    case "seen": {
      const { set, label } = group[0]!;
      if (kind === "recent" && label.details?.seconds === undefined) return undefined;
      const question: Question = { hits: 1, seconds: kind === "recent" ? label.details?.seconds : undefined, own: 0, form: "seen" };
      return { question, store: { kind: "seen", set: set.name, time: set.timeout }, guards: [] };
    }
    case "count": {
      const sets = row("count");
      if (!sets) return undefined;
      const question: Question = { hits: sets.length, seconds: undefined, own: 0, form: "count" };
      return { question, store: { kind: "count", sets, time: group[0]!.set.timeout }, guards: [] };
    }
    case "ttl":
    case "kept-ttl": {
      const [known, rate, low, high, bits] = [
        named(`${kind}-known`),
        named(`${kind}-rate`),
        named(`${kind}-low`),
        named(`${kind}-high`),
        row(`${kind}-bit`),
      ];
      const pieces =
        low && high
          ? { kind: "digits" as const, low: low.set.name, high: high.set.name }
          : bits?.length === 8
            ? { kind: "bits" as const, bits }
            : undefined;
      const piece = low ?? group.find(({ label }) => label.role === `${kind}-bit`);
      if (!piece || !pieces) return undefined;
      // A script whose rules never record a hit has no use for the others.
      const others = { known: known?.set.name ?? absent, rate: rate?.set.name ?? absent };
      const time = piece.set.timeout === undefined ? undefined : piece.set.timeout - tick;
      const header = known?.label.details?.header ?? "as received";
      const store: TtlStore = { kind: "ttl", pieces, ...others, header, time };
      return { question: undefined, store, guards: [others.rate] };
    }
    case "hits":
      return hitStore(named, row);
  }
}

/** The name of a set that is not there: no set of nft has it. */
const absent = "";

function hitStore(
  named: (role: ReadLabel["role"]) => Labelled | undefined,
  row: (role: ReadLabel["role"]) => string[] | undefined,
): ListStore | undefined {
  const [banned, busy, tokens] = [named("banned"), named("busy"), named("tokens")];
  const passed = row("passed");
  const head = (banned ?? busy ?? named("passed"))?.label.details;
  if (!passed || head?.hits === undefined || head.seconds === undefined || head.form === undefined) return undefined;
  const { hits, seconds, own = 0, form } = head;
  const question: Question = { hits, seconds, own, form };
  const window = { hits, seconds };
  const ban = banned && { banned: banned.set.name, exact: form === "ban" };
  if (form === "limit") {
    if (!banned || !tokens) return undefined;
    return { question, store: { kind: "limit", window, tokens: tokens.set.name, banned: banned.set.name }, guards: [] };
  }
  if (!busy) return passed.length === 0 ? undefined : { question, store: { kind: "timers", window, passed, ban }, guards: [] };
  const [few, hit, turn] = [row("few"), row("hit"), row("turn")];
  if (!few || !hit || !turn || hit.length === 0) return undefined;
  const guards = (["pass", "rate", "flood", "mute"] as const).flatMap((role) => named(role)?.set.name ?? []);
  const ring = { kind: "ring", window, most: hits - own, few, busy: busy.set.name, hit, turn, ban, guards } as const;
  return { question, store: ring, guards, flood: named("flood")?.set.name };
}

/** The questions of a list, each once. */
export function questionsOf({ sides }: List): Question[] {
  const questions = new Map<string, Question>();
  for (const { stores } of sides) for (const { question } of stores) if (question) questions.set(questionKey(question), question);
  return [...questions.values()];
}

export const questionKey = ({ hits, seconds, own, form }: Question): string => `${hits}/${seconds ?? "ever"}/${own}/${form}`;
