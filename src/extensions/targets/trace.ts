/**
 * `-j TRACE`: the kernel reports every rule the packet meets. The rule goes on.
 *
 *     -s 192.0.2.1 -j TRACE   →   ip saddr 192.0.2.1 meta nftrace set 1
 *
 * man iptables-extensions, section "TRACE".
 */

import { keywordStatement } from "../../nft/ast.js";
import { defineTarget } from "../extension.js";

export const traceTarget = defineTarget({
  name: "TRACE",
  tables: ["raw"],
  options: {},
  facts: {
    way: "continue",
    effects: [],
    played: true,
    words: { does: "traces", done: "traced" },
  },
  translate: () => ({
    statements: [keywordStatement("meta", "nftrace", "set", "1")],
    approximations: [{ message: 'the trace is shown by "nft monitor trace", not in the kernel log; no packet is decided differently' }],
  }),
});
