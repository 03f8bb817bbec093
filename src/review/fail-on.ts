/** What makes a review fail: findings from a severity on, and changes that open, close or were not judged. */

import type { Severity } from "../diagnostic.js";
import { reachesThreshold } from "./findings.js";
import type { Finding } from "./report.js";

export interface FailOn {
  /** Findings of this severity or a worse one; none if undefined. */
  readonly severity: Severity | undefined;
  readonly effects: ReadonlySet<FailingEffect>;
}

const severities = ["error", "warning", "note"] as const;
const failingEffects = ["opens", "closes", "unjudged"] as const;
type FailingEffect = (typeof failingEffects)[number];

/** Words that `parseFailOn` takes, beside `never`. */
export const failOnWords: readonly string[] = [...failingEffects, ...severities];

export const usualFailOn: FailOn = { severity: "warning", effects: new Set(["opens", "unjudged"]) };

/** Reads a comma list of words; undefined if it is none. Of several severities the mildest counts. */
export function parseFailOn(text: string): FailOn | undefined {
  if (text === "never") return { severity: undefined, effects: new Set() };
  const words = text.split(",").map((word) => word.trim());
  if (words.some((word) => !failOnWords.includes(word))) return undefined;
  return {
    severity: severities.findLast((severity) => words.includes(severity)),
    effects: new Set(failingEffects.filter((effect) => words.includes(effect))),
  };
}

/** The codes that tell of each effect. */
export const effectCodes: Readonly<Record<FailingEffect, ReadonlySet<string>>> = {
  opens: new Set(["change-opens", "list-opens"]),
  closes: new Set(["change-closes", "list-closes"]),
  unjudged: new Set(["change-not-judged", "old-unreadable"]),
};

/** Whether the finding makes the review fail; one that is accepted, or was there before the change, does not. */
export function fails({ suppressed, unchanged, severity, code }: Finding, { severity: threshold, effects }: FailOn): boolean {
  if (suppressed || unchanged) return false;
  return (threshold !== undefined && reachesThreshold(severity, threshold)) || [...effects].some((effect) => effectCodes[effect].has(code));
}
