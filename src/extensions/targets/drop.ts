/**
 * `-j DROP`: the packet is thrown away without an answer. iptables refuses it in every chain of table nat.
 *
 *     -s 192.0.2.1 -j DROP   →   ip saddr 192.0.2.1 drop
 *
 * man iptables, section "TARGETS".
 */

import { verdict } from "../../nft/ast.js";
import { defineTarget } from "../extension.js";

export const dropTarget = defineTarget({
  name: "DROP",
  tables: ["raw", "mangle", "filter", "security"],
  options: {},
  facts: {
    way: "drop",
    effects: [],
    played: true,
    words: { does: "drops", done: "dropped" },
  },
  translate: () => ({ statements: [verdict("drop")] }),
});
