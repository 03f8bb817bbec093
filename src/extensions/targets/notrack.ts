/**
 * `-j NOTRACK`: connection tracking leaves the packet alone. The rule goes on.
 *
 *     -i lo -j NOTRACK   →   iifname "lo" notrack
 *
 * man iptables-extensions, section "NOTRACK".
 */

import { keywordStatement } from "../../nft/ast.js";
import { defineTarget } from "../extension.js";

export const notrackTarget = defineTarget({
  name: "NOTRACK",
  tables: ["raw"],
  options: {},
  facts: {
    way: "continue",
    effects: [{ kind: "untracked" }],
    played: true,
    words: { does: "leaves untracked", done: "left untracked" },
  },
  translate: () => ({ statements: [keywordStatement("notrack")] }),
});
