/** What two texts differ in, as `diff -u` shows it. */

import { FILE_HEADERS_ONLY, formatPatch, structuredPatch } from "diff";
import { visibleScript } from "./visible.js";

/** Lines around a difference. */
const context = 3;

/** Inserted and deleted lines up to which the shortest difference is searched for; the time goes with their square. */
const mostEdits = 4_000;

/** A unified diff, empty if the texts are equal. The names stand in its head. */
export function difference(beforeName: string, before: string, afterName: string, after: string): string {
  if (before === after) return "";
  const patch = structuredPatch(beforeName, afterName, before, after, undefined, undefined, { context, maxEditLength: mostEdits }) ?? {
    ...structuredPatch(beforeName, afterName, "", ""),
    hunks: [middle(before.split(/(?<=\n)/), after.split(/(?<=\n)/))],
  };
  return formatPatch(patch, FILE_HEADERS_ONLY);
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

/** By the first character of a line below the head. */
const styles: Readonly<Record<string, string>> = { "@": "36", "-": "31", "+": "32" };
const headLines = 2;
const bold = "1";

/** The diff for a terminal, at most so many lines of it; a last line tells how many are left out. */
export function renderDifference(text: string, { color, lines: most }: { readonly color: boolean; readonly lines: number }): string {
  const lines = text.trimEnd().split("\n");
  const shown = lines.slice(0, most).map((line, index) => {
    const style = color ? (index < headLines ? bold : styles[line.slice(0, 1)]) : undefined;
    return style === undefined ? visibleScript(line) : `\x1b[${style}m${visibleScript(line)}\x1b[0m`;
  });
  if (lines.length > most) shown.push(`… and ${lines.length - most} more lines`);
  return shown.map((line) => `${line}\n`).join("");
}
