/**
 * `-j RETURN`: back to the calling chain; from a built-in chain, to its policy. nft's `return` does the same in a base chain.
 *
 *     -s 192.0.2.1 -j RETURN   →   ip saddr 192.0.2.1 return
 *
 * man iptables, section "TARGETS".
 */

import { verdict } from "../../nft/ast.js";
import { defineTarget } from "../extension.js";

export const returnTarget = defineTarget({
  name: "RETURN",
  options: {},
  facts: {
    way: "return",
    effects: [],
    played: true,
    words: { does: "sends back to the calling chain", done: "sent back to the calling chain" },
  },
  translate: () => ({ statements: [verdict("return")] }),
});
