/**
 * `-j TEE`: a copy of the packet to another host of the local network. The rule goes on.
 *
 *     -j TEE --gateway 192.0.2.1   →   dup to 192.0.2.1
 *
 * man iptables-extensions, section "TEE".
 */

import { defineTarget, Invalid } from "../extension.js";
import { address, addressLiteral } from "../values/address.js";
import { text } from "../values/text.js";

export const teeTarget = defineTarget({
  name: "TEE",
  options: {
    gateway: { value: address, required: true },
    oif: { value: text(15) },
  },
  check: (options) => (options.gateway?.value === 0n ? new Invalid("--gateway must not be the zero address") : undefined),
  facts: {
    way: "continue",
    effects: [{ kind: "other", of: "outside", text: "copy" }],
    played: "its copies would be taken for packets",
    words: { does: "copies", done: "copied" },
  },
  translate(options, { family }) {
    if (options.oif) {
      return {
        untranslatable: "nft resolves the interface when it loads the script, and refuses the whole script where it is missing",
        at: options.oif,
        help: `where the interface always exists, add by hand: dup to … device "${options.oif.value.replace(/[^A-Za-z0-9_.-]/g, "?")}"`,
      };
    }
    return { statements: [{ kind: "dup", address: addressLiteral(options.gateway?.value ?? 0n, family) }] };
  },
});
