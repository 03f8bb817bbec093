/**
 * `-m icmp`: types and codes of ICMP.
 *
 *     -p icmp -m icmp --icmp-type 8     →   icmp type echo-request
 *     -p icmp -m icmp --icmp-type 3/4   →   icmp type destination-unreachable icmp code 4
 *
 * `any`, and type 255 which the kernel takes for it, is every type.
 *
 * man iptables-extensions, section "icmp".
 */

import { defineMatch } from "../extension.js";
import { icmpFieldTests } from "../values/icmp-type.js";
import { icmpType, icmpTypeTest } from "../values/icmp-type.js";

/** As `iptables -p icmp -h` lists them. */
const names = {
  any: {},
  "echo-reply": { type: 0 },
  pong: { type: 0 },
  "destination-unreachable": { type: 3 },
  "network-unreachable": { type: 3, code: 0 },
  "host-unreachable": { type: 3, code: 1 },
  "protocol-unreachable": { type: 3, code: 2 },
  "port-unreachable": { type: 3, code: 3 },
  "fragmentation-needed": { type: 3, code: 4 },
  "source-route-failed": { type: 3, code: 5 },
  "network-unknown": { type: 3, code: 6 },
  "host-unknown": { type: 3, code: 7 },
  "network-prohibited": { type: 3, code: 9 },
  "host-prohibited": { type: 3, code: 10 },
  "tos-network-unreachable": { type: 3, code: 11 },
  "tos-host-unreachable": { type: 3, code: 12 },
  "communication-prohibited": { type: 3, code: 13 },
  "host-precedence-violation": { type: 3, code: 14 },
  "precedence-cutoff": { type: 3, code: 15 },
  "source-quench": { type: 4 },
  redirect: { type: 5 },
  "network-redirect": { type: 5, code: 0 },
  "host-redirect": { type: 5, code: 1 },
  "tos-network-redirect": { type: 5, code: 2 },
  "tos-host-redirect": { type: 5, code: 3 },
  "echo-request": { type: 8 },
  ping: { type: 8 },
  "router-advertisement": { type: 9 },
  "router-solicitation": { type: 10 },
  "time-exceeded": { type: 11 },
  "ttl-exceeded": { type: 11 },
  "ttl-zero-during-transit": { type: 11, code: 0 },
  "ttl-zero-during-reassembly": { type: 11, code: 1 },
  "parameter-problem": { type: 12 },
  "ip-header-bad": { type: 12, code: 0 },
  "required-option-missing": { type: 12, code: 1 },
  "timestamp-request": { type: 13 },
  "timestamp-reply": { type: 14 },
  "address-mask-request": { type: 17 },
  "address-mask-reply": { type: 18 },
};

/** `nft describe icmp type`. */
export const icmpSymbols: Readonly<Record<number, string>> = {
  0: "echo-reply",
  3: "destination-unreachable",
  4: "source-quench",
  5: "redirect",
  8: "echo-request",
  9: "router-advertisement",
  10: "router-solicitation",
  11: "time-exceeded",
  12: "parameter-problem",
  13: "timestamp-request",
  14: "timestamp-reply",
  15: "info-request",
  16: "info-reply",
  17: "address-mask-request",
  18: "address-mask-reply",
};

export const icmp = defineMatch({
  name: "icmp",
  family: "ipv4",
  protocols: [1],
  options: {
    "icmp-type": { value: icmpType(names, 255), invertible: true, required: true },
  },
  facts: {
    reads: ["transport"],
    condition: (options) => icmpFieldTests(options["icmp-type"]),
    played: true,
  },
  translate({ "icmp-type": type }) {
    return type ? icmpTypeTest("icmp", type.value, type.inverted, icmpSymbols) : { statements: [] };
  },
});
