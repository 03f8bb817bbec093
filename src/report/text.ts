/**
 * Diagnostics as text for a person:
 *
 *     edge.rules:14:22: warning: match "geoip" has no nft equivalent [untranslatable-match]
 *       -A INPUT -m geoip --src-cc CN -j DROP
 *                ^^^^^^^^^^^^^^^^^^^^^
 *       help: load the ranges into a named set and match on it
 */

import type { Diagnostic, Severity, Span } from "../diagnostic.js";
import { painter, type Paint } from "./paint.js";
import type { Tally } from "./tally.js";
import { cells, isPlain, visible, type Cell } from "./visible.js";

export interface TextOptions {
  readonly color: boolean;
  /** Terminal columns a source line may take before only the part around the blamed stretch is shown; 160 unless told. */
  readonly width?: number;
  /** A block for each place, however many diagnostics say the same; false unless told. */
  readonly eachPlace?: boolean;
}

/** A diagnostic, or anything else that is told like one. */
export interface TextDiagnostic extends Omit<Diagnostic, "code"> {
  readonly code: string;
  /** The line it blames, where no source has it. */
  readonly source?: string;
}

/** The text that the diagnostics' spans point into. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/** Blocks of one kind that are shown; what the others say is counted. */
const mostBlocks = { error: 20, warning: 200, note: 200 } as const satisfies Record<Severity, number>;

/** Places at which the same is said that are shown, beside the first. */
const mostPlaces = 20;

const indent = "  ";
const defaultWidth = 160;
const leastWidth = 40;

const styles = { bold: "1", error: "1;31", warning: "1;35", note: "1;36", help: "1;32" } as const;

/**
 * Renders the diagnostics in the order given, each with the line it blames; the empty text if there are none. Where several say the same,
 * the first says it, with the places of the others.
 */
export function renderText(diagnostics: readonly TextDiagnostic[], sources: readonly SourceText[], options: TextOptions): string {
  const paint = painter(options.color, styles);
  const width = Math.max(leastWidth, (options.width ?? defaultWidth) - indent.length);
  const lineOf = lineFinder(sources);
  const lines: string[] = [];
  const shown = new Map<string, number>();
  const hidden = new Map<string, { readonly severity: Severity; count: number }>();
  for (const [{ code, severity, span, message, help, source }, ...others] of grouped(diagnostics, options.eachPlace === true)) {
    const known = (shown.get(code) ?? 0) + 1;
    shown.set(code, known);
    if (known > mostBlocks[severity] && (severity === "error" || !options.eachPlace)) {
      const more = hidden.get(code) ?? { severity, count: 0 };
      more.count += 1 + others.length;
      hidden.set(code, more);
      continue;
    }
    lines.push(`${paint(`${placeOf(span)}:`, "bold")} ${paint(`${severity}:`, severity)} ${paint(visible(message), "bold")} [${code}]\n`);
    const line = source ?? lineOf(span.file, span.line);
    if (line !== undefined && !isBlank(line)) lines.push(excerpt(line, span.column - 1, span.length, width, severity, paint));
    if (others.length > 0) lines.push(placesText(others, width));
    if (help !== undefined) lines.push(`${indent}${paint("help:", "help")} ${visible(help)}\n`);
  }
  for (const [code, { severity, count }] of hidden) {
    const whole = severity === "error" ? "" : "; --format json has them all";
    lines.push(`${paint(`${severity}:`, severity)} ${count} more of the same kind${whole} [${code}]\n`);
  }
  return lines.join("");
}

const placeOf = ({ file, line, column }: Span): string => `${visible(file)}:${line}:${column}`;

type Group = readonly [TextDiagnostic, ...TextDiagnostic[]];

/** Those that say the same, each group where its first is. */
function grouped(diagnostics: readonly TextDiagnostic[], eachPlace: boolean): Group[] {
  if (eachPlace) return diagnostics.map((one): Group => [one]);
  const groups = new Map<string, [TextDiagnostic, ...TextDiagnostic[]]>();
  for (const one of diagnostics) {
    const said = [one.code, one.severity, one.message, one.help ?? ""].join("\0");
    const group = groups.get(said);
    if (group) group.push(one);
    else groups.set(said, [one]);
  }
  return [...groups.values()];
}

/** Where the same is said, in lines that fit the terminal. */
function placesText(others: readonly TextDiagnostic[], width: number): string {
  const places = others.slice(0, mostPlaces).map(({ span }) => placeOf(span));
  const more = others.length - places.length;
  const words = ["the same at", ...places.map((place, index) => place + (index < places.length - 1 || more > 0 ? "," : ""))];
  if (more > 0) words.push(`and ${more} more`);
  let [line = "", ...rest] = words;
  let text = "";
  for (const word of rest) {
    if (line.length + 1 + word.length > width) {
      text += `${indent}${line}\n`;
      line = `${indent}${word}`;
    } else line += ` ${word}`;
  }
  return `${text}${indent}${line}\n`;
}

/** One line that says how many rules came through. */
export function renderSummary({ exact, approximated, refused }: Tally): string {
  const all = exact + approximated + refused;
  return `${all} ${all === 1 ? "rule" : "rules"}: ${exact} exact, ${approximated} approximated, ${refused} refused\n`;
}

/** One line for an input that is not a ruleset. */
export function renderInvalidSummary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  return `${errors} ${errors === 1 ? "error" : "errors"}: nothing was translated\n`;
}

let blank: { readonly line: string; readonly is: boolean } | undefined;

function isBlank(line: string): boolean {
  // The same string as before, as a rule, and then nothing is compared.
  if (blank?.line !== line) blank = { line, is: !/\S/.test(line) };
  return blank.is;
}

/** Finds lines by number; a file is indexed when the first of its lines is asked for. */
export function lineFinder(sources: readonly SourceText[]): (file: string, line: number) => string | undefined {
  const texts = new Map(sources.map(({ file, text }) => [file, text]));
  const starts = new Map<string, number[]>();
  // Thousands of diagnostics may blame one long line.
  let last: { readonly file: string; readonly line: number; readonly content: string } | undefined;
  const content = (text: string, start: number, next: number | undefined): string => {
    const end = next === undefined ? text.length : next - 1;
    return text.slice(start, text[end - 1] === "\r" && end > start ? end - 1 : end);
  };
  return (file, line) => {
    if (last?.file === file && last.line === line) return last.content;
    const text = texts.get(file);
    if (text === undefined) return undefined;
    const index = starts.get(file) ?? [0];
    starts.set(file, index);
    // Where the next line begins, too: there the line ends.
    while (index.length <= line) {
      const end = text.indexOf("\n", index.at(-1));
      if (end === -1) break;
      index.push(end + 1);
    }
    const start = index[line - 1];
    if (start === undefined) return undefined;
    last = { file, line, content: content(text, start, index[line]) };
    return last.content;
  };
}

/** The source line, and carets under `length` code units from index `from`. */
function excerpt(line: string, from: number, length: number, width: number, severity: Severity, paint: Paint<Severity>): string {
  // No cell is wider than what one code unit can show, so nothing farther than `width` units away can be in the window.
  const first = Math.max(0, from - width);
  const last = Math.min(line.length, from + width);
  const near = line.slice(first, last);
  if (isPlain(near))
    return plainExcerpt(near, from - first, length, width, { before: first > 0, after: last < line.length }, severity, paint);
  const shown = cells(near);
  const blamed = (cell: Cell): boolean => cell.end + first > from && cell.start + first < from + length;
  const pivot = indexOrEnd(shown, (cell) => cell.end + first > from);
  const [begin, end] = window(shown, pivot, width);
  const visibleCells = shown.slice(begin, end);
  const before = first > 0 || begin > 0 ? "…" : "";
  const after = last < line.length || end < shown.length ? "…" : "";
  const text = before + visibleCells.map((cell) => cell.text).join("") + after;
  const padding = before.length + widthOfCells(shown.slice(begin, pivot));
  const carets = Math.max(1, widthOfCells(visibleCells.filter(blamed)));
  return `${indent}${text.trimEnd()}\n${indent}${" ".repeat(padding)}${paint("^".repeat(carets), severity)}\n`;
}

/** The same for a stretch in which every character takes one column; `cut` says on which sides the line goes on. */
function plainExcerpt(
  near: string,
  from: number,
  length: number,
  width: number,
  cut: { readonly before: boolean; readonly after: boolean },
  severity: Severity,
  paint: Paint<Severity>,
): string {
  const pivot = Math.min(Math.max(0, from), near.length);
  let [begin, end] = [0, near.length];
  if (near.length > width) {
    const room = width - 2;
    begin = pivot - Math.min(pivot, Math.floor(room / 4));
    end = Math.min(near.length, begin + room);
    begin = Math.max(0, end - room);
  }
  const before = cut.before || begin > 0 ? "…" : "";
  const after = cut.after || end < near.length ? "…" : "";
  const text = before + near.slice(begin, end) + after;
  const carets = Math.max(1, Math.min(end, from + length) - Math.max(begin, from));
  const padding = before.length + pivot - begin;
  return `${indent}${text.trimEnd()}\n${indent}${" ".repeat(padding)}${paint("^".repeat(carets), severity)}\n`;
}

function indexOrEnd(shown: readonly Cell[], condition: (cell: Cell) => boolean): number {
  const index = shown.findIndex(condition);
  return index < 0 ? shown.length : index;
}

function widthOfCells(list: readonly Cell[]): number {
  return list.reduce((sum, cell) => sum + cell.width, 0);
}

/** The stretch of cells to show, at most `width` columns with its marks of omission: all if they fit, else what surrounds the pivot. */
function window(shown: readonly Cell[], pivot: number, width: number): [begin: number, end: number] {
  if (widthOfCells(shown) <= width) return [0, shown.length];
  const room = width - 2;
  let begin = pivot;
  let end = pivot;
  let used = 0;
  const fits = (index: number, limit: number): boolean => {
    const cell = shown[index];
    return cell !== undefined && used + cell.width <= limit;
  };
  while (fits(begin - 1, Math.floor(room / 4))) used += shown[--begin]!.width;
  while (fits(end, room)) used += shown[end++]!.width;
  while (fits(begin - 1, room)) used += shown[--begin]!.width;
  return [begin, end];
}
