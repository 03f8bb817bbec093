/** The two IPv6 extension headers that hold options: hop-by-hop and destination. */

import type { OptionUse } from "../../iptables/ast.js";
import { exists } from "../../nft/ast.js";
import { Invalid, type MatchTranslation, type ValueParser } from "../extension.js";
import { eightByteUnits } from "./header-length.js";
import { parseInteger } from "./number.js";

/** `type[:length],…`, up to 16; only read to be refused where it is wrong. */
export const optionList: ValueParser<string> = (text) => {
  const parts = text.split(",");
  if (parts.length > 16) return new Invalid("more than 16 options");
  for (const part of parts) {
    const numbers = part.split(":").map(parseInteger);
    if (numbers.length > 2 || numbers.some((value) => value === undefined || value > 255n))
      return new Invalid(`"${part}" is not type[:length]`);
  }
  return text;
};

/** The header is there, and of the length asked for (in bytes). */
export function optionsHeaderTest(
  header: "hbh" | "dst",
  length: OptionUse<number> | undefined,
  list: OptionUse<string> | undefined,
): MatchTranslation {
  if (list) return { untranslatable: "nft does not read the options inside an IPv6 extension header", at: list };
  const test = length && eightByteUnits({ kind: "extension-header", header, field: "hdrlength" }, length.value, length.inverted);
  if (test === undefined) return { statements: [exists({ kind: "extension-header", header })] };
  return "kind" in test ? { statements: [test] } : test;
}
