/**
 * `-m frag`: the fragment header of IPv6.
 *
 *     -m frag --fragid 5:9 --fragfirst --fragmore   →   frag id 5-9 frag frag-off 0 frag more-fragments 1
 *
 * The kernel does not look at `--fraglen` (net/ipv6/netfilter/ip6t_frag.c).
 *
 * man iptables-extensions, section "frag".
 */

import { exists, match, number, type ExtensionHeader, type Statement } from "../../nft/ast.js";
import { defineMatch, type MatchTranslation, type Remark } from "../extension.js";
import { integer, unorderedRange } from "../values/number.js";
import { rangeTest } from "../values/range.js";

const largest = 4294967295;
const field = (name: string): ExtensionHeader => ({ kind: "extension-header", header: "frag", field: name });

export const frag = defineMatch({
  name: "frag",
  family: "ipv6",
  options: {
    fragid: { value: unorderedRange(0, largest), invertible: true },
    fraglen: { value: integer(0, largest), invertible: true },
    fragres: {},
    fragfirst: {},
    fragmore: { excludes: ["fraglast"] },
    fraglast: { excludes: ["fragmore"] },
  },
  facts: {
    reads: ["packet"],
    condition: [],
    played: true,
  },
  translate({ fragid, fraglen, fragres, fragfirst, fragmore, fraglast }): MatchTranslation {
    const statements: Statement[] = [];
    if (fragid) {
      const test = rangeTest(field("id"), fragid.value, fragid.inverted, largest);
      if (!("kind" in test)) return test;
      statements.push(test);
    }
    if (fragres) statements.push(match(field("reserved"), number(0)), match(field("reserved2"), number(0)));
    if (fragfirst) statements.push(match(field("frag-off"), number(0)));
    if (fragmore) statements.push(match(field("more-fragments"), number(1)));
    if (fraglast) statements.push(match(field("more-fragments"), number(0)));
    if (statements.length === 0) statements.push(exists({ kind: "extension-header", header: "frag" }));
    const notes: Remark[] = fraglen ? [{ message: "the kernel does not look at --fraglen", at: fraglen }] : [];
    return { statements, notes };
  },
});
