/** A timeline in words, for formats without pictures. */

import type { Timeline, TimelineEvent } from "../../simulate/timeline.js";

/** A point in virtual time: `0.25 s`. */
export function secondsText(seconds: number): string {
  return `${Number(seconds.toFixed(3))} s`;
}

/** Whether the two firewalls decide the packet differently. */
export function differs({ iptables, nft }: TimelineEvent): boolean {
  return iptables !== nft;
}

/** One packet and what both make of it. */
export function eventText(event: TimelineEvent): string {
  const { at, host, packet = host, iptables, nft, why } = event;
  const decided = differs(event) ? `iptables: ${iptables}, nft: ${nft}` : `both: ${iptables}`;
  return `${secondsText(at)}  ${packet}  ${decided}${why === undefined ? "" : ` (${why})`}`;
}

/** The title and a line for each packet. */
export function timelineText({ title, events }: Timeline): string {
  return [title, ...events.map((event) => `  ${eventText(event)}`)].join("\n");
}
