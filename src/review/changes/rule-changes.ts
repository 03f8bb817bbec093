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
  for (const j of come) places.set(newMeanings[j]!, [...(places.get(newMeanings[j]!) ?? []), j]);
  for (const i of [...gone]) {
    const j = places.get(oldMeanings[i]!)?.shift();
    if (j === undefined) continue;
    gone.delete(i);
    come.delete(j);
    const passed = kept.filter(([oldIndex, newIndex]) => oldIndex < i !== newIndex < j).map(([, newIndex]) => after[newIndex]!);
    changes.push({ order: j, change: { kind: "moved", before: before[i]!, after: after[j]!, passed, near: undefined } });
  }
  for (const [i, j] of formsOfOne(gone, come, kept, before, after)) {
    gone.delete(i);
    come.delete(j);
    changes.push({ order: j, change: { kind: "changed", before: before[i]!, after: after[j]!, passed: [], near: undefined } });
  }
  for (const j of come) changes.push({ order: j, change: { kind: "added", after: after[j]!, passed: [], near: undefined } });
  for (const i of gone) {
    const next = kept.find(([index]) => index > i)?.[1] ?? (kept.at(-1)?.[1] ?? -1) + 1;
    changes.push({ order: next - 0.5, change: { kind: "removed", before: before[i]!, passed: [], near: after[next] ?? after.at(-1) } });
  }
  return {
    changes: changes.sort((a, b) => a.order - b.order).map(({ change }) => change),
    kept: kept.map(([i, j]) => [before[i]!, after[j]!]),
  };
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
  const gap = (index: number, side: 0 | 1): number => kept.filter((pair) => pair[side] < index).length;
  const newGaps = new Map([...come].map((j) => [j, gap(j, 1)]));
  const candidates = [...gone].flatMap((i) => {
    const here = gap(i, 0);
    return [...come].filter((j) => newGaps.get(j) === here).map((j) => ({ i, j, similarity: similarity(before[i]!, after[j]!) }));
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

function similarity(a: IptablesRule, b: IptablesRule): number {
  const [left, right] = [wordsOf(a), wordsOf(b)];
  const common = [...left].filter((word) => right.has(word)).length;
  return common / (left.size + right.size - common);
}

function wordsOf({ text }: IptablesRule): Set<string> {
  return new Set(text.split(/\s+/).slice(2));
}
