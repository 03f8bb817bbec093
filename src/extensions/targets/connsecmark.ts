/**
 * `-j CONNSECMARK`: copies a security label between packet and connection. Not translated.
 *
 * man iptables-extensions, section "CONNSECMARK".
 */

import { defineTarget, Invalid } from "../extension.js";

export const connsecmarkTarget = defineTarget({
  name: "CONNSECMARK",
  tables: ["mangle", "security"],
  options: {
    save: { excludes: ["restore"] },
    restore: { excludes: ["save"] },
  },
  check: (options) => (options.save || options.restore ? undefined : new Invalid("one of --save and --restore is needed")),
  facts: {
    way: "continue",
    effects: [
      { kind: "other", of: "tracking", text: "security mark of the connection" },
      { kind: "other", of: "secmark", text: "security mark of the connection" },
    ],
    played: true,
    words: { does: "copies the security mark of", done: "given a security mark" },
  },
  translate(options) {
    return {
      untranslatable: "it copies a label only where there is none yet, and nft cannot ask for that",
      help: `where that does not matter, add by hand: ${options.save ? "ct secmark set meta secmark" : "meta secmark set ct secmark"}`,
    };
  },
});
