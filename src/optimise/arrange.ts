/**
 * Which rules of a chain come together, and where: each joins the nearest group of its shape before it, if it may move over everything
 * between. It may move over a rule whose packets are never its own: then no packet runs both, whatever they count, write or remember.
 */

import { boxesOf, boxesWithout, type Box } from "./boxes.js";
import { fields, type Field } from "./fields.js";
import { goesOn, type ReadRule } from "./read-rule.js";
import { combinations, combinationText, shapesOf, type Shape } from "./shapes.js";
import { areApart, Asked, ValueIndex, type Selectors } from "./value-index.js";

/** Rules of one shape that stand together now. */
export interface Group {
  readonly kind: "group";
  readonly shape: Shape;
  /** Places in the chain, in the order of the rules. */
  readonly members: number[];
  readonly asked: Asked;
  /** With one field: what those ask for whose packets go on. */
  readonly goingOn: ValueIndex;
  /** With single values of several: the combinations, and whether the packets of their rule go on. */
  readonly combinations: Map<string, boolean>;
  /** With intervals of several: what each member has of them, which none before it has. */
  readonly boxes: (readonly Box[])[];
  /** Which of these members have packets that go on. */
  readonly going: Set<number>;
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

/** Boxes that a rule may fall into because of rules before it. */
const mostPieces = 16;
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
    const boxes = shape.boxes && boxesLeft(read, known?.group);
    const fitting = shape.boxes ? boxes !== undefined : known && fits(read, known.group);
    if (known && fitting && mayMove(read, known.position)) {
      add(known.group, place, read, boxes);
      continue;
    }
    // A rule that falls into too many pieces stays alone, and those behind it go on to the group.
    if (known && !fitting && shape.boxes) {
      units.push({ kind: "alone", place });
      continue;
    }
    const group: Group = {
      kind: "group",
      shape,
      members: [],
      asked: new Asked(),
      goingOn: new ValueIndex(),
      combinations: new Map(),
      boxes: [],
      going: new Set(),
    };
    add(group, place, read, shape.boxes && boxesLeft(read, undefined));
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
      if (count < fewest || without.has(shape.key)) continue;
      // A look-up of boxes takes longest: only what nothing else holds is one.
      if (shape.boxes ? !best : count > (best ? counts.get(best.key)! : 0)) best = shape;
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

/** What a rule has of the boxes that it asks for; undefined where it cannot come behind the members. */
function boxesLeft({ selectors, plain }: ReadRule, group: Group | undefined): readonly Box[] | undefined {
  const own = boxesOf(selectors, fieldsAmong(selectors));
  if (!group) return own;
  const meeting = group.asked.meeting(selectors);
  // Those of one group go on, or end, all alike, but for calls.
  if (!meeting || (meeting.length > 0 && (goesOn(plain!.end) || meeting.some((member) => group.going.has(member))))) return undefined;
  let left = own;
  for (const member of meeting) {
    left = boxesWithout(left, group.boxes[member]!);
    if (left.length > mostPieces) return undefined;
  }
  return left;
}

function add(group: Group, place: number, { selectors, plain }: ReadRule, boxes: readonly Box[] | undefined): void {
  if (boxes) {
    group.boxes.push(boxes);
    if (goesOn(plain!.end)) group.going.add(group.members.length);
  }
  group.members.push(place);
  group.asked.add(selectors);
  if (boxes) return;
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
  return fieldsAmong(asked.members[0]!);
}

function fieldsAmong(selectors: Selectors): readonly Field[] {
  return fields.filter((field) => selectors.has(field));
}
