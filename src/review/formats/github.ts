/**
 * Annotations of a pull request, as GitHub's runner reads them from a step's output:
 *
 *     ::warning file=rules.v4,line=14,endLine=14,col=22,endColumn=42,title=untranslatable-match::match "geoip" cannot be translated
 *
 * Workflow commands: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
 */

import { append } from "../../append.js";
import type { Severity } from "../../diagnostic.js";
import { visible } from "../../report/visible.js";
import type { Finding, ReviewReport } from "../report.js";
import { columnBehind, lastLine, repositoryPath } from "./place.js";

/** The runner keeps that many annotations of each level from one step and drops the rest without a word. */
const keptPerLevel = 10;

const levels: readonly { readonly severity: Severity; readonly command: string; readonly many: string }[] = [
  { severity: "error", command: "error", many: "errors" },
  { severity: "warning", command: "warning", many: "warnings" },
  { severity: "note", command: "notice", many: "notes" },
];

/**
 * Renders the headline, then the annotations, errors first. Where a level has more findings than the runner keeps, its
 * last annotation says how many more there are, and they follow as a folded group of the log. Suppressed findings are left out.
 */
export function renderGithub(report: ReviewReport): string {
  const open = report.findings.filter(({ suppressed }) => !suppressed);
  const lines = [logLine(report.headline)];
  const inLogOnly: Finding[] = [];
  for (const { severity, command, many } of levels) {
    const found = open.filter((finding) => finding.severity === severity);
    const shown = found.length > keptPerLevel ? found.slice(0, keptPerLevel - 1) : found;
    const rest = found.slice(shown.length);
    lines.push(...shown.map((finding) => annotation(command, finding)));
    if (rest.length > 0) {
      lines.push(
        workflowCommand(command, { title: `${rest.length} more ${many}` }, `${rest.length} more ${many} stand in the log of this step`),
      );
      append(inLogOnly, rest);
    }
  }
  if (inLogOnly.length > 0) {
    lines.push(
      workflowCommand("group", {}, "findings without an annotation"),
      ...inLogOnly.map(logged),
      workflowCommand("endgroup", {}, ""),
    );
  }
  return `${lines.join("\n")}\n`;
}

function annotation(command: string, finding: Finding): string {
  const { code, span, message, help } = finding;
  const file = repositoryPath(span.file);
  // A place in no file would be shown on a file of that name.
  const place =
    file === undefined ? {} : { file, line: span.line, endLine: lastLine(span), col: span.column, endColumn: columnBehind(span) };
  const text = [message, ...(help === undefined ? [] : [`help: ${help}`])].map(visible).join("\n");
  return workflowCommand(command, { ...place, title: code }, text);
}

function logged({ code, severity, span, message }: Finding): string {
  return logLine(`${span.file}:${span.line}:${span.column}: ${severity}: ${message} [${code}]`);
}

/** A line that is no command: the runner takes `::` at the start of a line for one, and `##[` anywhere. */
function logLine(text: string): string {
  return `- ${visible(text).replaceAll("##[", "## [")}`;
}

function workflowCommand(command: string, properties: Readonly<Record<string, string | number | undefined>>, text: string): string {
  const written = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${property(String(value))}`],
  );
  return `::${command}${written.length > 0 ? ` ${written.join(",")}` : ""}::${escapeData(text)}`;
}

function property(value: string): string {
  return escapeData(visible(value)).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
