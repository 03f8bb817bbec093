/** A rule behind others that decide about all its packets, or in a chain where none of them come. */

import { printable } from "../../diagnostic.js";
import type { IptablesRule } from "../../iptables/ast.js";
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

function inChain(chain: FollowedChain, { followed, entries }: CheckedTable, whole: Effort): Remark[] {
  const entry = entries.get(chain.chain.name);
  // Nothing comes into the chain: it is a store of rules, and to say so of each would be noise.
  if (!entry) return [];
  const found: Remark[] = [];
  let skipped: IptablesRule | undefined;
  for (const indices of rulesByLine(chain)) {
    const { rule } = chain.rules[indices[0]!]!;
    const limited = new Effort(effortPerRule);
    const effort = {
      spend: (comparisons: number) => {
        whole.spend(comparisons);
        limited.spend(comparisons);
      },
    };
    try {
      const reasons = indices.map((index) => unreachable(index, entry, chain, followed, effort));
      const [first] = reasons;
      if (first && reasons.every((one) => one !== undefined)) found.push(first);
    } catch (error) {
      if (!(error instanceof TooManyPieces)) throw error;
      skipped ??= rule;
    }
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
): Remark | undefined {
  const { rule, condition } = chain.rules[index]!;
  if (!condition) return undefined;
  const arriving = intersect(entry, condition);
  if (!arriving) return remark("unreachable-rule", rule.span, `no packet it matches comes into chain "${printable(chain.chain.name)}"`);
  if (someArrive(index, arriving, chain, effort)) return undefined;
  const { left, takenBy } = arrivalAt(index, arriving, chain, table, effort);
  if (left.length > 0) return undefined;
  const before = rulesFor([arriving], chain, index);
  effort.spend(before.length);
  const alone = before.find((earlier) => takesAll(earlier, arriving));
  const causes = alone ? [alone.rule] : takenBy;
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
