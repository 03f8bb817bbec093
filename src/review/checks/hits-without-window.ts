/** A hit count without seconds stops a host for good. */

import { printable } from "../../diagnostic.js";
import { consequenceOf } from "../lists/list-use.js";
import { remark, type Check } from "./check.js";

export const hitsWithoutWindow: Check = ({ lists }) =>
  lists.flatMap((list) =>
    list.checks
      .filter(
        (check) =>
          check.seconds === undefined && check.hits > 1 && !check.inverted && consequenceOf(check) === "stops" && list.removes.length === 0,
      )
      .map((check) =>
        remark(
          "hits-without-window",
          check.use.options["hitcount"]?.span ?? check.use.span,
          `a host with ${check.hits} hits on list "${printable(list.name)}", however old, is stopped until the list forgets it`,
          "add --seconds",
        ),
      ),
  );
