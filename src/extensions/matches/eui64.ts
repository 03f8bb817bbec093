/**
 * `-m eui64`: the interface part of an IPv6 address is made from the Ethernet address. nft cannot compare the two.
 *
 *     -m eui64   →   refused
 *
 * man iptables-extensions, section "eui64".
 */

import { defineMatch, Invalid } from "../extension.js";

export const eui64 = defineMatch({
  name: "eui64",
  family: "ipv6",
  options: {},
  check(_options, { chain }) {
    return chain === "OUTPUT" || chain === "POSTROUTING" ? new Invalid(`is not allowed in ${chain}`) : undefined;
  },
  facts: {
    reads: ["packet", "addresses"],
    condition: [],
    played: true,
  },
  translate() {
    return { untranslatable: "nft cannot compare an IPv6 address with an Ethernet address" };
  },
});
