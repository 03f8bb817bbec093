/**
 * Changes of a header field that depend on its old value, for nft versions (1.0.6) that can only write constants: one rule
 * for each new value, behind a match on the old ones.
 */

import { assign, jump, match, number, oneOf, range, verdict, type Expression, type Statement } from "../../nft/ast.js";
import type { RuleContext, Untranslatable } from "../extension.js";

export interface FieldChange {
  readonly field: Expression;
  /** The field as it is compared, where that is not how it is written. */
  readonly compared?: Expression;
  /** Width of the field in bits, at most 8. */
  readonly bits: number;
  readonly change: (old: number) => number;
}

interface Group {
  readonly field: Expression;
  readonly compared: Expression;
  readonly old: readonly number[];
  readonly new: number | undefined;
}

/** The old values by what becomes of them; `new` is undefined for those that stay. */
function groups({ field, compared = field, bits, change }: FieldChange): Group[] {
  const found = new Map<number | undefined, number[]>();
  for (let old = 0; old < 1 << bits; old++) {
    const target = change(old);
    const key = target === old ? undefined : target;
    const known = found.get(key);
    if (known) known.push(old);
    else found.set(key, [old]);
  }
  // A field that always ends up with one value is written without a look at it.
  const [one, other, ...more] = [...found.keys()];
  if (more.length === 0 && found.size === 2 && (one === undefined || other === undefined)) {
    const constant = one ?? other;
    const kept = found.get(undefined) ?? [];
    if (kept.length === 1 && kept[0] === constant) return [{ field, compared, old: [], new: constant }];
  }
  return [...found].map(([target, old]) => ({ field, compared, old, new: target }));
}

function oldValues(old: readonly number[]): Expression {
  const first = old[0]!;
  const last = old.at(-1)!;
  return old.length > 2 && last - first === old.length - 1 ? range(number(first), number(last)) : oneOf(old.map((value) => number(value)));
}

const isConstant = (all: readonly Group[]): boolean => all.length === 1 && all[0]!.old.length === 0;

/** Statements that make all the changes, or the reason why there are none. `wish` names the chain, if one is needed. */
export function fieldChanges(changes: readonly FieldChange[], wish: string, context: RuleContext): readonly Statement[] | Untranslatable {
  const perField = changes.map(groups).filter((all) => all.some((group) => group.new !== undefined));
  const constants = perField.filter(isConstant).flatMap((all) => all.map((group) => assign(group.field, number(group.new ?? 0))));
  const dependent = perField.filter((all) => !isConstant(all));
  if (dependent.length === 0) return constants;
  const combinations = dependent.reduce<readonly (readonly Group[])[]>(
    (all, field) => all.flatMap((groupsSoFar) => field.map((group) => [...groupsSoFar, group])),
    [[]],
  );
  const rules = combinations
    .filter((combination) => combination.some((group) => group.new !== undefined))
    .map((combination) => [
      ...combination.map((group) => match(group.compared, oldValues(group.old))),
      ...combination.flatMap((group) => (group.new === undefined ? [] : [assign(group.field, number(group.new))])),
      verdict("return"),
    ]);
  return [...constants, jump(context.declare.chain(wish, rules))];
}
