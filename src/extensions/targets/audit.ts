/**
 * `-j AUDIT`: an audit record. The rule goes on. The type says nothing since Linux 4.12.
 *
 *     -j AUDIT --type drop   →   log level audit
 *
 * man iptables-extensions, section "AUDIT".
 */

import { defineTarget } from "../extension.js";
import { oneOfWords } from "../values/text.js";

const auditType = oneOfWords(["accept", "drop", "reject"]);

export const auditTarget = defineTarget({
  name: "AUDIT",
  options: {
    type: { value: auditType, required: true },
  },
  facts: {
    way: "continue",
    effects: [],
    played: true,
    words: { does: "records for auditing", done: "recorded for auditing" },
  },
  translate: () => ({ statements: [{ kind: "log", level: "audit" }] }),
});
