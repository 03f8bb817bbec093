/**
 * `-j IDLETIMER`: tells user space when packets cease to come. Not translated.
 *
 * man iptables-extensions, section "IDLETIMER".
 */

import { defineTarget } from "../extension.js";
import { integer } from "../values/number.js";
import { text } from "../values/text.js";

export const idletimerTarget = defineTarget({
  name: "IDLETIMER",
  options: {
    timeout: { value: integer(1, 0xffffffff), required: true },
    label: { value: text(27), required: true },
    alarm: {},
  },
  facts: {
    way: "continue",
    effects: [{ kind: "other", of: "outside", text: "idle timer" }],
    played: true,
    words: { does: "starts a timer for", done: "timed" },
  },
  translate: () => ({
    untranslatable: "nft has no timers; no packet is decided differently",
    help: "let a program watch the rule's counter",
  }),
});
