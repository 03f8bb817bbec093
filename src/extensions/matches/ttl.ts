/**
 * `-m ttl`: the time to live.
 *
 *     -m ttl --ttl-lt 5   →   ip ttl < 5
 *
 * man iptables-extensions, section "ttl".
 */

import { payload } from "../../nft/ast.js";
import { defineMatch, Invalid } from "../extension.js";
import { hopsFieldTests, hopsWords } from "../values/hops.js";
import { hopsTest } from "../values/hops.js";
import { integer } from "../values/number.js";

const count = integer(0, 255);

export const ttl = defineMatch({
  name: "ttl",
  family: "ipv4",
  options: {
    "ttl-eq": { aliases: ["ttl"], value: count, invertible: true, excludes: ["ttl-lt", "ttl-gt"] },
    "ttl-lt": { value: count, excludes: ["ttl-eq", "ttl-gt"] },
    "ttl-gt": { value: count, excludes: ["ttl-eq", "ttl-lt"] },
  },
  check(options) {
    return options["ttl-eq"] || options["ttl-lt"] || options["ttl-gt"] ? undefined : new Invalid("needs --ttl-eq, --ttl-lt or --ttl-gt");
  },
  facts: {
    reads: ["ttl"],
    condition: (options) => hopsFieldTests(options["ttl-eq"], options["ttl-lt"], options["ttl-gt"]),
    played: true,
    words: (uses) => hopsWords("TTL", uses["ttl-eq"], uses["ttl-lt"], uses["ttl-gt"]),
  },
  translate(options) {
    return hopsTest(payload("ip", "ttl"), options["ttl-eq"], options["ttl-lt"], options["ttl-gt"]);
  },
});
