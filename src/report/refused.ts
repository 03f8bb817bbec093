/** The rules that are not in the script, once more at the end, where they are read: with what the firewall is without each of them. */

import { effectOf, type Diagnostic } from "../diagnostic.js";
import { lineFinder, type SourceText } from "./text.js";
import { visible } from "./visible.js";

/** Rules that are shown. */
const mostRules = 20;

const leastWidth = 60;
const defaultWidth = 160;

/**
 * The rules that diagnostics refuse, each with its place; the empty text where there are none, or where the one diagnostic in front of it
 * says it.
 *
 * @param width terminal columns that a line may take; 160 unless told
 */
export function renderRefused(diagnostics: readonly Diagnostic[], sources: readonly SourceText[], width = defaultWidth): string {
  const rules = new Map<string, Diagnostic>();
  for (const one of diagnostics) {
    // A line of a script may make several rules, and what is lost with one of them says nothing of the others.
    const place = `${one.span.file}:${one.span.line}:${one.without ?? ""}`;
    if (effectOf(one.code) === "refused" && !rules.has(place)) rules.set(place, one);
  }
  if (rules.size === 0 || diagnostics.length === 1) return "";
  const lineOf = lineFinder(sources);
  const lines = [...rules.values()].slice(0, mostRules).map(({ span, without }) => {
    const start = `  ${visible(span.file)}:${span.line}: ${without === undefined ? "" : `${visible(without)}: `}`;
    return `${start}${shortened(visible((lineOf(span.file, span.line) ?? "").trim()), Math.max(leastWidth, width) - start.length)}\n`;
  });
  if (rules.size > mostRules) lines.push(`  and ${rules.size - mostRules} more\n`);
  return `${headline([...rules.values()])}\n${lines.join("")}`;
}

/** How many there are, and how many of them open or close the firewall. */
function headline(refused: readonly Diagnostic[]): string {
  const counted = (state: string): number => refused.filter(({ without }) => without?.startsWith(state)).length;
  const parts = ["more open", "more closed"].flatMap((state) =>
    counted(state) === 0 ? [] : [`${state} without ${counted(state)} of them`],
  );
  const rules = refused.length === 1 ? "one rule was" : `${refused.length} rules were`;
  return `${rules} not carried over${parts.length === 0 ? "" : `; the firewall is ${parts.join(", ")}`}:`;
}

/** The beginning and the end, where the target stands. */
function shortened(text: string, length: number): string {
  const room = Math.max(24, length);
  if (text.length <= room) return text;
  const end = Math.floor(room / 3);
  return `${text.slice(0, room - end - 1)}…${text.slice(text.length - end)}`;
}
