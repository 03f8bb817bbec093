/**
 * `-m dst`: the destination options header of IPv6.
 *
 *     -m dst --dst-len 8   →   dst hdrlength 0
 *
 * man iptables-extensions, section "dst".
 */

import { defineMatch } from "../extension.js";
import { integer } from "../values/number.js";
import { optionList, optionsHeaderTest } from "../values/options-header.js";

export const dst = defineMatch({
  name: "dst",
  family: "ipv6",
  options: {
    "dst-len": { value: integer(0, 4294967295), invertible: true },
    "dst-opts": { value: optionList },
  },
  facts: {
    reads: ["packet"],
    condition: [],
    played: true,
  },
  translate({ "dst-len": length, "dst-opts": list }) {
    return optionsHeaderTest("dst", length, list);
  },
});
