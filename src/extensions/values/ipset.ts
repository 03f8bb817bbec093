/** Names of ipsets and the directions of their parts, as `-m set` and `-j SET` take them. */

import type { SetUse } from "../../ipset/use.js";
import type { OptionUse } from "../../iptables/ast.js";
import { Invalid, type ValueParser } from "../extension.js";
import type { PlainMatter } from "../facts.js";
import { text } from "./text.js";

/** Parts that a rule may name: IPSET_DIM_MAX of the kernel's ip_set.h. */
const mostDirections = 6;
/** Bytes of a set's name: IPSET_MAXNAMELEN, less the closing zero. */
const longestName = 31;

/** `name direction[,direction…]` in two words. */
export const setUse: ValueParser<SetUse> = (value, context) => {
  // The name may hold blanks, directions cannot.
  const blank = value.lastIndexOf(" ");
  const set = text(longestName)(value.slice(0, Math.max(0, blank)), context);
  if (set instanceof Invalid) return set;
  if (set === "") return new Invalid("the name of a set is never empty");
  const words = value.slice(blank + 1).split(",");
  const directions = words.filter((word) => word === "src" || word === "dst");
  if (words.length > mostDirections || directions.length < words.length)
    return new Invalid(`"${value.slice(blank + 1)}" is not a list of at most ${mostDirections} src and dst`);
  return { set, directions };
};

/** What of a packet, that rules may change on its way, the element is made of: a set of several parts may hold marks. */
export function recordedOf(use: OptionUse<SetUse> | undefined): readonly PlainMatter[] {
  return use !== undefined && use.value.directions.length > 1 ? ["addresses", "mark"] : ["addresses"];
}
