/** What the worker works out. */

import type { Diagnostic, Span } from "../diagnostic.js";
import { CsvFault } from "../csv-document.js";
import { readGeoipCsv } from "../geoip/read-csv.js";
import { tally } from "../report/tally.js";
import { renderInvalidSummary, renderSummary } from "../report/text.js";
import { visible } from "../report/visible.js";
import { renderHtml, type HtmlOptions } from "../review/formats/html.js";
import { timelineFigure } from "../review/formats/html/timeline.js";
import { compareLists, reviewLists } from "../review/lists/lists.js";
import { reviewRulesets } from "../review/review.js";
import { makeRows } from "../review/rows.js";
import { verdictOf } from "../simulate/report.js";
import { effortOf } from "../simulate/render-text.js";
import { searchLists, type ListSearch } from "../simulate/search.js";
import { translate, type Source, type TranslateOptions, type Translation } from "../translate.js";
import type { Answer, Linked, Message, Request, Searched, SearchedList, Translated } from "./messages.js";
import { fileNames, textNames, type PlaygroundState, type TextName } from "./state.js";
import { makeLink, readLink } from "./link.js";

/** What the worker has of its surroundings. */
export interface Bench extends HtmlOptions {
  /** Milliseconds. */
  readonly now: () => number;
  readonly version: string;
}

/** Messages that are sent: more of them nobody reads, and a page would stand still. */
const mostMessages = 300;
/** Characters of a line on either side of what a message blames. */
const mostExcerpt = 200;

/** Schedules for each list of a review: some hundredths of a second for a usual one. */
const reviewSearch = { schedules: 1_000, steps: 2_000_000, milliseconds: 5_000 };

/** Answers a request, in parts where the first may be shown before the second is there. */
export function* answer(request: Request, bench: Bench): Generator<Answer> {
  try {
    switch (request.kind) {
      case "translate": {
        const translation = translated(request.state);
        yield translatedAnswer(translation, request.state);
        yield linkedAnswer(translation);
        return;
      }
      case "search":
        yield searchedAnswer(request.state, request.milliseconds, bench);
        return;
      case "review":
        yield reviewedAnswer(request.state, bench);
        return;
      case "pack":
        yield { kind: "packed", fragment: makeLink(request.state) };
        return;
      case "unpack":
        yield { kind: "unpacked", state: readLink(request.fragment) };
        return;
    }
  } catch (error) {
    yield { kind: "failed", reason: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  // A RangeError names the option, or says what is wrong with a link; a fault of a file says where it is.
  if (error instanceof RangeError) return visible(error.message);
  if (error instanceof CsvFault) return visible(`countries: line ${error.place.line}: ${error.message}`);
  return `This is a fault of the page: please report it with the rules. ${visible(error instanceof Error ? error.message : String(error))}`;
}

function sourcesOf({ texts }: PlaygroundState, names: readonly TextName[]): Source[] {
  return names.flatMap((name) => (texts[name].trim() === "" ? [] : [{ file: fileNames[name], text: texts[name] }]));
}

function optionsOf({ texts, options }: PlaygroundState): TranslateOptions {
  return {
    ...options,
    ...(texts.sets.trim() !== "" && { ipsets: [{ file: fileNames.sets, text: texts.sets }] }),
    ...(texts.countries.trim() !== "" && { geoip: readGeoipCsv(texts.countries) }),
  };
}

function translated(state: PlaygroundState): Translation {
  const sources = sourcesOf(state, ["rules", "second"]);
  // Nothing but an option of the family tells what an empty text is.
  return translate(sources.length === 0 ? [{ file: fileNames.rules, text: "" }] : sources, optionsOf(state));
}

function translatedAnswer(translation: Translation, state: PlaygroundState): Translated {
  const { script, outcome, diagnostics } = translation;
  const excerptOf = excerpts(state);
  return {
    kind: "translated",
    script,
    lineStarts: lineStartsOf(script ?? ""),
    outcome,
    summary: outcome === "invalid" ? renderInvalidSummary(diagnostics).trim() : summaryOf(translation),
    messages: diagnostics.slice(0, mostMessages).map((one) => messageOf(one, excerptOf)),
    moreMessages: Math.max(0, diagnostics.length - mostMessages),
  };
}

function summaryOf({ iptables, diagnostics, merges }: Translation): string {
  const summary = renderSummary(tally(iptables, diagnostics)).trim();
  if (merges.length === 0) return summary;
  const merged = merges.reduce((sum, { rules }) => sum + rules.length, 0);
  return `${summary}; ${merged} of them in ${merges.length === 1 ? "one look-up" : `${merges.length} look-ups`}`;
}

function lineStartsOf(text: string): Uint32Array {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return Uint32Array.from(starts);
}

function messageOf(one: Diagnostic, excerptOf: (span: Span) => Message["excerpt"]): Message {
  const { message, help, span } = one;
  return {
    ...one,
    message: visible(message),
    ...(help !== undefined && { help: visible(help) }),
    text: textOf(span.file),
    excerpt: excerptOf(span),
  };
}

function textOf(file: string): TextName | undefined {
  return textNames.find((name) => fileNames[name] === file);
}

/** Finds the words that a span blames. */
function excerpts({ texts }: PlaygroundState): (span: Span) => Message["excerpt"] {
  const lines = new Map<TextName, readonly string[]>();
  return ({ file, line, column, length }) => {
    const name = textOf(file);
    if (name === undefined) return undefined;
    let all = lines.get(name);
    if (!all) lines.set(name, (all = texts[name].split("\n")));
    const source = all[line - 1];
    if (source === undefined || source.trim() === "") return undefined;
    const before = source.slice(0, column - 1);
    const after = source.slice(column - 1 + length);
    return [
      `${before.length > mostExcerpt ? "…" : ""}${visible(before.slice(-mostExcerpt))}`,
      visible(source.slice(column - 1, column - 1 + length)),
      `${visible(after.slice(0, mostExcerpt))}${after.length > mostExcerpt ? "…" : ""}`,
    ];
  };
}

function linkedAnswer(translation: Translation): Linked {
  const { iptables, nft, diagnostics } = translation;
  const links: number[] = [];
  for (const { span, scriptLines } of makeRows(iptables, nft)) {
    const text = textNames.findIndex((name) => fileNames[name] === span.file);
    if (text < 0) continue;
    for (let line = span.line; line <= (span.endLine ?? span.line); line += 1)
      for (const scriptLine of scriptLines) links.push(text, line, scriptLine);
  }
  const { lists } = reviewLists(compareLists(undefined, iptables), diagnostics, new Map());
  return {
    kind: "linked",
    links: Int32Array.from(links),
    lists: lists.map(({ sentence, form, rules }) => ({
      sentence: visible(sentence),
      form: visible(form),
      places: rules.map(({ file, line }) => ({ text: textOf(file), line })),
    })),
  };
}

function searchedAnswer(state: PlaygroundState, milliseconds: number, { now }: Bench): Searched {
  const translation = translated(state);
  const translatedWith = optionsOf(state);
  const found = searchLists(translation, { schedules: Infinity, steps: Infinity, milliseconds, now, translated: translatedWith });
  const verdict = verdictOf(found, undefined);
  const searched = found.filter(({ result }) => result.kind === "searched").length;
  return {
    kind: "searched",
    verdict,
    summary:
      translation.nft === undefined
        ? "The input is not a ruleset."
        : found.length === 0
          ? "The rules have no list of -m recent to search."
          : `${found.length} ${found.length === 1 ? "list" : "lists"}, ${searched} searched, ` +
            `${found.filter(({ counterexample }) => counterexample).length} decided otherwise by the script.`,
    lists: found.map(searchedList),
  };
}

function searchedList({ list, family, result, counterexample, announced, leftOut, known }: ListSearch): SearchedList {
  const isWhole = result.kind === "searched" && leftOut.length === 0;
  return {
    title: `${visible(list)} (${family === "ipv4" ? "IPv4" : "IPv6"})`,
    verdict: counterexample ? "different" : isWhole ? "equal" : "unknown",
    effort: result.kind === "searched" ? effortOf(result.effort) : visible(result.reason),
    notes: [
      ...leftOut.map((text) => `left out: ${text}`),
      ...announced.map((text) => `the translator warned: ${text}`),
      ...known.map((text) => `stated: ${text}`),
    ].map(visible),
    timeline: counterexample && timelineFigure(counterexample).toString(),
  };
}

function reviewedAnswer(state: PlaygroundState, bench: Bench): Answer {
  const { now, version } = bench;
  const sources = sourcesOf(state, ["rules", "second"]);
  const old = sourcesOf(state, ["before"]);
  const options = optionsOf(state);
  const report = reviewRulesets({
    new: sources.length === 0 ? [{ file: fileNames.rules, text: "" }] : sources,
    ...(old.length > 0 && { old }),
    options,
    search: { ...reviewSearch, now, translated: options },
    tool: { name: "ipt2nft-recent", version },
  });
  return { kind: "reviewed", headline: visible(report.headline), html: renderHtml(report, bench) };
}
