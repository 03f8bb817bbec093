/** What comes and goes on the lists. Rules that add to sets tell nobody, so the table is looked at again and again. */

import { setTimeout as sleep } from "node:timers/promises";

import { hostsOf, type Host } from "../../../lists/hosts.js";
import { hostJson } from "../../../lists/render.js";
import { visible, visibleJson } from "../../../report/visible.js";
import { freeIn, overLimit, timeWords } from "../../../lists/words.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { withInterruption, Interrupted } from "../../interruption.js";
import type { ListsAction, ListsSettings } from "./options.js";
import { withLists } from "./kernel.js";

export type Event = "came" | "hit" | "over" | "under" | "gone";

interface Seen {
  readonly list: string;
  readonly host: Host;
}

export interface ListEvent extends Seen {
  readonly event: Event;
}

/** What differs between two looks at the lists. */
export function eventsBetween(before: ReadonlyMap<string, Seen>, after: ReadonlyMap<string, Seen>, passed: number): ListEvent[] {
  const events: ListEvent[] = [];
  for (const [key, seen] of after) {
    const old = before.get(key)?.host;
    const over = overLimit(seen.host).length > 0;
    if (!old) events.push({ event: "came", ...seen });
    else if (isNewer(old, seen.host, passed)) events.push({ event: "hit", ...seen });
    const wasOver = old !== undefined && overLimit(old).length > 0;
    if (over !== wasOver) events.push({ event: over ? "over" : "under", ...seen });
  }
  for (const [key, seen] of before) if (!after.has(key)) events.push({ event: "gone", ...seen });
  return events;
}

/** Whether the newest hit is younger than the old one is by now; listing takes some time. */
function isNewer(old: Host, now: Host, passed: number): boolean {
  if (now.count > old.count && now.ages.length === 0) return true;
  return (now.ages[0] ?? Infinity) < (old.ages[0] ?? Infinity) + passed - 50;
}

const looked = (seen: readonly Seen[]): Map<string, Seen> => new Map(seen.map((one) => [`${one.list} ${one.host.address}`, one]));

export async function watch(
  settings: ListsSettings,
  { format, interval }: Extract<ListsAction, { readonly kind: "watch" }>,
  surroundings: Surroundings,
): Promise<ExitStatus> {
  const look = async () => {
    const { lists, at } = await withLists(settings);
    return { at, seen: looked(lists.flatMap((list) => hostsOf(list).map((host) => ({ list: list.name, host })))) };
  };
  try {
    return await withInterruption(async (signal) => {
      let before = await look();
      for (;;) {
        await sleep(interval * 1000, undefined, { signal }).catch(() => undefined);
        signal.throwIfAborted();
        const after = await look();
        const events = eventsBetween(before.seen, after.seen, after.at - before.at);
        before = after;
        const lines = events.map((event) => (format === "text" ? eventText(event) : eventJson(event)));
        if (lines.length > 0) await surroundings.writeOutput(lines.join(""));
      }
    });
  } catch (error) {
    // The only way to end it.
    if (error instanceof Interrupted) return 0;
    throw error;
  }
}

const signs: Readonly<Record<Event, string>> = {
  came: "+ came",
  hit: "  hit",
  over: "! over the limit",
  under: "  under the limit",
  gone: "- gone",
};

function eventText({ event, list, host }: ListEvent): string {
  const time = event === "over" ? freeIn(host) : undefined;
  const until = time === undefined ? "" : `, free in ${timeWords(time)}`;
  return `${new Date().toISOString()}  ${visible(list)}  ${host.address}  ${signs[event]}${until}\n`;
}

function eventJson({ event, list, host }: ListEvent): string {
  return `${visibleJson(JSON.stringify({ at: new Date().toISOString(), event, list, ...hostJson(host) }))}\n`;
}
