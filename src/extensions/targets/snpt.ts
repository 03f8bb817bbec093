/**
 * `-j SNPT`: stateless translation of the source's IPv6 prefix (RFC 6296). Not translated.
 *
 * man iptables-extensions, section "SNPT".
 */

import { defineTarget } from "../extension.js";
import { addressMask } from "../values/address.js";

export const snptTarget = defineTarget({
  name: "SNPT",
  family: "ipv6",
  tables: ["mangle"],
  hooks: ["input", "postrouting"],
  options: {
    "src-pfx": { value: addressMask, required: true },
    "dst-pfx": { value: addressMask, required: true },
  },
  facts: {
    way: "continue",
    effects: (options) => [
      { kind: "other", of: "addresses", text: `source ${options["src-pfx"]?.text ?? ""} to ${options["dst-pfx"]?.text ?? ""}` },
    ],
    played: true,
    words: { does: "maps the source network of", done: "mapped to another network" },
  },
  translate: () => ({
    untranslatable: "nft has no stateless prefix translation that keeps checksums",
    help: "map the prefix with connection tracking instead: -t nat … -j NETMAP",
  }),
});
