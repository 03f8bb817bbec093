/**
 * `-m tcpmss`: the maximum segment size a TCP packet announces, in bytes.
 *
 *     -p tcp -m tcpmss --mss 1:500     →   tcp option maxseg size 1-500
 *     -p tcp -m tcpmss ! --mss 1:500   →   unless   tcp option maxseg size 1-500
 *
 * Inverted, it holds for packets without the option too, or with one of the wrong length (net/netfilter/xt_tcpmss.c).
 *
 * man iptables-extensions, section "tcpmss".
 */

import { defineMatch, Invalid, type MatchTranslation } from "../extension.js";
import { rangeTests } from "../facts.js";
import { integerRange } from "../values/number.js";
import { rangeTest } from "../values/range.js";

const tcp = 6;

export const tcpmss = defineMatch({
  name: "tcpmss",
  options: { mss: { value: integerRange(0, 65535), invertible: true, required: true } },
  check(_options, { protocol }) {
    return protocol === tcp ? undefined : new Invalid("needs -p tcp");
  },
  facts: {
    reads: ["packet"],
    condition: ({ mss }) => rangeTests("segmentSize", mss),
    played: true,
  },
  translate({ mss }): MatchTranslation {
    if (!mss) return { statements: [] };
    const test = rangeTest({ kind: "tcp-option", option: "maxseg", field: "size" }, mss.value, false, 65535);
    if (!("kind" in test)) return mss.inverted ? { statements: [] } : test;
    return mss.inverted ? { unless: [[test]] } : { statements: [test] };
  },
});
