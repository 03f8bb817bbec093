/**
 * `-m mark`: the packet's mark.
 *
 *     -m mark --mark 0x1/0xff     →   meta mark & 0xff == 0x1
 *     -m mark ! --mark 0x2        →   meta mark != 0x2
 *
 * man iptables-extensions, section "mark".
 */

import { meta } from "../../nft/ast.js";
import { defineMatch } from "../extension.js";
import { bitsTests } from "../facts.js";
import { markWords, maskedTest } from "../values/mask.js";
import { valueMask, type ValueMask } from "../values/number.js";
import { markValue, uniform } from "../values/uniform.js";

export const mark = defineMatch({
  name: "mark",
  options: { mark: { value: uniform<ValueMask>(valueMask(), markValue), invertible: true, required: true } },
  facts: {
    reads: ["mark"],
    condition: ({ mark: use }) => bitsTests("mark", use),
    played: true,
    words: ({ mark: use }) => markWords("its mark", use?.value),
  },
  translate({ mark: use }) {
    const test = use && maskedTest(meta("mark"), use.value, use.inverted);
    return test === undefined ? { statements: [] } : "kind" in test ? { statements: [test] } : test;
  },
});
