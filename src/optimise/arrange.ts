/**
 * Which rules of a chain come together, and where: each joins the nearest group of its shape before it, if it may move over everything
 * between. It may move over a rule whose packets are never its own: then no packet runs both, whatever they count, write or remember.
 */

import { fields, type Field } from "./fields.js";
import { goesOn, type ReadRule } from "./read-rule.js";
import { combinations, combinationText, shapesOf, type Shape } from "./shapes.js";
import { areApart, Asked, ValueIndex } from "./value-index.js";

/** Rules of one shape that stand together now. */
export interface Group {
  readonly kind: "group";
  readonly shape: Shape;
  /** Places in the chain, in the order of the rules. */
  readonly members: number[];
  readonly asked: Asked;
  /** With one field: what those ask for whose packets go on. */
  readonly goingOn: ValueIndex;
  /** Without: the combinations, and whether the packets of their rule go on. */
  readonly combinations: Map<string, boolean>;
}

/** A rule by itself. */
export interface Alone {
  readonly kind: "alone";
  readonly place: number;
}

export interface ArrangeOptions {
  /** Verdicts may differ within a group. */
  readonly mapped: boolean;
  /** Rules of one shape below which they are left as they are. */
  readonly fewest: number;
  /** Keys of shapes that do not pay here. */
  readonly without: ReadonlySet<string>;
}

/** Rules and groups that one rule may move over. */
const mostPassed = 200;
/** Comparisons of a rule with another or a group, for each rule of a chain and beside: beyond them nothing moves any more. */
const comparisonsPerRule = 20;
const comparisonsBeside = 20_000;

/** @param rules those of a chain; undefined for an entry that is no rule */
export function arrange(rules: readonly (ReadRule | undefined)[], { mapped, fewest, without }: ArrangeOptions): (Group | Alone)[] {
  const shapes = chosenShapes(rules, mapped, fewest, without);
  const units: (Group | Alone)[] = [];
  const groups = new Map<string, { readonly group: Group; readonly position: number }>();
  let budget = comparisonsBeside + rules.length * comparisonsPerRule;
  const mayMove = (read: ReadRule, position: number): boolean => {
    if (units.length - position - 1 > mostPassed) return false;
    for (let index = position + 1; index < units.length; index++) {
      if (budget-- <= 0) return false;
      const unit = units[index]!;
      if (unit.kind === "group" ? !unit.asked.isApartFrom(read.selectors) : !isApartFrom(rules[unit.place], read)) return false;
    }
    return true;
  };
  for (const [place, read] of rules.entries()) {
    const shape = shapes[place];
    if (!read || !shape) {
      units.push({ kind: "alone", place });
      continue;
    }
    const known = groups.get(shape.key);
    if (known && fits(read, known.group) && mayMove(read, known.position)) {
      add(known.group, place, read);
      continue;
    }
    const group: Group = {
      kind: "group",
      shape,
      members: [],
      asked: new Asked(),
      goingOn: new ValueIndex(),
      combinations: new Map(),
    };
    add(group, place, read);
    groups.set(shape.key, { group, position: units.length });
    units.push(group);
  }
  return units;
}

/** The shape that most rules of the chain have, of those that each rule has. */
function chosenShapes(
  rules: readonly (ReadRule | undefined)[],
  mapped: boolean,
  fewest: number,
  without: ReadonlySet<string>,
): (Shape | undefined)[] {
  const counts = new Map<string, number>();
  const all = rules.map((read) => (read ? shapesOf(read, mapped) : []));
  for (const shapes of all) for (const { key } of shapes) counts.set(key, (counts.get(key) ?? 0) + 1);
  return all.map((shapes) => {
    let best: Shape | undefined;
    for (const shape of shapes) {
      const count = counts.get(shape.key)!;
      if (count >= fewest && !without.has(shape.key) && count > (best ? counts.get(best.key)! : 0)) best = shape;
    }
    return best;
  });
}

/** A comment that stands by itself is passed by every rule. */
function isApartFrom(passed: ReadRule | undefined, read: ReadRule): boolean {
  return !passed || areApart(passed.selectors, read.selectors);
}

/**
 * Whether a rule may come behind the members. They end the way of a packet, so that the first that matches counts; one whose packets go on
 * must have none in common with those behind it.
 */
function fits({ selectors }: ReadRule, group: Group): boolean {
  const { field } = group.shape;
  if (field === undefined) {
    return combinations(selectors, fieldsOf(group)).every((points) => !group.combinations.get(combinationText(points)));
  }
  return group.goingOn.meeting(selectors.get(field)!)?.size === 0;
}

function add(group: Group, place: number, { selectors, plain }: ReadRule): void {
  group.members.push(place);
  group.asked.add(selectors);
  const passes = goesOn(plain!.end);
  const { field } = group.shape;
  if (field !== undefined) {
    if (passes) group.goingOn.add(selectors.get(field)!, place);
    return;
  }
  for (const points of combinations(selectors, fieldsOf(group))) {
    const text = combinationText(points);
    // The first rule that wants it has it.
    if (!group.combinations.has(text)) group.combinations.set(text, passes);
  }
}

/** Of a shape without a field of its own: all that its members ask for. */
export function fieldsOf({ asked }: Group): readonly Field[] {
  const first = asked.members[0]!;
  return fields.filter((field) => first.has(field));
}
