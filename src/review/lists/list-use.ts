/** The lists of `recent` of a ruleset, with what a reviewer asks about them. */

import type { Diagnostic, Span } from "../../diagnostic.js";
import { effectOf, explainsTraffic } from "../../diagnostic.js";
import type { Family, IptablesRuleset, IptablesTable } from "../../iptables/ast.js";
import { gatherLists, isCheck, type ListUsage, type PlacedUse } from "../../rewrite/recent/usage.js";
import { meaningOf } from "../meaning.js";
import { hull, intersect, type Box } from "../packets/box.js";
import { conditionOf } from "../packets/condition.js";
import { entriesOf } from "../packets/entries.js";
import { actionOf, allPackets, Effort, follow, followedTable, TooManyPieces } from "../packets/paths.js";
import { serviceOf } from "../packets/words.js";

export interface ReviewedUse extends PlacedUse {
  readonly family: Family;
}

export interface ReviewedList {
  readonly family: Family;
  readonly name: string;
  readonly usage: ListUsage;
  readonly checks: readonly ReviewedUse[];
  readonly sets: readonly ReviewedUse[];
  readonly removes: readonly ReviewedUse[];
  /** What people call the service its rules are for, if they are for one. */
  readonly service: string | undefined;
  /** Equal for lists that do the same. */
  readonly meaning: string;
}

export function listsOf(rulesets: readonly IptablesRuleset[]): ReviewedList[] {
  return rulesets.flatMap((ruleset) =>
    [...gatherLists(ruleset).values()].map((usage): ReviewedList => {
      const conditions = conditionsOf(usage, ruleset.family);
      const uses = usage.uses.map((use): ReviewedUse => ({ ...use, family: ruleset.family }));
      const of = (operation: PlacedUse["operation"]): ReviewedUse[] => uses.filter((use) => use.operation === operation);
      return {
        family: ruleset.family,
        name: usage.name,
        usage,
        checks: uses.filter(isCheck),
        sets: of("set"),
        removes: of("remove"),
        service: serviceOf(hull(conditions)) ?? serviceOf(hull(conditions.filter(({ destinationPort }) => destinationPort))),
        // The name of a chain means nothing.
        meaning: usage.uses
          .map(
            ({ rule, table, chain }) =>
              `${table.name} ${chain.policy === undefined ? "" : chain.name} ` +
              `${meaningOf(rule, { family: ruleset.family, table: table.name })}`,
          )
          .join("\n"),
      };
    }),
  );
}

/** Which packets come to the rules of a list. */
function conditionsOf({ uses }: ListUsage, family: Family): Box[] {
  const entriesInto = (table: IptablesTable) => entriesOf(followedTable(table, family));
  return uses.flatMap(({ rule, table, chain }) => {
    const [entry, condition] = [entriesInto(table).get(chain.name), conditionOf(rule, family)];
    return (entry && condition && intersect(entry, condition)) ?? [];
  });
}

export type Consequence = "stops" | "passes" | "other";

/** What a check that matches does with the packet: what a reviewer fears if it does so more or less often. */
export function consequenceOf({ rule, table, family }: ReviewedUse): Consequence {
  const action = actionOf(rule);
  if (action.kind === "drop") return "stops";
  if (action.kind === "accept") return "passes";
  if (action.kind !== "jump") return "other";
  try {
    const { accepted, back, dropped } = follow(allPackets, action.chain, followedTable(table, family), new Effort(10_000));
    if (accepted.length === 0 && back.length === 0) return "stops";
    return dropped.length === 0 && back.length === 0 ? "passes" : "other";
  } catch (error) {
    if (error instanceof TooManyPieces) return "other";
    throw error;
  }
}

/** Whether the hit of the packet itself counts: a rule before the check records it. */
export function ownHitCounts(check: PlacedUse, { sets }: Pick<ReviewedList, "sets">): boolean {
  return sets.some((set) => set.side === check.side && !set.inverted && comesBefore(set, check));
}

/** Whether a rule before the check, with the same words in front of `recent`, has recorded the packet. */
export function isOfOwnHit(check: ReviewedUse, { sets }: ReviewedList): boolean {
  const front = ({ rule: { text } }: ReviewedUse): string => text.slice(0, text.indexOf("-m recent"));
  return ownHitCounts(check, { sets: sets.filter((set) => front(set) === front(check)) });
}

/** Whether every packet that reaches the second has passed the first's place; false also where it cannot be told. */
function comesBefore(first: PlacedUse, second: PlacedUse): boolean {
  if (first.table !== second.table || first.chain !== second.chain) return false;
  const { rules } = first.chain;
  const [one, two] = [rules.indexOf(first.rule), rules.indexOf(second.rule)];
  return one < two || (one === two && first.rule.matches.indexOf(first.use) < first.rule.matches.indexOf(second.use));
}

/** How exactly the list is carried over, from what the translator says about its rules. */
export function formOf(spans: readonly Span[], diagnostics: readonly Diagnostic[]): string {
  const about = diagnostics.filter(
    ({ code, span }) =>
      code.startsWith("recent-") &&
      spans.some(({ file, line, endLine = line }) => file === span.file && span.line >= line && span.line <= endLine),
  );
  for (const effect of ["refused", "approximated"] as const) {
    const [first] = about.filter(({ code }) => effectOf(code) === effect && explainsTraffic(code));
    if (first) return `${effect}: ${first.message.replace(/^list "[^"]*": /, "")}`;
  }
  return "exact";
}
