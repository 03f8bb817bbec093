/** Types and codes of ICMP and ICMPv6. */

import type { OptionUse } from "../../iptables/ast.js";
import { match, number, payload, symbol, type Statement } from "../../nft/ast.js";
import { Invalid, type Never, type Statements, type Alternatives, type ValueParser } from "../extension.js";
import { rangesTest, type FieldTest } from "../facts.js";
import { parseInteger } from "./number.js";

/** Without a code every code is meant; without a type, every type. */
export interface IcmpType {
  readonly type?: number;
  readonly code?: number;
}

/**
 * Reads a type as xtables does: a name or an unambiguous beginning of one, in letters of either case, or `type[/code]`.
 * @param names every name with its type and, where the name is that of a code, its code
 * @param anyType the number that stands for every type, if there is one
 */
export function icmpType(names: Readonly<Record<string, IcmpType>>, anyType?: number): ValueParser<IcmpType> {
  const entries = Object.entries(names);
  return (text) => {
    const wanted = text.toLowerCase();
    const found = entries.filter(([name]) => name.startsWith(wanted));
    const [first, second] = found;
    if (second) return new Invalid(`"${text}" may be ${found.map(([name]) => `"${name}"`).join(" or ")}`);
    if (first) return first[1];
    const [typeText = "", codeText, ...more] = text.split("/");
    const type = parseInteger(typeText);
    const code = codeText === undefined ? undefined : parseInteger(codeText);
    if (type === undefined || type > 255n || more.length > 0) return new Invalid(`"${text}" is not a known type`);
    if (codeText !== undefined && (code === undefined || code > 255n)) return new Invalid(`"${codeText}" is not a code`);
    if (Number(type) === anyType) return {};
    return code === undefined ? { type: Number(type) } : { type: Number(type), code: Number(code) };
  };
}

/**
 * The statements that test a type.
 * @param symbols the names nft has for types, by number
 */
export function icmpTypeTest(
  protocol: "icmp" | "icmpv6",
  { type, code }: IcmpType,
  inverted: boolean,
  symbols: Readonly<Record<number, string>>,
): Statements | Alternatives | Never {
  const typeField = payload(protocol, "type");
  if (type === undefined) return inverted ? { never: "every type is excluded" } : { statements: [] };
  const name = symbols[type];
  const typeIs = (not: boolean): Statement => match(typeField, name === undefined ? number(type) : symbol(name), not);
  if (code === undefined) return { statements: [typeIs(inverted)] };
  const codeIs = (not: boolean): Statement => match(payload(protocol, "code"), number(code), not);
  return inverted ? { alternatives: [[typeIs(true)], [typeIs(false), codeIs(true)]] } : { statements: [typeIs(false), codeIs(false)] };
}

/** The same test as a condition on the packet. */
export function icmpFieldTests(use: OptionUse<IcmpType> | undefined): FieldTest[] {
  if (!use) return [];
  const { type, code } = use.value;
  if (type === undefined) return [rangesTest("icmp", use, [{ from: 0, to: 0xffff }])];
  return [rangesTest("icmp", use, [{ from: type * 256 + (code ?? 0), to: type * 256 + (code ?? 255) }])];
}
