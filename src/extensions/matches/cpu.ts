/**
 * `-m cpu`: the processor that handles the packet.
 *
 *     -m cpu --cpu 1   →   meta cpu 1
 *
 * man iptables-extensions, section "cpu".
 */

import { match, meta, number } from "../../nft/ast.js";
import { defineMatch } from "../extension.js";
import { integer } from "../values/number.js";

export const cpu = defineMatch({
  name: "cpu",
  options: { cpu: { value: integer(0, 0xffffffff), invertible: true, required: true } },
  facts: {
    reads: ["processor"],
    condition: [],
    played: "it asks for the processor",
  },
  translate({ cpu: wanted }) {
    if (!wanted) return { never: "no processor is named" };
    return { statements: [match(meta("cpu"), number(wanted.value), wanted.inverted)] };
  },
});
