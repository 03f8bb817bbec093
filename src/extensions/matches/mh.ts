/**
 * `-m mh`: the mobility header of IPv6.
 *
 *     -p mobility-header -m mh --mh-type binding-update   →   mh type 5
 *
 * man iptables-extensions, section "mh".
 */

import { exists, type ExtensionHeader } from "../../nft/ast.js";
import { defineMatch, Invalid, type ValueParser } from "../extension.js";
import { parseInteger, type NumberRange } from "../values/number.js";
import { rangeTest } from "../values/range.js";

/** As `ip6tables -m mh -h` lists them; the first that begins with the word given is meant. */
const names: readonly (readonly [string, number])[] = [
  ["binding-refresh-request", 0],
  ["brr", 0],
  ["home-test-init", 1],
  ["hoti", 1],
  ["careof-test-init", 2],
  ["coti", 2],
  ["home-test", 3],
  ["hot", 3],
  ["careof-test", 4],
  ["cot", 4],
  ["binding-update", 5],
  ["bu", 5],
  ["binding-acknowledgement", 6],
  ["ba", 6],
  ["binding-error", 7],
  ["be", 7],
];

function parseType(text: string): number | Invalid {
  const word = text.toLowerCase();
  const named = names.find(([name]) => name === word) ?? (word === "" ? undefined : names.find(([name]) => name.startsWith(word)));
  if (named) return named[1];
  const value = parseInteger(text);
  return value === undefined || value > 255n ? new Invalid(`"${text}" is not a type of mobility header`) : Number(value);
}

const typeRange: ValueParser<NumberRange> = (text) => {
  const [first = "", second, ...more] = text.split(":");
  if (more.length > 0) return new Invalid(`"${text}" is not a range`);
  const from = first === "" && second !== undefined ? 0 : parseType(first);
  const to = second === undefined ? from : second === "" ? 255 : parseType(second);
  if (from instanceof Invalid) return from;
  if (to instanceof Invalid) return to;
  return from > to ? new Invalid(`the range "${text}" runs backwards`) : { from, to };
};

const type: ExtensionHeader = { kind: "extension-header", header: "mh", field: "type" };

export const mh = defineMatch({
  name: "mh",
  family: "ipv6",
  protocols: [135],
  options: { "mh-type": { value: typeRange, invertible: true } },
  facts: {
    reads: ["packet"],
    condition: [],
    played: true,
  },
  translate({ "mh-type": use }) {
    if (!use) return { statements: [exists({ kind: "extension-header", header: "mh" })] };
    const test = rangeTest(type, use.value, use.inverted, 255);
    return "kind" in test ? { statements: [test] } : test;
  },
});
