/** The first thing a reviewer reads. */

import { effectOf, type DiagnosticCode, catalogue } from "../diagnostic.js";
import { effectCodes } from "./fail-on.js";
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
  const accepted = findings.length - unsuppressed.length;
  const active = unsuppressed.filter(({ unchanged }) => !unchanged);
  const before = unsuppressed.filter(({ unchanged, severity }) => unchanged && severity !== "note").length;
  // What somebody has accepted, rule by rule, is not told again.
  const told = (effects: readonly unknown[], codes: ReadonlySet<string>): number => {
    const about = findings.filter(({ code }) => codes.has(code));
    return about.length > 0 && about.every(({ suppressed }) => suppressed) ? 0 : effects.length;
  };
  const effects = effectWords(
    told(opens, effectCodes.opens),
    told(closes, effectCodes.closes),
    told(alters, alteringCodes),
    told(unjudged, effectCodes.unjudged),
  );
  const broken = active.filter(breaks);
  const others = active.filter((finding) => finding.severity !== "note" && !breaks(finding) && !tellsEffect(finding)).length;
  const unchanged = before > 0 ? [count(before, "unchanged finding")] : [];
  const rest = [
    ...(others > 0 ? [`${count(others, "more finding")}`] : []),
    ...unchanged,
    ...(accepted > 0 ? [`${accepted} accepted`] : []),
  ];
  if (broken.length > 0) {
    const invalid = broken.filter(({ code }) => isTranslators(code) && effectOf(code) === "invalid");
    const reason =
      invalid.length > 0
        ? `the input is no ruleset: ${count(invalid.length, "error")}`
        : `${count(broken.length, "finding")} ${broken.length === 1 ? "says" : "say"} where the script does not decide as the rules do`;
    return { verdict: "not-equivalent", headline: `Not equivalent: ${[reason, ...effects, ...rest].join(", ")}.` };
  }
  if (effects.length === 0 && others === 0) {
    // Who changes the rules may change the comment or the baseline with them: to accept is not to be safe.
    const does = effectWords(opens.length, closes.length, alters.length, unjudged.length);
    if (does.length > 0) {
      const parts = [...does, "accepted by a comment or a baseline", ...unchanged, ...notes(active)];
      return { verdict: "look", headline: `Look: ${parts.join(", ")}.` };
    }
    const reason = compared ? "every change was judged, and none opens or closes anything" : "nothing needs a look";
    const aside = [...rest, ...notes(active)];
    return { verdict: "safe", headline: `Safe to merge: ${reason}${aside.length > 0 ? ` (${aside.join(", ")})` : ""}.` };
  }
  const [first, ...more] = [...effects, ...(others > 0 && effects.length === 0 ? [count(others, "thing")] : [])];
  const tail = effects.length === 0 ? rest.slice(1) : rest;
  return { verdict: "look", headline: `Look: ${[first, ...more, ...tail].join(", ")}.` };
}

/** What a change does, by numbers: "1 opens", "2 close". */
function effectWords(opens: number, closes: number, alters: number, unjudged: number): string[] {
  const all = [
    [opens, "opens", "open"],
    [closes, "closes", "close"],
    [alters, "alters", "alter"],
    [unjudged, "not judged", "not judged"],
  ] as const;
  return all.flatMap(([number, one, several]) => (number > 0 ? [`${number} ${number === 1 ? one : several}`] : []));
}

const alteringCodes: ReadonlySet<string> = new Set(["change-translation", "change-marks", "change-refuses"]);

/** Whether the finding is about an effect that is counted as such. */
function tellsEffect({ code }: Finding): boolean {
  return alteringCodes.has(code) || Object.values(effectCodes).some((codes) => codes.has(code));
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
