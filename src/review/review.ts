/** Reviews a ruleset, or a change of one: everything the report says is gathered here. */

import { append } from "../append.js";
import type { Diagnostic } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import { translateByShapes } from "../shapes/translate-by-shapes.js";
import { readRulesets, translate, type Source, type TranslateOptions, type Translation } from "../translate.js";
import { findTraps } from "./checks/checks.js";
import { compareRulesets, type ChangeReview } from "./changes/changes.js";
import { makeFindings, withUnchanged, type Noticed, type Remark } from "./findings.js";
import { compareLists, reviewLists, toldLists } from "./lists/lists.js";
import { renamedLists, withListNames } from "./lists/renamed-lists.js";
import { searchLists, type SearchOptions } from "../simulate/search.js";
import { searchVersions } from "../simulate/versions.js";
import { reviewCatalogue } from "./catalogue.js";
import type { Effect, Finding, ListReview, ReviewInput, ReviewReport, Row } from "./report.js";
import { makeRows, placeKey, type BareRow } from "./rows.js";
import { scriptDiff } from "./script-diff.js";
import { SourceLines } from "./source-lines.js";
import { comparison, scriptDrift, type CommittedScript } from "./script-drift.js";
import { changedLists, withSearches, withTraffic } from "./searches.js";
import { noteSameRules } from "./packets/same-rules.js";
import { applyBaseline, type Baseline } from "./suppress/baseline.js";
import { suppressInline } from "./suppress/inline.js";
import { count, judge } from "./verdict.js";

export interface ReviewRequest {
  /** The dumps of one machine as they were; a single ruleset is reviewed without them. */
  readonly old?: readonly Source[];
  /** What git calls the version of the old dumps. */
  readonly oldRef?: string;
  /** The dumps of the machine as they are to be. */
  readonly new: readonly Source[];
  readonly options?: TranslateOptions;
  /** What ipset held with the old dumps; as with the new ones unless told. */
  readonly oldIpsets?: readonly Source[];
  /** A script that the repository has beside the dumps. */
  readonly script?: CommittedScript;
  /** Findings that have been accepted. */
  readonly baseline?: { readonly file: string; readonly baseline: Baseline };
  /** Looks for traffic that the script decides otherwise; nothing is searched unless told. Milliseconds are for all lists together. */
  readonly search?: SearchOptions;
  readonly tool: ReviewReport["tool"];
  /** How dumps are translated, for a caller that has translated some of them before; `translate` unless told. */
  readonly translate?: typeof translate;
}

const noChanges: ChangeReview = { changes: [], opens: [], closes: [], alters: [], unjudged: [], remarks: [], lists: new Map() };

/** Never throws for any text of the dumps; throws a `RangeError` for an option out of range, as `translate` does. */
export function reviewRulesets(request: ReviewRequest): ReviewReport {
  const { options = {}, script, translate: translating = translate } = request;
  const after = translating(request.new, options);
  const before =
    request.old && translatedOld(request.old, request.oldIpsets ? { ...options, ipsets: request.oldIpsets } : options, translating);
  const files = [...request.new.map(({ file }) => file), ...(script ? [script.file] : [])];
  const lines = new SourceLines([...request.new, ...(script ? [script] : [])]);
  const current = noticedOf(after, after.nft, lines);
  const { rows } = current;
  const comparable = before !== undefined && before.outcome !== "invalid" && after.outcome !== "invalid";
  if (comparable) noteSameRules(before.iptables, after.iptables);
  const remarks: Remark[] = comparable
    ? withUnchanged(current, noticedOf(before, undefined, new SourceLines(request.old!)))
    : [...current.remarks, ...(before?.outcome === "invalid" ? [unreadableOld(before, request)] : [])];
  const renamed = comparable ? renamedLists(before.iptables, after.iptables) : new Map<string, string>();
  const old = comparable ? withListNames(before.iptables, renamed) : undefined;
  const compared = after.outcome === "invalid" ? undefined : compareLists(old, after.iptables, renamed);
  const changes = old
    ? compareRulesets({ rulesets: old, sets: before!.ipsets }, { rulesets: after.iptables, sets: after.ipsets }, toldLists(compared!))
    : noChanges;
  const lists = compared && reviewLists(compared, after.diagnostics, changes.lists);
  append(remarks, lists?.remarks ?? []);
  append(remarks, changes.remarks);
  if (script && after.script !== undefined) append(remarks, scriptDrift(after.script, script));
  const searches = request.search && lists ? searchLists(after, request.search) : [];
  const searched = withSearches(lists?.lists ?? [], remarks, searches);
  const names = request.new.map(({ file }) => file);
  const found = makeFindings(suppressInline(searched.remarks, names, lines), files, lines, rows);
  const findings = accepted(found, files, lines, rows, request);
  const { alters, unjudged } = changes;
  const { opens, closes } = request.search && old && lists ? withTrafficOfLists(old, after, lists.lists, changes, request) : changes;
  const effects = { opens, closes, alters, unjudged: before?.outcome === "invalid" ? [...unjudged, nothingCompared(request)] : unjudged };
  return {
    version: 1,
    tool: request.tool,
    ...judge({ findings, ...effects, compared: request.old !== undefined }),
    inputs: inputsOf(request, after.script),
    lists: searched.lists,
    changes: changes.changes,
    ...effects,
    findings,
    rows: finished(rows, findings, changes),
    scriptDiff: diffOf(request, comparable ? before : undefined, after),
  };
}

/** A version that nobody is shown rule by rule beside its nft: its script may be filled up by shapes. */
type OldVersion = Pick<Translation, "script" | "diagnostics" | "iptables" | "ipsets" | "outcome">;

function translatedOld(sources: readonly Source[], options: TranslateOptions, translating: typeof translate): OldVersion {
  const quick = translateByShapes(sources, options);
  if ("reason" in quick) return translating(sources, options);
  return { ...quick.translation, iptables: readRulesets(sources, options), script: quick.script() };
}

/** The effects of a change with the traffic that shows them, where lists of `recent` are part of it. */
function withTrafficOfLists(
  old: readonly IptablesRuleset[],
  { iptables }: Translation,
  lists: readonly ListReview[],
  changes: ChangeReview,
  { search, options }: ReviewRequest,
): Pick<ReviewReport, "opens" | "closes"> {
  const wanted = changedLists(lists, changes);
  if (wanted.length === 0) return changes;
  const translated = options?.geoip ? { translated: { geoip: options.geoip } } : {};
  const found = searchVersions({ rulesets: old, ...translated }, { rulesets: iptables, ...translated }, { ...search, lists: wanted });
  return withTraffic(changes, found, lists);
}

/**
 * What the translator and the checks say of one version.
 * @param nft what its rows show beside the rules
 */
function noticedOf({ iptables, diagnostics, outcome }: OldVersion, nft: Translation["nft"], lines: SourceLines): Noticed {
  const traps = outcome === "invalid" ? [] : findTraps(iptables);
  // The check of the same name says it with more weight.
  const remarks = [...diagnostics.filter(({ code }) => code !== "recent-never-set").map(remarkOf), ...traps];
  return { remarks, lines, rows: makeRows(iptables, nft) };
}

function nothingCompared({ new: dumps }: ReviewRequest): Effect {
  return { sentence: "the whole change: the old rules cannot be read", span: { file: dumps[0]!.file, line: 1, column: 1, length: 1 } };
}

function remarkOf({ code, severity, span, message, help }: Diagnostic): Remark {
  return { code, severity, span, message, ...(help !== undefined && { help }) };
}

function unreadableOld({ diagnostics }: OldVersion, { new: dumps, oldRef }: ReviewRequest): Remark {
  const first = diagnostics.find(({ severity }) => severity === "error")!;
  return {
    code: "old-unreadable",
    severity: "warning",
    span: { file: dumps[0]!.file, line: 1, column: 1, length: 1 },
    message:
      `nothing can be compared: the old dump ${oldRef === undefined ? "" : `of ${oldRef} `}is no ruleset (${first.span.file} ` +
      `line ${first.span.line}: ${first.message})`,
  };
}

/** Of the committed script if there is one, else of what the old dumps made. */
function diffOf({ script }: ReviewRequest, before: OldVersion | undefined, after: Translation): string {
  if (after.script === undefined) return "";
  if (script) return scriptDiff(script.text, script.file, after.script, `${script.file}, made from the dumps`);
  return before ? scriptDiff(before.script ?? "", "old", after.script, "new") : "";
}

function accepted(
  findings: readonly Finding[],
  files: readonly string[],
  lines: SourceLines,
  rows: readonly BareRow[],
  { baseline, new: dumps }: ReviewRequest,
): readonly Finding[] {
  if (!baseline) return findings;
  const { findings: marked, stale } = applyBaseline(findings, baseline.baseline);
  if (stale.length === 0) return marked;
  const span = { file: dumps[0]!.file, line: 1, column: 1, length: 1 };
  const remark: Remark = {
    code: "stale-baseline",
    severity: reviewCatalogue["stale-baseline"].severity,
    span,
    message:
      `the baseline accepts ${count(stale.length, "finding")} no longer there: ` +
      `${stale
        .slice(0, 3)
        .map(({ code, file }) => `${code} in ${file}`)
        .join(", ")}${stale.length > 3 ? ", …" : ""}`,
    help: "--update-baseline writes it anew",
  };
  return [...marked, ...makeFindings([remark], files, lines, rows)];
}

function inputsOf({ old = [], oldRef, new: dumps, script }: ReviewRequest, made: string | undefined): ReviewInput[] {
  return [
    ...old.map(({ file }): ReviewInput => ({ role: "old", file, ...(oldRef !== undefined && { ref: oldRef }) })),
    ...dumps.map(({ file }): ReviewInput => ({ role: "new", file })),
    ...(script ? [{ role: "script" as const, file: script.file, ...(made !== undefined && { compared: comparison(made, script) }) }] : []),
  ];
}

/** The rows with the places of their findings in the list, and with what a change did to them. */
function finished(rows: readonly BareRow[], findings: ReviewReport["findings"], { changes }: ChangeReview): Row[] {
  const byLine = new Map<string, number[]>();
  findings.forEach(({ span }, index) => {
    const key = `${span.line}:${span.file}`;
    const list = byLine.get(key);
    if (list) list.push(index);
    else byLine.set(key, [index]);
  });
  const kinds = new Map(
    changes.flatMap(({ kind, after }) =>
      after && kind !== "policy" && kind !== "removed" && kind !== "contents" ? [[placeKey(after.span), kind] as const] : [],
    ),
  );
  return rows.map((row) => {
    const { file, line, endLine = line } = row.span;
    const found: number[] = [];
    for (let at = line; at <= endLine; at++) found.push(...(byLine.get(`${at}:${file}`) ?? []));
    const change = kinds.get(placeKey(row.span));
    return { ...row, findings: found, ...(change && { change }) };
  });
}
