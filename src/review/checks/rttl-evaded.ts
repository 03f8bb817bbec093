/** `--rttl` in a limit: whoever changes the TTL is never over it, unless the packet itself has just been recorded with its TTL. */

import { printable } from "../../diagnostic.js";
import { consequenceOf, isOfOwnHit } from "../lists/list-use.js";
import { remark, type Check } from "./check.js";

export const rttlEvaded: Check = ({ lists }) =>
  lists.flatMap((list) =>
    list.checks
      .filter((check) => check.rttl && !check.inverted && consequenceOf(check) === "stops" && !isOfOwnHit(check, list))
      .map((check) =>
        remark(
          "rttl-evaded",
          check.use.options["rttl"]?.span ?? check.use.span,
          `a sender that changes the TTL of its packets is never over the limit of list "${printable(list.name)}"`,
        ),
      ),
  );
