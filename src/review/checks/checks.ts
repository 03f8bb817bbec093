/** All checks, in the order of their findings for one place. */

import type { IptablesRuleset } from "../../iptables/ast.js";
import type { Remark } from "../findings.js";
import { listsOf } from "../lists/list-use.js";
import { entriesOf } from "../packets/entries.js";
import { followedTable } from "../packets/paths.js";
import type { Check, CheckedRulesets } from "./check.js";
import { countsEveryPacket } from "./counts-every-packet.js";
import { hitCountBeyondList } from "./hit-count-beyond-list.js";
import { hitsWithoutWindow } from "./hits-without-window.js";
import { ipv6Open } from "./ipv6-open.js";
import { limitThatStops } from "./limit-that-stops.js";
import { listNeverChecked } from "./list-never-checked.js";
import { listNeverFed } from "./list-never-fed.js";
import { listNeverSet } from "./list-never-set.js";
import { listShared } from "./list-shared.js";
import { listTooSmall } from "./list-too-small.js";
import { maskNotAPrefix } from "./mask-not-a-prefix.js";
import { nothingStopped } from "./nothing-stopped.js";
import { rttlEvaded } from "./rttl-evaded.js";
import { unreachableRule } from "./unreachable-rule.js";

export const checks: readonly Check[] = [
  unreachableRule,
  nothingStopped,
  ipv6Open,
  limitThatStops,
  listNeverFed,
  listNeverSet,
  listNeverChecked,
  listShared,
  rttlEvaded,
  hitsWithoutWindow,
  hitCountBeyondList,
  countsEveryPacket,
  maskNotAPrefix,
  listTooSmall,
];

/** Looks for all traps in the rulesets of one machine. */
export function findTraps(rulesets: readonly IptablesRuleset[]): Remark[] {
  const checked: CheckedRulesets = {
    tables: rulesets.flatMap(({ family, tables }) =>
      tables.map((table) => {
        const followed = followedTable(table, family);
        return { family, followed, entries: entriesOf(followed) };
      }),
    ),
    lists: listsOf(rulesets),
  };
  return checks.flatMap((check) => check(checked));
}
