/** Rules as somebody wrote them. */

import type { IptablesRule } from "./ast.js";

/** Of a line with several addresses iptables makes several rules: the first of each line. */
export function writtenRules(rules: readonly IptablesRule[]): readonly IptablesRule[] {
  return rules.filter(({ span }, index) => {
    const before = rules[index - 1]?.span;
    return span.line !== before?.line || span.file !== before.file;
  });
}
