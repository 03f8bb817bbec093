/**
 * `-j CHECKSUM`: fills in a checksum that was left to the hardware. Not translated.
 *
 *     -o virbr0 -p udp --dport 68 -j CHECKSUM --checksum-fill   →   a comment
 *
 * man iptables-extensions, section "CHECKSUM".
 */

import { defineTarget } from "../extension.js";

export const checksumTarget = defineTarget({
  name: "CHECKSUM",
  tables: ["mangle"],
  options: {
    "checksum-fill": { required: true },
  },
  facts: {
    way: "continue",
    effects: [{ kind: "other", of: "outside", text: "checksum" }],
    played: true,
    words: { does: "completes the checksum of", done: "given a checksum" },
  },
  translate: () => ({
    untranslatable: "nft cannot fill in a checksum; no packet is decided differently",
    help:
      "only programs that verify checksums of packets which never met a network card need it (old DHCP clients in guests); " +
      "switching transmit checksum offload off with ethtool serves them too",
  }),
});
