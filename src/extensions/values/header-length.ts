/** The length of an IPv6 extension header. */

import { match, number, type Expression, type Statement } from "../../nft/ast.js";
import type { Never } from "../extension.js";

/**
 * Tests a header's field that counts units of eight bytes behind the first eight.
 * @param bytes the length of the whole header; `undefined` comes back where every header passes
 */
export function eightByteUnits(field: Expression, bytes: number, inverted: boolean): Statement | Never | undefined {
  const units = bytes / 8 - 1;
  if (Number.isInteger(units) && units >= 0 && units <= 255) return match(field, number(units), inverted);
  return inverted ? undefined : { never: "no header has that length" };
}
