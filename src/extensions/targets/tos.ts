/**
 * `-j TOS`: changes the type-of-service byte, or IPv6's traffic class. The rule goes on.
 *
 *     -j TOS --set-tos 0x10/0xff   →   ip dscp set 4 ip ecn set 0
 *     -j TOS --set-tos 0x10/0x3f   →   jump, to a chain with one rule for each value of the two bits that stay
 *
 * xt_DSCP: new = (old & ~mask) ^ value.
 * man iptables-extensions, section "TOS".
 */

import type { OptionUse } from "../../iptables/ast.js";
import { payload } from "../../nft/ast.js";
import { defineTarget, Invalid, type ValueParser } from "../extension.js";
import { integer, valueMask, type ValueMask } from "../values/number.js";
import { fieldChanges } from "./field-rewrite.js";

/** Symbolic names stand for six bits, the upper two keep their value. */
const names: Readonly<Record<string, number>> = {
  "minimize-delay": 0x10,
  "maximize-throughput": 0x08,
  "maximize-reliability": 0x04,
  "minimize-cost": 0x02,
  "normal-service": 0x00,
};
const byteMask = valueMask(0xff);
const setTos: ValueParser<ValueMask> = (text, context) => {
  const name = text.toLowerCase();
  return Object.hasOwn(names, name) ? { value: names[name]!, mask: 0x3f } : byteMask(text, context);
};
const byte = integer(0, 0xff);

type TosOptions = { readonly [Name in "and-tos" | "or-tos" | "xor-tos"]?: OptionUse<number> } & {
  readonly "set-tos"?: OptionUse<ValueMask>;
};

/** new = (old & ~mask) ^ value */
function tosChange({ "set-tos": set, "and-tos": and, "or-tos": or, "xor-tos": xor }: TosOptions): ValueMask {
  if (set) return set.value;
  if (and) return { value: 0, mask: ~and.value & 0xff };
  return or ? { value: or.value, mask: or.value } : { value: xor?.value ?? 0, mask: 0 };
}

export const tosTarget = defineTarget({
  name: "TOS",
  tables: ["mangle"],
  options: {
    "set-tos": { value: setTos, excludes: ["and-tos", "or-tos", "xor-tos"] },
    "and-tos": { value: byte, excludes: ["set-tos", "or-tos", "xor-tos"] },
    "or-tos": { value: byte, excludes: ["set-tos", "and-tos", "xor-tos"] },
    "xor-tos": { value: byte, excludes: ["set-tos", "and-tos", "or-tos"] },
  },
  check: (options) =>
    Object.keys(options).length > 0 ? undefined : new Invalid("one of --set-tos, --and-tos, --or-tos and --xor-tos is needed"),
  facts: {
    way: "continue",
    effects: (options) => {
      const { value, mask } = tosChange(options);
      return [{ kind: "bits", of: "tos", keep: ~mask & 0xff, flip: value }];
    },
    played: true,
    words: { does: "sets the traffic class of", done: "given another traffic class" },
  },
  translate(options, context) {
    const { value, mask } = tosChange(options);
    const network = context.family === "ipv4" ? "ip" : "ip6";
    const statements = fieldChanges(
      [
        { field: payload(network, "dscp"), bits: 6, change: (old) => (old & ~(mask >> 2)) ^ (value >> 2) },
        { field: payload(network, "ecn"), bits: 2, change: (old) => (old & ~(mask & 3)) ^ (value & 3) },
      ],
      "set_tos",
      context,
    );
    return "untranslatable" in statements ? statements : { statements };
  },
});
