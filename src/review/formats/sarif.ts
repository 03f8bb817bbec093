/**
 * SARIF 2.1.0, for code scanning of GitHub and others (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html).
 */

import type { Severity } from "../../diagnostic.js";
import { visible, visibleJson } from "../../report/visible.js";
import type { ChangeTimeline, Timeline } from "../../simulate/timeline.js";
import type { Finding, ReviewReport, Row } from "../report.js";
import { describeCode } from "./describe.js";
import { columnBehind, lastLine, repositoryPath } from "./place.js";
import { eventText, lanesOf } from "./timeline-text.js";

const schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** Paths are relative to the folder the review ran in, which code scanning takes for the top of the repository. */
const root = "%SRCROOT%";

/** A rule's own entry among `rules`, and what of the findings is worst. */
interface RuleUse {
  readonly index: number;
  readonly severity: Severity;
}

/** Renders one run with a result for every finding; suppressed ones carry their suppression. */
export function renderSarif(report: ReviewReport): string {
  const { tool, verdict, headline, findings } = report;
  const rules = rulesOf(findings);
  const files = [
    ...new Set([...report.inputs.filter(({ role }) => role !== "old").map(({ file }) => file), ...findings.map(({ span }) => span.file)]),
  ];
  const rows = new Map(report.rows.flatMap((row) => row.findings.map((index) => [index, row] as const)));
  const run = {
    tool: {
      driver: {
        name: tool.name,
        version: tool.version,
        ...(/^\d+\.\d+\.\d+(?:[-+].*)?$/.test(tool.version) && { semanticVersion: tool.version }),
        rules: [...rules].map(([code, { severity }]) => rule(code, severity)),
      },
    },
    // The review itself went well, whatever it found.
    invocations: [{ executionSuccessful: true }],
    columnKind: "utf16CodeUnits",
    originalUriBaseIds: { [root]: { description: { text: "The folder the review ran in." } } },
    artifacts: files.map((file) => ({ location: artifactLocation(file), roles: ["analysisTarget"] })),
    results: findings.map((finding, index) =>
      result(finding, rules.get(finding.code)!.index, files.indexOf(finding.span.file), rows.get(index)),
    ),
    properties: { verdict, headline: visible(headline) },
  };
  return `${visibleJson(JSON.stringify({ $schema: schema, version: "2.1.0", runs: [run] }, undefined, 2))}\n`;
}

const order: readonly Severity[] = ["note", "warning", "error"];

function rulesOf(findings: readonly Finding[]): Map<string, RuleUse> {
  const rules = new Map<string, RuleUse>();
  for (const { code, severity } of findings) {
    const known = rules.get(code) ?? { index: rules.size, severity };
    rules.set(code, order.indexOf(severity) > order.indexOf(known.severity) ? { ...known, severity } : known);
  }
  return rules;
}

function rule(code: string, severity: Severity): unknown {
  const { title, explanation, example } = describeCode(code);
  const text = [title, explanation, ...(example ? [`Instead of:\n${example.bad}`, `write:\n${example.good}`] : [])];
  const markdown = [`**${title}**`, explanation, ...(example ? ["Instead of", fenced(example.bad), "write", fenced(example.good)] : [])];
  return {
    id: code,
    name: code.replace(/(?:^|-)(.)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: title },
    fullDescription: { text: explanation },
    help: { text: text.join("\n\n"), markdown: markdown.join("\n\n") },
    defaultConfiguration: { level: severity },
    properties: {
      tags: ["security", "firewall"],
      "problem.severity": severity === "note" ? "recommendation" : severity,
      precision: "high",
    },
  };
}

function fenced(rules: string): string {
  return `\`\`\`\n${rules}\n\`\`\``;
}

function result(finding: Finding, ruleIndex: number, artifactIndex: number, row: Row | undefined): unknown {
  const { code, severity, message, help, fingerprint, suppressed, timeline } = finding;
  const location = {
    physicalLocation: { artifactLocation: { ...artifactLocation(finding.span.file), index: artifactIndex }, ...regions(finding) },
    ...(row && { logicalLocations: [{ fullyQualifiedName: plain(`${row.family}/${row.table}/${row.chain}`), kind: "chain" }] }),
  };
  return {
    ruleId: code,
    ruleIndex,
    level: severity,
    message: { text: plain(help === undefined ? message : `${message}\nHelp: ${help}`) },
    locations: [location],
    // By the first, code scanning knows a finding again; it would otherwise hash the lines around it.
    partialFingerprints: { primaryLocationLineHash: fingerprint, "finding/v1": fingerprint },
    ...(timeline && { codeFlows: [codeFlow(timeline, location.physicalLocation)] }),
    ...(suppressed && { suppressions: [suppression(suppressed)] }),
  };
}

function regions({ span, source }: Finding): { readonly region: unknown; readonly contextRegion?: unknown } {
  const { line: startLine, column: startColumn } = span;
  const [endLine, endColumn] = [lastLine(span), columnBehind(span)];
  const oneLine = endColumn !== undefined && source !== undefined;
  return {
    region: {
      startLine,
      startColumn,
      endLine,
      ...(endColumn !== undefined && { endColumn }),
      ...(oneLine && { snippet: { text: source.slice(startColumn - 1, endColumn - 1) } }),
    },
    ...(oneLine && { contextRegion: { startLine, endLine, snippet: { text: source } } }),
  };
}

function suppression({ by, reason }: NonNullable<Finding["suppressed"]>): unknown {
  return {
    kind: by === "inline" ? "inSource" : "external",
    status: "accepted",
    ...(reason !== undefined && { justification: visible(reason) }),
  };
}

/** The packets of a counterexample as the steps of a flow. */
function codeFlow(timeline: Timeline | ChangeTimeline, physicalLocation: unknown): unknown {
  const { title, names, events } = lanesOf(timeline);
  return {
    message: { text: plain(title) },
    threadFlows: [
      {
        locations: events.map((event) => ({
          location: { physicalLocation, message: { text: plain(eventText(event, names)) } },
          importance: event.differs ? "essential" : "important",
          properties: { seconds: event.at },
        })),
      },
    ],
  };
}

function artifactLocation(file: string): { readonly uri: string; readonly uriBaseId?: string } {
  const path = repositoryPath(file);
  if (path === undefined) return { uri: encodeURIComponent(file) };
  const uri = encodeURI(path.replace(/\p{Cs}/gu, "\ufffd")).replace(/[?#[\]]/g, encodeURIComponent);
  return path.startsWith("/") ? { uri: `file://${uri}` } : { uri: relativeReference(uri), uriBaseId: root };
}

/** A colon in the first part of a path would make it a scheme. */
function relativeReference(uri: string): string {
  return /^[^/]*:/.test(uri) ? `./${uri}` : uri;
}

/** A message may hold links, `[text](target)`: text of the input makes none. */
function plain(text: string): string {
  return text.split("\n").map(visible).join("\n").replaceAll("](", "] (");
}
