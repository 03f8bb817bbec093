/**
 * `-j CLUSTERIP`: one address shared by several nodes. Not translated; the kernel has it no more (measured on 6.18).
 *
 * man iptables-extensions, section "CLUSTERIP".
 */

import { defineTarget } from "../extension.js";
import { integer } from "../values/number.js";
import { text } from "../values/text.js";

const word = text(1023);

export const clusteripTarget = defineTarget({
  name: "CLUSTERIP",
  family: "ipv4",
  hooks: ["input"],
  options: {
    new: {},
    hashmode: { value: word },
    clustermac: { value: word },
    "total-nodes": { value: integer(1, 16) },
    "local-node": { value: integer(1, 16) },
    "hash-init": { value: integer(0, 0xffffffff) },
  },
  facts: {
    way: "continue",
    effects: [{ kind: "other", of: "tracking", text: "cluster address" }],
    played: true,
    words: { does: "shares among the nodes of a cluster", done: "shared among the nodes of a cluster" },
  },
  translate: () => ({
    untranslatable: "it is gone from the kernel, and nft never had it",
    help: "share the address with keepalived",
  }),
});
