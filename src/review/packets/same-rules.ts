/**
 * Rules and chains of two versions that say the same: what has been worked out of the one holds for the other. Most of a change is that
 * nothing changes.
 */

import type { ExtensionUse, IptablesChain, IptablesRule, IptablesRuleset, IptablesTarget, OptionUse } from "../../iptables/ast.js";

/** Of rules and chains of the one version those of the other. */
const sameRules = new WeakMap<IptablesRule, IptablesRule>();
const sameChains = new WeakMap<IptablesChain, IptablesChain>();

/** Notes, for each rule of the old version, the rule of the new one that says the same in the chain of the same name. */
export function noteSameRules(old: readonly IptablesRuleset[], current: readonly IptablesRuleset[]): void {
  for (const { family, tables } of old) {
    const others = current.find((one) => one.family === family)?.tables ?? [];
    for (const { name, chains } of tables) {
      const known = new Map(others.find((one) => one.name === name)?.chains.map((chain) => [chain.name, chain]));
      for (const chain of chains) {
        const other = known.get(chain.name);
        if (other) noteSame(chain, other);
      }
    }
  }
}

function noteSame(old: IptablesChain, current: IptablesChain): void {
  let byText: Map<string, IptablesRule> | undefined;
  let inOrder = old.rules.length === current.rules.length;
  for (const [index, rule] of old.rules.entries()) {
    const opposite = current.rules[index];
    if (opposite && sayTheSame(rule, opposite)) {
      note(sameRules, rule, opposite);
      continue;
    }
    inOrder = false;
    byText ??= new Map(current.rules.map((one) => [one.text, one]));
    const other = byText.get(rule.text);
    if (other && sayTheSame(rule, other)) note(sameRules, rule, other);
  }
  if (inOrder) note(sameChains, old, current);
}

/** Who compares in both directions, or a ruleset with itself, is not led in a circle. */
function note<Part extends object>(known: WeakMap<Part, Part>, old: Part, current: Part): void {
  if (old !== current && known.get(current) !== old) known.set(old, current);
}

/** The rule of the new version that says the same as this one of the old version. */
export function sameRule(rule: IptablesRule): IptablesRule | undefined {
  return sameRules.get(rule);
}

/** The chain of the new version whose rules are the same as those of this one of the old version, in the same order. */
export function sameChain(chain: IptablesChain): IptablesChain | undefined {
  return sameChains.get(chain);
}

/**
 * Whether the rules are written alike and were read alike; counters do not count. The value of an option follows from its text and the
 * family. Of a list of addresses each has a rule of the same text, and what follows `-j` is a chain in one version and perhaps not in the
 * other.
 */
function sayTheSame(a: IptablesRule, b: IptablesRule): boolean {
  if (a.text !== b.text || a.matches.length !== b.matches.length) return false;
  const shift = b.span.column - a.span.column;
  return (
    isSameAddress(a.source, b.source, shift) &&
    isSameAddress(a.destination, b.destination, shift) &&
    isSameOption(a.inInterface, b.inInterface, shift) &&
    isSameOption(a.outInterface, b.outInterface, shift) &&
    isSameOption(a.protocol, b.protocol, shift) &&
    isSameOption(a.fragment, b.fragment, shift) &&
    a.matches.every((use, index) => isSameUse(use, b.matches[index]!, shift)) &&
    isSameTarget(a.target, b.target, shift)
  );
}

function isSameTarget(a: IptablesTarget | undefined, b: IptablesTarget | undefined, shift: number): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.kind === "chain") return b.kind === "chain" && a.chain === b.chain && a.goto === b.goto;
  return b.kind === "extension" && isSameUse(a, b, shift);
}

function isSameUse(a: ExtensionUse, b: ExtensionUse, shift: number): boolean {
  if (a.extension !== b.extension || a.unknown !== b.unknown) return false;
  let more = Object.keys(b.options).length;
  for (const name in a.options) {
    if (!isSameOption(a.options[name], b.options[name], shift)) return false;
    more--;
  }
  return more === 0;
}

function isSameAddress(a: IptablesRule["source"], b: IptablesRule["source"], shift: number): boolean {
  return isSameOption(a, b, shift) && a?.value.address === b?.value.address && a?.value.mask === b?.value.mask;
}

/** Of two options of `recent` the one that stands in front counts, so that places matter. */
function isSameOption(a: OptionUse<unknown> | undefined, b: OptionUse<unknown> | undefined, shift: number): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.name === b.name && a.text === b.text && a.inverted === b.inverted && a.span.column + shift === b.span.column;
}
