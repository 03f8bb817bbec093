/**
 * GitLab's code quality report, for `artifacts: reports: codequality`.
 *
 * Format: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
 */

import type { Severity } from "../../diagnostic.js";
import { visible, visibleJson } from "../../report/visible.js";
import type { Finding, ReviewReport } from "../report.js";
import { lastLine, repositoryPath } from "./place.js";
import { unique } from "./unique.js";

const severities: Record<Severity, "critical" | "major" | "info"> = { error: "critical", warning: "major", note: "info" };

/** Renders a JSON array, errors first. Suppressed findings are left out, and what stands in no file is named by what it is called. */
export function renderGitlab(report: ReviewReport): string {
  const open = report.findings.filter(({ suppressed }) => !suppressed);
  const fingerprints = unique(
    open.map(({ fingerprint }) => fingerprint),
    (number) => `-${number}`,
  );
  const issues = open.map((finding, index) => issue(finding, fingerprints[index]!));
  return `${visibleJson(JSON.stringify(issues, undefined, 2))}\n`;
}

function issue({ code, severity, span, message, help }: Finding, fingerprint: string): unknown {
  return {
    type: "issue",
    check_name: code,
    description: visible(message),
    ...(help !== undefined && { content: { body: visible(help) } }),
    categories: ["Security"],
    severity: severities[severity],
    fingerprint,
    location: { path: repositoryPath(span.file) ?? span.file, lines: { begin: span.line, end: lastLine(span) } },
  };
}
