/** DiffServ code points: numbers, the class names of iptables, and the names nft has for them. */

import { hex, symbol, type Expression } from "../../nft/ast.js";
import { Invalid, type ValueParser } from "../extension.js";
import { integer } from "./number.js";

const classNumbers: ReadonlyMap<string, number> = new Map([
  ["cs0", 0],
  ["cs1", 8],
  ["cs2", 16],
  ["cs3", 24],
  ["cs4", 32],
  ["cs5", 40],
  ["cs6", 48],
  ["cs7", 56],
  ["af11", 10],
  ["af12", 12],
  ["af13", 14],
  ["af21", 18],
  ["af22", 20],
  ["af23", 22],
  ["af31", 26],
  ["af32", 28],
  ["af33", 30],
  ["af41", 34],
  ["af42", 36],
  ["af43", 38],
  ["ef", 46],
]);
const classNames = new Map([...classNumbers].map(([name, value]) => [value, name]));

/** `--dscp`: 0 to 63. */
export const dscpNumber = integer(0, 63);

/** `--dscp-class`: BE, EF, AFxy or CSx, in letters of either case. */
export const dscpClass: ValueParser<number> = (text) => {
  const name = text.toLowerCase();
  return classNumbers.get(name === "be" ? "cs0" : name) ?? new Invalid(`"${text}" is not a DiffServ class`);
};

/** A code point as nft writes it: the class where it is one. */
export function dscpExpression(value: number): Expression {
  const name = classNames.get(value);
  return name === undefined ? hex(value) : symbol(name);
}
