/**
 * Matches that no kernel of today has, or only with a module from elsewhere (xtables-addons, vendors, patches of the past). Their
 * options are not in any manual page of iptables, so they are not read: the rule is refused, with a reason and a hint.
 *
 *     -m psd -j DROP   →   refused: "comes with xtables-addons …"
 */

import { defineMatch, type MatchExtension } from "../extension.js";

interface Unavailable {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly reason: string;
  readonly help: string;
}

const addons = "its module comes with xtables-addons, and nft has nothing like it";
const vendor = "its module comes with a vendor's kernel, and nft has nothing like it";
const gone = "its module is gone from the kernel";

/** Sorted by name. */
export const unavailableMatchTable: readonly Unavailable[] = [
  { name: "account", reason: addons, help: "count per address in a named set whose elements carry counters" },
  {
    name: "asn",
    reason: addons,
    help: "load the networks of the autonomous system into a named set with interval elements and match on it",
  },
  { name: "childlevel", reason: gone, help: "ct helper tells connections that belong to another one apart" },
  { name: "condition", reason: addons, help: "jump through a named map or set whose elements are changed from outside" },
  { name: "dnetmap", reason: addons, help: "map the addresses in a named nft map" },
  { name: "dnsmasq", reason: vendor, help: "dnsmasq fills nft sets by itself with its option --nftset; match on such a set" },
  { name: "dstlimit", reason: "hashlimit took its place in Linux 2.6.10", help: "write the rule with hashlimit, which is translated" },
  { name: "fuzzy", reason: addons, help: "limit rate, or numgen random for a share of the packets, comes near" },
  { name: "gradm", reason: addons, help: "there is no grsecurity access control to ask" },
  { name: "iface", reason: addons, help: "fib and meta oifname tell interfaces apart; their flags are not visible" },
  { name: "ipp2p", reason: addons, help: "classify the traffic in a program behind a queue, or by ports" },
  { name: "ipv4options", reason: addons, help: "ip option rr exists, ip option lsrr exists and their kind test single options" },
  { name: "layer7", reason: "it is a kernel patch that ended with Linux 2.6", help: "classify the traffic in a program behind a queue" },
  { name: "length2", reason: addons, help: "meta length is the length of the packet; udp length that of a datagram" },
  { name: "lscan", reason: addons, help: "count new connections per source in a set with a limit" },
  { name: "mport", reason: "multiport took its place", help: "write the rule with multiport, which is translated" },
  {
    name: "ndpi",
    reason: "its module comes with nDPI, and nft has nothing like it",
    help: "classify the traffic in a program behind a queue",
  },
  {
    name: "nth",
    reason: "statistic took its place in Linux 2.6.18",
    help: "write the rule with statistic --mode nth, which is translated",
  },
  { name: "pknock", reason: addons, help: "a recent list per stage, or a timeout set per stage, knocks as well" },
  { name: "psd", reason: addons, help: "count new connections per source in a set with a limit" },
  { name: "quota2", reason: addons, help: "a named nft quota counts in either direction and can be read and reset" },
  {
    name: "random",
    reason: "statistic took its place in Linux 2.6.18",
    help: "write the rule with statistic --mode random, which is translated",
  },
  {
    name: "tls",
    aliases: ["sni"],
    reason: "its module is not part of the kernel, and nft has nothing like it",
    help: "decide by server name in a proxy, or in a program behind a queue",
  },
  { name: "unclean", reason: gone, help: "ct state invalid catches most malformed packets" },
  { name: "webmon", reason: vendor, help: "log the requests in a proxy" },
  { name: "weburl", reason: vendor, help: "decide by address or name in a proxy" },
];

export const unavailableMatches: readonly MatchExtension[] = unavailableMatchTable.map(({ name, aliases, reason, help }) =>
  defineMatch({
    name,
    ...(aliases ? { aliases } : {}),
    unavailable: { reason, help },
    options: {},
    // Nobody here knows what it looks at.
    facts: { reads: ["outside"], condition: [], played: "no kernel of today has the match" },
    translate: () => ({ untranslatable: reason, help }),
  }),
);
