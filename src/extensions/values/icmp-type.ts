/** Types and codes of ICMP and ICMPv6. */

import type { OptionUse } from "../../iptables/ast.js";
import { match, number, payload, symbol, type Expression, type Statement } from "../../nft/ast.js";
import { Invalid, type Never, type Statements, type Alternatives, type ValueParser } from "../extension.js";
import { rangesTest, type FieldTest } from "../facts.js";
import { parseInteger, type NumberRange } from "./number.js";
import { rangeExpression } from "./range.js";

/** Without codes every code is meant; without a type, every type. Codes that run backwards are none. */
export interface IcmpType {
  readonly type?: number;
  readonly codes?: NumberRange;
}

interface NamedType {
  readonly type?: number;
  readonly code?: number;
}

const everyCode: NumberRange = { from: 0, to: 255 };

/** `code` or, from iptables 1.8.9 on, `from:to`; neither end may be missing. */
function parseCodes(text: string): NumberRange | undefined {
  const ends = text.split(":").map(parseInteger);
  if (ends.length > 2 || ends.some((end) => end === undefined || end > 255n)) return undefined;
  return { from: Number(ends[0]), to: Number(ends.at(-1)) };
}

function withCodes(type: number | undefined, codes: NumberRange | undefined): IcmpType {
  if (type === undefined) return {};
  return codes === undefined || (codes.from === 0 && codes.to === 255) ? { type } : { type, codes };
}

/**
 * Reads a type as xtables does: a name or an unambiguous beginning of one, in letters of either case, or `type[/code[:code]]`.
 * @param names every name with its type and, where the name is that of a code, its code
 * @param anyType the number that stands for every type, if there is one
 */
export function icmpType(names: Readonly<Record<string, NamedType>>, anyType?: number): ValueParser<IcmpType> {
  const entries = Object.entries(names);
  return (text) => {
    const wanted = text.toLowerCase();
    const found = entries.filter(([name]) => name.startsWith(wanted));
    const [first, second] = found;
    if (second) return new Invalid(`"${text}" may be ${found.map(([name]) => `"${name}"`).join(" or ")}`);
    if (first) {
      const { type, code } = first[1];
      return withCodes(type, code === undefined ? undefined : { from: code, to: code });
    }
    const [typeText = "", codeText, ...more] = text.split("/");
    const type = parseInteger(typeText);
    const codes = codeText === undefined ? everyCode : parseCodes(codeText);
    if (type === undefined || type > 255n || more.length > 0) return new Invalid(`"${text}" is not a known type`);
    if (codes === undefined) return new Invalid(`"${codeText}" is not a code`);
    return Number(type) === anyType ? {} : withCodes(Number(type), codes);
  };
}

/**
 * The statements that test a type.
 * @param symbols the names nft has for types, by number
 */
export function icmpTypeTest(
  protocol: "icmp" | "icmpv6",
  { type, codes }: IcmpType,
  inverted: boolean,
  symbols: Readonly<Record<number, string>>,
): Statements | Alternatives | Never {
  const typeField = payload(protocol, "type");
  if (type === undefined) return inverted ? { never: "every type is excluded" } : { statements: [] };
  const name = symbols[type];
  const value: Expression = name === undefined ? number(type) : symbol(name);
  const typeIs = (not: boolean): Statement => match(typeField, value, not);
  if (codes === undefined) return { statements: [typeIs(inverted)] };
  if (codes.from > codes.to) return inverted ? { statements: [] } : { never: "the range of codes holds no number" };
  const codeIs = (not: boolean): Statement => match(payload(protocol, "code"), rangeExpression(codes), not);
  return inverted ? { alternatives: [[typeIs(true)], [typeIs(false), codeIs(true)]] } : { statements: [typeIs(false), codeIs(false)] };
}

/** The same test as a condition on the packet. */
export function icmpFieldTests(use: OptionUse<IcmpType> | undefined): FieldTest[] {
  if (!use) return [];
  const { type, codes = everyCode } = use.value;
  if (type === undefined) return [rangesTest("icmp", use, [{ from: 0, to: 0xffff }])];
  return [rangesTest("icmp", use, [{ from: type * 256 + codes.from, to: type * 256 + codes.to }])];
}
