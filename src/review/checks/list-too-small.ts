/** A window longer than a host stays on a list of 100. */

import { printable } from "../../diagnostic.js";
import { remark, type Check } from "./check.js";

/** `ip_list_tot` where nothing else is said. */
const hostsPerList = 100;
/** Seconds from which 100 other hosts are likely to come by. */
const longWindow = 3600;

export const listTooSmall: Check = ({ lists }) =>
  lists.flatMap((list) => {
    const check = list.checks.find(({ seconds }) => seconds !== undefined && seconds >= longWindow);
    if (!check || list.sets.length === 0) return [];
    return [
      remark(
        "list-too-small",
        check.use.options["seconds"]?.span ?? check.use.span,
        `xt_recent keeps ${hostsPerList} hosts on list "${printable(list.name)}": ${hostsPerList} others push a host off it before ` +
          `${check.seconds} s are over, ` +
          "and the script does not forget it",
      ),
    ];
  });
