/** The report of a run as text for a person, as JSON and as JUnit XML. */

import { renderDifference } from "../report/difference.js";
import { renderJunit, type JunitCase } from "../report/junit.js";
import { painter } from "../report/paint.js";
import { visible, visibleJson } from "../report/visible.js";
import { failedCases, isError, type CaseResult, type CorpusReport, type KernelResult } from "./result.js";

/** Lines of one difference; the JSON report and the XML have all of them. */
const mostLines = 20;

const styles = { name: "1", problem: "31", note: "36" } as const;

export interface CorpusTextOptions {
  readonly color: boolean;
  /** Without the lines that differ; false unless told. */
  readonly quiet?: boolean;
}

/** Every problem, in words before lines, then the names of the cases that have any, then one line that counts the cases. */
export function renderCorpusText(report: CorpusReport, { color, quiet = false }: CorpusTextOptions): string {
  const paint = painter(color, styles);
  let text = "";
  for (const { name, problems } of failedCases(report)) {
    for (const { message, words = [], detail } of problems) {
      text += `${paint(visible(name), "name")}: ${paint(visible(message), "problem")}\n`;
      for (const line of words) text += `  ${visible(line)}\n`;
      if (detail !== "" && !quiet) text += renderDifference(detail, { color, lines: mostLines });
    }
  }
  for (const { name, written } of report.results)
    if (written.length > 0) text += `${visible(name)}: written ${written.map(visible).join(" and ")}\n`;
  for (const { name, kernel } of report.results)
    for (const note of kernel?.verified ? [] : (kernel?.notes ?? [])) text += `${paint("note:", "note")} ${visible(`${name}: ${note}`)}\n`;
  for (const note of report.notes) text += `${paint("note:", "note")} ${visible(note)}\n`;
  return text + renderNames(failedCases(report)) + renderSummary(report);
}

/** Behind many lines nobody finds the names again. */
function renderNames(failed: readonly CaseResult[]): string {
  return failed.length < 2 ? "" : `not as expected:\n${failed.map(({ name }) => `  ${visible(name)}\n`).join("")}`;
}

function renderSummary(report: CorpusReport): string {
  const all = report.results.length;
  const failed = failedCases(report);
  const of = (condition: (one: CaseResult) => boolean, words: string): string[] => {
    const count = failed.filter(condition).length;
    return count === 0 ? [] : [`${count} ${words}`];
  };
  const has =
    (...kinds: readonly string[]) =>
    ({ problems }: CaseResult): boolean =>
      problems.some(({ kind }) => kinds.includes(kind));
  const updated = report.results.filter(({ written }) => written.length > 0).length;
  const parts = [
    `${all - failed.length} as expected`,
    ...of(has("script", "diagnostics"), "otherwise"),
    ...of(has("missing"), "without expectation"),
    ...of(has("options", "file", "crash"), "not run"),
    ...of(has("load", "verify"), "wrong on the kernel"),
    ...(updated > 0 ? [`${updated} updated`] : []),
  ];
  return (
    `${all} ${all === 1 ? "case" : "cases"}: ${parts.join(", ")} (${report.seconds.toFixed(1)} s)\n` +
    `${renderKernelSummary(report.results)}`
  );
}

/** One line for all comparisons on the kernel; the empty text without `--kernel`. */
function renderKernelSummary(results: readonly CaseResult[]): string {
  if (results.every(({ kernel }) => kernel === undefined)) return "";
  const all = results.flatMap(({ kernel }) => (kernel?.verified ? [kernel.verified] : []));
  const sum = (measure: keyof Verified): number => all.reduce((total, one) => total + one[measure], 0);
  return (
    `on the kernel: ${all.length} verified, ` +
    `${measures({ packets: sum("packets"), rules: sum("rules"), hit: sum("hit"), leftOut: sum("leftOut") })}\n`
  );
}

type Verified = NonNullable<KernelResult["verified"]>;

function measures({ packets, rules, hit, leftOut }: Verified): string {
  return `${packets} packets, ${hit} of ${rules} rules hit${leftOut === 0 ? "" : `, ${leftOut} left out`}`;
}

/** The document of `--json`. Members are only ever added while `version` stays 1. */
export interface CorpusJson {
  readonly version: 1;
  readonly cases: number;
  readonly failed: number;
  readonly seconds: number;
  readonly threads: number;
  readonly complete: boolean;
  readonly notes: readonly string[];
  readonly results: readonly (Omit<CaseResult, "problems"> & { readonly passed: boolean; readonly problems: CaseResult["problems"] })[];
}

/** Renders one document of several lines, with a newline at its end. */
export function renderCorpusJson(report: CorpusReport): string {
  const document: CorpusJson = {
    version: 1,
    cases: report.results.length,
    failed: failedCases(report).length,
    seconds: rounded(report.seconds),
    threads: report.threads,
    complete: report.complete,
    notes: report.notes,
    results: report.results.map((one) => ({ ...one, seconds: rounded(one.seconds), passed: one.problems.length === 0 })),
  };
  return `${visibleJson(JSON.stringify(document, undefined, 2))}\n`;
}

/** To a tenth of a millisecond. */
function rounded(seconds: number): number {
  return Math.round(seconds * 10_000) / 10_000;
}

function kernelText({ verified, notes }: KernelResult): string {
  return [...(verified ? [measures(verified)] : []), ...notes].join("\n");
}

/** A suite per folder. */
export function renderCorpusJunit(report: CorpusReport): string {
  const suites = new Map<string, JunitCase[]>();
  for (const { name, file, seconds, problems, kernel } of report.results) {
    const slash = name.lastIndexOf("/");
    const suite = slash < 0 ? "corpus" : name.slice(0, slash);
    const cases = suites.get(suite) ?? [];
    suites.set(suite, cases);
    cases.push({
      name: name.slice(slash + 1),
      file,
      time: seconds,
      problems: problems.map((problem) => ({
        kind: isError(problem) ? "error" : "failure",
        type: problem.kind,
        message: problem.message,
        text: problem.detail,
      })),
      ...(kernel !== undefined && { output: kernelText(kernel) }),
    });
  }
  return renderJunit({ name: "ipt2nft-recent corpus", suites: [...suites].map(([name, cases]) => ({ name, cases })) });
}
