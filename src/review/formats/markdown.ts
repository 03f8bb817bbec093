/**
 * The report as GitHub's markdown, for a comment or a job summary: what matters first, the rest folded, and never longer than
 * a comment may be. No text of the input can become a mention, a link, an image or markup.
 */

import { visible, visibleLines } from "../../report/visible.js";
import type { Change, Effect, Finding, ListReview, ReviewReport } from "../report.js";
import { changeSigns, changeText } from "./change-words.js";
import { toldLists, untouchedLists } from "./list-order.js";
import { notableRows, rowLines } from "./rules.js";
import { timelineText } from "./timeline-text.js";

/** Of a comment on GitHub, in characters; a job summary may have 1 MiB. */
export const longestComment = 65_536;

/** Of a report, in bytes: a comment has room for the words around it. */
const usualLimit = 60_000;

export interface MarkdownOptions {
  /** UTF-8 bytes; 60,000, which fit a comment, unless told. */
  readonly limit?: number;
}

const signs: Readonly<Record<ReviewReport["verdict"], string>> = { safe: "✅", look: "⚠️", "not-equivalent": "❌" };
const severitySigns: Readonly<Record<Finding["severity"], string>> = { error: "❌", warning: "⚠️", note: "ℹ️" };

/** A heading and its items; each item is whole lines and ends with a newline. */
interface Section {
  readonly title: string;
  readonly items: readonly string[];
  /** Behind a line to click on. */
  readonly folded?: boolean;
  /** The items are lines of one block of code. */
  readonly code?: string;
}

/** Renders the report; what does not fit is counted. */
export function renderMarkdown(report: ReviewReport, { limit = usualLimit }: MarkdownOptions = {}): string {
  const active = report.findings.filter(({ suppressed, unchanged }) => !suppressed && !unchanged);
  const before = report.findings.filter(({ suppressed, unchanged }) => !suppressed && unchanged);
  const [important, notes] = [active.filter(({ severity }) => severity !== "note"), active.filter(({ severity }) => severity === "note")];
  const suppressed = report.findings.filter((finding) => finding.suppressed);
  const script =
    report.scriptDiff === ""
      ? []
      : report.scriptDiff
          .trimEnd()
          .split("\n")
          .map((line) => visible(line.replaceAll("\t", "  ")));
  /** In the order a reviewer reads; what has the lowest weight gets room first. */
  const sections: readonly (Section & { readonly weight: number })[] = [
    { weight: 1, title: "Opens", items: report.opens.map(effectItem) },
    { weight: 2, title: "Not judged", items: report.unjudged.map(effectItem) },
    { weight: 2, title: "Closes", items: report.closes.map(effectItem) },
    { weight: 3, title: "Alters", items: report.alters.map(effectItem) },
    { weight: 5, title: "Changed rules", items: report.changes.map(changeItem), folded: report.changes.length > 10 },
    { weight: 4, title: "Lists of recent", items: toldLists(report).map(listItem) },
    // What opens and closes has been said.
    { weight: 3, title: "Findings", items: important.filter(({ code }) => !toldAsEffect.has(code)).map(findingItem) },
    { weight: 6, title: "Notes", items: notes.filter(({ code }) => !toldAsEffect.has(code)).map(findingItem), folded: true },
    { weight: 7, title: "There before the change", items: before.map(findingItem), folded: true },
    { weight: 8, title: "Lists of recent that are as they were", items: untouchedLists(report).map(listItem), folded: true },
    { weight: 7, title: "Allowed by comments or the baseline", items: suppressed.map(findingItem), folded: true },
    { weight: 8, title: "Rules and their nft", items: ruleLines(report), folded: true, code: "text" },
    { weight: 9, title: "Difference of the script", items: script, folded: true, code: "diff" },
  ];
  const compared = report.inputs
    .map(({ file, compared: how }) => (how === undefined ? "" : `\nScript ${codeSpan(file)} compared: ${prose(how)}\n`))
    .join("");
  const heading = `## ${signs[report.verdict]} ${prose(report.headline)}\n${compared}`;
  const texts = new Map<Section, string>();
  let used = byteLength(heading) + reserve;
  for (const section of [...sections].sort((a, b) => a.weight - b.weight)) {
    if (section.items.length === 0) continue;
    const text = fitted(section, limit - used);
    texts.set(section, text);
    used += byteLength(text);
  }
  return heading + sections.map((section) => texts.get(section) ?? "").join("");
}

/** Bytes kept for the lines that say what was left out of the sections behind. */
const reserve = 1_500;

/** As much of the section as there is room for. */
function fitted(section: Section, room: number): string {
  const { items } = section;
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (byteLength(rendered(section, middle)) <= room) low = middle;
    else high = middle - 1;
  }
  return low > 0 ? rendered(section, low) : `\n${section.title}: ${items.length} left out for want of room\n`;
}

function rendered({ title, items, folded, code }: Section, shown: number): string {
  const some = items.slice(0, shown);
  const left = items.length - shown;
  const body = code === undefined ? some.join("") : fenced(some, code);
  const more = left === 0 ? "" : `\n… and ${left} more${code === undefined ? "" : " lines"}\n`;
  if (!folded) return `\n### ${title}\n\n${body}${more}`;
  return `\n<details><summary>${title}${code === undefined ? ` (${items.length})` : ""}</summary>\n\n${body}${more}\n</details>\n`;
}

/** Their findings would say again what the effects say. */
const toldAsEffect: ReadonlySet<string> = new Set(["change-opens", "change-closes", "change-not-judged"]);

function effectItem({ sentence, span, example, timeline }: Effect): string {
  const shown = example === undefined ? "" : `\n  for example: ${prose(example)}\n`;
  const traffic = timeline ? `\n${blockOfItem(visibleLines(timelineText(timeline)).split("\n"), "text")}` : "";
  return `- ${prose(sentence)} (${codeSpan(`${span.file}:${span.line}`)})\n${shown}${traffic}`;
}

function findingItem({ severity, code, span, message, help, source, timeline, suppressed }: Finding): string {
  const because = suppressed?.reason === undefined ? "" : `: ${prose(suppressed.reason)}`;
  const reason = suppressed ? `, allowed by ${suppressed.by === "inline" ? "a comment" : "the baseline"}${because}` : "";
  const lines = [`- ${severitySigns[severity]} ${codeSpan(`${span.file}:${span.line}`)} ${prose(message)} (${codeSpan(code)})${reason}`];
  const block = [
    ...(source === undefined || source.trim() === "" ? [] : [visible(source)]),
    ...(timeline ? visibleLines(timelineText(timeline)).split("\n") : []),
  ];
  if (block.length > 0) lines.push("", blockOfItem(block, "text").trimEnd());
  if (help !== undefined) lines.push("", `  ${prose(help)}`);
  return `${lines.join("\n")}\n`;
}

function listItem({ sentence, status, change, form, searched }: ListReview): string {
  const lines = [`- ${prose(sentence)}`];
  if (status !== "unchanged") lines.push(`  - **${status}**${change === undefined ? "" : `: ${prose(change)}`}`);
  if (form !== "removed") lines.push(`  - nft: ${prose(form)}${searched === undefined ? "" : `; ${prose(searched)}`}`);
  return `${lines.join("\n")}\n`;
}

function changeItem(change: Change): string {
  const { kind, before, after } = change;
  const block = [...(before && kind !== "moved" ? [`- ${visible(before.text)}`] : []), ...(after ? [`+ ${visible(after.text)}`] : [])];
  return `- ${codeSpan(changeSigns[kind])} ${prose(changeText(change))}\n\n${blockOfItem(block, "diff")}`;
}

/** A block of code that belongs to an item of a list. */
function blockOfItem(lines: readonly string[], code: string): string {
  return fenced(lines, code)
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}\n`)
    .join("");
}

function ruleLines(report: ReviewReport): string[] {
  let place = "";
  return notableRows(report).flatMap((row) => {
    const here = `${row.family === "ipv6" ? "IPv6 " : ""}${row.table} ${row.chain} (${row.span.file})`;
    const heading = here === place ? [] : [here];
    place = here;
    return [...heading, ...rowLines(row).map((line) => `  ${line}`)].map(visible);
  });
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

/** Lines as a block of code, whose fence is longer than any row of backticks in it. */
function fenced(lines: readonly string[], language: string): string {
  const longest = Math.max(2, ...lines.map((line) => Math.max(0, ...[...line.matchAll(/`+/g)].map(([row]) => row.length))));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${lines.join("\n")}\n${fence}\n`;
}

/** One line as code within a sentence. */
function codeSpan(text: string): string {
  const inner = visible(text);
  const longest = Math.max(0, ...[...inner.matchAll(/`+/g)].map(([row]) => row.length));
  const fence = "`".repeat(longest + 1);
  const padding = longest > 0 || inner === "" ? " " : "";
  return `${fence}${padding}${inner}${padding}${fence}`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/**
 * Text in which nothing is markup. GitHub looks for mentions, references and addresses after it has read the markdown, where
 * escapes no longer help: there a character without width comes between.
 */
function prose(text: string): string {
  return visible(text)
    .replace(/[&<>]/g, (character) => entities[character]!)
    .replace(/[\\`*_{}[\]()#+!|~$^=-]/g, "\\$&")
    .replace(/@|\\#|:\/\/|(?<=www)\.|\bGH(?=\\-)/gi, "$&&#8203;")
    .replace(/\b[0-9a-f]{7,40}\b/g, (hash) => `${hash.slice(0, 3)}&#8203;${hash.slice(3)}`);
}
