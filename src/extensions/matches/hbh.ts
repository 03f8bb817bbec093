/**
 * `-m hbh`: the hop-by-hop options header of IPv6.
 *
 *     -m hbh --hbh-len 8   →   hbh hdrlength 0
 *
 * man iptables-extensions, section "hbh".
 */

import { defineMatch } from "../extension.js";
import { integer } from "../values/number.js";
import { optionList, optionsHeaderTest } from "../values/options-header.js";

export const hbh = defineMatch({
  name: "hbh",
  family: "ipv6",
  options: {
    "hbh-len": { value: integer(0, 4294967295), invertible: true },
    "hbh-opts": { value: optionList },
  },
  facts: {
    reads: ["packet"],
    condition: [],
    played: true,
  },
  translate({ "hbh-len": length, "hbh-opts": list }) {
    return optionsHeaderTest("hbh", length, list);
  },
});
