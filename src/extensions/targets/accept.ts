/**
 * `-j ACCEPT`: the packet passes this table's chain.
 *
 *     -p tcp --dport 22 -j ACCEPT   →   tcp dport 22 accept
 *
 * man iptables, section "TARGETS".
 */

import { verdict } from "../../nft/ast.js";
import { defineTarget } from "../extension.js";

export const acceptTarget = defineTarget({
  name: "ACCEPT",
  options: {},
  facts: {
    way: "accept",
    effects: [],
    played: true,
    words: { does: "lets through", done: "let through" },
  },
  translate: () => ({ statements: [verdict("accept")] }),
});
