/**
 * `-m set`: membership in an ipset. An ipset lives outside iptables and nft cannot see it.
 *
 * man iptables-extensions, section "set".
 */

import { defineMatch, Invalid, type ValueParser } from "../extension.js";
import { parseInteger } from "../values/number.js";
import { text } from "../values/text.js";

interface SetUse { readonly set: string; readonly directions: readonly string[] }

const setUse: ValueParser<SetUse> = (value, context) => {
  const [set = "", directionText = ""] = value.split(" ");
  const name = text(31)(set, context);
  if (name instanceof Invalid) return name;
  const directions = directionText.split(",");
  if (directions.length > 6 || directions.some((direction) => direction !== "src" && direction !== "dst")) {
    return new Invalid(`"${directionText}" is not a list of src and dst`);
  }
  return { set: name, directions };
};

const counter: ValueParser<bigint> = (value) => parseInteger(value) ?? new Invalid(`"${value}" is not a whole number`);
const exact = { value: counter, invertible: true } as const;
const bound = { value: counter } as const;

export const setMatch = defineMatch({
  name: "set",
  options: {
    "match-set": { aliases: ["set"], value: setUse, words: 2, invertible: true, required: true },
    "return-nomatch": {},
    "update-counters": { invertible: true },
    "update-subcounters": { invertible: true },
    "packets-eq": exact, "packets-lt": bound, "packets-gt": bound,
    "bytes-eq": exact, "bytes-lt": bound, "bytes-gt": bound,
  },
  translate({ "match-set": use }) {
    return {
      untranslatable: use ? `nft cannot see the ipset "${use.value.set}"` : "nft cannot see ipsets",
      help: "make a named nft set of the ipset's elements (ipset-translate restore reads an ipset save) and match on it",
      at: use,
    };
  },
});
