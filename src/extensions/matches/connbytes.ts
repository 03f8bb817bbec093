/**
 * `-m connbytes`: packets, bytes or bytes per packet a connection has transferred.
 *
 *     --connbytes 1000:5000 --connbytes-dir both --connbytes-mode bytes   →   ct bytes 1000-5000
 *
 * Both sides turn connection accounting on when the rule is loaded. A connection without it never matches in iptables and
 * counts 0 in nft: where 0 is in the range, `ct packets >= 1` keeps such connections out.
 *
 * man iptables-extensions, section "connbytes".
 */

import { compare, ct, match, number, range, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type ValueParser } from "../extension.js";
import { parseInteger } from "../values/number.js";
import { oneOfWords } from "../values/text.js";

const maximum = (1n << 64n) - 1n;

interface Bounds {
  readonly from: bigint;
  readonly to: bigint;
}

const bounds: ValueParser<Bounds> = (text) => {
  const [first = "", second = "", ...more] = text.split(":");
  const from = first === "" ? 0n : parseInteger(first);
  const to = second === "" ? maximum : parseInteger(second);
  if (more.length > 0 || text === "" || from === undefined || to === undefined || from > maximum || to > maximum) {
    return new Invalid(`"${text}" is not a range of 64-bit numbers`);
  }
  return from > to ? new Invalid(`the range "${text}" runs backwards`) : { from, to };
};

const countedDirection = oneOfWords(["original", "reply", "both"]);
const countedQuantity = oneOfWords(["packets", "bytes", "avgpkt"]);

export const connbytes = defineMatch({
  name: "connbytes",
  options: {
    connbytes: { value: bounds, invertible: true, required: true },
    "connbytes-dir": { value: countedDirection, required: true },
    "connbytes-mode": { value: countedQuantity, required: true },
  },
  facts: {
    reads: [{ memory: "traffic" }, "tracking"],
    condition: [],
    played: true,
    implies: (first, second) => {
      const [a, b] = [first.connbytes, second.connbytes];
      if (
        first["connbytes-dir"]?.value !== second["connbytes-dir"]?.value ||
        first["connbytes-mode"]?.value !== second["connbytes-mode"]?.value
      )
        return false;
      if (!a || !b || a.inverted || b.inverted) return false;
      return a.value.from >= b.value.from && a.value.to <= b.value.to;
    },
  },
  translate({ connbytes: use, "connbytes-dir": direction, "connbytes-mode": mode }) {
    if (!use || !direction || !mode) return { never: "no range is given" };
    const key = ct(mode.value, direction.value === "both" ? undefined : direction.value);
    const { from, to } = use.value;
    const statements: Statement[] = [];
    if ((from === 0n) !== use.inverted) statements.push(compare(ct("packets"), ">=", number(1)));
    if (from === 0n && to === maximum) {
      return use.inverted ? { never: "no count lies outside the range" } : { statements };
    }
    if (to === maximum) statements.push(compare(key, use.inverted ? "<" : ">=", number(from)));
    else if (from === to) statements.push(match(key, number(from), use.inverted));
    else statements.push(match(key, range(number(from), number(to)), use.inverted));
    return { statements };
  },
});
