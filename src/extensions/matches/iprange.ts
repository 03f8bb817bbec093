/**
 * `-m iprange`: addresses from one to another.
 *
 *     -m iprange --src-range 192.0.2.10-192.0.2.20   →   ip saddr 192.0.2.10-192.0.2.20
 *
 * man iptables-extensions, section "iprange".
 */

import { match, payload, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid } from "../extension.js";
import { rangesTest } from "../facts.js";
import { address, addressRangeExpression } from "../values/address.js";
import { ipv4Range, uniform } from "../values/uniform.js";

interface AddressRange {
  readonly from: bigint;
  readonly to: bigint;
}

const addressRange = uniform<AddressRange>((text, context) => {
  const [first = "", second, ...more] = text.split("-");
  if (more.length > 0) return new Invalid(`"${text}" is not a range of addresses`);
  const from = address(first, context);
  const to = second === undefined ? from : address(second, context);
  if (from instanceof Invalid) return from;
  if (to instanceof Invalid) return to;
  return { from, to };
}, ipv4Range);

export const iprange = defineMatch({
  name: "iprange",
  options: {
    "src-range": { value: addressRange, invertible: true },
    "dst-range": { value: addressRange, invertible: true },
  },
  check(options) {
    return options["src-range"] || options["dst-range"] ? undefined : new Invalid("needs --src-range or --dst-range");
  },
  facts: {
    reads: ["addresses"],
    condition: (options) => [
      ...(options["src-range"] ? [rangesTest("source", options["src-range"], [options["src-range"].value])] : []),
      ...(options["dst-range"] ? [rangesTest("destination", options["dst-range"], [options["dst-range"].value])] : []),
    ],
    played: true,
  },
  translate(options, { family }) {
    const statements: Statement[] = [];
    for (const [side, use] of [
      ["saddr", options["src-range"]],
      ["daddr", options["dst-range"]],
    ] as const) {
      if (!use) continue;
      const { from, to } = use.value;
      const empty = from > to;
      if (empty && !use.inverted) return { never: "the range runs backwards and holds no address" };
      if (!empty)
        statements.push(match(payload(family === "ipv4" ? "ip" : "ip6", side), addressRangeExpression(from, to, family), use.inverted));
    }
    return { statements };
  },
});
