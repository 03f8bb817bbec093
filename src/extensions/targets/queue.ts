/**
 * `-j QUEUE`: queue 0 of NFQUEUE, under the name it had first.
 *
 * man iptables, section "TARGETS".
 */

import { defineTarget } from "../extension.js";

export const queueTarget = defineTarget({
  name: "QUEUE",
  options: {},
  facts: {
    way: "elsewhere",
    effects: [{ kind: "other", of: "outside", text: "queue 0" }],
    played: "a program decides, and none runs",
    words: { does: "hands to a program", done: "handed to a program" },
  },
  translate: () => ({ statements: [{ kind: "queue", from: 0 }] }),
});
