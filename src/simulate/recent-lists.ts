/**
 * A reference model of xt_recent in virtual time: what the kernel does, written down from measurements (Linux 6.18, HZ=250,
 * iptables 1.8.9) and not from the translation, so that the two can be compared.
 *
 * A list holds entries, one per masked address, in the order of their last touch. An entry has the TTL of its last touch and
 * a ring of stamps. Two facts decide most cases: the condition of `--rcheck` and `--update` is inverted before the side
 * effect is decided (`! --update` touches where the condition fails), and a stamp that is exactly N seconds old counts.
 */

import { recentUse, type RecentUse } from "../extensions/matches/recent.js";
import type { ExtensionUse, IptablesChain, IptablesRuleset, IptablesTable } from "../iptables/ast.js";
import { ticksPerSecond, type Flight } from "./packet.js";

interface Entry {
  readonly ttl: number;
  /** In ticks; the newest last. */
  readonly stamps: readonly number[];
}

interface List {
  readonly mask: bigint;
  /** Stamps kept for each host. */
  readonly ring: number;
  /** Ticks without a touch after which an entry is gone; `Infinity`: never, as in the kernel. */
  readonly memory: number;
  /** The least recently touched first. Entries are replaced and never changed. */
  entries: Map<bigint, Entry>;
  readonly name: string;
}

/** What all lists hold at one moment. */
export type ListsState = ReadonlyMap<string, ReadonlyMap<bigint, Entry>>;

export class RecentLists {
  private readonly lists = new Map<string, List>();
  private readonly uses = new Map<ExtensionUse, RecentUse>();
  /** Lists that hold anything: resets and copies pass over the others, which are many. */
  private readonly filled = new Set<List>();

  /**
   * @param listSize hosts that a list remembers (`ip_list_tot`); `Infinity` for lists that never forget
   * @param forgetAfter seconds without a touch after which a host is gone, or those of the list's longest window if that is longer: no
   *   option of xt_recent, but what `--forget-after` promises; `Infinity`: never
   */
  constructor(
    ruleset: IptablesRuleset,
    private readonly listSize: number,
    forgetAfter = Infinity,
  ) {
    const lists = new Map<string, { mask: bigint; ring: number; memory: number }>();
    for (const match of ruleset.tables
      .flatMap(loadOrder)
      .flatMap(({ rules }) => rules)
      .flatMap(({ matches }) => matches)) {
      if (match.extension !== "recent" || match.unknown) continue;
      const use = recentUse(match, ruleset.family);
      this.uses.set(match, use);
      const list = lists.get(use.list) ?? { mask: use.mask, ring: 1, memory: forgetAfter * ticksPerSecond };
      const memory = Math.max(list.memory, (use.seconds ?? 0) * ticksPerSecond);
      lists.set(use.list, { ...list, ring: Math.max(list.ring, ringFor(use)), memory });
    }
    for (const [name, list] of lists) this.lists.set(name, { ...list, name, entries: new Map() });
  }

  get names(): string[] {
    return [...this.lists.keys()];
  }

  useOf(match: ExtensionUse): RecentUse {
    return this.uses.get(match)!;
  }

  /** Forgets all hosts. */
  reset(): void {
    for (const list of this.filled) list.entries.clear();
    this.filled.clear();
  }

  /** Under which address a list keeps a host. */
  key(list: string, address: bigint): bigint {
    return address & this.lists.get(list)!.mask;
  }

  /** How far apart two addresses are at least that the list takes for two hosts. */
  stepOf(list: string): bigint {
    const { mask } = this.lists.get(list) ?? { mask: 1n };
    return mask & -mask || 1n;
  }

  /** The stamps of a host in ticks, the newest last; `undefined` if it is not on the list. */
  stamps(list: string, address: bigint): readonly number[] | undefined {
    const found = this.lists.get(list);
    return found?.entries.get(address & found.mask)?.stamps;
  }

  /** All stamps of a list, in ticks. */
  allStamps(list: string): number[] {
    return [...(this.lists.get(list)?.entries.values() ?? [])].flatMap(({ stamps }) => stamps);
  }

  save(): ListsState {
    return new Map([...this.filled].map(({ name, entries }) => [name, new Map(entries)]));
  }

  restore(state: ListsState): void {
    this.reset();
    for (const [name, entries] of state) {
      const list = this.lists.get(name)!;
      list.entries = new Map(entries);
      this.filled.add(list);
    }
  }

  /**
   * The state as text, the same for states that go on in the same way from `time` on.
   * @param horizon ticks after which no rule cares any more how old a stamp is
   */
  describeState(time: number, horizon: number): string {
    const parts: string[] = [];
    for (const { name, entries, memory } of this.filled) {
      const oldest = memory === Infinity ? horizon : Math.max(horizon, memory + 1);
      // Which of a list's hosts was touched last is part of the state; which list was filled first is not.
      const hosts = [...entries].map(
        ([address, { ttl, stamps }]) => `${name} ${address} ${ttl} ${stamps.map((stamp) => Math.min(time - stamp, oldest)).join(",")}`,
      );
      if (hosts.length > 0) parts.push(hosts.join("\n"));
    }
    return parts.sort().join("\n");
  }

  /** What one `-m recent` answers for a packet; records its hit. */
  ask(use: RecentUse, flight: Flight): boolean {
    const { time, ttl } = flight.packet;
    const list = this.lists.get(use.list)!;
    const address = (use.side === "saddr" ? flight.source : flight.destination) & list.mask;
    const kept = list.entries.get(address);
    const forgotten = kept !== undefined && time - kept.stamps.at(-1)! > list.memory;
    if (forgotten) list.entries.delete(address);
    const found = forgotten ? undefined : kept;
    // TTL 0 is any, in the packet and on the list.
    const entry = found && use.rttl && found.ttl !== 0 && ttl !== 0 && found.ttl !== ttl ? undefined : found;
    if (!entry) {
      if (use.operation !== "set") return use.inverted;
      if (list.entries.size >= this.listSize) list.entries.delete(list.entries.keys().next().value!);
      list.entries.set(address, { ttl, stamps: [time] });
      this.filled.add(list);
      return !use.inverted;
    }
    switch (use.operation) {
      case "set":
        touch(list, address, entry, time, ttl);
        return !use.inverted;
      case "remove":
        list.entries.delete(address);
        return !use.inverted;
      case "rcheck":
      case "update": {
        const oldest = use.seconds === undefined ? -Infinity : time - use.seconds * ticksPerSecond;
        const holds = countSince(entry.stamps, oldest) >= use.hits;
        const result = holds !== use.inverted;
        const touches = use.operation === "update" && result;
        if (use.reap) reap(list, oldest, touches ? entry : undefined);
        if (touches) touch(list, address, entry, time, ttl);
        return result;
      }
    }
  }
}

/** Stamps are in order, so the young ones are at the end. */
function countSince(stamps: readonly number[], oldest: number): number {
  let first = stamps.length;
  while (first > 0 && stamps[first - 1]! >= oldest) first -= 1;
  return stamps.length - first;
}

/** A new stamp, the packet's TTL, and the place of the most recently touched. */
function touch(list: List, address: bigint, entry: Entry, time: number, ttl: number): void {
  const kept = entry.stamps.length >= list.ring ? entry.stamps.slice(1 - list.ring || entry.stamps.length) : entry.stamps;
  list.entries.delete(address);
  list.entries.set(address, { ttl, stamps: [...kept, time] });
}

/** At most one entry goes, the least recently touched, whichever host it is of. */
function reap(list: List, oldest: number, spared: Entry | undefined): void {
  const [head] = list.entries;
  if (head && head[1] !== spared && head[1].stamps.at(-1)! < oldest) list.entries.delete(head[0]);
}

/** Stamps that the list's ring must hold for a rule: measured by filling rings and counting what is kept. */
function ringFor({ use }: RecentUse): number {
  const hits = Number(use.options["hitcount"]?.value ?? 0);
  return hits === 0 ? 32 : 2 ** Math.ceil(Math.log2(hits));
}

const builtInOrder = ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"];

/** The order in which iptables hands a table's chains to the kernel: the first rule that names a list fixes its mask. */
function loadOrder(table: IptablesTable): IptablesChain[] {
  const rank = (chain: IptablesChain): number => (chain.policy === undefined ? builtInOrder.length : builtInOrder.indexOf(chain.name));
  return [...table.chains].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
