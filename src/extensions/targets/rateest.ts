/**
 * `-j RATEEST`: feeds a rate estimator that `-m rateest` asks. Not translated, like that match.
 *
 * man iptables-extensions, section "RATEEST".
 */

import { defineTarget } from "../extension.js";
import { text } from "../values/text.js";

const word = text(1023);

export const rateestTarget = defineTarget({
  name: "RATEEST",
  options: {
    "rateest-name": { value: text(15), required: true },
    "rateest-interval": { value: word, required: true },
    "rateest-ewmalog": { value: word, required: true },
  },
  facts: {
    way: "continue",
    effects: (options) => [
      { kind: "memory", memory: { memory: "rateest", name: "" }, operation: "add", text: options["rateest-name"]?.value ?? "", of: [] },
    ],
    played: true,
    words: { does: "measures the rate of", done: "measured" },
  },
  translate: () => ({
    untranslatable: "nft has no rate estimators",
    help: 'a limit ("limit rate over …") may serve the rules that ask the estimator',
  }),
});
