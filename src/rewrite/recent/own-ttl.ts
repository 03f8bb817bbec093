/**
 * Where `--rttl` says nothing: in a check that meets only packets which a `--set` has just recorded, the list holds the packet's own TTL.
 *
 * Shown for a `--set` and a check in one rule, and for a `--set` in an earlier rule of the chain that asks nothing the check's rule does
 * not ask too, where nothing between them can change the packet or what is asked.
 */

import type { RecentUse } from "../../extensions/matches/recent.js";
import type { ExtensionUse } from "../../iptables/ast.js";
import type { Statement } from "../../nft/ast.js";
import { isStable, type RuleBody, type RuleParts, type Step } from "../parts.js";

export interface ChainOfRules {
  readonly name: string;
  /** "nothing": the rule does nothing but record hits; "unknown": it is not written, and what iptables does there is not known. */
  readonly rules: readonly (RuleParts | "nothing" | "unknown")[];
}

/** Earlier rules that a check is held against: nobody writes as many. */
const mostEarlier = 50;

/** The checks with `--rttl` for which this is shown. */
export function checksOfOwnTtl(chains: readonly ChainOfRules[]): Set<ExtensionUse> {
  const found = new Set<ExtensionUse>();
  const chainsByName = new Map(chains.map((chain) => [chain.name, chain]));
  const harmless = new Map<string, boolean>();
  for (const { rules } of chains) {
    /** What the rules ask that have recorded a hit, by list. */
    let recorded = new Map<string, (readonly string[])[]>();
    for (const rule of rules) {
      if (rule === "nothing") continue;
      if (rule === "unknown") {
        recorded = new Map();
        continue;
      }
      for (const use of ownTtlIn(rule, recorded)) found.add(use);
      const recording = recordingBy(rule);
      if (recording) {
        const key = keyOf(recording.use);
        recorded.set(key, [...(recorded.get(key) ?? []), recording.asked].slice(-mostEarlier));
      }
      if (!keepsPacket(rule.body, chainsByName, harmless)) recorded = new Map();
    }
  }
  return found;
}

const keyOf = ({ list, side }: RecentUse): string => `${side} ${list}`;

/** The checks of a rule that meet only recorded packets. */
function ownTtlIn({ steps }: RuleParts, recorded: ReadonlyMap<string, readonly (readonly string[])[]>): ExtensionUse[] {
  const found: ExtensionUse[] = [];
  const asked = new Set<string>();
  const own = new Set<string>();
  for (const step of steps) {
    if (step.kind !== "recent") {
      for (const text of textsOf(step)) asked.add(text);
      continue;
    }
    const { use } = step;
    const key = keyOf(use);
    if (use.rttl && (own.has(key) || recorded.get(key)?.some((texts) => texts.every((text) => asked.has(text))))) found.push(use.use);
    if (!use.inverted && (use.operation === "set" || use.operation === "update")) own.add(key);
  }
  return found;
}

/** The `--set` that a rule begins with, and what it asks before; not if the answer may be another the next time. */
function recordingBy({ steps }: RuleParts): { readonly use: RecentUse; readonly asked: readonly string[] } | undefined {
  const at = steps.findIndex(({ kind }) => kind === "recent");
  const step = steps[at];
  if (step?.kind !== "recent" || step.use.operation !== "set") return undefined;
  const before = steps.slice(0, at);
  return before.every((one) => statementsOf(one).every(isStable)) ? { use: step.use, asked: before.flatMap(textsOf) } : undefined;
}

/** Whether a packet that comes to the next rule is as it was before this one. */
function keepsPacket(body: RuleBody, chains: ReadonlyMap<string, ChainOfRules>, harmless: Map<string, boolean>): boolean {
  if (body.effects.some(({ kind }) => kind !== "log")) return false;
  const { end } = body;
  if (end?.kind !== "jump") return end === undefined || end.kind === "verdict" || end.kind === "reject";
  const known = harmless.get(end.chain);
  if (known !== undefined) return known;
  // In a circle of jumps nothing is shown.
  harmless.set(end.chain, false);
  const rules = chains.get(end.chain)?.rules;
  const keeps = rules?.every((rule) => rule === "nothing" || (rule !== "unknown" && keepsPacket(rule.body, chains, harmless))) ?? false;
  harmless.set(end.chain, keeps);
  return keeps;
}

function statementsOf(step: Step): readonly Statement[] {
  switch (step.kind) {
    case "statements":
      return step.statements;
    case "alternatives":
      return step.alternatives.flat();
    case "any":
    case "unless":
      return step.groups.flat();
    case "recent":
      return [];
  }
}

/** What a step asks, one text for each statement that has to hold. */
function textsOf(step: Step): string[] {
  const text = (value: unknown): string => JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${one}n` : one));
  return step.kind === "statements" ? step.statements.map(text) : [text([step.kind, statementsOf(step)])];
}
