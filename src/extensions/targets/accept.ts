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
  translate: () => ({ statements: [verdict("accept")] }),
});
