/** Numbers as xtables reads them (strtoul): decimal, `0x…` hexadecimal or `0…` octal, behind blanks and a plus if there are any. */

import { Invalid, type ValueParser } from "../extension.js";

const form = /^[ \t\n\v\f\r]*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

/** Reads a non-negative integer of any size; `undefined` if the text is none. */
export function parseInteger(text: string): bigint | undefined {
  const digits = form.exec(text)?.[1];
  if (digits === undefined) return undefined;
  return BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
}

/** An integer between two bounds, both allowed. */
export function integer(minimum: number, maximum: number): ValueParser<number> {
  return (text) => {
    const value = parseInteger(text);
    if (value === undefined) return new Invalid(`"${text}" is not a whole number`);
    if (value < BigInt(minimum) || value > BigInt(maximum)) return new Invalid(`"${text}" is not between ${minimum} and ${maximum}`);
    return Number(value);
  };
}

export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** `N` or `N:M` (either end may be left out if the bounds are to fill it in). */
export function integerRange(minimum: number, maximum: number, separator = ":"): ValueParser<NumberRange> {
  const one = integer(minimum, maximum);
  return (text, context) => {
    const [first = "", second, ...more] = text.split(separator);
    if (more.length > 0) return new Invalid(`"${text}" is not a range`);
    const from = first === "" && second !== undefined ? minimum : one(first, context);
    const to = second === undefined ? from : second === "" ? maximum : one(second, context);
    if (from instanceof Invalid) return from;
    if (to instanceof Invalid) return to;
    if (from > to) return new Invalid(`the range "${text}" runs backwards`);
    return { from, to };
  };
}

export interface ValueMask {
  readonly value: number;
  readonly mask: number;
}

/** `value[/mask]`; the mask is all ones unless given. */
export function valueMask(maximum = 0xffffffff): ValueParser<ValueMask> {
  const one = integer(0, maximum);
  return (text, context) => {
    const [first = "", second, ...more] = text.split("/");
    if (more.length > 0) return new Invalid(`"${text}" is not value/mask`);
    const value = one(first, context);
    const mask = second === undefined ? maximum : one(second, context);
    if (value instanceof Invalid) return value;
    if (mask instanceof Invalid) return mask;
    return { value, mask };
  };
}

/** Like `integerRange`, for the options where xtables accepts a range that runs backwards (no number is in it). */
export function unorderedRange(minimum: number, maximum: number, separator = ":"): ValueParser<NumberRange> {
  const one = integer(minimum, maximum);
  return (text, context) => {
    const [first = "", second, ...more] = text.split(separator);
    if (more.length > 0) return new Invalid(`"${text}" is not a range`);
    const from = first === "" && second !== undefined ? minimum : one(first, context);
    const to = second === undefined ? from : second === "" ? maximum : one(second, context);
    if (from instanceof Invalid) return from;
    if (to instanceof Invalid) return to;
    return { from, to };
  };
}
