/** A hit count that not every kernel takes. */

import { remark, type Check } from "./check.js";

/** `ip_pkt_list_tot` where nothing else is said. */
const keptByDefault = 20;
/** Of the byte in which kernels before 6.11 counted. */
const mostInAByte = 255;

export const hitCountBeyondList: Check = ({ lists }) =>
  lists.flatMap(({ checks }) =>
    checks
      .filter(({ hits }) => hits > keptByDefault)
      .map(({ hits, use }) =>
        remark(
          "hit-count-beyond-list",
          use.options["hitcount"]?.span ?? use.span,
          hits > mostInAByte
            ? `Linux before 6.11 refuses a hit count over ${mostInAByte}, and this one is ${hits}`
            : `Linux before 3.19 refuses a hit count over ${keptByDefault} unless ip_pkt_list_tot says otherwise, and this one is ${hits}`,
        ),
      ),
  );
