/** Which chain of the old ruleset is which of the new one. */

import type { Family, IptablesChain, IptablesTable } from "../../iptables/ast.js";
import { meaningOf } from "../meaning.js";
import { sameChain } from "../packets/same-rules.js";

export interface ChainPair {
  readonly old: IptablesChain | undefined;
  readonly new: IptablesChain | undefined;
  /** What the rules mean, chains going by their new names; equal in both versions for rules that mean the same. */
  readonly oldMeanings: readonly string[];
  readonly newMeanings: readonly string[];
}

/** Pairs the chains of a table by name; a chain that has only been renamed is paired with itself. */
export function pairChains(old: IptablesTable | undefined, current: IptablesTable | undefined, family: Family): ChainPair[] {
  const [before, after] = [chainsOf(old), chainsOf(current)];
  const newNames = renamedChains(old, current, family);
  const meanings = (chain: IptablesChain | undefined, table: IptablesTable | undefined, rename: (name: string) => string): string[] =>
    chain && table ? chain.rules.map((rule) => meaningOf(rule, { family, table: table.name }, rename)) : [];
  const oldNameOf = new Map([...newNames].map(([oldName, newName]) => [newName, oldName]));
  const pair = (from: IptablesChain | undefined, to: IptablesChain | undefined): ChainPair => {
    if (from && to && sameChain(from) === to) {
      // Whatever the rules mean: rule by rule it is the same.
      const texts = to.rules.map(({ text }) => text);
      return { old: from, new: to, oldMeanings: texts, newMeanings: texts };
    }
    return {
      old: from,
      new: to,
      oldMeanings: meanings(from, old, (name) => newNames.get(name) ?? name),
      newMeanings: meanings(to, current, (name) => name),
    };
  };
  const pairs = [...after.values()].map((chain) => pair(before.get(oldNameOf.get(chain.name) ?? chain.name), chain));
  for (const chain of before.values()) if (!after.has(newNames.get(chain.name) ?? chain.name)) pairs.push(pair(chain, undefined));
  return pairs;
}

function chainsOf(table: IptablesTable | undefined): Map<string, IptablesChain> {
  return new Map((table?.chains ?? []).map((chain) => [chain.name, chain]));
}

/** Names of chains that only the old table has, with those of chains that only the new one has and that say the same. */
function renamedChains(old: IptablesTable | undefined, current: IptablesTable | undefined, family: Family): Map<string, string> {
  const renamed = new Map<string, string>();
  if (!old || !current) return renamed;
  const [before, after] = [chainsOf(old), chainsOf(current)];
  const gone = old.chains.filter(({ name, rules }) => !after.has(name) && rules.length > 0);
  const come = new Map(
    current.chains.filter(({ name }) => !before.has(name)).map((chain) => [contents(chain, current, family), chain.name]),
  );
  for (const chain of gone) {
    const key = contents(chain, old, family);
    const name = come.get(key);
    if (name === undefined) continue;
    renamed.set(chain.name, name);
    come.delete(key);
  }
  return renamed;
}

/** Levels of chains within chains that are looked into; the kernel allows 16. */
const deepest = 16;

/** What a chain says, chains it calls going by what they say. */
function contents(chain: IptablesChain, table: IptablesTable, family: Family, level = 0): string {
  const chains = chainsOf(table);
  const inner = (name: string): string => {
    const called = chains.get(name);
    return called && level < deepest ? contents(called, table, family, level + 1) : name;
  };
  return chain.rules.map((rule) => meaningOf(rule, { family, table: table.name }, inner)).join("\n");
}
