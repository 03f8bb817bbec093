/** Tests of a field under a mask. */

import { binary, hex, match, type Expression, type Statement } from "../../nft/ast.js";
import type { Never } from "../extension.js";
import type { ValueMask } from "./number.js";

/** A test of a mark in words that follow "where". */
export function markWords(subject: string, use: ValueMask | undefined): string | undefined {
  if (!use) return undefined;
  const [value, mask] = [use.value, use.mask].map((bits) => `0x${bits.toString(16)}`);
  return `${subject} is ${value}${use.mask === 0xffffffff ? "" : ` in the bits ${mask}`}`;
}

/**
 * `field value` or `field & mask == value`; `undefined` if it holds for every value of the field. xtables accepts a value
 * with bits outside its mask, which no field has.
 * @param allOnes the mask that tests the whole field
 */
export function maskedTest(
  field: Expression,
  { value, mask }: ValueMask,
  inverted: boolean,
  allOnes = 0xffffffff,
): Statement | Never | undefined {
  const outside = BigInt(value) & ~BigInt(mask);
  if (outside !== 0n) return inverted ? undefined : { never: "the value has bits outside its mask" };
  if (mask === 0) return inverted ? { never: "an empty mask excludes every value" } : undefined;
  return match(mask === allOnes ? field : binary(field, "&", hex(mask)), hex(value), inverted);
}
