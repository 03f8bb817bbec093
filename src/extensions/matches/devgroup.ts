/**
 * `-m devgroup`: the group of the packet's interfaces.
 *
 *     -m devgroup --src-group 5 --dst-group 0x10/0xf0   →   meta iifgroup 5 meta oifgroup & 0xf0 == 0x10
 *
 * man iptables-extensions, section "devgroup".
 */

import { binary, hex, match, meta, number, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type OptionUses, type ValueParser } from "../extension.js";
import { valueMask, type ValueMask } from "../values/number.js";

const wholeMask = 0xffffffff;
const groupNumber = valueMask(wholeMask);

/** Names stand in /etc/iproute2/group, which the dump does not carry; one of them is the same everywhere. */
const group: ValueParser<ValueMask | { readonly name: string }> = (text, context) => {
  if (text === "default") return { value: 0, mask: wholeMask };
  if (/^[0-9]/.test(text)) return groupNumber(text, context);
  return /^[^\s/]+$/.test(text) ? { name: text } : new Invalid(`"${text}" is not a device group`);
};

const options = {
  "src-group": { value: group, invertible: true },
  "dst-group": { value: group, invertible: true },
} as const;

function hasName(value: ValueMask | { readonly name: string }): value is { readonly name: string } {
  return "name" in value;
}

export const devgroup = defineMatch({
  name: "devgroup",
  options,
  check(uses: OptionUses<typeof options>) {
    return (uses["src-group"] ?? uses["dst-group"]) ? undefined : new Invalid("needs --src-group or --dst-group");
  },
  facts: {
    reads: ["interfaces", "outside"],
    condition: [],
    played: true,
  },
  translate(uses) {
    const statements: Statement[] = [];
    for (const [use, key] of [
      [uses["src-group"], "iifgroup"],
      [uses["dst-group"], "oifgroup"],
    ] as const) {
      if (!use) continue;
      if (hasName(use.value)) {
        return {
          untranslatable: `the number of the device group "${use.value.name}" stands in a file of the machine, not in the dump`,
          help: "write the group's number, found in /etc/iproute2/group",
          at: use,
        };
      }
      const { value, mask } = use.value;
      // Bits outside the mask are not compared.
      const wanted = (value & mask) >>> 0;
      statements.push(
        mask === wholeMask
          ? match(meta(key), number(wanted), use.inverted)
          : match(binary(meta(key), "&", hex(mask)), hex(wanted), use.inverted),
      );
    }
    return { statements };
  },
});
