/** Whether two neighbouring rules may change places. */

import { readsOf } from "../../extensions/described.js";
import { isMemory } from "../../extensions/facts.js";
import type { Family, IptablesRule } from "../../iptables/ast.js";
import { intersect } from "../packets/box.js";
import { isVolatile, reachOf } from "../packets/condition.js";
import { actionOf } from "../packets/paths.js";

/** False also where it cannot be told. */
export function mayChangePlaces(a: IptablesRule, b: IptablesRule, family: Family): boolean {
  const [left, right] = [reachOf(a, family), reachOf(b, family)];
  if (!left || !right) return true;
  const [leftTests, rightTests] = [a, b].map(({ matches }) => matches.filter(isVolatile));
  const apart = intersect(fixedPart(left), fixedPart(right)) === undefined;
  if (apart && !(leftTests!.length > 0 && rightTests!.length > 0)) return true;
  if (apart) return !sharesState(a, b);
  if (leftTests!.length > 0 || rightTests!.length > 0) return false;
  const [first, second] = [actionOf(a), actionOf(b)];
  // Both orders take the same packets where both do the same with them and leave nothing behind.
  return first.kind === second.kind && ["accept", "drop"].includes(first.kind) && sameTarget(a, b);
}

/** Without tests that fields of the packet do not tell. */
function fixedPart({ tests: _, ...fields }: NonNullable<ReturnType<typeof reachOf>>) {
  return fields;
}

function sharesState(a: IptablesRule, b: IptablesRule): boolean {
  const memories = (rule: IptablesRule): string[] =>
    rule.matches
      .filter(isVolatile)
      .flatMap((use) => readsOf(use))
      .map((matter) => (isMemory(matter) ? `${matter.memory} ${matter.name ?? ""}` : matter));
  const left = new Set(memories(a));
  return memories(b).some((name) => left.has(name));
}

function sameTarget(a: IptablesRule, b: IptablesRule): boolean {
  if (a.target?.kind !== "extension" || b.target?.kind !== "extension" || a.target.extension !== b.target.extension) return false;
  const text = ({ options }: { readonly options: IptablesRule["matches"][number]["options"] }): string =>
    Object.values(options)
      .map(({ name, text: value, inverted }) => `${inverted}${name}=${value}`)
      .sort()
      .join(" ");
  return text(a.target) === text(b.target);
}
