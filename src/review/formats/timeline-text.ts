/** A timeline in words, for formats without pictures. */

import type { ChangeTimeline, Timeline } from "../../simulate/timeline.js";

/** Packets that two firewalls decide, or two versions of the rules. */
export interface Lanes {
  readonly title: string;
  /** What decides: "iptables" and "nft", or "old" and "new". */
  readonly names: readonly [string, string];
  readonly events: readonly LanesEvent[];
}

export interface LanesEvent {
  /** Seconds since the first packet. */
  readonly at: number;
  readonly host: string;
  readonly packet: string;
  readonly verdicts: readonly [Verdict, Verdict];
  readonly differs: boolean;
  readonly why?: string;
}

type Verdict = "accept" | "drop";

/** Both kinds of timelines, made alike. */
export function lanesOf({ title, events }: Timeline | ChangeTimeline): Lanes {
  const ofChange = events.some((event) => "old" in event);
  return {
    title,
    names: ofChange ? ["old", "new"] : ["iptables", "nft"],
    events: events.map((event) => {
      const verdicts: [Verdict, Verdict] = "old" in event ? [event.old, event.new] : [event.iptables, event.nft];
      const { at, host, packet = host, why } = event;
      return { at, host, packet, verdicts, differs: verdicts[0] !== verdicts[1], ...(why !== undefined && { why }) };
    }),
  };
}

/** A point in virtual time: `0.25 s`. */
export function secondsText(seconds: number): string {
  return `${Number(seconds.toFixed(3))} s`;
}

/** One packet and what both make of it. */
export function eventText({ at, packet, verdicts, differs, why }: LanesEvent, names: Lanes["names"]): string {
  const decided = differs ? names.map((name, index) => `${name}: ${verdicts[index]!}`).join(", ") : `both: ${verdicts[0]}`;
  return `${secondsText(at)}  ${packet}  ${decided}${why === undefined ? "" : ` (${why})`}`;
}

/** Packets that are shown at the beginning and at the end of a long timeline. */
const shownFirst = 3;
const shownLast = 12;

/** The title and a line for each packet, or for several alike in a row; of very many lines, the first and the last. */
export function timelineText(timeline: Timeline | ChangeTimeline): string {
  const { title, names, events } = lanesOf(timeline);
  const lines = runsOf(events).map((run) => `  ${runText(run, names)}`);
  const left = lines.length - shownFirst - shownLast;
  if (left > 1) lines.splice(shownFirst, left, `  … ${left} more packets`);
  return [title, ...lines].join("\n");
}

/** Packets in a row of which there is nothing to tell but that there are more. */
function runsOf(events: readonly LanesEvent[]): LanesEvent[][] {
  const runs: LanesEvent[][] = [];
  for (const event of events) {
    const [last] = runs.at(-1) ?? [];
    const isAlike =
      last?.packet === event.packet && last.verdicts.join() === event.verdicts.join() && last.why === undefined && event.why === undefined;
    if (isAlike) runs.at(-1)!.push(event);
    else runs.push([event]);
  }
  return runs;
}

function runText(run: readonly LanesEvent[], names: Lanes["names"]): string {
  const [first, last] = [run[0]!, run.at(-1)!];
  if (run.length === 1) return eventText(first, names);
  return `${secondsText(first.at)} to ${eventText({ ...last, packet: `${run.length} times ${last.packet}` }, names)}`;
}
