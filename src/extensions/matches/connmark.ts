/**
 * `-m connmark`: the connection's mark. Packets without a connection never match, inverted or not.
 *
 *     -m connmark --mark 0x10/0xf0   →   ct mark & 0xf0 == 0x10
 *
 * man iptables-extensions, section "connmark".
 */

import { binary, compare, ct, hex } from "../../nft/ast.js";
import { defineMatch } from "../extension.js";
import { bitsTests } from "../facts.js";
import { markWords, maskedTest } from "../values/mask.js";
import { valueMask, type ValueMask } from "../values/number.js";
import { markValue, uniform } from "../values/uniform.js";

export const connmark = defineMatch({
  name: "connmark",
  options: { mark: { value: uniform<ValueMask>(valueMask(), markValue), invertible: true, required: true } },
  facts: {
    reads: ["connmark"],
    condition: ({ mark }) => bitsTests("connmark", mark),
    played: true,
    words: ({ mark: use }) => markWords("its connection's mark", use?.value),
  },
  translate({ mark: use }) {
    // A test that always holds still demands a connection.
    const always = compare(binary(ct("mark"), "&", hex(0)), "==", hex(0));
    const test = (use && maskedTest(ct("mark"), use.value, use.inverted)) ?? always;
    return "kind" in test ? { statements: [test] } : test;
  },
});
