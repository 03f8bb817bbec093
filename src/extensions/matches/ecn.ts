/**
 * `-m ecn`: bits of explicit congestion notification.
 *
 *     -p tcp -m ecn --ecn-tcp-cwr    →   tcp flags & cwr == cwr
 *     -m ecn ! --ecn-ip-ect 2        →   ip ecn != ect0
 *
 * man iptables-extensions, section "ecn".
 */

import { binary, match, payload, symbol, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid } from "../extension.js";
import { bitsTests } from "../facts.js";
import { tcpFlags } from "../values/tcp-flags.js";
import { integer } from "../values/number.js";

/** By the two bits' value. */
const codePoints = ["not-ect", "ect1", "ect0", "ce"] as const;
const tcp = 6;

export const ecn = defineMatch({
  name: "ecn",
  options: {
    "ecn-tcp-cwr": { invertible: true },
    "ecn-tcp-ece": { invertible: true },
    "ecn-ip-ect": { value: integer(0, 3), invertible: true },
  },
  check(options, { protocol }) {
    const ofTcp = options["ecn-tcp-cwr"] ?? options["ecn-tcp-ece"];
    if (ofTcp && protocol !== tcp) return new Invalid("its TCP options need -p tcp");
    return ofTcp || options["ecn-ip-ect"] ? undefined : new Invalid("needs an option");
  },
  facts: {
    // It looks at the bytes of a later fragment, too (xt_ecn.c).
    reads: ["tos", "packet"],
    condition: (options) => [
      ...(["ece", "cwr"] as const).flatMap((flag) => {
        const use = options[`ecn-tcp-${flag}`];
        return bitsTests("tcpFlags", use && { ...use, value: { value: tcpFlags[flag], mask: tcpFlags[flag] } });
      }),
      ...bitsTests("tos", options["ecn-ip-ect"] && { ...options["ecn-ip-ect"], value: { value: options["ecn-ip-ect"].value, mask: 3 } }),
    ],
    played: true,
  },
  translate(options, { family }) {
    const statements: Statement[] = [];
    const { "ecn-tcp-cwr": reduced, "ecn-tcp-ece": echo, "ecn-ip-ect": codePoint } = options;
    for (const [flag, use] of [
      ["ecn", echo],
      ["cwr", reduced],
    ] as const) {
      if (use) statements.push(match(binary(payload("tcp", "flags"), "&", symbol(flag)), symbol(flag), use.inverted));
    }
    if (codePoint) {
      const field = payload(family === "ipv4" ? "ip" : "ip6", "ecn");
      statements.push(match(field, symbol(codePoints[codePoint.value] ?? "ce"), codePoint.inverted));
    }
    return { statements };
  },
});
