/**
 * `-m connlabel`: one of the 128 label bits of a connection.
 *
 *     -m connlabel --label 3           →   ct label & 3 == 3
 *     -m connlabel --label 3 --set     →   ct state != { invalid, untracked } ct label set 3
 *
 * Numbers after `ct label` are bit numbers in nft too. `ct label != 3` would compare all 128 bits, so the bit is masked.
 *
 * man iptables-extensions, section "connlabel".
 */

import { assign, binary, ct, match, number } from "../../nft/ast.js";
import { defineMatch, type ValueParser } from "../extension.js";
import { integer } from "../values/number.js";
import { tracked, untracked } from "../values/untracked.js";

const bit = integer(0, 127);

/** Names stand in /etc/xtables/connlabel.conf, which the dump does not carry. */
const labelBit: ValueParser<number | { readonly name: string }> = (text, context) =>
  /^[0-9]/.test(text) ? bit(text, context) : { name: text };

export const connlabel = defineMatch({
  name: "connlabel",
  options: {
    label: { value: labelBit, invertible: true, required: true },
    set: {},
  },
  facts: {
    reads: ["connlabel", "tracking"],
    condition: [],
    played: true,
  },
  translate({ label, set }) {
    if (!label) return { never: "no label is named" };
    if (typeof label.value !== "number") {
      return {
        untranslatable: `the number of the label "${label.value.name}" stands in a file of the machine, not in the dump`,
        help: "write the label's number, found in /etc/xtables/connlabel.conf",
        at: label,
      };
    }
    if (set) {
      if (label.inverted) {
        return { untranslatable: "with --set the inverted match sets the label and yet holds only where it could not be set", at: label };
      }
      return { statements: [tracked, assign(ct("label"), number(label.value))] };
    }
    const masked = binary(ct("label"), "&", number(label.value));
    if (!label.inverted) return { statements: [match(masked, number(label.value))] };
    return { alternatives: [[match(masked, number(label.value), true)], [untracked]] };
  },
});
