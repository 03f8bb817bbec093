/**
 * `-m hl`: the hop limit.
 *
 *     -m hl --hl-lt 5   →   ip6 hoplimit < 5
 *
 * man iptables-extensions, section "hl".
 */

import { payload } from "../../nft/ast.js";
import { defineMatch, Invalid } from "../extension.js";
import { hopsFieldTests, hopsWords } from "../values/hops.js";
import { hopsTest } from "../values/hops.js";
import { integer } from "../values/number.js";

const count = integer(0, 255);

export const hl = defineMatch({
  name: "hl",
  family: "ipv6",
  options: {
    "hl-eq": { aliases: ["hl"], value: count, invertible: true, excludes: ["hl-lt", "hl-gt"] },
    "hl-lt": { value: count, excludes: ["hl-eq", "hl-gt"] },
    "hl-gt": { value: count, excludes: ["hl-eq", "hl-lt"] },
  },
  check(options) {
    return options["hl-eq"] || options["hl-lt"] || options["hl-gt"] ? undefined : new Invalid("needs --hl-eq, --hl-lt or --hl-gt");
  },
  facts: {
    reads: ["ttl"],
    condition: (options) => hopsFieldTests(options["hl-eq"], options["hl-lt"], options["hl-gt"]),
    played: true,
    words: (uses) => hopsWords("hop limit", uses["hl-eq"], uses["hl-lt"], uses["hl-gt"]),
  },
  translate(options) {
    return hopsTest(payload("ip6", "hoplimit"), options["hl-eq"], options["hl-lt"], options["hl-gt"]);
  },
});
