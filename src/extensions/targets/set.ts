/**
 * `-j SET`: adds the packet's addresses to an ipset, or deletes them. Not translated: nft does not see ipsets.
 *
 * man iptables-extensions, section "SET".
 */

import { defineTarget, Invalid } from "../extension.js";
import { integer } from "../values/number.js";
import { text } from "../values/text.js";

/** The set's name and the flags, in two words. */
const setAndFlags = text(1023);

export const setTarget = defineTarget({
  name: "SET",
  options: {
    "add-set": { value: setAndFlags, words: 2 },
    "del-set": { value: setAndFlags, words: 2 },
    "map-set": { value: setAndFlags, words: 2 },
    timeout: { value: integer(0, 0xffffffff) },
    exist: {},
    "map-mark": {},
    "map-prio": {},
    "map-queue": {},
  },
  check: (options) => (options["add-set"] || options["del-set"] || options["map-set"] ? undefined
    : new Invalid("one of --add-set, --del-set and --map-set is needed")),
  translate(options) {
    return {
      untranslatable: "nft does not see ipsets",
      at: options["add-set"] ?? options["del-set"] ?? options["map-set"],
      help: "declare an nft set for it, and add: update @set { ip saddr }",
    };
  },
});
