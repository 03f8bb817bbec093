/** A rule that lets packets through in a chain where nothing behind it stops any. */

import { remark, type Check, type CheckedTable } from "./check.js";

export const nothingStopped: Check = ({ tables }) =>
  tables
    .filter(({ followed }) => followed.table.name === "filter")
    .flatMap((table) =>
      [...table.followed.chains.values()].flatMap(({ chain, rules }) => {
        if (chain.policy !== "ACCEPT" || !["INPUT", "FORWARD"].includes(chain.name)) return [];
        const lastStop = rules.findLastIndex(
          ({ action }) => action.kind === "drop" || action.kind === "elsewhere" || (action.kind === "jump" && mayStop(action.chain, table)),
        );
        // A rule that also records a hit has another purpose.
        const idle = rules
          .slice(lastStop + 1)
          .filter(
            ({ rule, action, condition }) =>
              action.kind === "accept" &&
              condition &&
              (condition.destinationPort || condition.source) &&
              !rule.matches.some(({ extension }) => extension === "recent"),
          );
        const [first, second] = idle;
        if (!first) return [];
        const found = remark(
          "nothing-stopped",
          first.rule.span,
          `the rule changes nothing: the policy of ${chain.name} is ACCEPT, and no later rule stops anything`,
          `set the policy to DROP, or end ${chain.name} with -j DROP`,
        );
        // A list of what is allowed is meant to keep the rest out; one rule may only be there for its counter.
        return [second ? found : { ...found, severity: "note" as const }];
      }),
    );

function mayStop(name: string, table: CheckedTable, seen = new Set<string>()): boolean {
  if (seen.has(name)) return false;
  seen.add(name);
  return (table.followed.chains.get(name)?.rules ?? []).some(
    ({ action }) => action.kind === "drop" || action.kind === "elsewhere" || (action.kind === "jump" && mayStop(action.chain, table, seen)),
  );
}
