/**
 * `-m ipcomp`: compressed payload of IP.
 *
 *     -p ipcomp -m ipcomp --ipcompspi 0x12   →   comp cpi 18
 *
 * Without `--ipcompspi` iptables asks for index 0, and the kernel does not look at `--compres` (net/netfilter/xt_ipcomp.c).
 *
 * man iptables-extensions, section "ipcomp".
 */

import { payload } from "../../nft/ast.js";
import { defineMatch, type Remark } from "../extension.js";
import { unorderedRange } from "../values/number.js";
import { rangeTest } from "../values/range.js";

const zero = { from: 0, to: 0 };

export const ipcomp = defineMatch({
  name: "ipcomp",
  protocols: [108],
  options: {
    ipcompspi: { value: unorderedRange(0, 4294967295), invertible: true },
    compres: {},
  },
  facts: {
    reads: ["transport"],
    condition: [],
    played: true,
  },
  translate({ ipcompspi, compres }) {
    const test = rangeTest(payload("comp", "cpi"), ipcompspi?.value ?? zero, ipcompspi?.inverted ?? false, 65535);
    if (!("kind" in test)) return test;
    const notes: Remark[] = compres ? [{ message: "the kernel does not look at --compres", at: compres }] : [];
    return { statements: [test], notes };
  },
});
