/** The first thing a reviewer reads. */

import { effectOf, type DiagnosticCode, catalogue } from "../diagnostic.js";
import type { Finding, ReviewReport } from "./report.js";

/** Codes of the review's own for which the script does not decide as the rules do. */
const breaking: ReadonlySet<string> = new Set(["script-drift", "difference-found"]);

export interface Judged extends Pick<ReviewReport, "findings" | "opens" | "closes" | "alters" | "unjudged"> {
  /** Two versions were compared: the verdict is about the change. */
  readonly compared: boolean;
}

/**
 * The verdict, and one sentence that says it. "Safe" is said of a change only if every part of it was judged, none opens, closes or alters
 * anything, and nothing new needs a look; findings that were there before do not count.
 */
export function judge({ findings, opens, closes, alters, unjudged, compared }: Judged): Pick<ReviewReport, "verdict" | "headline"> {
  const unsuppressed = findings.filter(({ suppressed }) => !suppressed);
  const active = unsuppressed.filter(({ unchanged }) => !unchanged);
  const before = unsuppressed.filter(({ unchanged, severity }) => unchanged && severity !== "note").length;
  const effects = [
    ...(opens.length > 0 ? [`${opens.length} ${opens.length === 1 ? "opens" : "open"}`] : []),
    ...(closes.length > 0 ? [`${closes.length} ${closes.length === 1 ? "closes" : "close"}`] : []),
    ...(alters.length > 0 ? [`${alters.length} ${alters.length === 1 ? "alters" : "alter"}`] : []),
    ...(unjudged.length > 0 ? [`${unjudged.length} not judged`] : []),
  ];
  const broken = active.filter(breaks);
  const others = active.filter((finding) => finding.severity !== "note" && !breaks(finding) && !tellsEffect(finding)).length;
  const rest = [...(others > 0 ? [`${count(others, "more finding")}`] : []), ...(before > 0 ? [count(before, "unchanged finding")] : [])];
  if (broken.length > 0) {
    const invalid = broken.filter(({ code }) => isTranslators(code) && effectOf(code) === "invalid");
    const reason =
      invalid.length > 0
        ? `the input is no ruleset: ${count(invalid.length, "error")}`
        : `${count(broken.length, "finding")} ${broken.length === 1 ? "says" : "say"} where the script does not decide as the rules do`;
    return { verdict: "not-equivalent", headline: `Not equivalent: ${[reason, ...effects, ...rest].join(", ")}.` };
  }
  if (effects.length === 0 && others === 0) {
    const told = [...rest, ...notes(active)];
    const reason = compared ? "every change was judged, and none opens or closes anything" : "nothing needs a look";
    return { verdict: "safe", headline: `Safe to merge: ${reason}${told.length > 0 ? ` (${told.join(", ")})` : ""}.` };
  }
  const [first, ...more] = [...effects, ...(others > 0 && effects.length === 0 ? [count(others, "thing")] : [])];
  const tail = effects.length === 0 ? rest.slice(1) : rest;
  return { verdict: "look", headline: `Look: ${[first, ...more, ...tail].join(", ")}.` };
}

/** Findings about effects that are counted as such. */
const effectCodes: ReadonlySet<string> = new Set([
  "change-opens",
  "change-closes",
  "change-translation",
  "change-marks",
  "change-not-judged",
  "list-opens",
  "list-closes",
]);

function tellsEffect({ code }: Finding): boolean {
  return effectCodes.has(code);
}

function breaks({ code }: Finding): boolean {
  return breaking.has(code) || (isTranslators(code) && ["invalid", "refused"].includes(effectOf(code)));
}

function isTranslators(code: string): code is DiagnosticCode {
  return Object.hasOwn(catalogue, code);
}

function notes(active: readonly Finding[]): string[] {
  const found = active.filter(({ severity }) => severity === "note").length;
  return found === 0 ? [] : [count(found, "note")];
}

/** `1 thing`, `2 things`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
