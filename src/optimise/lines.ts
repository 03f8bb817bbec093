/** Lines of the input in a comment. */

import type { Span } from "../diagnostic.js";
import { printable } from "../diagnostic.js";

/** Stretches of lines that a comment names. */
const mostStretches = 8;

/** `lines 3-7, 12 and 5 more`; with the file where they are of several. */
export function linesOf(spans: readonly Span[]): string {
  const files = [...new Set(spans.map(({ file }) => file))];
  return files
    .map((file) => {
      const lines = [...new Set(spans.filter((span) => span.file === file).map(({ line }) => line))].sort((a, b) => a - b);
      const named = `${lines.length === 1 ? "line" : "lines"} ${stretches(lines)}`;
      return files.length === 1 ? named : `${named} of ${printable(file)}`;
    })
    .join("; ");
}

function stretches(lines: readonly number[]): string {
  const found: { from: number; to: number }[] = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last && line === last.to + 1) last.to = line;
    else found.push({ from: line, to: line });
  }
  const named = found.slice(0, mostStretches).map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  const left = found.slice(mostStretches).reduce((sum, { from, to }) => sum + to - from + 1, 0);
  return `${named.join(", ")}${left === 0 ? "" : ` and ${left} more`}`;
}
