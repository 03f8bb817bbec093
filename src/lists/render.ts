/** Lists as text and as JSON. */

import { visible } from "../report/visible.js";
import { hostsOf, type Host } from "./hosts.js";
import { questionsOf, type List } from "./lists.js";
import { familiesOf, freeIn, hitsWords, lastSeenWords, overLimit, questionWords, stateWords } from "./words.js";

/** Columns of words, with two blanks between them. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((word, column) => word.padEnd(widths[column]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** All lists, a line each. */
export function overviewText(lists: readonly List[]): string {
  const rows = lists.map((list) => {
    const hosts = hostsOf(list);
    return [
      visible(list.name),
      familiesOf(list),
      String(hosts.length),
      String(hosts.filter((host) => overLimit(host).length > 0).length),
      questionsOf(list).map(questionWords).join("; "),
    ];
  });
  return columns([["LIST", "FAMILY", "HOSTS", "OVER", "RULES ASK"], ...rows]);
}

/** The hosts of a list. */
export function listText(list: List, hosts: readonly Host[]): string {
  const asked = questionsOf(list)
    .map((question) => `${questionWords(question)}\n`)
    .join("");
  if (hosts.length === 0) return `${asked}No host is on the list.\n`;
  const rows = hosts.map((host) => [host.address, lastSeenWords(host), hitsWords(host), stateWords(host)]);
  return `${asked}${columns([["ADDRESS", "LAST SEEN", "HITS", "STATE"], ...rows])}`;
}

/** All that is known of a list but for its hosts. */
export function listJson(list: List): Record<string, unknown> {
  return {
    name: list.name,
    families: list.sides.map(({ family }) => family),
    questions: questionsOf(list).map((question) => ({ ...question, words: questionWords(question) })),
  };
}

/** Times in milliseconds, `null` for what has no end or is not known. */
export function hostJson(host: Host): Record<string, unknown> {
  const { address, family, ages, count, ttl, answers } = host;
  return {
    address,
    family,
    hits: count,
    ages: ages.map(Math.round),
    ...(ttl !== undefined && { ttl }),
    over: overLimit(host).length > 0,
    freeIn: rounded(freeIn(host)),
    state: stateWords(host),
    answers: answers.map(({ question: { hits, seconds }, ...answer }) => ({
      hits,
      seconds: seconds ?? null,
      hitsNow: answer.hits,
      holds: answer.holds,
      freeIn: rounded(answer.freeIn),
    })),
  };
}

const rounded = (time: number | undefined): number | null => (time === undefined ? null : Math.round(time));
