/** The lists as they were read last: many may ask at once, and a table of 100,000 hosts takes seconds to read. */

import { hostsOf, type Host } from "../../../../lists/hosts.js";
import { listJson } from "../../../../lists/render.js";
import { overLimit } from "../../../../lists/words.js";
import type { Reading } from "../kernel.js";

export interface ListedHost {
  readonly list: string;
  readonly host: Host;
  readonly over: boolean;
}

export interface Snapshot {
  readonly reading: Reading;
  readonly hosts: readonly ListedHost[];
}

/** Milliseconds for which a reading serves. */
const usualAge = 1000;

export class State {
  private snapshot: Snapshot | undefined;
  private pending: Promise<Snapshot> | undefined;
  /** Milliseconds that the last reading took. */
  private took = 0;

  constructor(private readonly readTable: () => Promise<Reading>) {}

  /** A reading that is young, or as young as it can be without reading all the time. */
  async recent(): Promise<Snapshot> {
    const { snapshot } = this;
    if (snapshot && performance.now() - snapshot.reading.at < Math.max(usualAge, 4 * this.took)) return snapshot;
    return this.fresh();
  }

  fresh(): Promise<Snapshot> {
    this.pending ??= this.read().finally(() => (this.pending = undefined));
    return this.pending;
  }

  /** What was read before a change is no more. */
  forget(): void {
    this.snapshot = undefined;
    this.pending = undefined;
  }

  /** Milliseconds between two looks of a watcher. */
  get interval(): number {
    return Math.max(2000, 5 * this.took);
  }

  private async read(): Promise<Snapshot> {
    const start = performance.now();
    const reading = await this.readTable();
    const hosts = reading.lists.flatMap((list) =>
      hostsOf(list).map((host) => ({ list: list.name, host, over: overLimit(host).length > 0 })),
    );
    this.took = performance.now() - start;
    return (this.snapshot = { reading, hosts });
  }
}

/** What the page shows of each list. */
export function overviewOf({ reading, hosts }: Snapshot): unknown[] {
  const counts = new Map<string, { hosts: number; over: number }>();
  for (const { list, over } of hosts) {
    const count = counts.get(list) ?? { hosts: 0, over: 0 };
    count.hosts += 1;
    if (over) count.over += 1;
    counts.set(list, count);
  }
  return reading.lists.map((list) => ({ ...listJson(list), ...(counts.get(list.name) ?? { hosts: 0, over: 0 }) }));
}

export interface Search {
  /** Undefined: all lists. */
  readonly list: string | undefined;
  /** A part of an address, or of a list's name where all are searched. */
  readonly words: string;
  readonly overOnly: boolean;
  readonly page: number;
  readonly size: number;
}

export function searchHosts(
  { hosts }: Snapshot,
  { list, words, overOnly, page, size }: Search,
): { readonly total: number; readonly page: number; readonly hosts: readonly ListedHost[] } {
  const wanted = words.toLowerCase();
  const found = hosts.filter(
    ({ list: name, host, over }) =>
      (list === undefined || name === list) &&
      (!overOnly || over) &&
      (wanted === "" || host.address.includes(wanted) || (list === undefined && name.toLowerCase().includes(wanted))),
  );
  const last = Math.max(0, Math.ceil(found.length / size) - 1);
  const shown = Math.min(page, last);
  return { total: found.length, page: shown, hosts: found.slice(shown * size, (shown + 1) * size) };
}
