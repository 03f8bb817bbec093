/**
 * `-m rateest`: compares the rates that RATEEST targets have estimated. nft estimates none.
 *
 * man iptables-extensions, section "rateest".
 */

import { defineMatch } from "../extension.js";
import { text } from "../values/text.js";

const name = { value: text(15) } as const;
const rate = { value: text(63), optional: true } as const;
const operator = { invertible: true } as const;

export const rateest = defineMatch({
  name: "rateest",
  options: {
    rateest: name,
    rateest1: name,
    rateest2: name,
    "rateest-bps": rate,
    "rateest-bps1": rate,
    "rateest-bps2": rate,
    "rateest-pps": rate,
    "rateest-pps1": rate,
    "rateest-pps2": rate,
    "rateest-delta": {},
    "rateest-lt": operator,
    "rateest-gt": operator,
    "rateest-eq": operator,
  },
  facts: {
    // One memory for all estimators: a rule may compare two.
    reads: [{ memory: "rateest", name: "" }],
    condition: [],
    played: true,
  },
  translate() {
    return { untranslatable: "nft has no rate estimator", help: "limit rate over RATE matches traffic above a rate of its own" };
  },
});
