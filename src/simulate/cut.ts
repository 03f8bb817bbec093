/** Which rules the script has only in part, for reasons that lie in the whole script and not in one match. */

import type { Diagnostic, DiagnosticCode, Span } from "../diagnostic.js";
import type { IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import type { Cut } from "./prepared-rules.js";

/** Codes of rules of which nothing is in the script. */
const nothingLeft: ReadonlySet<DiagnosticCode> = new Set(["rule-too-large", "unsafe-text"]);
/** Codes of rules whose matches are in the script up to what the diagnostic blames. */
const frontLeft: ReadonlySet<DiagnosticCode> = new Set(["too-many-levels", "recent-too-large", "needs-newer-nft"]);

export function cutRules(ruleset: IptablesRuleset, diagnostics: readonly Diagnostic[]): Map<IptablesRule, Cut> {
  const found = diagnostics.filter(({ code }) => nothingLeft.has(code) || frontLeft.has(code));
  const cut = new Map<IptablesRule, Cut>();
  if (found.length === 0) return cut;
  for (const rule of ruleset.tables.flatMap(({ chains }) => chains).flatMap(({ rules }) => rules)) {
    for (const { code, span } of found) {
      if (!isWithin(span, rule.span)) continue;
      cut.set(rule, nothingLeft.has(code) ? undefined : rule.matches.filter((match) => endsBefore(match.span, span)).length);
    }
  }
  return cut;
}

function endsBefore(one: Span, other: Span): boolean {
  return one.line < other.line || (one.line === other.line && one.column + one.length <= other.column);
}

/** Whether a place lies on the lines of a rule. */
export function isWithin(inner: Span, outer: Span): boolean {
  return inner.file === outer.file && inner.line >= outer.line && inner.line <= (outer.endLine ?? outer.line);
}
