/**
 * Intervals by their beginnings, to find those that meet another one. Those of one magnitude are together: none of them that meets an
 * interval begins further in front of it than that, and few are looked at in vain.
 */

import type { Interval } from "./fields.js";

interface Entry {
  readonly from: bigint;
  readonly to: bigint;
  readonly member: number;
}

/** Entries of a block: few enough to move them for one that is put in. */
const mostInBlock = 256;

export class SortedIntervals {
  /** By the bits that the length takes. */
  private readonly magnitudes = new Map<number, Magnitude>();

  add([from, to]: Interval, member: number): void {
    const bits = from === to ? 0 : (to - from).toString(2).length;
    let magnitude = this.magnitudes.get(bits);
    if (!magnitude) this.magnitudes.set(bits, (magnitude = new Magnitude(bits)));
    magnitude.add({ from, to, member });
  }

  /**
   * Adds the members of those that meet an interval.
   *
   * @returns whether that was all of them: after `most` the search ends
   */
  collectMeeting(interval: Interval, found: Set<number>, most: number): boolean {
    for (const magnitude of this.magnitudes.values()) if (!magnitude.collectMeeting(interval, found, most)) return false;
    return true;
  }
}

class Magnitude {
  private readonly longest: bigint;
  private readonly blocks: Entry[][] = [];

  constructor(bits: number) {
    this.longest = (1n << BigInt(bits)) - 1n;
  }

  add(entry: Entry): void {
    const { blocks } = this;
    const index = Math.max(0, firstFrom(blocks.length, (one) => blocks[one]![0]!.from > entry.from) - 1);
    const block = blocks[index];
    if (!block) return void blocks.push([entry]);
    block.splice(
      firstFrom(block.length, (one) => block[one]!.from > entry.from),
      0,
      entry,
    );
    if (block.length > mostInBlock) blocks.splice(index + 1, 0, block.splice(mostInBlock / 2));
  }

  collectMeeting([from, to]: Interval, found: Set<number>, most: number): boolean {
    const earliest = from - this.longest;
    const { blocks } = this;
    let seen = 0;
    for (
      let index = Math.max(0, firstFrom(blocks.length, (one) => blocks[one]![0]!.from >= earliest) - 1);
      index < blocks.length;
      index++
    ) {
      const block = blocks[index]!;
      for (let place = firstFrom(block.length, (one) => block[one]!.from >= earliest); place < block.length; place++) {
        const entry = block[place]!;
        if (entry.from > to) return true;
        if (++seen > most) return false;
        if (entry.to >= from) found.add(entry.member);
      }
    }
    return true;
  }
}

/** The first of so many places from which on something holds; their number where it never does. */
function firstFrom(count: number, holds: (place: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
