/** A list that serves two purposes: hits of one count for the other, or one packet counts twice. */

import { printable } from "../../diagnostic.js";
import type { Remark } from "../findings.js";
import type { ReviewedList, ReviewedUse } from "../lists/list-use.js";
import { intersect, type Box } from "../packets/box.js";
import { conditionOf } from "../packets/condition.js";
import { packetWords } from "../packets/words.js";
import { remark, type Check, type CheckedRulesets } from "./check.js";

export const listShared: Check = (rulesets) =>
  rulesets.lists.flatMap((list) => {
    if (list.checks.length === 0) return [];
    return [...betweenServices(list, rulesets), ...betweenTables(list, rulesets)];
  });

/** Two kinds of traffic without a packet in common, each of which both records and checks. */
function betweenServices(list: ReviewedList, rulesets: CheckedRulesets): Remark[] {
  const pairs = list.checks.flatMap((check) => {
    const box = arriving(check, rulesets);
    const own = box && list.sets.find((set) => meets(set, box, rulesets));
    // A check of all traffic is what such a list is for.
    return box && own && namesService(box) ? [{ check, box }] : [];
  });
  const [first] = pairs;
  const other = first && pairs.find(({ box }) => !intersect(box, first.box) && box.destinationPort && first.box.destinationPort);
  if (!first || !other) return [];
  return [
    remark(
      "list-shared",
      other.check.use.span,
      `list "${printable(list.name)}" is shared: hits of ${packetWords(portsOnly(first.box), list.family)} (line ` +
        `${first.check.rule.span.line}) count for ` +
        `${packetWords(portsOnly(other.box), list.family)} as well`,
      "give each its own --name",
    ),
  ];
}

function betweenTables(list: ReviewedList, rulesets: CheckedRulesets): Remark[] {
  const [first] = list.sets;
  const firstBox = first && arriving(first, rulesets);
  const second = firstBox && list.sets.find((set) => set.table !== first.table && meets(set, firstBox, rulesets));
  if (!second) return [];
  return [
    remark(
      "list-set-in-two-tables",
      second.use.span,
      `one packet may be recorded twice on list "${printable(list.name)}": here in table "${second.table.name}", ` +
        `and in table "${first.table.name}" in line ${first.rule.span.line}`,
    ),
  ];
}

function arriving(use: ReviewedUse, { tables }: CheckedRulesets): Box | undefined {
  const entry = tables.find(({ followed }) => followed.table === use.table)?.entries.get(use.chain.name);
  const condition = conditionOf(use.rule, use.family);
  return entry && condition && intersect(entry, condition);
}

function meets(use: ReviewedUse, box: Box, rulesets: CheckedRulesets): boolean {
  const own = arriving(use, rulesets);
  return own !== undefined && intersect(fieldsOf(own), fieldsOf(box)) !== undefined;
}

function fieldsOf({ tests: _, ...fields }: Box): Box {
  return fields;
}

function namesService({ destinationPort, protocol }: Box): boolean {
  return destinationPort !== undefined && protocol !== undefined;
}

function portsOnly({ protocol, destinationPort }: Box): Box {
  return { ...(protocol && { protocol }), ...(destinationPort && { destinationPort }) };
}
