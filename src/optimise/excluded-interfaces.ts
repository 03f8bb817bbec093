/**
 * Tests that packets cannot fail at their place: `iifname != "docker0"` behind `iifname "docker0" return` in the same chain. Docker
 * writes both for each port that it publishes, and the ports of all its networks are one look-up without them.
 *
 * Only interfaces: no other test or statement of a rule rests on a test of them, and nothing changes them while a chain runs.
 */

import type { Statement } from "../nft/ast.js";
import type { Field, Values } from "./fields.js";
import { goesOn, interfaceOf, type ReadRule } from "./read-rule.js";

/** The interfaces of which no packet comes any further in a chain. */
export class ExcludedInterfaces {
  private readonly gone: { readonly field: Field; readonly values: Values }[] = [];

  /** Whether every packet that comes here passes a test. */
  holds(statement: Statement): boolean {
    if (statement.kind !== "match" || statement.operator !== "!=") return false;
    const tested = interfaceOf(statement);
    return tested !== undefined && this.gone.some(({ field, values }) => field === tested.field && isPartOf(tested.values, values));
  }

  /** Notes what a rule leaves for those behind it. */
  add({ selectors, plain }: ReadRule): void {
    if (!plain || plain.others.length > 0 || selectors.size !== 1 || goesOn(plain.end)) return;
    const [[field, values]] = [...selectors] as [[Field, Values]];
    if (values.kind !== "numbers") this.gone.push({ field, values });
  }
}

/** Whether all names of the first are among those of the second. */
function isPartOf(names: Values, others: Values): boolean {
  if (others.kind === "name") return names.kind === "name" && names.name === others.name;
  if (others.kind !== "beginning") return false;
  const beginning = names.kind === "name" ? names.name : names.kind === "beginning" ? names.beginning : undefined;
  return beginning?.startsWith(others.beginning) === true;
}
