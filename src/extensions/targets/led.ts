/**
 * `-j LED`: a light that blinks. Not translated.
 *
 * man iptables-extensions, section "LED".
 */

import { defineTarget } from "../extension.js";
import { text } from "../values/text.js";

export const ledTarget = defineTarget({
  name: "LED",
  options: {
    "led-trigger-id": { value: text(26), required: true },
    "led-delay": { value: text(31) },
    "led-always-blink": {},
  },
  facts: {
    way: "continue",
    effects: [{ kind: "other", of: "outside", text: "lamp" }],
    played: true,
    words: { does: "lights a lamp for", done: "shown by a lamp" },
  },
  translate: () => ({
    untranslatable: "nft cannot trigger a light; no packet is decided differently",
    help: "the netdev LED trigger blinks for a whole interface",
  }),
});
