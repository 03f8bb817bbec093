/**
 * A JUnit report: what test reporters of CI servers show. A finding is a failing test case, a list without findings a passing one.
 *
 * There is no one schema; this keeps to what GitLab, GitHub's reporters and Jenkins read (https://github.com/testmoapp/junitxml).
 */

import { renderJunit as renderSuites, type JunitCase } from "../../report/junit.js";
import { fails, usualFailOn, type FailOn } from "../fail-on.js";
import type { Finding, ListReview, ReviewReport } from "../report.js";
import { lastLine } from "./place.js";
import { timelineText } from "./timeline-text.js";
import { unique } from "./unique.js";

export interface JunitOptions {
  /** Which findings fail; others pass, with their text as output. As `review` has it unless told. */
  readonly failOn?: FailOn;
}

/** Renders three suites: the verdict, the recent lists, the findings. Suppressed findings are skipped cases with their reason. */
export function renderJunit(report: ReviewReport, { failOn = usualFailOn }: JunitOptions = {}): string {
  const failing = report.findings.filter((finding) => fails(finding, failOn));
  const names = unique(
    report.findings.map(({ message }) => message),
    (number) => ` (${number})`,
  );
  const suites = [
    { name: "verdict", cases: [verdictCase(report, failOn)] },
    { name: "recent lists", cases: report.lists.map((list) => listCase(list, failing)) },
    { name: "findings", cases: report.findings.map((finding, index) => findingCase(finding, names[index]!, fails(finding, failOn))) },
  ];
  return renderSuites({ name: "ipt2nft-recent review", suites: suites.filter(({ cases }) => cases.length > 0) });
}

/** There is always this one, since readers take a report without cases for a failure of the tool. */
function verdictCase({ verdict, headline }: ReviewReport, failOn: FailOn): JunitCase {
  const failed = verdict === "not-equivalent" && failOn.severity !== undefined;
  return {
    className: "verdict",
    name: "the script decides as the rules do",
    ...(failed ? failure(verdict, headline, headline) : { output: headline }),
  };
}

function failure(type: string, message: string, text: string): Pick<JunitCase, "problems"> {
  return { problems: [{ kind: "failure", type, message, text }] };
}

function listCase({ name, sentence, rules: all, change, form, status }: ListReview, failing: readonly Finding[]): JunitCase {
  // Those of a list that is gone are lines of the old dump.
  const rules = status === "removed" ? [] : all;
  const blamed = failing.filter(({ span }) =>
    rules.some(({ file, line, endLine = line }) => file === span.file && line <= span.line && span.line <= endLine),
  );
  const text = [`list ${name}: ${sentence}`, ...(change === undefined ? [] : [`change: ${change}`]), `in nft: ${form}`].join("\n");
  return {
    className: "recent list",
    name,
    ...(rules[0] && { file: rules[0].file, line: rules[0].line }),
    ...(blamed.length === 0 ? { output: text } : failure("list", blamed.map(({ message }) => message).join("; "), text)),
  };
}

function findingCase(finding: Finding, name: string, failed: boolean): JunitCase {
  const { code, severity, span, message, suppressed } = finding;
  const place = { className: code, name, file: span.file, line: span.line };
  if (suppressed) {
    const { by, reason } = suppressed;
    const where = by === "inline" ? "in the dump" : "by the baseline";
    return { ...place, skipped: `suppressed ${where}${reason === undefined ? "" : `: ${reason}`}` };
  }
  const text = findingText(finding);
  return { ...place, ...(failed ? failure(`${severity}: ${code}`, message, text) : { output: text }) };
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
