/** Dumps for tests of the review, from rules alone. */

import { reviewRulesets, type ReviewRequest } from "../../src/review/review.js";
import type { Finding, ReviewReport } from "../../src/review/report.js";

/** A filter table of these lines; chains that they use and do not declare are declared. */
export function dump(...lines: readonly string[]): string {
  const text = lines.join("\n");
  if (/^\*/m.test(text))
    return text
      .split(/^(?=\*)/m)
      .map((table) => `${declared(table.trim().split("\n"))}\nCOMMIT\n`)
      .join("");
  return `${declared(["*filter", ...text.split("\n")])}\nCOMMIT\n`;
}

const builtIn: Readonly<Record<string, readonly string[]>> = {
  "*filter": ["INPUT", "FORWARD", "OUTPUT"],
  "*nat": ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  "*mangle": ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  "*raw": ["PREROUTING", "OUTPUT"],
};

function declared([table = "", ...lines]: readonly string[]): string {
  const given = new Set(lines.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []));
  const used = new Set(lines.flatMap((line) => /^(?:#.*|-A (\S+).*)$/.exec(line)?.[1] ?? []));
  const missing = [
    ...builtIn[table]!.filter((chain) => !given.has(chain)).map((chain) => `:${chain} ACCEPT [0:0]`),
    ...[...used].filter((chain) => !given.has(chain) && !builtIn[table]!.includes(chain)).map((chain) => `:${chain} - [0:0]`),
  ];
  return [table, ...missing, ...lines].join("\n");
}

export interface Dumps {
  readonly ipv4: string;
  readonly ipv6?: string;
}

const tool = { name: "ipt2nft-recent", version: "test" };

/** The review of one IPv4 dump, or of what changed from one to another; or of the dumps of both families. */
export function review(after: string | Dumps, before?: string | Dumps, more: Partial<ReviewRequest> = {}): ReviewReport {
  const sources = (dumps: string | Dumps) => {
    const { ipv4, ipv6 } = typeof dumps === "string" ? { ipv4: dumps } : dumps;
    return [
      { file: "rules.v4", text: ipv4, family: "ipv4" as const },
      ...(ipv6 === undefined ? [] : [{ file: "rules.v6", text: ipv6, family: "ipv6" as const }]),
    ];
  };
  return reviewRulesets({ new: sources(after), ...(before !== undefined && { old: sources(before) }), tool, ...more });
}

/** `code line: message` of each finding that is the review's own or the translator's warning. */
export function told({ findings }: Pick<ReviewReport, "findings">, code?: string): string[] {
  return findings
    .filter((finding) => (code === undefined ? !isUsualNote(finding) : finding.code === code))
    .map((finding) => `${finding.code} ${finding.span.line}${finding.suppressed ? ` (${finding.suppressed.by})` : ""}: ${finding.message}`);
}

/** What is said of every list. */
function isUsualNote({ code }: Finding): boolean {
  return code === "recent-list-size" || code === "recent-flood-guard";
}
