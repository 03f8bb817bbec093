/**
 * `-m icmp6`: types and codes of ICMPv6.
 *
 *     -p ipv6-icmp -m icmp6 --icmpv6-type 128   →   icmpv6 type echo-request
 *     -p ipv6-icmp -m icmp6 --icmpv6-type 1/4   →   icmpv6 type destination-unreachable icmpv6 code 4
 *
 * There is no `any` here: type 255 is type 255.
 *
 * man iptables-extensions, section "icmp6".
 */

import { defineMatch } from "../extension.js";
import { icmpFieldTests } from "../values/icmp-type.js";
import { icmpType, icmpTypeTest } from "../values/icmp-type.js";

/** As `ip6tables -p icmpv6 -h` lists them, and the four of multicast listeners that 1.8.11 added. */
const names = {
  "destination-unreachable": { type: 1 },
  "no-route": { type: 1, code: 0 },
  "communication-prohibited": { type: 1, code: 1 },
  "beyond-scope": { type: 1, code: 2 },
  "address-unreachable": { type: 1, code: 3 },
  "port-unreachable": { type: 1, code: 4 },
  "failed-policy": { type: 1, code: 5 },
  "reject-route": { type: 1, code: 6 },
  "packet-too-big": { type: 2 },
  "time-exceeded": { type: 3 },
  "ttl-exceeded": { type: 3 },
  "ttl-zero-during-transit": { type: 3, code: 0 },
  "ttl-zero-during-reassembly": { type: 3, code: 1 },
  "parameter-problem": { type: 4 },
  "bad-header": { type: 4, code: 0 },
  "unknown-header-type": { type: 4, code: 1 },
  "unknown-option": { type: 4, code: 2 },
  "echo-request": { type: 128 },
  ping: { type: 128 },
  "echo-reply": { type: 129 },
  pong: { type: 129 },
  "mld-listener-query": { type: 130 },
  "mld-listener-report": { type: 131 },
  "mld-listener-done": { type: 132 },
  "mld-listener-reduction": { type: 132 },
  "router-solicitation": { type: 133 },
  "router-advertisement": { type: 134 },
  "neighbour-solicitation": { type: 135 },
  "neighbor-solicitation": { type: 135 },
  "neighbour-advertisement": { type: 136 },
  "neighbor-advertisement": { type: 136 },
  redirect: { type: 137 },
};

/** `nft describe icmpv6 type`. */
export const icmpv6Symbols: Readonly<Record<number, string>> = {
  1: "destination-unreachable",
  2: "packet-too-big",
  3: "time-exceeded",
  4: "parameter-problem",
  128: "echo-request",
  129: "echo-reply",
  130: "mld-listener-query",
  131: "mld-listener-report",
  132: "mld-listener-done",
  133: "nd-router-solicit",
  134: "nd-router-advert",
  135: "nd-neighbor-solicit",
  136: "nd-neighbor-advert",
  137: "nd-redirect",
  138: "router-renumbering",
  141: "ind-neighbor-solicit",
  142: "ind-neighbor-advert",
  143: "mld2-listener-report",
};

export const icmp6 = defineMatch({
  name: "icmp6",
  aliases: ["icmpv6", "ipv6-icmp"],
  family: "ipv6",
  protocols: [58],
  options: {
    "icmpv6-type": { value: icmpType(names), invertible: true, required: true },
  },
  facts: {
    reads: ["transport"],
    condition: (options) => icmpFieldTests(options["icmpv6-type"]),
    played: true,
  },
  translate({ "icmpv6-type": type }) {
    return type ? icmpTypeTest("icmpv6", type.value, type.inverted, icmpv6Symbols) : { statements: [] };
  },
});
