/** What is wrong with the options of a match or target, once all of its rule is read. */

import type { DiagnosticCode, Span } from "../diagnostic.js";
import type { CheckContext, OptionDefinitions, OptionUses } from "../extensions/extension.js";
import type { ExtensionUse } from "./ast.js";
import { optionIndex, type Extension } from "./option-table.js";

export interface Fault {
  readonly code: DiagnosticCode;
  readonly span: Span;
  readonly message: string;
}

/**
 * @param label the match or target as messages call it
 * @param failed whether the rule is known to be in error, which may be why something is missing
 */
export function extensionFaults(extension: Extension, use: ExtensionUse, label: string, context: CheckContext, failed: boolean): Fault[] {
  const faults: Fault[] = [];
  const { required, excluding } = optionIndex(extension);
  for (const name of required) {
    if (use.options[name] !== undefined || failed || faults.length > 0) continue;
    faults.push({ code: "missing-option", span: use.span, message: `${label} needs the option "--${name}"` });
  }
  for (const { name, excluded } of excluding) {
    const option = use.options[name];
    if (option === undefined) continue;
    for (const otherName of excluded) {
      const other = use.options[otherName];
      if (other === undefined || other === option) continue;
      const [beside, blamed] = other.span.column > option.span.column ? [option, other] : [other, option];
      // If both name each other, the later one is blamed, once.
      if (blamed === other && excluding.some((rule) => rule.name === otherName && rule.excluded.includes(name))) continue;
      faults.push({
        code: "conflicting-options",
        span: blamed.span,
        message: `option "--${blamed.name}" cannot stand beside "--${beside.name}"`,
      });
    }
  }
  const protocols = "protocols" in extension ? extension.protocols : undefined;
  if (protocols !== undefined && (context.protocol === undefined || !protocols.includes(context.protocol))) {
    faults.push({ code: "invalid-placement", span: use.span, message: `${label} needs the protocol it is for, given with "-p"` });
  }
  if (failed || faults.length > 0) return faults;
  const invalid = extension.check?.(use.options as OptionUses<OptionDefinitions>, context);
  return invalid === undefined ? faults : [{ code: "conflicting-options", span: use.span, message: `${label}: ${invalid.reason}` }];
}
