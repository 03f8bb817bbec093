/**
 * `-m realm`: the routing realm of the packet's route.
 *
 *     -m realm --realm 0x5/0xff   →   rt classid & 0xff == 0x5
 *
 * man iptables-extensions, section "realm".
 */

import { binary, hex, keyword, match, number } from "../../nft/ast.js";
import { defineMatch, Invalid, type ValueParser } from "../extension.js";
import { valueMask, type ValueMask } from "../values/number.js";

const wholeMask = 0xffffffff;
const realmNumber = valueMask(wholeMask);

/** Names stand in /etc/iproute2/rt_realms, which the dump does not carry. */
const realmValue: ValueParser<ValueMask | { readonly name: string }> = (text, context) => {
  if (/^[0-9]/.test(text)) return realmNumber(text, context);
  return /^[^\s/]+$/.test(text) ? { name: text } : new Invalid(`"${text}" is not a realm`);
};

export const realm = defineMatch({
  name: "realm",
  family: "ipv4",
  options: { realm: { value: realmValue, invertible: true, required: true } },
  facts: {
    reads: ["routing"],
    condition: [],
    played: true,
  },
  translate({ realm: use }) {
    if (!use) return { never: "no realm is named" };
    if ("name" in use.value) {
      return {
        untranslatable: `the number of the realm "${use.value.name}" stands in a file of the machine, not in the dump`,
        help: "write the realm's number, found in /etc/iproute2/rt_realms",
        at: use,
      };
    }
    const { value, mask } = use.value;
    // The kernel masks the route's realm and not the wanted one.
    if ((value & ~mask) >>> 0 !== 0) {
      return use.inverted ? { statements: [] } : { never: `realm "${use.text}" has bits outside its mask` };
    }
    const classid = keyword("rt", "classid");
    return {
      statements: [
        mask === wholeMask ? match(classid, number(value), use.inverted) : match(binary(classid, "&", hex(mask)), hex(value), use.inverted),
      ],
    };
  },
});
