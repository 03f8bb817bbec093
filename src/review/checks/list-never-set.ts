/** A list that is checked, and on which no rule records hosts. */

import { printable } from "../../diagnostic.js";
import { remark, type Check } from "./check.js";

export const listNeverSet: Check = ({ lists }) =>
  lists.flatMap(({ name, checks, sets, family }) => {
    const [check] = checks;
    const setElsewhere = lists.some((other) => other.name === name && other.family !== family && other.sets.length > 0);
    if (!check || sets.length > 0) return [];
    return [
      remark(
        "list-never-set",
        check.use.span,
        `list "${printable(name)}" is checked, and no rule records hosts on ` +
          `it${setElsewhere ? " (those of the other family never match)" : ""}`,
        'if a program writes to /proc/net/xt_recent, let it use "ipt2nft-recent lists pipes" once the script is loaded',
      ),
    ];
  });
