/** What a finding's code means, for formats that carry a description of every code. */

import { catalogue, effectOf, type DiagnosticCode } from "../../diagnostic.js";
import { reviewEntry } from "../catalogue.js";

export interface CodeDescription {
  /** A short phrase, without a full stop. */
  readonly title: string;
  /** Whole sentences. */
  readonly explanation: string;
  /** Rules that show it, and what they should be. */
  readonly example?: { readonly bad: string; readonly good: string };
}

const effects = {
  invalid: "The input is not a ruleset that iptables-restore would load, and no script is made of it.",
  refused: "The rule is not in the script: it stands there as a comment, and the message says what that opens or closes.",
  approximated: "The rule is in the script, but does not decide every packet as before; the message says which, and in which direction.",
  noted: "No packet is decided otherwise.",
} as const;

/** Describes a code of the translator's catalogue or the review's own; any other by its words. */
export function describeCode(code: string): CodeDescription {
  const entry = reviewEntry(code);
  if (entry) return entry;
  if (!Object.hasOwn(catalogue, code)) return { title: code.replaceAll("-", " "), explanation: "" };
  const known = code as DiagnosticCode;
  return { title: catalogue[known].title, explanation: effects[effectOf(known)] };
}
