/**
 * `-j TTL`: changes the time to live. The rule goes on.
 *
 *     -j TTL --ttl-set 64   →   ip ttl set 64
 *     -j TTL --ttl-inc 1    →   jump, to a chain with one rule for each old value
 *
 * man iptables-extensions, section "TTL". xt_HL stops at 0 and 255.
 */

import { payload } from "../../nft/ast.js";
import { defineTarget, Invalid } from "../extension.js";
import { hopsEffects } from "../values/hops.js";
import { integer } from "../values/number.js";
import { fieldChanges } from "./field-rewrite.js";

const step = integer(1, 255);

export const ttlTarget = defineTarget({
  name: "TTL",
  family: "ipv4",
  tables: ["mangle"],
  options: {
    "ttl-set": { value: integer(0, 255), excludes: ["ttl-dec", "ttl-inc"] },
    "ttl-dec": { value: step, excludes: ["ttl-set", "ttl-inc"] },
    "ttl-inc": { value: step, excludes: ["ttl-set", "ttl-dec"] },
  },
  check: (options) => (Object.keys(options).length > 0 ? undefined : new Invalid("one of --ttl-set, --ttl-dec and --ttl-inc is needed")),
  facts: {
    way: "continue",
    effects: (options) => hopsEffects(options["ttl-set"], options["ttl-inc"], options["ttl-dec"]),
    played: true,
    words: { does: "changes the hops left of", done: "given another number of hops" },
  },
  translate(options, context) {
    const { "ttl-set": set, "ttl-dec": decrement, "ttl-inc": increment } = options;
    const change = set
      ? () => set.value
      : (old: number): number => Math.min(255, Math.max(0, old + (increment?.value ?? 0) - (decrement?.value ?? 0)));
    const statements = fieldChanges([{ field: payload("ip", "ttl"), bits: 8, change }], "change_ttl", context);
    return "untranslatable" in statements ? statements : { statements };
  },
});
