/**
 * `-j CLASSIFY`: sets the packet's traffic-control class. The rule goes on.
 *
 *     -j CLASSIFY --set-class 0001:0002   →   meta priority set 0x10002
 *
 * man iptables-extensions, section "CLASSIFY". Both halves are hexadecimal, of 16 bits; whatever follows the digits is dropped.
 */

import { assign, hex, meta } from "../../nft/ast.js";
import { defineTarget, Invalid, type ValueParser } from "../extension.js";

const trafficClass: ValueParser<number> = (text) => {
  const parts = /^(?:0[xX])?([0-9a-fA-F]{1,8}):(?:0[xX])?([0-9a-fA-F]{1,8})/.exec(text);
  if (!parts) return new Invalid(`"${text}" is not major:minor, both hexadecimal`);
  // Of numbers that are too large the lower half is kept.
  const major = parseInt(parts[1]!, 16) & 0xffff;
  const minor = parseInt(parts[2]!, 16) & 0xffff;
  return major * 0x10000 + minor;
};

export const classifyTarget = defineTarget({
  name: "CLASSIFY",
  hooks: ["forward", "output", "postrouting"],
  options: {
    "set-class": { value: trafficClass, required: true },
  },
  facts: {
    way: "continue",
    effects: (options) => [{ kind: "other", of: "outside", text: `class ${options["set-class"]?.value ?? 0}` }],
    played: true,
    words: { does: "gives a traffic class to", done: "given a traffic class" },
  },
  translate: (options) => ({ statements: [assign(meta("priority"), hex(options["set-class"]?.value ?? 0))] }),
});
