/** Intervals of several rules cut so that no two overlap: each number belongs to the first rule that wants it. */

import type { Interval } from "./fields.js";

export interface Piece {
  readonly interval: Interval;
  /** The rule that has it, by its place. */
  readonly member: number;
}

/** The pieces in the order of their numbers; pieces of one rule that touch are one. */
export function firstMatchPieces(members: readonly (readonly Interval[])[]): Piece[] {
  const starts = members
    .flatMap((intervals, member) => intervals.map(([from, to]) => ({ from, to, member })))
    .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : a.member - b.member));
  const active = new EarliestRule();
  const pieces: { interval: [bigint, bigint]; member: number }[] = [];
  let at = 0n;
  for (let next = 0; next < starts.length || active.top(at); ) {
    const top = active.top(at);
    if (!top) at = starts[next]!.from;
    while (next < starts.length && starts[next]!.from <= at) active.push(starts[next++]!);
    const winner = active.top(at);
    if (!winner) continue;
    // It holds until its end, or until another begins, which may come before it.
    const begins = starts[next]?.from;
    const end = begins !== undefined && begins <= winner.to ? begins - 1n : winner.to;
    const last = pieces.at(-1);
    if (last?.member === winner.member && last.interval[1] + 1n === at) last.interval[1] = end;
    else pieces.push({ interval: [at, end], member: winner.member });
    at = end + 1n;
  }
  return pieces;
}

interface Running {
  readonly to: bigint;
  readonly member: number;
}

/** A heap of intervals that have begun, the one of the earliest rule on top. */
class EarliestRule {
  private readonly heap: Running[] = [];

  /** The interval of the earliest rule that has not ended before. */
  top(at: bigint): Running | undefined {
    while (this.heap.length > 0 && this.heap[0]!.to < at) this.pop();
    return this.heap[0];
  }

  push(running: Running): void {
    const { heap } = this;
    let index = heap.push(running) - 1;
    for (let parent = (index - 1) >> 1; index > 0 && heap[parent]!.member > running.member; parent = (index - 1) >> 1) {
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = running;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.member < heap[child]!.member) child++;
      if (heap[child]!.member >= last.member) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}
