/** What a rule's use of an ipset comes to: the sets behind its name, and how they are looked up. */

import { diagnostic, printable, type Diagnostic } from "../diagnostic.js";
import type { RuleContext } from "../extensions/extension.js";
import type { IptablesRuleset, OptionUse } from "../iptables/ast.js";
import { match, setReference, type Expression, type Statement } from "../nft/ast.js";
import type { Ipset, IpsetType } from "./ast.js";
import { protocolsWithPorts, messageProtocol } from "./element.js";
import { formsOf, type Direction, type Form, type Usage } from "./forms.js";
import { hashIp, hashIpPort, hashIpPortIp, hashNet } from "./types.js";

/** The value of `--match-set`, `--add-set` and `--del-set`. */
export interface SetUse {
  readonly set: string;
  readonly directions: readonly Direction[];
}

interface Uses extends Usage {
  /** The fewest directions that any rule gives: a set with more parts would match nothing. */
  readonly directions: number;
  /** Some rule adds with a timeout. */
  readonly timeout: boolean;
  /** Matches and targets that name the set. */
  readonly count: number;
}

const usesByRuleset = new WeakMap<IptablesRuleset, ReadonlyMap<string, Uses>>();

/** How the rules of a family use each name. */
function usesOf(ruleset: IptablesRuleset): ReadonlyMap<string, Uses> {
  const known = usesByRuleset.get(ruleset);
  if (known) return known;
  const uses = new Map<string, Uses>();
  const count = (option: OptionUse<unknown> | undefined, change: Partial<Uses> = {}): void => {
    if (option === undefined) return;
    const { set, directions } = option.value as SetUse;
    const before = uses.get(set) ?? { directions: Infinity, added: false, deleted: false, timeout: false, count: 0 };
    uses.set(set, {
      directions: Math.min(before.directions, directions.length),
      added: before.added || change.added === true,
      deleted: before.deleted || change.deleted === true,
      timeout: before.timeout || change.timeout === true,
      count: before.count + 1,
    });
  };
  for (const table of ruleset.tables) {
    for (const chain of table.chains) {
      for (const { matches, target } of chain.rules) {
        for (const { extension, options } of matches) if (extension === "set") count(options["match-set"]);
        if (target?.kind !== "extension" || target.extension !== "SET") continue;
        count(target.options["add-set"], { added: true, timeout: target.options["timeout"] !== undefined });
        count(target.options["del-set"], { deleted: true });
        count(target.options["map-set"]);
      }
    }
  }
  usesByRuleset.set(ruleset, uses);
  return uses;
}

/** A note on the sets that no rule uses, which are left out. */
export function unusedIpsets(rulesets: readonly IptablesRuleset[], sets: ReadonlyMap<string, Ipset>): Diagnostic[] {
  const used = new Set(rulesets.flatMap((ruleset) => [...usesOf(ruleset).keys()]));
  for (const name of [...used]) for (const member of members(sets.get(name))) used.add(member);
  return [...sets.values()]
    .filter(({ name }) => !used.has(name))
    .map(({ name, span }) => diagnostic("unused-ipset", span, `no rule uses the set "${printable(name)}", and it is left out`));
}

function members(set: Ipset | undefined): string[] {
  return set?.type.method === "list"
    ? [...set.elements.values()].flatMap(({ parts }) => parts.flatMap((part) => (part.kind === "member" ? [part.set] : [])))
    : [];
}

type Sets = ReadonlyMap<string, Ipset>;

/**
 * The other sets that hold more or less as soon as a set does: the lists with it; of a list, what is added goes into a member, and so
 * into the lists with that.
 */
export function changingWith(name: string, sets: Sets): readonly string[] {
  const own = members(sets.get(name));
  const lists = [name, ...own].flatMap((set) => listsWith(sets).get(set) ?? []);
  return [...new Set([...own, ...lists.map((list) => list.name)])].filter((other) => other !== name);
}

/** Whether packets of both families can be in a set: it has no addresses, or nothing is known of it, or a list has such a member. */
export function holdsBothFamilies(name: string, sets: Sets): boolean {
  const set = sets.get(name);
  const inside = set?.type.method === "list" ? members(set).map((member) => sets.get(member)) : [set];
  return inside.some((one) => one?.family === undefined);
}

const listsByMember = new WeakMap<Sets, ReadonlyMap<string, readonly Ipset[]>>();

/** The lists that hold a set, by its name. */
function listsWith(sets: Sets): ReadonlyMap<string, readonly Ipset[]> {
  const known = listsByMember.get(sets);
  if (known) return known;
  const lists = new Map<string, Ipset[]>();
  for (const list of sets.values()) {
    for (const member of members(list)) {
      const before = lists.get(member);
      if (before) before.push(list);
      else lists.set(member, [list]);
    }
  }
  listsByMember.set(sets, lists);
  return lists;
}

/** What rules do to a set, under its own name or through lists that hold it. */
function usageOf(set: Ipset, context: RuleContext): Usage {
  const uses = context.ruleset === undefined ? undefined : usesOf(context.ruleset);
  const own = uses?.get(set.name);
  let { added = false, deleted = false } = own ?? {};
  for (const list of (context.ipsets && listsWith(context.ipsets.sets).get(set.name)) ?? []) {
    const through = uses?.get(list.name);
    added ||= through?.added === true;
    deleted ||= through?.deleted === true;
  }
  return { added, deleted };
}

/** The sets behind a name: itself, or the members of a list. */
export interface Named {
  readonly sets: readonly Ipset[];
  /** No file holds it; the set is one of our own that is empty. */
  readonly missing: boolean;
  readonly isList: boolean;
  readonly listTimeouts: boolean;
  /** Rules add to it. */
  readonly changes: boolean;
}

const missingByRuleset = new WeakMap<IptablesRuleset, Map<string, Ipset>>();

export function findIpset(use: OptionUse<SetUse>, context: RuleContext): Named {
  const found = context.ipsets?.sets.get(use.value.set);
  const changes = context.ruleset !== undefined && usesOf(context.ruleset).get(use.value.set)?.added === true;
  if (found === undefined) return { sets: [inventIpset(use, context)], missing: true, isList: false, listTimeouts: false, changes };
  if (found.type.method !== "list") return { sets: [found], missing: false, isList: false, listTimeouts: false, changes };
  return { ...listOf(found, context.ipsets!.sets), changes };
}

/** Look-ups of members that the rules may make in all: a list of thousands that thousands of rules ask must not fill the memory. */
const mostLookups = 200_000;

/** Why a list cannot be written: the rules that name it ask for too many members. */
export function tooManyMembers(
  { sets, isList }: Named,
  { value: { set } }: OptionUse<SetUse>,
  { ruleset }: RuleContext,
): string | undefined {
  const count = (ruleset === undefined ? undefined : usesOf(ruleset).get(set)?.count) ?? 1;
  return isList && sets.length * count > mostLookups
    ? `"${set}" has ${sets.length} members, and the ${count} rules that name it would look more than ${mostLookups} times`
    : undefined;
}

const lists = new WeakMap<Ipset, Omit<Named, "changes">>();

/** Of a list; thousands of rules may ask it. */
function listOf(list: Ipset, all: Sets): Omit<Named, "changes"> {
  let known = lists.get(list);
  if (known === undefined) {
    known = {
      sets: members(list).flatMap((name) => all.get(name) ?? []),
      missing: false,
      isList: true,
      listTimeouts: [...list.elements.values()].some(({ timeout }) => timeout !== undefined),
    };
    lists.set(list, known);
  }
  return known;
}

/** An empty set of the shape that the rules show: as many parts as they give directions. */
function inventIpset({ value: { set: name }, span }: OptionUse<SetUse>, context: RuleContext): Ipset {
  const { ruleset } = context;
  const uses = ruleset === undefined ? undefined : usesOf(ruleset).get(name);
  const known = ruleset === undefined ? undefined : missingByRuleset.get(ruleset);
  const before = known?.get(name);
  if (before) return before;
  const isModified = uses?.added === true || uses?.deleted === true;
  const set: Ipset = {
    name,
    type: typeByDirections(uses?.directions ?? 1, isModified),
    family: context.family,
    counters: false,
    skbinfo: false,
    forceadd: false,
    maxelem: context.setSize,
    markmask: 0xffffffff,
    span,
    elements: new Map(),
    ...(uses?.timeout === true && { timeout: 0 }),
  };
  if (ruleset !== undefined) missingByRuleset.set(ruleset, (known ?? new Map<string, Ipset>()).set(name, set));
  return set;
}

function typeByDirections(directions: number, isModified: boolean): IpsetType {
  if (directions === 1) return isModified ? hashIp : hashNet;
  return directions === 2 ? hashIpPort : hashIpPortIp;
}

/** Why packets of the rule are never in the set, whatever it holds. */
export function impossible(set: Ipset, { directions }: SetUse, context: RuleContext): string | undefined {
  if (directions.length < set.type.dimensions.length) {
    return (
      `the set "${set.name}" has ${set.type.dimensions.length} parts, ${set.type.dimensions.join(" and ")}, and the rule names ` +
      `${directions.length}`
    );
  }
  if (set.family !== undefined && set.family !== context.family)
    return `the set "${set.name}" is of ${set.family === "ipv4" ? "IPv4" : "IPv6"}`;
  return undefined;
}

/** One nft set that a packet may be in. */
export interface Lookup {
  readonly form: Form;
  /** The name of the nft set. */
  readonly name: string;
  readonly guards: readonly Statement[];
  readonly key: Expression;
}

export interface Lookups {
  readonly lookups: readonly Lookup[];
  readonly differences: readonly string[];
  readonly notes: readonly string[];
}

/** The nft sets of an ipset that packets of this rule may be in, declared in our table. */
export function lookupsOf(set: Ipset, { directions }: SetUse, context: RuleContext, exceptions = false): Lookups {
  const { forms, differences, notes } = formsOf(
    set,
    { family: context.family, usage: usageOf(set, context), counters: context.counters ?? false, keepSets: context.keepSets ?? false },
    exceptions,
  );
  const lookups = forms
    .filter((form) => canHold(form, context))
    .map(
      (form): Lookup => ({
        form,
        name: context.declare.sharedSet(form.wish, { ...form.set, comment: [describe(set, form, context)] }),
        guards: form.guards(directions, context.protocol, context.reassembles ?? false),
        key: form.key(directions, context.protocol),
      }),
    );
  return { lookups, differences, notes };
}

function describe({ name, type, span }: Ipset, { dynamic, ofRunTime }: Form, context: RuleContext): string {
  const from = ofRunTime
    ? ", what is added at run time"
    : context.ipsets?.sets.has(name) === true
      ? `, from ${span.file}`
      : ", in no file: empty";
  return `ipset ${JSON.stringify(name)}, ${type.name}${from}${dynamic ? "; rules change it" : ""}`;
}

/** Whether packets of the rule's protocol can be in the form at all. */
function canHold({ port }: Form, { protocol, family }: RuleContext): boolean {
  if (protocol === undefined || port === undefined) return true;
  switch (port) {
    case "plain":
      return protocol === 6 || protocol === 17;
    case "ports":
      return protocolsWithPorts.includes(protocol);
    case "message":
      return protocol === messageProtocol[family];
    case "portless":
      return !protocolsWithPorts.includes(protocol) && protocol !== messageProtocol[family];
  }
}

export function lookupStatement({ key, name }: Lookup, inverted = false): Statement {
  return match(key, setReference(name), inverted);
}
