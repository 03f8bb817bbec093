/** Which chains call which: what leads to a chain, and from where. Chains are indices of a scan. */

import type { Scan, ScannedChain } from "./scan.js";

/** The chains that each chain calls. */
export type Calls = ReadonlyMap<number, ReadonlySet<number>>;

export function callsOf({ rules: { chain, called, runs, runCount } }: Scan): Map<number, Set<number>> {
  const calls = new Map<number, Set<number>>();
  for (let run = 0; run < runCount; run++) {
    const rule = runs[run]!;
    if (called[rule] !== -1) addCall(calls, chain[rule]!, called[rule]!);
  }
  return calls;
}

export function addCall(calls: Map<number, Set<number>>, caller: number, called: number): void {
  const known = calls.get(caller);
  if (known) known.add(called);
  else calls.set(caller, new Set([called]));
}

const none: ReadonlySet<number> = new Set();

/** For each chain a text that names the built-in ones that it is called from, directly or not; a built-in chain is one of its own. */
export function reachedFrom(chains: readonly Pick<ScannedChain, "builtIn">[], calls: Calls): string[] {
  const reached = chains.map(() => "");
  for (const [builtIn, { builtIn: isBuiltIn }] of chains.entries()) {
    if (!isBuiltIn) continue;
    const seen = new Uint8Array(chains.length);
    seen[builtIn] = 1;
    const order = [builtIn];
    for (const chain of order) {
      reached[chain] += ` ${builtIn}`;
      for (const called of calls.get(chain) ?? none) {
        if (seen[called] === 1) continue;
        seen[called] = 1;
        order.push(called);
      }
    }
  }
  return reached;
}

/** The number of chains that no built-in chain leads to. */
export const unreached = 0;

/**
 * A number for each chain, the same for chains whose rules are translated alike: a built-in chain is like none but itself, and a user's
 * chain like all that are reached from the same built-in ones.
 */
export function contextsOf(chains: readonly ScannedChain[], reached: readonly string[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(chains, ({ builtIn }, chain) => {
    if (reached[chain] === "") return unreached;
    const key = builtIn ? `chain ${chain}` : reached[chain]!;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = numbers.size + 1));
    return number;
  });
}

/** Calls on the longest way from any chain to any other; `Infinity` where there is a circle. */
export function longestWay(chainCount: number, calls: Calls): number {
  const callers = new Int32Array(chainCount);
  for (const called of calls.values()) for (const chain of called) callers[chain]!++;
  const depths = new Int32Array(chainCount);
  const order: number[] = [];
  for (let chain = 0; chain < chainCount; chain++) if (callers[chain] === 0) order.push(chain);
  let longest = 0;
  for (const chain of order) {
    for (const called of calls.get(chain) ?? []) {
      depths[called] = Math.max(depths[called]!, depths[chain]! + 1);
      longest = Math.max(longest, depths[called]);
      callers[called]!--;
      if (callers[called] === 0) order.push(called);
    }
  }
  return order.length === chainCount ? longest : Infinity;
}

/** For each built-in chain that calls others: for each chain that it leads to a rule that calls it, on a shortest way; -1 for others. */
export function shortestWays({ chains, rules: { chain, called, runs, runCount } }: Scan): readonly Int32Array[] {
  const callers: number[][] = chains.map(() => []);
  for (let run = 0; run < runCount; run++) {
    const rule = runs[run]!;
    if (called[rule] !== -1) callers[chain[rule]!]!.push(rule);
  }
  return chains.flatMap(({ builtIn }, start) => {
    if (!builtIn || callers[start]!.length === 0) return [];
    const ways = new Int32Array(chains.length).fill(-1);
    const order = [start];
    for (const caller of order) {
      for (const rule of callers[caller]!) {
        const callee = called[rule]!;
        if (callee === start || ways[callee] !== -1) continue;
        order.push(callee);
        ways[callee] = rule;
      }
    }
    return [ways];
  });
}
