/**
 * `-m ah`: IPsec's authentication header.
 *
 *     -p ah -m ah --ahspi 500:600             →   ah spi 500-600                         (IPv4)
 *     -m ah --ahspi 500 --ahlen 24 --ahres    →   ah spi 500 ah hdrlength 4 ah reserved 0   (IPv6)
 *
 * In IPv6 it is an extension header, which `-p` never sees (net/ipv6/netfilter/ip6t_ah.c).
 *
 * man iptables-extensions, section "ah".
 */

import { match, number, payload } from "../../nft/ast.js";
import { defineMatch, Invalid, type MatchTranslation } from "../extension.js";
import { rangesTest, rangeTests } from "../facts.js";
import { integer, unorderedRange } from "../values/number.js";
import { allOf, rangeTest } from "../values/range.js";

const largest = 4294967295;
const everything = { from: 0, to: largest };
const authenticationHeader = 51;

export const ah = defineMatch({
  name: "ah",
  options: {
    ahspi: { value: unorderedRange(0, largest), invertible: true },
    ahlen: { value: integer(0, largest), invertible: true },
    ahres: {},
  },
  check({ ahlen, ahres }, { family, protocol }) {
    if (family === "ipv4" && protocol !== authenticationHeader) return new Invalid("needs -p ah");
    return family === "ipv4" && (ahlen || ahres) ? new Invalid("--ahlen and --ahres are options of IPv6") : undefined;
  },
  facts: {
    reads: ["transport"],
    // In IPv4 `-p ah` asks for the header.
    condition: ({ ahspi }, family) =>
      ahspi || family === "ipv4" ? rangeTests("ahSpi", ahspi) : [rangesTest("ahSpi", { name: "ahspi", inverted: false }, [everything])],
    played: true,
  },
  translate({ ahspi, ahlen, ahres }, { family, protocol, rule }): MatchTranslation {
    if (family === "ipv6" && protocol === authenticationHeader) return { never: "-p ah holds for no IPv6 packet" };
    // nft_set_pktinfo_ipv6 stops at the header, iptables' `-p` looks behind it (measured on 6.18).
    if (family === "ipv6" && rule.protocol !== undefined && rule.protocol.value !== 0) {
      return { untranslatable: "to nft a packet with this header is of protocol ah, whatever it carries", at: rule.protocol };
    }
    // The field counts words of four bytes behind the first two; 0 asks for nothing.
    const words = ahlen && ahlen.value > 0 ? ahlen.value / 4 - 2 : undefined;
    const impossible = words !== undefined && (!Number.isInteger(words) || words < 0 || words > 255);
    if (impossible && !ahlen?.inverted) return { never: "no authentication header has that length" };
    const statements = allOf([
      // In IPv4 `-p ah` has asked for the header already.
      ahspi || family === "ipv6"
        ? rangeTest(payload("ah", "spi"), ahspi?.value ?? everything, ahspi?.inverted ?? false, largest)
        : undefined,
      words === undefined || impossible ? undefined : match(payload("ah", "hdrlength"), number(words), ahlen?.inverted),
      ahres && match(payload("ah", "reserved"), number(0)),
    ]);
    return Array.isArray(statements) ? { statements } : statements;
  },
});
