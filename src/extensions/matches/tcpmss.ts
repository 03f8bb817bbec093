/**
 * `-m tcpmss`: the maximum segment size a TCP packet announces, in bytes.
 *
 *     -p tcp -m tcpmss --mss 1:500     →   tcp option maxseg size 1-500
 *     -p tcp -m tcpmss ! --mss 1:500   →   tcp option maxseg size != 1-500   or   tcp option maxseg missing
 *
 * Inverted, it holds for packets without the option too (net/netfilter/xt_tcpmss.c).
 *
 * man iptables-extensions, section "tcpmss".
 */

import { exists } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation } from "../extension.js";
import { integerRange } from "../values/number.js";
import { rangeTest } from "../values/range.js";

const tcp = 6;

export const tcpmss = defineMatch({
  name: "tcpmss",
  options: { mss: { value: integerRange(0, 65535), invertible: true, required: true } },
  check(_options, { protocol }) {
    return protocol === tcp ? undefined : new Invalid("needs -p tcp");
  },
  translate({ mss }): MatchTranslation {
    if (!mss) return { statements: [] };
    const test = rangeTest({ kind: "tcp-option", option: "maxseg", field: "size" }, mss.value, mss.inverted, 65535);
    if (!mss.inverted) return "kind" in test ? { statements: [test] } : test;
    const missing = [exists({ kind: "tcp-option", option: "maxseg" }, false)];
    return "kind" in test ? { alternatives: [[test], missing] } : { statements: missing };
  },
});
