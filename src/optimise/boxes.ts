/**
 * Boxes: an interval, or a name, for each of several fields. The kernel finds overlaps in a set of them only where they are put in in one
 * order, and then answers with the one that came first: so no two that are put in may overlap.
 */

import type { Field, Point } from "./fields.js";
import type { Selectors } from "./value-index.js";

/** Both ends belong to it; field by field, in the order of the fields. */
export type Box = readonly (readonly [from: Point, to: Point])[];

/** What selectors ask for, as boxes that do not overlap; of all fields. */
export function boxesOf(selectors: Selectors, fields: readonly Field[]): Box[] {
  const all = fields.reduce<Box[]>(
    (found, field) => found.flatMap((before) => partsOf(selectors, field).map((part) => [...before, part])),
    [[]],
  );
  return all.reduce<Box[]>((apart, box) => [...apart, ...boxesWithout([box], apart)], []);
}

function partsOf(selectors: Selectors, field: Field): readonly (readonly [Point, Point])[] {
  const values = selectors.get(field)!;
  switch (values.kind) {
    case "numbers":
      return values.intervals;
    case "name":
      return [[values.name, values.name]];
    case "beginning":
      throw new Error("a beginning is no part of a box");
  }
}

/** What is left of boxes outside of others. */
export function boxesWithout(boxes: readonly Box[], others: readonly Box[]): Box[] {
  return others.reduce<readonly Box[]>((left, other) => left.flatMap((box) => boxWithout(box, other)), boxes).slice();
}

function boxWithout(box: Box, other: Box): readonly Box[] {
  if (box.some(([from, to], index) => to < other[index]![0] || from > other[index]![1])) return [box];
  const pieces: Box[] = [];
  const rest = [...box];
  for (const [index, [first, last]] of other.entries()) {
    const [from, to] = rest[index]!;
    // Names that meet are equal.
    if (typeof from === "string" || typeof to === "string" || typeof first === "string" || typeof last === "string") continue;
    const piece = (part: readonly [Point, Point]): Box => rest.map((own, place) => (place === index ? part : own));
    if (from < first) pieces.push(piece([from, first - 1n]));
    if (to > last) pieces.push(piece([last + 1n, to]));
    rest[index] = [from < first ? first : from, to > last ? last : to];
  }
  return pieces;
}
