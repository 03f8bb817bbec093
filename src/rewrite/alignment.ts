/** Finds what two sequences have in common, in order. */

/** Positions in the first sequence and in the second. */
export type Pair = readonly [first: number, second: number];

/** Cells of the table of a comparison of everything with everything: some milliseconds. */
const largestTable = 1_000_000;

/**
 * A longest common subsequence; undefined equals nothing. Of long stretches without much in common it is only a long one:
 * there, what is on both sides just once tells where they meet.
 */
export function align(first: readonly (string | undefined)[], second: readonly (string | undefined)[]): Pair[] {
  const pairs: Pair[] = [];
  const equal = (i: number, j: number): boolean => first[i] !== undefined && first[i] === second[j];
  const between = (start: Pair, end: Pair, anchored: boolean): void => {
    let [i, j] = start;
    let [iEnd, jEnd] = end;
    while (i < iEnd && j < jEnd && equal(i, j)) pairs.push([i++, j++]);
    const tail: Pair[] = [];
    while (i < iEnd && j < jEnd && equal(iEnd - 1, jEnd - 1)) tail.push([--iEnd, --jEnd]);
    if ((iEnd - i) * (jEnd - j) <= largestTable) {
      for (const pair of compareAll([i, j], [iEnd, jEnd], equal)) pairs.push(pair);
    } else if (!anchored) {
      let from: Pair = [i, j];
      for (const [k, l] of anchors(first.slice(i, iEnd), second.slice(j, jEnd))) {
        const anchor: Pair = [i + k, j + l];
        between(from, anchor, true);
        pairs.push(anchor);
        from = [anchor[0] + 1, anchor[1] + 1];
      }
      between(from, [iEnd, jEnd], true);
    }
    for (const pair of tail.reverse()) pairs.push(pair);
  };
  between([0, 0], [first.length, second.length], false);
  return pairs;
}

function compareAll([i0, j0]: Pair, [i1, j1]: Pair, equal: (i: number, j: number) => boolean): Pair[] {
  const width = j1 - j0 + 1;
  const lengths = new Uint32Array((i1 - i0 + 1) * width);
  const at = (i: number, j: number): number => lengths[(i - i0) * width + (j - j0)]!;
  for (let i = i1 - 1; i >= i0; i--) {
    for (let j = j1 - 1; j >= j0; j--) {
      lengths[(i - i0) * width + (j - j0)] = equal(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: Pair[] = [];
  for (let [i, j] = [i0, j0]; i < i1 && j < j1; ) {
    if (equal(i, j)) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

/** The longest increasing run of values that each sequence has once. */
function anchors(first: readonly (string | undefined)[], second: readonly (string | undefined)[]): Pair[] {
  const [left, right] = [positionsOfUnique(first), positionsOfUnique(second)];
  const candidates: Pair[] = [...left].flatMap(([key, i]) => (right.has(key) ? [[i, right.get(key)!] as const] : []));
  const ends: number[] = [];
  const previous = new Int32Array(candidates.length).fill(-1);
  candidates.forEach(([, j], index) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (candidates[ends[middle]!]![1] < j) low = middle + 1;
      else high = middle;
    }
    previous[index] = low > 0 ? ends[low - 1]! : -1;
    ends[low] = index;
  });
  const found: Pair[] = [];
  for (let index = ends.at(-1) ?? -1; index >= 0; index = previous[index]!) found.push(candidates[index]!);
  return found.reverse();
}

/** In order of position. */
function positionsOfUnique(keys: readonly (string | undefined)[]): Map<string, number> {
  const positions = new Map<string, number>();
  const repeated = new Set<string>();
  keys.forEach((key, index) => {
    if (key === undefined || repeated.has(key)) return;
    if (positions.delete(key)) repeated.add(key);
    else positions.set(key, index);
  });
  return positions;
}
