/**
 * `-j SECMARK`: a security label for the packet. Not translated: its text means something only to the loading machine's policy.
 *
 * man iptables-extensions, section "SECMARK".
 */

import { defineTarget } from "../extension.js";
import { text } from "../values/text.js";

export const secmarkTarget = defineTarget({
  name: "SECMARK",
  tables: ["mangle", "security"],
  options: {
    selctx: { value: text(255), required: true },
  },
  facts: {
    way: "continue",
    effects: (options) => [{ kind: "other", of: "secmark", text: options.selctx?.value ?? "" }],
    played: true,
    words: { does: "gives a security mark to", done: "given a security mark" },
  },
  translate: () => ({
    untranslatable: "nft refuses the whole script where the security policy does not know the context",
    help: "declare a secmark object in an nft table of your own",
  }),
});
