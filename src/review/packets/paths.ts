/** Follows sets of packets through the chains of a table. */

import type { ExtensionUse, Family, IptablesChain, IptablesRule, IptablesTable } from "../../iptables/ast.js";
import { everything, intersect, meet, somePiece, subtract, type Box } from "./box.js";
import { readsOf, wayOf } from "../../extensions/described.js";
import { isMemory } from "../../extensions/facts.js";
import { conditionOf, isVolatile } from "./condition.js";
import { RuleIndex } from "./rule-index.js";
import { sameChain } from "./same-rules.js";
import { stepsOf } from "./steps.js";

/** What a rule does with the packets it matches: `next` goes on to the next rule, `elsewhere` gives them to a program. */
export type Action =
  | { readonly kind: "accept" | "drop" | "return" | "next" | "elsewhere" }
  | { readonly kind: "jump"; readonly chain: string; readonly goto: boolean };

export interface FollowedRule {
  readonly rule: IptablesRule;
  /** Undefined if it never matches. */
  readonly condition: Box | undefined;
  readonly action: Action;
  /** A box that holds all packets it can match, by what it tests before anything else; undefined: any packet. */
  readonly first: Box | undefined;
  /** Its answer for the same packet may be another one elsewhere: it limits, counts or remembers. */
  readonly volatile: boolean;
}

export interface FollowedChain {
  readonly chain: IptablesChain;
  readonly rules: readonly FollowedRule[];
  /** By what each rule tests before anything else. */
  readonly index: RuleIndex;
}

/** A table prepared for following: `followedTable` makes it. */
export class FollowedTable {
  readonly chains: ReadonlyMap<string, FollowedChain>;
  private readonly conditions = new Map<IptablesRule, Box>();

  constructor(
    readonly table: IptablesTable,
    readonly family: Family,
  ) {
    this.chains = new Map(table.chains.map((chain) => [chain.name, followedChain(chain, family)]));
    for (const { rules } of this.chains.values())
      for (const { rule, condition } of rules) if (condition) this.conditions.set(rule, condition);
  }

  /** Which packets a rule of this table matches; undefined if none. */
  conditionOf(rule: IptablesRule): Box | undefined {
    return this.conditions.get(rule);
  }
}

const preparedChains = new WeakMap<IptablesChain, FollowedChain>();

function followedChain(chain: IptablesChain, family: Family): FollowedChain {
  let found = preparedChains.get(chain);
  if (found) return found;
  const same = sameChain(chain);
  if (same) {
    const { rules, index } = followedChain(same, family);
    found = { chain, rules: rules.map((one, place) => ({ ...one, rule: chain.rules[place]! })), index };
  } else {
    const met = new Map<string, number>();
    const rules = chain.rules.map((rule): FollowedRule => {
      const condition = conditionOf(rule, family);
      return {
        rule,
        condition: condition && rule.matches.some(countsForItself) ? numbered(condition, met) : condition,
        action: actionOf(rule),
        first: firstFields(rule, family),
        volatile: rule.matches.some(isVolatile),
      };
    });
    found = { chain, rules, index: new RuleIndex(rules.map(({ first }) => first)) };
  }
  preparedChains.set(chain, found);
  return found;
}

const prepared = new WeakMap<IptablesTable, FollowedTable>();

/** The table prepared for following; the same for the same table, for which many ask. */
export function followedTable(table: IptablesTable, family: Family): FollowedTable {
  let found = prepared.get(table);
  if (!found) prepared.set(table, (found = new FollowedTable(table, family)));
  return found;
}

/** A rule without packets at all is asked, too: it is one of few. */
function firstFields(rule: IptablesRule, family: Family): Box | undefined {
  const [first] = stepsOf(rule, family);
  return first?.kind === "fields" ? first.box : undefined;
}

/** Two rules with such a match count apart, however alike they are: one may match where the other does not. */
function countsForItself(use: ExtensionUse): boolean {
  return readsOf(use).some((matter) =>
    isMemory(matter) ? matter.memory === "hashlimit" || (matter.name === undefined && matter.memory !== "geoip") : matter === "chance",
  );
}

/** The condition, its tests numbered from their second time in the chain on. */
function numbered(condition: Box, met: Map<string, number>): Box {
  const tests = [...(condition.tests ?? [])].map(([test, answer]) => {
    const times = (met.get(test) ?? 0) + 1;
    met.set(test, times);
    return [answer.question || times === 1 ? test : `${test} (rule ${times} of its kind)`, answer] as const;
  });
  return { ...condition, tests: new Map(tests) };
}

export function actionOf({ target }: IptablesRule): Action {
  if (!target) return { kind: "next" };
  if (target.kind === "chain") return { kind: "jump", chain: target.chain, goto: target.goto };
  const way = wayOf(target);
  return { kind: way === "continue" ? "next" : way };
}

/** What became of the packets, in boxes without a packet in common. */
export interface Fates {
  readonly accepted: readonly Box[];
  readonly dropped: readonly Box[];
  readonly elsewhere: readonly Box[];
  /** Those that come back from the chain undecided; empty for a built-in chain. */
  readonly back: readonly Box[];
}

/** The packets are in more pieces than it is worth to follow. */
export class TooManyPieces extends Error {
  override readonly name = "TooManyPieces";
  /** The one that is thrown: where it comes from says nothing, and to gather the stack thousands of times takes a second. */
  static readonly thrown = new TooManyPieces();
}

/** How much may be looked at: comparisons of a box with a rule, and copies of its answers. */
export class Effort {
  constructor(private left: number) {}
  spend(comparisons: number): void {
    this.left -= comparisons;
    if (this.left < 0) throw TooManyPieces.thrown;
  }
}

/** Pieces at which following a region is given up. */
const mostPieces = 600;

/** What it costs to look at boxes and to cut them. */
function costOf(boxes: readonly Box[]): number {
  return boxes.reduce((sum, { tests }) => sum + 1 + (tests?.size ?? 0), 0);
}

/** Chains within chains that are followed; the kernel allows 16 levels. */
export const deepest = 20;

/** Sends a region into a chain. Throws `TooManyPieces`. */
export function follow(region: readonly Box[], name: string, table: FollowedTable, effort: Effort, level = 0): Fates {
  if (level > deepest) throw TooManyPieces.thrown;
  const fates = { accepted: [] as Box[], dropped: [] as Box[], elsewhere: [] as Box[], back: [] as Box[] };
  const followed = table.chains.get(name);
  if (!followed) return { ...fates, back: region };
  let here: readonly Box[] = region;
  for (const { condition, action } of rulesFor(region, followed)) {
    if (here.length === 0) break;
    if (!condition || action.kind === "next") continue;
    effort.spend(here.length);
    const meeting = here.filter((box) => meet(box, condition));
    if (meeting.length === 0) continue;
    effort.spend(costOf(meeting));
    const matched = meeting.flatMap((box) => intersect(box, condition) ?? []);
    here = here.flatMap((box) => subtract(box, condition));
    if (here.length + matched.length > mostPieces) throw TooManyPieces.thrown;
    switch (action.kind) {
      case "accept":
        fates.accepted.push(...matched);
        break;
      case "drop":
        fates.dropped.push(...matched);
        break;
      case "elsewhere":
        fates.elsewhere.push(...matched);
        break;
      case "return":
        fates.back.push(...matched);
        break;
      case "jump": {
        const inside = follow(matched, action.chain, table, effort, level + 1);
        fates.accepted.push(...inside.accepted);
        fates.dropped.push(...inside.dropped);
        fates.elsewhere.push(...inside.elsewhere);
        if (action.goto) fates.back.push(...inside.back);
        else here = [...here, ...inside.back];
      }
    }
  }
  fates.back.push(...here);
  const { policy } = followed.chain;
  if (policy === undefined) return fates;
  (policy === "ACCEPT" ? fates.accepted : fates.dropped).push(...fates.back);
  return { ...fates, back: [] };
}

/** Where a set of packets is when a rule is asked, and which rules before took packets of it. */
export interface Arrival {
  /** What reaches the rule and matches it. */
  readonly left: readonly Box[];
  /** The rules of the chain that took some of it, in order. */
  readonly takenBy: readonly IptablesRule[];
}

/**
 * What of these packets is left when the rules of the chain before the one at this index have decided. Rules whose answer is
 * not the same for all of a box take nothing. Throws `TooManyPieces`.
 */
export function arrivalAt(
  index: number,
  arriving: Box,
  chain: FollowedChain,
  table: FollowedTable,
  effort: Pick<Effort, "spend">,
): Arrival {
  let left: readonly Box[] = [arriving];
  const takenBy: IptablesRule[] = [];
  for (const { condition: earlier, action, rule, volatile } of rulesFor(left, chain, index)) {
    if (left.length === 0) break;
    if (!earlier || volatile || action.kind === "next") continue;
    effort.spend(left.length);
    const taken = left.filter((box) => meet(box, earlier));
    if (taken.length === 0) continue;
    effort.spend(costOf(taken));
    const back = action.kind === "jump" && !action.goto ? certainlyLeaving(taken, earlier, action.chain, table, effort) : [];
    const rest = left.flatMap((box) => subtract(box, earlier));
    if (rest.length + back.length > mostPieces) throw TooManyPieces.thrown;
    if (action.kind !== "jump" || action.goto || back.length === 0) takenBy.push(rule);
    left = [...rest, ...back];
  }
  return { left, takenBy };
}

/**
 * Whether some of these packets are seen to get by all rules before the one at this index: one piece is followed, without a look into
 * chains. False says nothing. Cheap, where `arrivalAt` follows all pieces, and true for nearly every rule.
 */
export function someArrive(index: number, arriving: Box, chain: FollowedChain, effort: Pick<Effort, "spend">): boolean {
  let left: Box | undefined = arriving;
  const before = rulesFor([arriving], chain, index);
  effort.spend(before.length);
  for (const { condition: earlier, action, volatile } of before) {
    if (!earlier || volatile || action.kind === "next") continue;
    left = somePiece(left, earlier);
    if (!left) return false;
  }
  return true;
}

/** What of the boxes may come back from a chain that a rule with this condition calls. */
function certainlyLeaving(boxes: readonly Box[], condition: Box, name: string, table: FollowedTable, effort: Pick<Effort, "spend">): Box[] {
  return boxes.flatMap((box) => {
    const inside = intersect(box, condition);
    return inside ? mayComeBack([inside], name, table, effort) : [];
  });
}

function mayComeBack(boxes: readonly Box[], name: string, table: FollowedTable, effort: Pick<Effort, "spend">, level = 0): readonly Box[] {
  if (level > deepest) throw TooManyPieces.thrown;
  let here = boxes;
  const back: Box[] = [];
  const followed = table.chains.get(name);
  if (!followed) return boxes;
  for (const { condition, action, volatile } of rulesFor(boxes, followed)) {
    if (here.length === 0) break;
    if (!condition || action.kind === "next") continue;
    effort.spend(here.length);
    const matched = here.flatMap((box) => intersect(box, condition) ?? []);
    if (matched.length === 0) continue;
    const inside =
      action.kind === "return" ? matched : action.kind === "jump" ? mayComeBack(matched, action.chain, table, effort, level + 1) : [];
    if (action.kind === "jump" && !action.goto) {
      if (!volatile) here = [...here.flatMap((box) => subtract(box, condition)), ...inside];
    } else {
      back.push(...inside);
      if (!volatile) here = here.flatMap((box) => subtract(box, condition));
    }
    if (here.length + back.length > mostPieces) throw TooManyPieces.thrown;
  }
  return [...here, ...back];
}

/** The rules of a chain that may match any of the packets, in order, of those before an index. */
export function rulesFor(packets: readonly Box[], { rules, index }: FollowedChain, end = rules.length): readonly FollowedRule[] {
  const asked = index.candidates(packets);
  if (asked) return asked.filter((rule) => rule < end).map((rule) => rules[rule]!);
  return end === rules.length ? rules : rules.slice(0, end);
}

export const allPackets: readonly Box[] = [everything];
