/** `-m limit` in a rule that stops packets: the flood gets past it. */

import { actionOf } from "../packets/paths.js";
import { remark, type Check } from "./check.js";

export const limitThatStops: Check = ({ tables }) =>
  tables.flatMap(({ followed }) =>
    [...followed.chains.values()].flatMap(({ rules }) =>
      rules.flatMap(({ rule }) => {
        const limit = rule.matches.find(({ extension, unknown }) => extension === "limit" && !unknown);
        if (!limit || actionOf(rule).kind !== "drop") return [];
        return [
          remark(
            "limit-that-stops",
            limit.span,
            "packets within the limit are stopped, and those over it go on to the next rule",
            "let through within the limit, and stop the rest",
          ),
        ];
      }),
    ),
  );
