/** Findings that have been accepted: a file of their fingerprints, which stay the same when rules move. */

import { JsonFault, readJson } from "../../json-document.js";
import { reviewCatalogue } from "../catalogue.js";
import type { Finding } from "../report.js";

export interface BaselineEntry {
  readonly fingerprint: string;
  readonly code: string;
  readonly file: string;
  /** For a reader of the file; only the fingerprint counts. */
  readonly message: string;
  readonly reason?: string;
}

export interface Baseline {
  readonly version: 1;
  readonly findings: readonly BaselineEntry[];
}

/** Reads a baseline; a text says what is wrong with it. */
export function parseBaseline(text: string): Baseline | string {
  const value = valueOf(text);
  if (value instanceof JsonFault) return `line ${value.place.line}, column ${value.place.column}: ${value.message}`;
  if (!isObject(value) || value["version"] !== 1 || !Array.isArray(value["findings"])) return 'it has no "version" 1 and "findings"';
  const wrong = value["findings"].findIndex(
    (entry) =>
      !isObject(entry) ||
      !["fingerprint", "code", "file", "message"].every((name) => typeof entry[name] === "string") ||
      !["string", "undefined"].includes(typeof entry["reason"]),
  );
  return wrong < 0
    ? (value as unknown as Baseline)
    : `entry ${wrong + 1} of "findings" lacks a fingerprint, code, file or message, or one of them is no text`;
}

function valueOf(text: string): unknown {
  try {
    return readJson(text).value;
  } catch (error) {
    if (error instanceof JsonFault) return error;
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Marks the accepted findings. What makes the file no ruleset cannot be accepted. */
export function applyBaseline(
  findings: readonly Finding[],
  { findings: accepted }: Baseline,
): { readonly findings: readonly Finding[]; readonly stale: readonly BaselineEntry[] } {
  const entries = new Map(accepted.map((entry) => [entry.fingerprint, entry]));
  const used = new Set<string>();
  const marked = findings.map((finding): Finding => {
    const entry =
      finding.severity === "error" && !Object.hasOwn(reviewCatalogue, finding.code) ? undefined : entries.get(finding.fingerprint);
    if (!entry) return finding;
    used.add(entry.fingerprint);
    if (finding.suppressed) return finding;
    return { ...finding, suppressed: { by: "baseline", ...(entry.reason !== undefined && { reason: entry.reason }) } };
  });
  return { findings: marked, stale: accepted.filter(({ fingerprint }) => !used.has(fingerprint)) };
}

/** A baseline that accepts all these findings but those a comment allows; reasons given before are kept. */
export function makeBaseline(findings: readonly Finding[], before?: Baseline): Baseline {
  const reasons = new Map(before?.findings.map(({ fingerprint, reason }) => [fingerprint, reason]) ?? []);
  return {
    version: 1,
    findings: findings
      .filter(({ suppressed, code }) => suppressed?.by !== "inline" && code !== "stale-baseline")
      .map(({ fingerprint, code, span, message }) => {
        const reason = reasons.get(fingerprint);
        return { fingerprint, code, file: span.file, message, ...(reason !== undefined && { reason }) };
      }),
  };
}
