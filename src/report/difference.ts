/** What two texts differ in, as `diff -u` shows it. */

import { diffArrays, FILE_HEADERS_ONLY, formatPatch, structuredPatch } from "diff";
import { painter } from "./paint.js";
import { visibleScript } from "./visible.js";

/** Lines around a difference. */
const context = 3;

/** Inserted and deleted lines up to which the shortest difference is searched for; the time goes with their square. */
const mostEdits = 1_000;

/** A unified diff, empty if the texts are equal. The names stand in its head. */
export function difference(beforeName: string, before: string, afterName: string, after: string): string {
  if (before === after) return "";
  const patch = structuredPatch(beforeName, afterName, before, after, undefined, undefined, { context, maxEditLength: mostEdits }) ?? {
    ...structuredPatch(beforeName, afterName, "", ""),
    hunks: [middle(before.split(/(?<=\n)/), after.split(/(?<=\n)/))],
  };
  return formatPatch(patch, FILE_HEADERS_ONLY);
}

/** A stretch of words that both texts have, or one of them. */
export interface WordPart {
  readonly text: string;
  readonly in: "both" | "before" | "after";
}

/** What two short texts differ in, by their words. */
export function wordDifference(before: string, after: string): readonly WordPart[] {
  return diffArrays(words(before), words(after)).map(({ value, added, removed }) => ({
    text: value.join(""),
    in: added ? "after" : removed ? "before" : "both",
  }));
}

/** Each with the blanks behind it. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/** All between the first and the last line that differ, as one hunk. */
function middle(before: readonly string[], after: readonly string[]): ReturnType<typeof structuredPatch>["hunks"][number] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const removed = before.slice(head, before.length - tail);
  const added = after.slice(head, after.length - tail);
  return {
    oldStart: head + 1,
    oldLines: removed.length,
    newStart: head + 1,
    newLines: added.length,
    lines: [...removed.flatMap((line) => marked("-", line)), ...added.flatMap((line) => marked("+", line))],
  };
}

function marked(sign: string, line: string): string[] {
  return line.endsWith("\n") ? [sign + line.slice(0, -1)] : [sign + line, "\\ No newline at end of file"];
}

const styles = { head: "1", place: "36", removed: "31", added: "32" } as const;
const headLines = 2;

/** By the first character of a line below the head. */
const parts: Readonly<Record<string, keyof typeof styles>> = { "@": "place", "-": "removed", "+": "added" };

/** The diff for a terminal, at most so many lines of it; a last line tells how many are left out. */
export function renderDifference(text: string, { color, lines: most }: { readonly color: boolean; readonly lines: number }): string {
  const paint = painter(color, styles);
  const lines = text.trimEnd().split("\n");
  const shown = lines.slice(0, most).map((line, index) => {
    const part = index < headLines ? "head" : parts[line.slice(0, 1)];
    return part === undefined ? visibleScript(line) : paint(visibleScript(line), part);
  });
  if (lines.length > most) shown.push(`… and ${lines.length - most} more lines`);
  return shown.map((line) => `${line}\n`).join("");
}
