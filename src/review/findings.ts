/** From what was noticed to what is reported: in order, with the line it blames, and a fingerprint of its content. */

import type { Severity } from "../diagnostic.js";
import { fingerprint } from "../fingerprint.js";
import type { Finding } from "./report.js";
import type { BareRow } from "./rows.js";
import type { SourceLines } from "./source-lines.js";

/** Something noticed, before it is a finding. */
export type Remark = Omit<Finding, "fingerprint" | "source">;

const weights: Readonly<Record<Severity, number>> = { error: 0, warning: 1, note: 2 };

/** Whether a severity reaches a threshold. */
export function reachesThreshold(severity: Severity, threshold: Severity): boolean {
  return weights[severity] <= weights[threshold];
}

/**
 * Sorts by severity and place and gives each remark its fingerprint: of its code, file, chain and rule, and of the words it
 * blames. Equal ones are numbered in the order of the files.
 */
export function makeFindings(
  remarks: readonly Remark[],
  files: readonly string[],
  lines: SourceLines,
  rows: readonly BareRow[],
): Finding[] {
  const rules = ruleLines(rows);
  const order = new Map(files.map((file, index) => [file, index]));
  const position = ({ span }: Remark): number => order.get(span.file) ?? files.length;
  const byPlace = [...remarks].sort((a, b) => position(a) - position(b) || a.span.line - b.span.line || a.span.column - b.span.column);
  const seen = new Map<string, number>();
  const findings = byPlace.map((remark): Finding => {
    const source = lines.of(remark.span.file, remark.span.line);
    const [code, ...place] = contentOf(remark, lines, rules);
    const content = [code!, remark.span.file, ...place];
    const id = content.join("\n");
    const ordinal = (seen.get(id) ?? 0) + 1;
    seen.set(id, ordinal);
    return {
      ...remark,
      ...(source !== undefined && { source }),
      fingerprint: fingerprint([...content, ...(ordinal > 1 ? [String(ordinal)] : [])]),
    };
  });
  return findings.sort((a, b) => weights[a.severity] - weights[b.severity]);
}

/** What a remark is about, whatever the file and the line: its code, the chain and the rule, and the words it blames. */
function contentOf(remark: Remark, lines: SourceLines, rules: ReadonlyMap<string, BareRow>): string[] {
  const { span } = remark;
  const source = lines.of(span.file, span.line);
  const rule = rules.get(`${span.line}:${span.file}`);
  const blamed = source?.slice(span.column - 1, span.column - 1 + span.length) ?? "";
  return [
    remark.code,
    rule ? `${rule.family} ${rule.table} ${rule.chain}` : "",
    evenly(rule?.original ?? source ?? remark.message),
    evenly(blamed),
  ];
}

/** A version of a ruleset with what was noticed about it. */
export interface Noticed {
  readonly remarks: readonly Remark[];
  readonly lines: SourceLines;
  readonly rows: readonly BareRow[];
}

/** The remarks about a version, those marked that the version before has as well: as many of each as there were. */
export function withUnchanged(current: Noticed, old: Noticed): Remark[] {
  const contents = ({ remarks, lines, rows }: Noticed): string[] => {
    const rules = ruleLines(rows);
    return remarks.map((remark) => contentOf(remark, lines, rules).join("\n"));
  };
  const known = new Map<string, number>();
  for (const content of contents(old)) known.set(content, (known.get(content) ?? 0) + 1);
  const now = contents(current);
  return current.remarks.map((remark, index) => {
    const left = known.get(now[index]!) ?? 0;
    if (left === 0) return remark;
    known.set(now[index]!, left - 1);
    return { ...remark, unchanged: true };
  });
}

/** By each line that a rule takes. */
function ruleLines(rows: readonly BareRow[]): Map<string, BareRow> {
  const found = new Map<string, BareRow>();
  for (const row of rows) {
    const { file, line, endLine = line } = row.span;
    for (let at = line; at <= endLine; at++) found.set(`${at}:${file}`, row);
  }
  return found;
}

/** Blanks do not count. */
function evenly(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
