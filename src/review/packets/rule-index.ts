/**
 * Finds the rules of a long chain that can have to do with a set of packets, without looking at the others: by ranges of one field,
 * sorted by their beginnings, with the furthest end of everything before (an interval tree laid out in an array).
 */

import type { Box, IntervalField } from "./box.js";
import { intervals, type Intervals, type Range } from "./intervals.js";

/** Fields by which rulesets tell packets apart, and no packet changes on its way but by translation. */
const fields = ["source", "destination", "sourcePort", "destinationPort", "protocol"] as const satisfies readonly IntervalField[];

/** Below it, asking every rule is as fast. */
const fewRules = 24;

interface Entry {
  readonly from: bigint;
  readonly to: bigint;
  readonly rule: number;
}

interface FieldIndex {
  /** By `from`. */
  readonly entries: readonly Entry[];
  /** The largest `to` of the subtree in whose middle the entry stands. */
  readonly furthest: readonly bigint[];
  /** Rules that say nothing of the field, in order. */
  readonly others: readonly number[];
}

export class RuleIndex {
  private readonly byField = new Map<IntervalField, FieldIndex>();

  /** @param boxes for each rule a box that holds all packets that it can match; `undefined`: it can match any */
  constructor(private readonly boxes: readonly (Box | undefined)[]) {
    if (boxes.length < fewRules) return;
    for (const field of fields) {
      const index = indexOf(field, boxes);
      // What tells few rules apart is not worth asking.
      if (index.others.length < boxes.length / 2) this.byField.set(field, index);
    }
  }

  /** The rules that may match packets of the boxes, in order, and perhaps some more; undefined: all. */
  candidates(boxes: readonly Box[]): readonly number[] | undefined {
    let best: number[] | undefined;
    for (const [field, { entries, furthest, others }] of this.byField) {
      const wanted = valuesOf(boxes, field);
      if (!wanted) continue;
      const most: number = best?.length ?? this.boxes.length / 2;
      if (others.length >= most) continue;
      const found = new Set(others);
      if (wanted.every((range) => gather(entries, furthest, range, 0, entries.length, found, most))) best = [...found];
    }
    return best?.sort((a, b) => a - b);
  }
}

/** The values that any of the boxes has; undefined: all. */
function valuesOf(boxes: readonly Box[], field: IntervalField): Intervals | undefined {
  // What the pieces of one set of packets share is the same object, as a rule.
  const different = [...new Set(boxes.map((box) => box[field]))];
  if (different.includes(undefined)) return undefined;
  return different.length === 1 ? different[0] : intervals(different.flatMap((set) => set!));
}

function indexOf(field: IntervalField, boxes: readonly (Box | undefined)[]): FieldIndex {
  const entries: Entry[] = [];
  const others: number[] = [];
  for (const [rule, box] of boxes.entries()) {
    const ranges = box?.[field];
    if (!ranges) others.push(rule);
    else for (const [from, to] of ranges) entries.push({ from, to, rule });
  }
  entries.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const furthest: bigint[] = [];
  const fill = (start: number, end: number): bigint => {
    if (start >= end) return -1n;
    const middle = (start + end) >> 1;
    const [left, right, own] = [fill(start, middle), fill(middle + 1, end), entries[middle]!.to];
    return (furthest[middle] = [left, right, own].reduce((a, b) => (a > b ? a : b)));
  };
  fill(0, entries.length);
  return { entries, furthest, others };
}

/** Adds the rules whose ranges meet this one; false as soon as they are too many. */
function gather(
  entries: readonly Entry[],
  furthest: readonly bigint[],
  range: Range,
  start: number,
  end: number,
  found: Set<number>,
  most: number,
): boolean {
  if (start >= end) return true;
  const middle = (start + end) >> 1;
  const [from, to] = range;
  if (furthest[middle]! < from) return true;
  const entry = entries[middle]!;
  if (!gather(entries, furthest, range, start, middle, found, most)) return false;
  if (entry.from > to) return true;
  if (entry.to >= from) {
    found.add(entry.rule);
    if (found.size >= most) return false;
  }
  return gather(entries, furthest, range, middle + 1, end, found, most);
}
