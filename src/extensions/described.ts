/** What the extensions say of themselves, asked for one use in a rule. */

import type { ExtensionUse, Family, IptablesRule, OptionUse, TableName } from "../iptables/ast.js";
import type { MatchExtension, OptionDefinitions, OptionUses, TargetExtension } from "./extension.js";
import {
  isMemory,
  needsTracking,
  type Refusal,
  type Effect,
  type FieldTest,
  type Judgement,
  type Matter,
  type Memory,
  type Played,
  type Recollection,
  type Way,
} from "./facts.js";
import { findMatch, findTarget } from "./registry.js";
import { hasPorts } from "./values/protocols.js";

type Options = OptionUses<OptionDefinitions>;

const optionsOf = ({ options }: ExtensionUse): Options => options as Options;

function known(use: ExtensionUse): MatchExtension | undefined {
  return use.unknown ? undefined : findMatch(use.extension);
}

function knownTarget(use: ExtensionUse): TargetExtension | undefined {
  return use.unknown ? undefined : findTarget(use.extension);
}

// --------------------------------------------------------------------------------------------------- matches

/** What the answer of a match depends on; of one that nobody knows, something outside. */
export function readsOf(use: ExtensionUse): readonly Matter[] {
  const extension = known(use);
  if (!extension) return ["outside"];
  const { reads } = extension.facts;
  return typeof reads === "function" ? reads(optionsOf(use)) : reads;
}

/** The tests of a match that fields of the packet tell. */
export function fieldTestsOf(use: ExtensionUse, family: Family): readonly FieldTest[] {
  const condition = known(use)?.facts.condition ?? [];
  return typeof condition === "function" ? condition(optionsOf(use), family) : condition;
}

/** Options of a match that no field of the packet tells; true where nothing at all of the match is told by fields. */
export function untoldOptions(use: ExtensionUse, family: Family): readonly OptionUse<unknown>[] | true {
  const facts = known(use)?.facts;
  if (typeof facts?.condition !== "function") return true;
  const told = new Set(fieldTestsOf(use, family).flatMap(({ option, covers = [] }) => [option, ...covers]));
  return Object.values(use.options).filter(({ name }) => !told.has(name));
}

/** Whether every packet matches, whatever the options say. */
export function alwaysMatches(use: ExtensionUse): boolean {
  return known(use)?.facts.always ?? false;
}

/** Whether a match without options asks only that the packet has the header of ports: later fragments have none. */
export function asksOnlyForHeader(use: ExtensionUse): boolean {
  const reads = readsOf(use);
  return (
    use.unknown !== true &&
    Object.keys(use.options).length === 0 &&
    reads.length === 1 &&
    reads[0] === "transport" &&
    (known(use)?.protocols ?? []).some(hasPorts)
  );
}

/** What a match asks, in words that follow "where", as if no option were inverted; undefined where nobody has words for it. */
export function questionOf(use: ExtensionUse): string | undefined {
  return known(use)?.facts.words?.(optionsOf(use));
}

export function recollectionOf(use: ExtensionUse): Recollection | undefined {
  return known(use)?.facts.recollection?.(optionsOf(use));
}

/**
 * Whether every packet that matches with the first use would match with the second, the memory of both being fed alike. False also where
 * nothing is known.
 */
export function implies(first: ExtensionUse, second: ExtensionUse): boolean {
  const [one, other] = [known(first), known(second)];
  return one !== undefined && one === other && (one.facts.implies?.(optionsOf(first), optionsOf(second)) ?? false);
}

/** Whether the match holds the more often, the more packets have asked it, or the less often; undefined if neither is known. */
export function growsWithUse(use: ExtensionUse): boolean | undefined {
  return known(use)?.facts.growsWithUse?.(optionsOf(use));
}

// --------------------------------------------------------------------------------------------------- targets

/** Where a target sends the packet; `elsewhere` for one that nobody knows. */
export function wayOf(use: ExtensionUse): Way {
  return knownTarget(use)?.facts.way ?? "elsewhere";
}

/** What the sender of a packet is told that the target does not let through; undefined: nothing. */
export function refusalOf(use: ExtensionUse): Refusal | undefined {
  return knownTarget(use)?.facts.refusal?.(optionsOf(use));
}

/** What a target changes. */
export function effectsOf(use: ExtensionUse, family: Family): readonly Effect[] {
  const effects = knownTarget(use)?.facts.effects ?? [{ kind: "other", of: "outside", text: use.extension } as const];
  return typeof effects === "function" ? effects(optionsOf(use), family) : effects;
}

export interface TargetWords {
  readonly does: string;
  readonly done: string;
}

/** What a target does, in words; undefined for one that nobody knows. */
export function wordsOf(use: ExtensionUse): TargetWords | undefined {
  return knownTarget(use)?.facts.words;
}

/**
 * Whether the options that were read say all that a use says. Those of extensions that nobody knows are not read, and of an option that is
 * given several times only the last is kept.
 */
export function optionsSayAll(use: ExtensionUse): boolean {
  const extension = known(use) ?? knownTarget(use);
  if (!extension || extension.unavailable) return false;
  return !Object.keys(use.options).some((name) => extension.options[name]?.repeatable);
}

// ----------------------------------------------------------------------------------------------------- rules

/** Undefined where that is up to other rules: ACCEPT only ends the tables that translate, change or mark packets. */
export function judgementOf({ target }: IptablesRule, table: TableName): Judgement | undefined {
  if (target?.kind !== "extension") return undefined;
  if (wayOf(target) === "drop") return "stops";
  return target.extension === "ACCEPT" && table === "filter" ? "lets through" : undefined;
}

/** Why two runs of the same packets may differ at this rule; undefined where they do not. */
export function unplayable({ matches, target }: IptablesRule): string | undefined {
  const played = (facts: { played: Played | ((options: Options) => Played) } | undefined, use: ExtensionUse): Played =>
    typeof facts?.played === "function" ? facts.played(optionsOf(use)) : (facts?.played ?? true);
  for (const use of matches) {
    const reason = played(known(use)?.facts, use);
    if (reason !== true) return reason;
  }
  const reason = target?.kind === "extension" ? played(knownTarget(target)?.facts, target) : true;
  return reason === true ? undefined : reason;
}

/** What lives longer than a packet, and a rule asks or changes. */
export function memoriesOf({ matches, target }: IptablesRule, family: Family): Memory[] {
  const read = matches.flatMap(readsOf);
  if (target?.kind !== "extension") return read.filter(isMemory);
  const asked = knownTarget(target)?.facts.reads?.(optionsOf(target)) ?? [];
  return [...read, ...asked, ...effectsOf(target, family).map(changedMatter)].filter(isMemory);
}

/** Whether the kernel tracks connections for the rule, and so puts fragments together before any chain sees them. */
export function tracksConnections({ matches, target }: IptablesRule, family: Family): boolean {
  if (matches.some((use) => use.unknown !== true && readsOf(use).some(needsTracking))) return true;
  if (target?.kind !== "extension") return false;
  return effectsOf(target, family).some((effect) => {
    if (effect.kind === "copy" || effect.kind === "translate") return true;
    const matter = changedMatter(effect);
    // A proxy is found by its socket, and so is the socket of `-m socket`: the kernel puts fragments together for both.
    return needsTracking(matter) || matter === "socket";
  });
}

/** The matter that an effect changes. */
export function changedMatter(effect: Effect): Matter {
  switch (effect.kind) {
    case "bits":
    case "other":
      return effect.of;
    case "copy":
      return effect.to;
    case "hops":
      return "ttl";
    case "untracked":
      return "tracking";
    case "translate":
      return "addresses";
    case "memory":
      return effect.memory;
  }
}
