/**
 * A JUnit report: what test reporters of CI servers show. A finding is a failing test case, a list without findings a passing one.
 *
 * There is no one schema; this keeps to what GitLab, GitHub's reporters and Jenkins read (https://github.com/testmoapp/junitxml).
 */

import type { Severity } from "../../diagnostic.js";
import { visible, visibleLines } from "../../report/visible.js";
import type { Finding, ListReview, ReviewReport } from "../report.js";
import { lastLine } from "./place.js";
import { timelineText } from "./timeline-text.js";
import { unique } from "./unique.js";

export interface JunitOptions {
  /** Findings from this severity on fail; those below pass, with their text as output. `warning` unless told. */
  readonly failOn?: Severity | "never";
}

interface Case {
  readonly classname: string;
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
  readonly outcome: Outcome;
}

type Outcome =
  | { readonly kind: "passed"; readonly output?: string }
  | { readonly kind: "failed"; readonly type: string; readonly message: string; readonly text: string }
  | { readonly kind: "skipped"; readonly message: string };

const ranks: Record<Severity | "never", number> = { never: 4, error: 3, warning: 2, note: 1 };

/** Renders three suites: the verdict, the recent lists, the findings. Suppressed findings are skipped cases with their reason. */
export function renderJunit(report: ReviewReport, { failOn = "warning" }: JunitOptions = {}): string {
  const fails = (finding: Finding): boolean => !finding.suppressed && ranks[finding.severity] >= ranks[failOn];
  const failing = report.findings.filter(fails);
  const names = unique(
    report.findings.map(({ message }) => message),
    (number) => ` (${number})`,
  );
  const suites: readonly (readonly [name: string, cases: readonly Case[]])[] = [
    ["verdict", [verdictCase(report, failOn)]],
    ["recent lists", report.lists.map((list) => listCase(list, failing))],
    ["findings", report.findings.map((finding, index) => findingCase(finding, names[index]!, fails(finding)))],
  ];
  const all = suites.flatMap(([, cases]) => cases);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: "ipt2nft-recent review", ...counts(all) })}>`,
    ...suites
      .filter(([, cases]) => cases.length > 0)
      .flatMap(([name, cases]) => [`  <testsuite ${attributes({ name, ...counts(cases) })}>`, ...cases.map(testCase), "  </testsuite>"]),
    "</testsuites>",
    "",
  ].join("\n");
}

/** There is always this one, since readers take a report without cases for a failure of the tool. */
function verdictCase({ verdict, headline }: ReviewReport, failOn: Severity | "never"): Case {
  const outcome: Outcome =
    verdict === "not-equivalent" && failOn !== "never"
      ? { kind: "failed", type: verdict, message: headline, text: headline }
      : { kind: "passed", output: headline };
  return { classname: "verdict", name: "the script decides as the rules do", outcome };
}

function listCase({ name, sentence, rules: all, change, form, status }: ListReview, failing: readonly Finding[]): Case {
  // Those of a list that is gone are lines of the old dump.
  const rules = status === "removed" ? [] : all;
  const blamed = failing.filter(({ span }) =>
    rules.some(({ file, line, endLine = line }) => file === span.file && line <= span.line && span.line <= endLine),
  );
  const text = [`list ${name}: ${sentence}`, ...(change === undefined ? [] : [`change: ${change}`]), `in nft: ${form}`].join("\n");
  return {
    classname: "recent list",
    name,
    ...(rules[0] && { file: rules[0].file, line: rules[0].line }),
    outcome:
      blamed.length === 0
        ? { kind: "passed", output: text }
        : { kind: "failed", type: "list", message: blamed.map(({ message }) => message).join("; "), text },
  };
}

function findingCase(finding: Finding, name: string, fails: boolean): Case {
  const { code, severity, span, message, suppressed } = finding;
  const place = { classname: code, name, file: span.file, line: span.line };
  if (suppressed) {
    const { by, reason } = suppressed;
    return {
      ...place,
      outcome: {
        kind: "skipped",
        message: `suppressed ${by === "inline" ? "in the dump" : "by the baseline"}${reason === undefined ? "" : `: ${reason}`}`,
      },
    };
  }
  const text = findingText(finding);
  return { ...place, outcome: fails ? { kind: "failed", type: `${severity}: ${code}`, message, text } : { kind: "passed", output: text } };
}

function findingText({ code, severity, span, message, help, source, timeline }: Finding): string {
  const lines = lastLine(span) === span.line ? `${span.line}:${span.column}` : `${span.line}-${lastLine(span)}`;
  return [
    `${span.file}:${lines}: ${severity}: ${message} [${code}]`,
    ...(source === undefined ? [] : [`  ${source.trim()}`]),
    ...(help === undefined ? [] : [`help: ${help}`]),
    ...(timeline === undefined ? [] : [timelineText(timeline)]),
  ].join("\n");
}

function counts(cases: readonly Case[]): Record<string, number> {
  const of = (kind: Outcome["kind"]): number => cases.filter(({ outcome }) => outcome.kind === kind).length;
  return { tests: cases.length, failures: of("failed"), errors: 0, skipped: of("skipped"), time: 0 };
}

function testCase({ outcome, ...place }: Case): string {
  const open = `    <testcase ${attributes({ ...place, time: 0 })}`;
  switch (outcome.kind) {
    case "passed":
      return outcome.output === undefined ? `${open}/>` : `${open}><system-out>${content(outcome.output)}</system-out></testcase>`;
    case "failed":
      return `${open}><failure ${attributes({ message: outcome.message, type: outcome.type })}>${content(outcome.text)}</failure></testcase>`;
    case "skipped":
      return `${open}><skipped ${attributes({ message: outcome.message })}/></testcase>`;
  }
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escape(visible(String(value)))}"`)
    .join(" ");
}

function content(text: string): string {
  return escape(visibleLines(text));
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text in which nothing is without a visible form; two characters that are no characters are not in XML, either. */
function escape(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => entities[character]!)
    .replace(/[\ufffe\uffff]/g, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`);
}
