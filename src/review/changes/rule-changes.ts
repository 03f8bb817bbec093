/** What happened to the rules of one chain. */

import type { IptablesRule } from "../../iptables/ast.js";
import { align, type Pair } from "../../rewrite/alignment.js";
import type { ChainPair } from "./chain-pairs.js";

export interface RuleChange {
  readonly kind: "added" | "removed" | "moved" | "changed";
  readonly before?: IptablesRule;
  readonly after?: IptablesRule;
  /** For a moved rule: those it now stands on the other side of. */
  readonly passed: readonly IptablesRule[];
  /** A rule of the new chain near to the place, for a rule that is gone. */
  readonly near: IptablesRule | undefined;
}

export interface ChainChanges {
  readonly changes: readonly RuleChange[];
  /** Rules that mean the same and stand in the same order, old and new. */
  readonly kept: readonly (readonly [IptablesRule, IptablesRule])[];
}

export function ruleChanges({ old, new: current, oldMeanings, newMeanings }: ChainPair): ChainChanges {
  const [before, after] = [old?.rules ?? [], current?.rules ?? []];
  const kept = align(oldMeanings, newMeanings);
  const [keptOld, keptNew] = [new Set(kept.map(([i]) => i)), new Set(kept.map(([, j]) => j))];
  const gone = new Set([...before.keys()].filter((index) => !keptOld.has(index)));
  const come = new Set([...after.keys()].filter((index) => !keptNew.has(index)));
  const changes: { readonly order: number; readonly change: RuleChange }[] = [];

  const places = new Map<string, number[]>();
  for (const j of come) {
    const known = places.get(newMeanings[j]!);
    if (known) known.push(j);
    else places.set(newMeanings[j]!, [j]);
  }
  // Taken from the end, in the order of the chain.
  for (const known of places.values()) known.reverse();
  for (const i of [...gone]) {
    const j = places.get(oldMeanings[i]!)?.pop();
    if (j === undefined) continue;
    gone.delete(i);
    come.delete(j);
    const [was, is] = [keptBefore(kept, 0, i), keptBefore(kept, 1, j)];
    const passed = kept.slice(Math.min(was, is), Math.max(was, is)).map(([, newIndex]) => after[newIndex]!);
    changes.push({ order: j, change: { kind: "moved", before: before[i]!, after: after[j]!, passed, near: undefined } });
  }
  for (const [i, j] of formsOfOne(gone, come, kept, before, after)) {
    gone.delete(i);
    come.delete(j);
    changes.push({ order: j, change: { kind: "changed", before: before[i]!, after: after[j]!, passed: [], near: undefined } });
  }
  for (const j of come) changes.push({ order: j, change: { kind: "added", after: after[j]!, passed: [], near: undefined } });
  for (const i of gone) {
    const next = kept[keptBefore(kept, 0, i)]?.[1] ?? (kept.at(-1)?.[1] ?? -1) + 1;
    changes.push({ order: next - 0.5, change: { kind: "removed", before: before[i]!, passed: [], near: after[next] ?? after.at(-1) } });
  }
  return {
    changes: changes.sort((a, b) => a.order - b.order).map(({ change }) => change),
    kept: kept.map(([i, j]) => [before[i]!, after[j]!]),
  };
}

/** How many of the pairs, which are in order on both sides, stand before this index on a side. */
function keptBefore(kept: readonly Pair[], side: 0 | 1, index: number): number {
  let [from, to] = [0, kept.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (kept[middle]![side] < index) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Comparisons beyond which rules are not taken for forms of one. */
const mostComparisons = 250_000;

/** Where the kept rules around them are the same, the most similar ones are old and new form of one rule. */
function formsOfOne(
  gone: ReadonlySet<number>,
  come: ReadonlySet<number>,
  kept: readonly Pair[],
  before: readonly IptablesRule[],
  after: readonly IptablesRule[],
): Pair[] {
  if (gone.size * come.size > mostComparisons) return [];
  const newGaps = new Map([...come].map((j) => [j, keptBefore(kept, 1, j)]));
  const oldWords = new Map([...gone].map((i) => [i, wordsOf(before[i]!)]));
  const newWords = new Map([...come].map((j) => [j, wordsOf(after[j]!)]));
  const candidates = [...gone].flatMap((i) => {
    const here = keptBefore(kept, 0, i);
    return [...come]
      .filter((j) => newGaps.get(j) === here)
      .map((j) => ({ i, j, similarity: similarity(oldWords.get(i)!, newWords.get(j)!) }));
  });
  candidates.sort((a, b) => b.similarity - a.similarity || a.i - b.i || a.j - b.j);
  const [oldTaken, newTaken] = [new Set<number>(), new Set<number>()];
  const pairs: Pair[] = [];
  for (const { i, j, similarity: alike } of candidates) {
    if (alike < leastSimilarity || oldTaken.has(i) || newTaken.has(j)) continue;
    oldTaken.add(i);
    newTaken.add(j);
    pairs.push([i, j]);
  }
  return pairs;
}

/** Share of words in common from which two rules are taken for forms of one. */
const leastSimilarity = 0.4;

function similarity(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const common = [...left].filter((word) => right.has(word)).length;
  return common / (left.size + right.size - common);
}

function wordsOf({ text }: IptablesRule): Set<string> {
  return new Set(text.split(/\s+/).slice(2));
}
