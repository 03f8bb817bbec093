/**
 * `-j HL`: changes IPv6's hop limit. The rule goes on.
 *
 *     -j HL --hl-set 64   →   ip6 hoplimit set 64
 *     -j HL --hl-inc 1    →   jump, to a chain with one rule for each old value
 *
 * man iptables-extensions, section "HL". xt_HL stops at 0 and 255.
 */

import { payload } from "../../nft/ast.js";
import { defineTarget, Invalid } from "../extension.js";
import { hopsEffects } from "../values/hops.js";
import { integer } from "../values/number.js";
import { fieldChanges } from "./field-rewrite.js";

const step = integer(1, 255);

export const hlTarget = defineTarget({
  name: "HL",
  family: "ipv6",
  tables: ["mangle"],
  options: {
    "hl-set": { value: integer(0, 255), excludes: ["hl-dec", "hl-inc"] },
    "hl-dec": { value: step, excludes: ["hl-set", "hl-inc"] },
    "hl-inc": { value: step, excludes: ["hl-set", "hl-dec"] },
  },
  check: (options) => (Object.keys(options).length > 0 ? undefined : new Invalid("one of --hl-set, --hl-dec and --hl-inc is needed")),
  facts: {
    way: "continue",
    effects: (options) => hopsEffects(options["hl-set"], options["hl-inc"], options["hl-dec"]),
    played: true,
    words: { does: "changes the hops left of", done: "given another number of hops" },
  },
  translate(options, context) {
    const { "hl-set": set, "hl-dec": decrement, "hl-inc": increment } = options;
    const change = set
      ? () => set.value
      : (old: number): number => Math.min(255, Math.max(0, old + (increment?.value ?? 0) - (decrement?.value ?? 0)));
    const statements = fieldChanges([{ field: payload("ip6", "hoplimit"), bits: 8, change }], "change_hop_limit", context);
    return "untranslatable" in statements ? statements : { statements };
  },
});
