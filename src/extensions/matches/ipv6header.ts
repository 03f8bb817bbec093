/**
 * `-m ipv6header`: which extension headers a packet has: exactly the list, or with `--soft` the list among others.
 *
 *     -m ipv6header --header frag --soft        →   exthdr frag exists
 *     -m ipv6header --header frag,prot          →   meta l4proto != { ah, esp, 59 } exthdr hbh missing … exthdr frag exists
 *
 * Settled in net/ipv6/netfilter/ip6t_ipv6header.c: `prot` is a bit of its own, and every packet has one of `prot`, `esp` and
 * `none`, so an exact list without any of them never holds.
 *
 * man iptables-extensions, section "ipv6header".
 */

import { exists, match, meta, number, oneOf, symbol, type ExtensionHeader, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation, type ValueParser } from "../extension.js";
import { protocol } from "../values/protocols.js";

const headers = ["hop", "dst", "route", "frag", "auth", "esp", "none", "prot"] as const;
type Header = (typeof headers)[number];

const longNames: ReadonlyMap<string, Header> = new Map<string, Header>([
  ["hop-by-hop", "hop"],
  ["protocol", "prot"],
]);
const byProtocol: ReadonlyMap<number, Header> = new Map<number, Header>([
  [0, "hop"],
  [43, "route"],
  [44, "frag"],
  [50, "esp"],
  [51, "auth"],
  [59, "none"],
  [60, "dst"],
  [255, "prot"],
]);

/** A header by its name, or by the name or number of its protocol (`ip` is protocol 0, and so the hop-by-hop header). */
function parseHeader(text: string, context: Parameters<ValueParser<unknown>>[1]): Header | undefined {
  const named = headers.find((word) => word === text) ?? longNames.get(text);
  if (named !== undefined) return named;
  const number = protocol(text, context);
  return number instanceof Invalid ? undefined : byProtocol.get(number);
}

const headerList: ValueParser<ReadonlySet<Header>> = (text, context) => {
  const found = new Set<Header>();
  for (const part of text.toLowerCase().split(",")) {
    const header = parseHeader(part, context);
    if (header === undefined) return new Invalid(`"${part}" is not an extension header`);
    found.add(header);
  }
  return found;
};

/** The headers whose presence nft tests, by its words. */
const nftHeaders = { hop: "hbh", dst: "dst", route: "rt", frag: "frag" } as const;
const extension = (header: keyof typeof nftHeaders): ExtensionHeader => ({ kind: "extension-header", header: nftHeaders[header] });
const testable = ["hop", "dst", "route", "frag"] as const;

const noNextHeader = 59;

export const ipv6header = defineMatch({
  name: "ipv6header",
  family: "ipv6",
  options: {
    header: { value: headerList, invertible: true, required: true },
    soft: {},
  },
  facts: {
    reads: ["packet"],
    condition: [],
    played: true,
  },
  translate({ header: use, soft }, { rule }): MatchTranslation {
    if (!use) return { statements: [] };
    const wanted = use.value;
    if (soft && !use.inverted && wanted.has("auth") && rule.protocol !== undefined && rule.protocol.value !== 0) {
      return { untranslatable: "to nft a packet with an authentication header is of protocol ah, whatever it carries", at: rule.protocol };
    }
    const last = (["esp", "none", "prot"] as const).filter((header) => wanted.has(header));
    if (soft) {
      if (last.length > 0) return { untranslatable: `nft has no exact test for "${last[0]}"`, at: use };
      const tests: Statement[] = testable.filter((header) => wanted.has(header)).map((header) => exists(extension(header), !use.inverted));
      if (wanted.has("auth")) tests.push(match(meta("l4proto"), symbol("ah"), use.inverted));
      return { statements: tests };
    }
    if (last.length !== 1) {
      return use.inverted ? { statements: [] } : { never: 'every packet has exactly one of "prot", "esp" and "none"' };
    }
    if (use.inverted || last[0] !== "prot" || wanted.has("auth")) {
      return { untranslatable: "nft cannot tell that a packet has exactly these headers", help: "use --soft", at: use };
    }
    return {
      statements: [
        match(meta("l4proto"), oneOf([symbol("ah"), symbol("esp"), number(noNextHeader)]), true),
        ...testable.map((header) => exists(extension(header), wanted.has(header))),
      ],
    };
  },
});
