/** The report for a terminal. */

import { painter, type Paint as PaintWith } from "../../report/paint.js";
import { renderText as renderDiagnostics } from "../../report/text.js";
import { visible, visibleLines } from "../../report/visible.js";
import type { Change, Effect, Finding, ListReview, ReviewReport } from "../report.js";
import { changeSigns, changeText } from "./change-words.js";
import { toldLists, untouchedLists } from "./list-order.js";
import { notableRows, rowLines } from "./rules.js";
import { timelineText } from "./timeline-text.js";

export interface TextOptions {
  readonly color: boolean;
  /** Terminal columns for the lines that findings blame; 160 unless told. */
  readonly width?: number;
}

const colors = { bold: "1", red: "1;31", green: "1;32", yellow: "1;33", cyan: "1;36", faint: "2" } as const;
type Color = keyof typeof colors;
type Paint = PaintWith<Color>;

const verdictColors: Readonly<Record<ReviewReport["verdict"], Color>> = { safe: "green", look: "yellow", "not-equivalent": "red" };

/** Rules shown before the rest is only counted. */
const mostRows = 200;
/** Lines of the script's diff, likewise. */
const mostDiffLines = 100;

/** In the order a reviewer reads: what the change does first, what was there before it last. */
export function renderText(report: ReviewReport, { color, width }: TextOptions): string {
  const paint = painter(color, colors);
  const sections = [
    `${paint(visible(report.headline), verdictColors[report.verdict])}\n`,
    report.inputs
      .flatMap(({ file, compared }) => (compared === undefined ? [] : [`${visible(`Script ${file} compared: ${compared}`)}\n`]))
      .join(""),
    ...effectSections(report).map(({ title, effects, color: effectColor }) =>
      section(
        title,
        effects.map((effect) => effectText(effect, effectColor, paint)),
        paint,
      ),
    ),
    section(
      "Changes",
      report.changes.map((change) => changeLines(change, paint)),
      paint,
    ),
    section(
      "Lists of recent",
      toldLists(report).map((list) => listText(list, paint)),
      paint,
    ),
    findingsText(report.findings, color, width, paint),
    section(
      "Lists of recent that are as they were",
      untouchedLists(report).map((list) => listText(list, paint)),
      paint,
    ),
    rowsText(report, paint),
    report.scriptDiff === "" ? "" : `\n${paint("Script", "bold")}\n${diffText(report.scriptDiff, paint)}`,
  ];
  return sections.join("");
}

function effectSections({ opens, closes, alters, unjudged }: ReviewReport): { title: string; effects: readonly Effect[]; color: Color }[] {
  return [
    { title: "Opens", effects: opens, color: "red" },
    { title: "Not judged", effects: unjudged, color: "red" },
    { title: "Closes", effects: closes, color: "yellow" },
    { title: "Alters", effects: alters, color: "yellow" },
  ];
}

function section(title: string, items: readonly string[], paint: Paint): string {
  return items.length === 0 ? "" : `\n${paint(title, "bold")}\n${items.join("")}`;
}

function listText({ sentence, status, change, direction, form, searched }: ListReview, paint: Paint): string {
  const lines = [`  ${visible(sentence)}`];
  if (status !== "unchanged") {
    const what = change === undefined ? status : `${status}: ${visible(change)}`;
    lines.push(`    ${paint(what, direction === "opens" ? "red" : direction === "closes" ? "yellow" : "cyan")}`);
  }
  if (form !== "removed") lines.push(`    ${paint(visible(`nft: ${form}${searched === undefined ? "" : `; ${searched}`}`), "faint")}`);
  return `${lines.join("\n")}\n`;
}

function changeLines(change: Change, paint: Paint): string {
  const { kind, before, after } = change;
  const lines = [`  ${changeSigns[kind]} ${visible(changeText(change))}`];
  if (before && kind !== "moved") lines.push(`      ${paint(visible(`- ${before.text}`), "red")}`);
  if (after) lines.push(`      ${paint(visible(`+ ${after.text}`), "green")}`);
  return `${lines.join("\n")}\n`;
}

function effectText({ sentence, span, timeline }: Effect, color: Color, paint: Paint): string {
  const told = `  ${paint(visible(sentence), color)} (${visible(span.file)}:${span.line})\n`;
  return timeline ? `${told}${indented(indented(visibleLines(timelineText(timeline))))}` : told;
}

function findingsText(findings: readonly Finding[], color: boolean, width: number | undefined, paint: Paint): string {
  const active = findings.filter(({ suppressed, unchanged }) => !suppressed && !unchanged);
  const hidden = findings.filter(({ suppressed }) => suppressed).length;
  const before = findings.filter(({ suppressed, unchanged }) => !suppressed && unchanged);
  if (findings.length === 0) return "";
  const told = active.map((finding) => {
    const text = renderDiagnostics([finding], [], width === undefined ? { color } : { color, width });
    return finding.timeline ? `${text}${indented(visibleLines(timelineText(finding.timeline)))}` : text;
  });
  return [
    `\n${paint("Findings", "bold")}\n${told.join("")}`,
    ...(hidden > 0 ? [`${hidden} more allowed by comments or the baseline\n`] : []),
    ...(before.length > 0
      ? [
          `${before.length} more that were there before the change:\n`,
          ...before.map((finding) => `${paint(oldFinding(finding), "faint")}\n`),
        ]
      : []),
  ].join("");
}

/** In one line: it is not what the change is about. */
function oldFinding({ severity, span, message, code }: Finding): string {
  return visible(`  ${span.file}:${span.line}: ${severity}: ${message} [${code}]`);
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}\n`)
    .join("");
}

function rowsText(report: ReviewReport, paint: Paint): string {
  const rows = notableRows(report);
  if (rows.length === 0) return "";
  const shown = rows.slice(0, mostRows);
  let place = "";
  const lines: string[] = [];
  for (const row of shown) {
    const here = `${row.family === "ipv6" ? "IPv6 " : ""}${row.table} ${row.chain} (${row.span.file})`;
    if (here !== place) lines.push(`  ${paint(visible((place = here)), "cyan")}`);
    for (const line of rowLines(row)) lines.push(`    ${visible(line)}`);
  }
  const left = report.rows.length - shown.length;
  if (left > 0) lines.push(`  ${left} more rules: --format html and json have all`);
  return `\n${paint("Rules and their nft", "bold")}\n${lines.join("\n")}\n`;
}

function diffText(diff: string, paint: Paint): string {
  const lines = diff.trimEnd().split("\n");
  const left = lines.length - mostDiffLines;
  return (
    lines
      .slice(0, mostDiffLines)
      .map((line) => {
        const text = visible(line.replaceAll("\t", "  "));
        const color = line.startsWith("+") ? "green" : line.startsWith("-") ? "red" : line.startsWith("@@") ? "cyan" : undefined;
        return `  ${color ? paint(text, color) : text}\n`;
      })
      .join("") + (left > 0 ? `  ${left} more lines: --format html and json have all\n` : "")
  );
}
