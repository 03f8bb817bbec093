/**
 * `-m length`: the length of the whole packet, headers of IP included, in bytes.
 *
 *     -m length --length 100:200    →   ip length 100-200       (IPv4)
 *     -m length --length 100:200    →   ip6 length 60-160       (IPv6, whose field leaves out its 40 bytes of header)
 *
 * man iptables-extensions, section "length"; net/netfilter/xt_length.c.
 */

import { payload } from "../../nft/ast.js";
import { defineMatch } from "../extension.js";
import { rangeTests } from "../facts.js";
import { unorderedRange } from "../values/number.js";
import { rangeTest } from "../values/range.js";

/** Bytes. */
const ipv6Header = 40;

export const length = defineMatch({
  name: "length",
  options: { length: { value: unorderedRange(0, 65535), invertible: true, required: true } },
  facts: {
    reads: ["packet"],
    condition: ({ length: use }) => rangeTests("length", use),
    played: true,
    words: ({ length: use }) =>
      use && `it is ${use.value.from === use.value.to ? use.value.from : `${use.value.from} to ${use.value.to}`} bytes long`,
  },
  translate({ length: use }, { family }) {
    if (!use) return { statements: [] };
    const { from, to } = use.value;
    const shifted =
      family === "ipv4" || from > to
        ? use.value
        : to < ipv6Header
          ? { from: 1, to: 0 }
          : { from: Math.max(0, from - ipv6Header), to: to - ipv6Header };
    const test = rangeTest(payload(family === "ipv4" ? "ip" : "ip6", "length"), shifted, use.inverted, 65535);
    return "kind" in test ? { statements: [test] } : test;
  },
});
