/** Lists in words. */

import type { Family } from "../iptables/ast.js";
import { visible } from "../report/visible.js";
import type { Answer, Host } from "./hosts.js";
import type { List, Question } from "./lists.js";

/** What a rule asks, for a reader who knows iptables. */
export function questionWords({ hits, seconds, own, form }: Question): string {
  if (form === "seen") return seconds === undefined ? "ever seen" : `seen in ${secondsWords(seconds)}`;
  const window = seconds === undefined ? "at any time" : `in ${secondsWords(seconds)}`;
  return `${hits} hits ${window}${own > 0 ? ", its own packet's included" : ""}${formWords[form]}`;
}

const formWords: Readonly<Record<Exclude<Question["form"], "seen">, string>> = {
  ring: "",
  timers: "",
  ban: "",
  count: "",
  "short-ban": ", then a ban until it is silent for that long",
  limit: " as a rate, then a ban until it is silent for that long",
};

/** Seconds as people say them. */
export function secondsWords(seconds: number): string {
  for (const [unit, length] of [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
  ] as const) {
    if (seconds >= 2 * length && seconds % length === 0) return `${seconds / length} ${unit}`;
  }
  return `${seconds} s`;
}

/** Milliseconds: to a tenth of a second below two minutes. */
export function timeWords(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [Math.floor(seconds) % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** Whether a list is asked for a number of hits: its hosts can be over a limit. */
export function isLimit({ hits }: Question): boolean {
  return hits > 1;
}

/** The answers that say that a host is over a limit. */
export function overLimit({ answers }: Host): Answer[] {
  return answers.filter(({ question, holds }) => holds && isLimit(question));
}

/** Milliseconds until a host is over no limit; undefined where it is over none, or nothing ends it. */
export function freeIn(host: Host): number | undefined {
  const times = overLimit(host).map((answer) => answer.freeIn);
  return times.length === 0 || times.includes(undefined) ? undefined : Math.max(...(times as number[]));
}

/** When a host was seen last. */
export function lastSeenWords({ ages }: Host): string {
  return ages.length === 0 ? "unknown" : `${timeWords(ages[0]!)} ago`;
}

/** Whether a host is over a limit and when that ends, or what else the list says of it. */
export function stateWords(host: Host): string {
  const over = overLimit(host);
  if (over.length > 0) {
    const time = freeIn(host);
    return time === undefined ? "over the limit" : `over the limit, free in ${timeWords(time)}`;
  }
  if (host.answers.some(({ question }) => isLimit(question))) return "under the limit";
  const times = host.answers.filter(({ holds }) => holds).map((answer) => answer.freeIn);
  if (times.length === 0) return "old";
  return times.includes(undefined) ? "on the list" : `on the list for ${timeWords(Math.max(...(times as number[])))}`;
}

/** The hits of a host in each window that the rules ask for. */
export function hitsWords({ answers }: Host): string {
  return answers
    .filter(({ question }) => isLimit(question) || question.seconds === undefined)
    .map(({ question, hits }) => (question.seconds === undefined ? `${hits}` : `${hits} in ${secondsWords(question.seconds)}`))
    .join(", ");
}

/** Characters of a word of others that are shown. */
const mostShown = 200;

/** A word that somebody gave, in quotes: its beginning, without what moves a cursor or hides. */
export const quoted = (word: string): string => `"${visible(word.slice(0, mostShown))}"`;

export const familyWords: Readonly<Record<Family, string>> = { ipv4: "IPv4", ipv6: "IPv6" };

/** The families of hosts that a list can hold. */
export function familiesOf({ sides }: List): string {
  return sides.map(({ family }) => familyWords[family]).join(", ");
}
