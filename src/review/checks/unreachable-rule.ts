/** A rule behind others that decide about all its packets, or in a chain where none of them come. */

import { printable } from "../../diagnostic.js";
import type { IptablesChain, IptablesRule } from "../../iptables/ast.js";
import type { Remark } from "../findings.js";
import { contains, intersect, type Box } from "../packets/box.js";
import {
  actionOf,
  arrivalAt,
  Effort,
  TooManyPieces,
  rulesFor,
  someArrive,
  type FollowedChain,
  type FollowedRule,
  type FollowedTable,
} from "../packets/paths.js";
import { sameChain } from "../packets/same-rules.js";
import { targetWords } from "../rule-words.js";
import { remark, type Check, type CheckedTable } from "./check.js";

/** Comparisons for all chains of all rulesets: about a second. */
const wholeEffort = 1_500_000;
/** Comparisons for one rule. */
const effortPerRule = 20_000;

export const unreachableRule: Check = ({ tables }) => {
  const whole = new Effort(wholeEffort);
  return tables.flatMap((table) => [...table.followed.chains.values()].flatMap((chain) => inChain(chain, table, whole)));
};

function inChain(chain: FollowedChain, table: CheckedTable, whole: Effort): Remark[] {
  const entry = table.entries.get(chain.chain.name);
  // Nothing comes into the chain: it is a store of rules, and to say so of each would be noise.
  if (!entry) return [];
  const lines = rulesByLine(chain);
  const known = knownLooks(chain, entry, table);
  const looks = lines.map((indices, line) => (known ? again(known[line]!, whole) : look(indices, entry, chain, table.followed, whole)));
  if (!looks.includes("no effort left")) looked.set(chain.chain, { entry, table, looks: looks as readonly Look[] });
  const found: Remark[] = [];
  let skipped: IptablesRule | undefined;
  for (const [line, one] of looks.entries()) {
    if (one === "no effort left" || one.finding === "too many pieces") skipped ??= chain.rules[lines[line]![0]!]!.rule;
    else if (one.finding) found.push(told(one.finding, chain));
  }
  if (skipped) {
    found.push(
      remark(
        "reachability-unknown",
        skipped.span,
        `from this rule of chain "${printable(chain.chain.name)}" on it was not worked out for every rule whether it can be reached`,
      ),
    );
  }
  return found;
}

/** A rule that no packet reaches, by its place in the chain. */
interface Finding {
  readonly index: number;
  /** Places of the rules that decide about all that it matches; undefined: no such packet comes into the chain. */
  readonly causes: readonly number[] | undefined;
}

/** What was found out about the rules of a line. */
interface Look {
  readonly finding: Finding | "too many pieces" | undefined;
  /** What that took of the effort for all; undefined where there was nothing to compare. */
  readonly spent: number | undefined;
}

function look(indices: readonly number[], entry: Box, chain: FollowedChain, table: FollowedTable, whole: Effort): Look | "no effort left" {
  const limited = new Effort(effortPerRule);
  let spent: number | undefined;
  let isOver = false;
  const effort = {
    spend: (comparisons: number) => {
      isOver = true;
      whole.spend(comparisons);
      isOver = false;
      spent = (spent ?? 0) + comparisons;
      limited.spend(comparisons);
    },
  };
  try {
    const reasons = indices.map((index) => unreachable(index, entry, chain, table, effort));
    const [first] = reasons;
    return { finding: first && reasons.every((one) => one !== undefined) ? first : undefined, spent };
  } catch (error) {
    if (!(error instanceof TooManyPieces)) throw error;
    return isOver ? "no effort left" : { finding: "too many pieces", spent };
  }
}

// ----------------------------------------------------------------------------------------------- two versions

/** What was found out about chains: in the other version it is the same of most of them. */
const looked = new WeakMap<IptablesChain, { readonly entry: Box; readonly table: CheckedTable; readonly looks: readonly Look[] }>();

/** What is known of the same chain of the other version, where the same packets come to it and the chains that it calls are the same. */
function knownLooks(chain: FollowedChain, entry: Box, { followed }: CheckedTable): readonly Look[] | undefined {
  const same = sameChain(chain.chain);
  const known = same && looked.get(same);
  if (!known || boxText(known.entry) !== boxText(entry)) return undefined;
  return callsAlike(chain, followed, known.table.followed, new Set()) ? known.looks : undefined;
}

function callsAlike({ rules }: FollowedChain, table: FollowedTable, other: FollowedTable, seen: Set<string>): boolean {
  return rules.every(({ action }) => {
    if (action.kind !== "jump" || seen.has(action.chain)) return true;
    seen.add(action.chain);
    const [called, otherCalled] = [table.chains.get(action.chain), other.chains.get(action.chain)];
    if (!called || !otherCalled) return called === otherCalled;
    return sameChain(called.chain) === otherCalled.chain && callsAlike(called, table, other, seen);
  });
}

function boxText(box: Box): string {
  return JSON.stringify(box, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
  );
}

/** The same look costs the same, whether or not it is taken again: what is left for later rules does not hang on the other version. */
function again(known: Look, whole: Effort): Look | "no effort left" {
  if (known.spent === undefined) return known;
  try {
    whole.spend(known.spent);
    return known;
  } catch (error) {
    if (!(error instanceof TooManyPieces)) throw error;
    return "no effort left";
  }
}

// ------------------------------------------------------------------------------------------------------ one rule

/** A line with an address list makes several rules, and is dead only if all of them are. */
function rulesByLine({ rules }: FollowedChain): number[][] {
  const lines = new Map<string, number[]>();
  rules.forEach(({ rule: { span } }, index) => {
    const key = `${span.line}:${span.column}:${span.file}`;
    const list = lines.get(key);
    if (list) list.push(index);
    else lines.set(key, [index]);
  });
  return [...lines.values()];
}

/** Why no packet reaches a rule; undefined if some may, or if it matches none anyway. */
function unreachable(
  index: number,
  entry: Box,
  chain: FollowedChain,
  table: FollowedTable,
  effort: Pick<Effort, "spend">,
): Finding | undefined {
  const { condition } = chain.rules[index]!;
  if (!condition) return undefined;
  const arriving = intersect(entry, condition);
  if (!arriving) return { index, causes: undefined };
  if (someArrive(index, arriving, chain, effort)) return undefined;
  const { left, takenBy } = arrivalAt(index, arriving, chain, table, effort);
  if (left.length > 0) return undefined;
  const before = rulesFor([arriving], chain, index);
  effort.spend(before.length);
  const alone = before.find((earlier) => takesAll(earlier, arriving));
  const places = placesIn(chain);
  return { index, causes: (alone ? [alone.rule] : takenBy).map((cause) => places.get(cause)!) };
}

const placesInChains = new WeakMap<FollowedChain, ReadonlyMap<IptablesRule, number>>();

function placesIn(chain: FollowedChain): ReadonlyMap<IptablesRule, number> {
  let places = placesInChains.get(chain);
  if (!places) placesInChains.set(chain, (places = new Map(chain.rules.map(({ rule }, place) => [rule, place]))));
  return places;
}

function told({ index, causes: places }: Finding, { chain, rules }: FollowedChain): Remark {
  const { rule } = rules[index]!;
  if (!places) return remark("unreachable-rule", rule.span, `no packet it matches comes into chain "${printable(chain.name)}"`);
  const causes = places.map((place) => rules[place]!.rule);
  const found = remark("unreachable-rule", rule.span, `no packet reaches the rule: ${reason(causes)}`);
  return causes.every((earlier) => sameEnd(earlier, rule)) ? { ...found, severity: "note" } : found;
}

function takesAll({ condition, action, volatile }: FollowedRule, packets: Box): boolean {
  return (
    condition !== undefined &&
    !volatile &&
    action.kind !== "next" &&
    (action.kind !== "jump" || action.goto) &&
    contains(condition, packets)
  );
}

/** Then it is only superfluous. */
function sameEnd(a: IptablesRule, b: IptablesRule): boolean {
  const [first, second] = [actionOf(a), actionOf(b)];
  return first.kind === second.kind && first.kind !== "jump";
}

function reason(takenBy: readonly IptablesRule[]): string {
  const [first, second] = takenBy;
  if (!first) return "no packet matches it";
  const lines = takenBy.map(({ span }) => span.line);
  if (!second)
    return (
      `line ${first.span.line} ${targetWords(first)} all that it ` +
      `matches${first.target?.kind === "chain" ? ", and none comes back" : ""}`
    );
  const shown = lines.slice(0, 4).join(", ");
  return `lines ${shown}${lines.length > 4 ? ` and ${lines.length - 4} more` : ""} decide about all that it matches`;
}
