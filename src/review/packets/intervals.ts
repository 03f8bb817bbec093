/** Sets of whole numbers as sorted ranges that do not touch. */

/** Both ends belong to the range. */
export type Range = readonly [from: bigint, to: bigint];
export type Intervals = readonly Range[];

/** The set of these ranges, in any order, overlapping or not. */
export function intervals(ranges: readonly Range[]): Intervals {
  const sorted = [...ranges].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const joined: [bigint, bigint][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last && from <= last[1] + 1n) last[1] = to > last[1] ? to : last[1];
    else joined.push([from, to]);
  }
  return joined;
}

export function intersectIntervals(a: Intervals, b: Intervals): Intervals {
  const common: Range[] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length; ) {
    const [[aFrom, aTo], [bFrom, bTo]] = [a[i]!, b[j]!];
    const from = aFrom > bFrom ? aFrom : bFrom;
    const to = aTo < bTo ? aTo : bTo;
    if (from <= to) common.push([from, to]);
    if (aTo < bTo) i++;
    else j++;
  }
  return common;
}

/** Whether any number is in both. */
export function intervalsMeet(a: Intervals, b: Intervals): boolean {
  for (let [i, j] = [0, 0]; i < a.length && j < b.length; ) {
    const [left, right] = [a[i]!, b[j]!];
    if (left[1] < right[0]) i++;
    else if (right[1] < left[0]) j++;
    else return true;
  }
  return false;
}

/** All numbers from 0 to `largest` that are not in the set. */
export function complement(set: Intervals, largest: bigint): Intervals {
  const rest: Range[] = [];
  let next = 0n;
  for (const [from, to] of set) {
    if (from > next) rest.push([next, from - 1n]);
    next = to + 1n;
  }
  if (next <= largest) rest.push([next, largest]);
  return rest;
}

/** How many numbers are in the set. */
export function sizeOf(set: Intervals): bigint {
  return set.reduce((sum, [from, to]) => sum + to - from + 1n, 0n);
}

/** Whether every number of the second set is in the first. */
export function containsIntervals(outer: Intervals, inner: Intervals): boolean {
  return inner.every(([from, to]) => outer.some(([first, last]) => first <= from && to <= last));
}
