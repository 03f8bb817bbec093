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
    const { span } = remark;
    const source = lines.of(span.file, span.line);
    const rule = rules.get(`${span.line}:${span.file}`);
    const blamed = source?.slice(span.column - 1, span.column - 1 + span.length) ?? "";
    const content = [
      remark.code,
      span.file,
      rule ? `${rule.family} ${rule.table} ${rule.chain}` : "",
      evenly(rule?.original ?? source ?? remark.message),
      evenly(blamed),
    ];
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
