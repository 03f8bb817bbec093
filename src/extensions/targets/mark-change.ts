/** What MARK and CONNMARK do to a mark, as one pair of masks: new = (old & keep) ^ flip. */

import { binary, hex, type Expression } from "../../nft/ast.js";
import type { OptionUse } from "../../iptables/ast.js";
import { integer, valueMask, type ValueMask } from "../values/number.js";
import { markValue, uniform } from "../values/uniform.js";

/** Both are unsigned 32-bit numbers. */
export interface MarkChange {
  readonly keep: number;
  readonly flip: number;
}

export const allBits = 0xffffffff;
const invert = (bits: number): number => ~bits >>> 0;

const operations = ["set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark"] as const;

/** The options that say the change outright; each excludes the others and all in `more`. */
export function markOptions<const Name extends string>(...more: Name[]) {
  const others = (name: string): string[] => [...operations, ...more].filter((other) => other !== name);
  const bits = integer(0, allBits);
  const valueAndMask = uniform<ValueMask>(valueMask(), markValue);
  return {
    "set-xmark": { value: valueAndMask, excludes: others("set-xmark") },
    "set-mark": { value: valueAndMask, excludes: others("set-mark") },
    "and-mark": { value: bits, excludes: others("and-mark") },
    "or-mark": { value: bits, excludes: others("or-mark") },
    "xor-mark": { value: bits, excludes: others("xor-mark") },
  };
}

interface MarkOptionUses {
  readonly "set-xmark"?: OptionUse<ValueMask>;
  readonly "set-mark"?: OptionUse<ValueMask>;
  readonly "and-mark"?: OptionUse<number>;
  readonly "or-mark"?: OptionUse<number>;
  readonly "xor-mark"?: OptionUse<number>;
}

/** The value and mask that iptables-save would print after `--set-xmark`; `undefined` if no such option is there. */
export function xmark(options: MarkOptionUses): ValueMask | undefined {
  const { "set-xmark": set, "set-mark": replace, "and-mark": and, "or-mark": or, "xor-mark": xor } = options;
  if (set) return set.value;
  // Bits of the value outside the mask are set too, and so must be cleared first.
  if (replace) return { value: replace.value.value, mask: (replace.value.mask | replace.value.value) >>> 0 };
  if (and) return { value: 0, mask: invert(and.value) };
  if (or) return { value: or.value, mask: or.value };
  if (xor) return { value: xor.value, mask: 0 };
  return undefined;
}

export function markChange({ value, mask }: ValueMask): MarkChange {
  return { keep: invert(mask), flip: value };
}

/** The changed mark as an expression over the old one; `old` itself if nothing changes. */
export function changed(old: Expression, { keep, flip }: MarkChange): Expression {
  if (keep === 0) return hex(flip);
  if (keep === allBits) return flip === 0 ? old : binary(old, "^", hex(flip));
  if (flip === 0) return binary(old, "&", hex(keep));
  if (flip === invert(keep)) return binary(old, "|", hex(flip));
  return binary(binary(old, "&", hex(keep)), "^", hex(flip));
}
