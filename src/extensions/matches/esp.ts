/**
 * `-m esp`: IPsec's encapsulated payload.
 *
 *     -p esp -m esp --espspi 500   →   esp spi 500
 *
 * man iptables-extensions, section "esp".
 */

import { payload } from "../../nft/ast.js";
import { defineMatch } from "../extension.js";
import { rangeTests } from "../facts.js";
import { unorderedRange } from "../values/number.js";
import { rangeTest } from "../values/range.js";

const largest = 4294967295;

export const esp = defineMatch({
  name: "esp",
  protocols: [50],
  options: { espspi: { value: unorderedRange(0, largest), invertible: true } },
  facts: {
    reads: ["transport"],
    condition: ({ espspi }) => rangeTests("espSpi", espspi),
    played: true,
  },
  translate({ espspi }) {
    if (!espspi) return { statements: [] };
    const test = rangeTest(payload("esp", "spi"), espspi.value, espspi.inverted, largest);
    return "kind" in test ? { statements: [test] } : test;
  },
});
