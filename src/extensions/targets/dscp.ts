/**
 * `-j DSCP`: sets the DSCP field. The rule goes on.
 *
 *     -j DSCP --set-dscp 0x2e   →   ip dscp set 0x2e
 *
 * man iptables-extensions, section "DSCP".
 */

import { assign, hex, payload } from "../../nft/ast.js";
import { defineTarget, Invalid, type ValueParser } from "../extension.js";
import { integer } from "../values/number.js";

/** RFC 2474, 2597 and 3246; iptables knows no other names. */
const classes: Readonly<Record<string, number>> = {
  be: 0,
  cs0: 0,
  cs1: 8,
  cs2: 16,
  cs3: 24,
  cs4: 32,
  cs5: 40,
  cs6: 48,
  cs7: 56,
  af11: 10,
  af12: 12,
  af13: 14,
  af21: 18,
  af22: 20,
  af23: 22,
  af31: 26,
  af32: 28,
  af33: 30,
  af41: 34,
  af42: 36,
  af43: 38,
  ef: 46,
};
const dscpClass: ValueParser<number> = (text) => {
  const name = text.toLowerCase();
  return Object.hasOwn(classes, name) ? classes[name]! : new Invalid(`"${text}" is not a DSCP class`);
};

export const dscpTarget = defineTarget({
  name: "DSCP",
  tables: ["mangle"],
  options: {
    "set-dscp": { value: integer(0, 63), excludes: ["set-dscp-class"] },
    "set-dscp-class": { value: dscpClass, excludes: ["set-dscp"] },
  },
  check: (options) =>
    options["set-dscp"] || options["set-dscp-class"] ? undefined : new Invalid("one of --set-dscp and --set-dscp-class is needed"),
  compared: (options) => (options["set-dscp"] ?? options["set-dscp-class"])?.value,
  facts: {
    way: "continue",
    effects: (options) => {
      const value = (options["set-dscp"] ?? options["set-dscp-class"])?.value ?? 0;
      return [{ kind: "bits", of: "tos", keep: 3, flip: value << 2 }];
    },
    played: true,
    words: { does: "sets the traffic class of", done: "given another traffic class" },
  },
  translate(options, { family }) {
    const value = options["set-dscp"]?.value ?? options["set-dscp-class"]?.value ?? 0;
    return { statements: [assign(payload(family === "ipv4" ? "ip" : "ip6", "dscp"), hex(value))] };
  },
});
