/** Long windows made short, in the dumps' text and so in both firewalls alike. */

import { recollectionOf } from "../extensions/described.js";
import { recentUsesOf } from "../extensions/matches/recent.js";
import type { IptablesRuleset, OptionUse } from "../iptables/ast.js";
import type { Source } from "../translate.js";

/** Hits a second that a window may ask for at most: hosts that try more often are treated specially. */
const hitsPerSecond = 12;

/** Limits with at least so many seconds for a unit are slow enough. */
const slowUnit = 3600;

export interface Scaled {
  readonly sources: readonly Source[];
  readonly notes: readonly string[];
}

/**
 * Windows of `recent` become as many seconds as their order and hit counts allow: 1, 2, 3 … instead of 60, 600, 86400.
 * Limits get a rate so slow that only their burst counts, whatever the moment a packet comes, or are kept.
 * @param rulesets what the sources were read as
 */
export function scale(sources: readonly Source[], rulesets: readonly IptablesRuleset[], rates: "slowed" | "kept" = "slowed"): Scaled {
  const rules = rulesets.flatMap(({ family, tables }) =>
    tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules.map((rule) => ({ family, rule })))),
  );
  const changes: Change[] = [];
  const uses = rules.flatMap(({ family, rule }) => recentUsesOf(rule, family));
  const windows = scaledWindows(uses);
  for (const { use, seconds } of uses) {
    const shorter = seconds === undefined ? undefined : windows.get(seconds);
    if (shorter !== undefined && shorter !== seconds) changes.push({ option: use.options["seconds"]!, value: String(shorter) });
  }
  const notes = [...windows].filter(([from, to]) => from !== to).map(([from, to]) => `--seconds ${from} is ${to} in both firewalls`);
  const limits = rules
    .flatMap(({ rule }) => rule.matches)
    .flatMap((use): Change[] => {
      const recollection = recollectionOf(use);
      if (rates === "kept" || recollection?.kind !== "bucket" || recollection.rate === undefined || recollection.rate.seconds >= slowUnit)
        return [];
      return [{ option: use.options[recollection.rate.option]!, value: `${recollection.rate.packets}/hour` }];
    });
  if (limits.length > 0) notes.push("limits per second or minute are limits per hour in both firewalls, so that their burst alone counts");
  return { sources: rewritten(sources, [...changes, ...limits]), notes };
}

/** Seconds as they were → as they become; never longer, in the same order. */
function scaledWindows(uses: readonly { readonly seconds: number | undefined; readonly hits: number }[]): Map<number, number> {
  const hits = new Map<number, number>();
  for (const { seconds, hits: count } of uses) if (seconds !== undefined) hits.set(seconds, Math.max(hits.get(seconds) ?? 1, count));
  const scaled = new Map<number, number>();
  let last = 0;
  for (const seconds of [...hits.keys()].sort((a, b) => a - b)) {
    last = Math.min(seconds, Math.max(last + 1, Math.ceil(hits.get(seconds)! / hitsPerSecond)));
    scaled.set(seconds, last);
  }
  return scaled;
}

/** An option that gets another argument. */
interface Change {
  readonly option: OptionUse<unknown>;
  readonly value: string;
}

/** The sources with each option written anew in its place, by its full name. */
function rewritten(sources: readonly Source[], changes: readonly Change[]): Source[] {
  const byLine = new Map<string, Map<number, Change>>();
  for (const change of changes) {
    const { file, line, column } = change.option.span;
    const key = `${file}:${line}`;
    // The rules of a line with several addresses share their options.
    byLine.set(key, (byLine.get(key) ?? new Map<number, Change>()).set(column, change));
  }
  return sources.map((source) => ({
    ...source,
    text: source.text
      .split("\n")
      .map((line, index) => {
        const found = byLine.get(`${source.file}:${index + 1}`);
        return found === undefined ? line : [...found.values()].sort(fromRight).reduce(withChange, line);
      })
      .join("\n"),
  }));
}

const fromRight = (a: Change, b: Change): number => b.option.span.column - a.option.span.column;

function withChange(line: string, { option: { name, span }, value }: Change): string {
  const start = span.column - 1;
  const written = line.slice(start, start + span.length);
  // The old form of an inversion stands behind the option.
  const inversion = /^\S+\s+!\s/u.test(written) ? "! " : "";
  return `${line.slice(0, start)}--${name} ${inversion}${value}${line.slice(start + span.length)}`;
}
