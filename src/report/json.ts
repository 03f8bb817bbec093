/** Diagnostics as JSON for a program. */

import { effectOf, type Diagnostic, type DiagnosticCode, type Effect, type Severity, type Span } from "../diagnostic.js";
import type { Translation } from "../translate.js";
import type { Tally } from "./tally.js";
import { visibleJson } from "./visible.js";

/**
 * The document. Members are only ever added while `version` stays 1; their order and the order of the diagnostics
 * (file, line, column) are stable. Usage errors are text, since the form of the diagnostics is not known before.
 */
export interface JsonReport {
  readonly version: 1;
  /** What became of the translation, or `failed`: an unreadable file, an unwritable one, a script that nft refuses. */
  readonly outcome: "exact" | "approximated" | "refused" | "invalid" | "failed";
  /** Numbers of rules as written; absent when the input is invalid or the run failed before the translation. */
  readonly rules?: Tally;
  readonly diagnostics: readonly JsonDiagnostic[];
  /** With `--optimize`: rules that are one rule of the script, each with the lines it holds. */
  readonly merges?: readonly JsonMerge[];
  /** With `--optimize`: rules that are not in the script because no packet reaches them. */
  readonly unreachable?: readonly JsonUnreachable[];
  /** What concerns no place in the input, such as the reason of a failure. */
  readonly messages: readonly JsonMessage[];
}

export interface JsonDiagnostic {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** The first column behind the blamed stretch; equal to `column` if nothing is there to blame. */
  readonly endColumn: number;
  readonly severity: Severity;
  readonly code: DiagnosticCode;
  readonly effect: Effect;
  readonly message: string;
  readonly help?: string;
  /** What the firewall is without the rule that is refused: `more open`, `more closed`, or a clause that says what is missing. */
  readonly without?: string;
}

export interface JsonPlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface JsonMerge {
  /** `ip ipt2nft`. */
  readonly table: string;
  readonly chain: string;
  readonly form: "set" | "verdict map" | "destination map" | "source map" | "port map" | "mark map" | "class map" | "shared tests";
  /** Of the set, the map, or the chain with rules that share tests; absent where a set stands in the rule. */
  readonly name?: string;
  readonly elements: number;
  readonly rules: readonly JsonPlace[];
}

export interface JsonUnreachable {
  readonly table: string;
  readonly chain: string;
  readonly rules: readonly JsonPlace[];
  readonly coveredBy: readonly JsonPlace[];
}

export interface JsonMessage {
  readonly severity: Severity;
  readonly message: string;
}

/** Renders one document of several lines, with a newline at its end. */
export function renderJson(report: {
  readonly outcome: JsonReport["outcome"];
  readonly rules?: Tally | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly messages: readonly JsonMessage[];
  readonly optimised?: Pick<Translation, "merges" | "leftOut"> | undefined;
}): string {
  const document: JsonReport = {
    version: 1,
    outcome: report.outcome,
    ...(report.rules && { rules: report.rules }),
    diagnostics: report.diagnostics.map(jsonDiagnostic),
    ...(report.optimised && { merges: report.optimised.merges.map(jsonMerge), unreachable: report.optimised.leftOut.map(jsonUnreachable) }),
    messages: report.messages.map(({ severity, message }) => ({ severity, message })),
  };
  return `${visibleJson(JSON.stringify(document, undefined, 2))}\n`;
}

function jsonMerge({ table, chain, form, name, elements, rules }: Translation["merges"][number]): JsonMerge {
  return {
    table: `${table.family} ${table.name}`,
    chain,
    form,
    ...(name !== undefined && { name }),
    elements,
    rules: rules.map(jsonPlace),
  };
}

function jsonUnreachable({ table, chain, rules, coveredBy }: Translation["leftOut"][number]): JsonUnreachable {
  return { table: `${table.family} ${table.name}`, chain, rules: rules.map(jsonPlace), coveredBy: coveredBy.map(jsonPlace) };
}

const jsonPlace = ({ file, line }: Span): JsonPlace => ({ file, line });

/** A diagnostic as all documents have it. */
export function jsonDiagnostic({ code, severity, span, message, help, without }: Diagnostic): JsonDiagnostic {
  return {
    file: span.file,
    line: span.line,
    column: span.column,
    endColumn: span.column + span.length,
    severity,
    code,
    effect: effectOf(code),
    message,
    ...(help !== undefined && { help }),
    ...(without !== undefined && { without }),
  };
}
