/** A list on which hosts are recorded only where a check of the same list has matched before: nobody ever gets on it. */

import { printable } from "../../diagnostic.js";
import { intersect } from "../packets/box.js";
import { conditionOf } from "../packets/condition.js";
import type { ReviewedUse } from "../lists/list-use.js";
import { remark, type Check, type CheckedRulesets } from "./check.js";

export const listNeverFed: Check = (rulesets) =>
  rulesets.lists.flatMap((list) => {
    if (list.sets.length === 0 || list.checks.length === 0 || !list.sets.every((set) => comesTooLate(set, rulesets))) return [];
    return [
      remark(
        "list-never-fed",
        list.sets[0]!.use.span,
        `list "${printable(list.name)}" stays empty: a host is recorded here only if it is on the list already, or not at all`,
        "record hosts in a rule of its own, before the check",
      ),
    ];
  });

function comesTooLate(set: ReviewedUse, { tables }: CheckedRulesets): boolean {
  const entry = tables.find(({ followed }) => followed.table === set.table)?.entries.get(set.chain.name);
  // What is tested behind the `--set` comes after the hit is recorded.
  const before = { ...set.rule, matches: set.rule.matches.slice(0, set.rule.matches.indexOf(set.use)) };
  const condition = conditionOf(before, set.family);
  const arriving = entry && condition && intersect(entry, condition);
  if (!arriving) return true;
  return [...(arriving.tests?.values() ?? [])].some(
    ({ holds, question }) =>
      holds && question?.asks.kind === "recent" && question.asks.list === set.list && question.asks.side === set.side,
  );
}
