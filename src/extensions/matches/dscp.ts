/**
 * `-m dscp`: the DiffServ code point.
 *
 *     -m dscp --dscp-class AF11   →   ip dscp af11
 *
 * man iptables-extensions, section "dscp".
 */

import { match, payload } from "../../nft/ast.js";
import { defineMatch, Invalid } from "../extension.js";
import { bitsTests } from "../facts.js";
import { dscpClass, dscpExpression, dscpNumber } from "../values/dscp.js";

export const dscp = defineMatch({
  name: "dscp",
  options: {
    dscp: { value: dscpNumber, invertible: true, excludes: ["dscp-class"] },
    "dscp-class": { value: dscpClass, invertible: true, excludes: ["dscp"] },
  },
  check(options) {
    return options.dscp || options["dscp-class"] ? undefined : new Invalid("needs --dscp or --dscp-class");
  },
  compared: (options) => {
    const use = options.dscp ?? options["dscp-class"];
    return [use?.value, use?.inverted];
  },
  facts: {
    reads: ["tos"],
    condition: (options) => {
      const use = options.dscp ?? options["dscp-class"];
      return bitsTests("tos", use && { ...use, value: { value: use.value << 2, mask: 0xfc } });
    },
    played: true,
    words: (uses) => `its DSCP is ${(uses.dscp ?? uses["dscp-class"])?.text ?? ""}`,
  },
  translate(options, { family }) {
    const use = options.dscp ?? options["dscp-class"];
    const field = payload(family === "ipv4" ? "ip" : "ip6", "dscp");
    return { statements: use ? [match(field, dscpExpression(use.value), use.inverted)] : [] };
  },
});
