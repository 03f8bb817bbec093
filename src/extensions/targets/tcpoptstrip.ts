/**
 * `-j TCPOPTSTRIP`: overwrites TCP options with no-ops. The rule goes on.
 *
 *     -p tcp -j TCPOPTSTRIP --strip-options timestamp   →   meta l4proto tcp reset tcp option 8
 *
 * man iptables-extensions, section "TCPOPTSTRIP".
 */

import { keywordStatement } from "../../nft/ast.js";
import { defineTarget, Invalid, type ValueParser } from "../extension.js";
import { parseInteger } from "../values/number.js";

const names: Readonly<Record<string, number>> = { mss: 2, wscale: 3, "sack-permitted": 4, sack: 5, timestamp: 8, md5: 19 };

const tcpOptions: ValueParser<readonly number[]> = (text) => {
  const found = new Set<number>();
  for (const word of text.split(",")) {
    const option = Object.hasOwn(names, word) ? names[word]! : Number(parseInteger(word) ?? -1n);
    if (option < 2 || option > 255) return new Invalid(`"${word}" is not a TCP option that can be stripped`);
    found.add(option);
  }
  return [...found].sort((a, b) => a - b);
};

export const tcpoptstripTarget = defineTarget({
  name: "TCPOPTSTRIP",
  tables: ["mangle"],
  options: {
    "strip-options": { value: tcpOptions },
  },
  check: (_options, { protocol }) => (protocol === 6 ? undefined : new Invalid("needs -p tcp")),
  facts: {
    way: "continue",
    effects: [{ kind: "other", of: "outside", text: "TCP options" }],
    played: true,
    words: { does: "strips TCP options from", done: "stripped of TCP options" },
  },
  translate(options) {
    const strip = options["strip-options"];
    if (!strip) return { statements: [] };
    return {
      statements: strip.value.map((option) => keywordStatement("reset", "tcp", "option", String(option))),
      approximations: [
        {
          message: "nft strips the first option of a kind only, and drops a packet whose option runs over the end of its header",
          at: strip,
        },
      ],
    };
  },
});
