/** The first thing a reviewer reads. */

import { effectOf, type DiagnosticCode, catalogue } from "../diagnostic.js";
import type { Finding, ReviewReport } from "./report.js";

/** Codes of the review's own for which the script does not decide as the rules do. */
const breaking: ReadonlySet<string> = new Set(["script-drift", "difference-found"]);

/** The verdict, and one sentence that says it. */
export function judge({
  findings,
  opens,
  closes,
}: Pick<ReviewReport, "findings" | "opens" | "closes">): Pick<ReviewReport, "verdict" | "headline"> {
  const active = findings.filter(({ suppressed }) => !suppressed);
  const broken = active.filter(breaks);
  if (broken.length > 0) {
    const invalid = broken.filter(({ code }) => isTranslators(code) && effectOf(code) === "invalid");
    const reason =
      invalid.length > 0
        ? `the input is no ruleset: ${count(invalid.length, "error")}`
        : `${count(broken.length, "finding")} ${broken.length === 1 ? "says" : "say"} where the script does not decide as the rules do`;
    const more = active.filter((finding) => finding.severity !== "note" && !breaks(finding)).length;
    return {
      verdict: "not-equivalent",
      headline: `Not equivalent: ${reason}${more > 0 ? `; ${count(more, "more thing")} to look at` : ""}.`,
    };
  }
  const warnings = active.filter(({ severity }) => severity !== "note").length;
  const effects = [
    ...(opens.length > 0 ? [`${count(opens.length, "kind")} of traffic ${opens.length === 1 ? "gets" : "get"} through that did not`] : []),
    ...(closes.length > 0 ? [`${count(closes.length, "kind")} of traffic no longer ${closes.length === 1 ? "gets" : "get"} through`] : []),
  ];
  const closing = active.filter(({ code }) => code === "change-closes").length;
  const things = warnings + closing;
  if (things === 0) return { verdict: "safe", headline: `Safe to merge: nothing needs a look${notes(active)}.` };
  return { verdict: "look", headline: `Look at ${count(things, "thing")}${effects.length > 0 ? `: ${effects.join(", ")}` : ""}.` };
}

function breaks({ code }: Finding): boolean {
  return breaking.has(code) || (isTranslators(code) && ["invalid", "refused"].includes(effectOf(code)));
}

function isTranslators(code: string): code is DiagnosticCode {
  return Object.hasOwn(catalogue, code);
}

function notes(active: readonly Finding[]): string {
  const found = active.filter(({ severity }) => severity === "note").length;
  return found === 0 ? "" : ` (${count(found, "note")})`;
}

/** `1 thing`, `2 things`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
