/**
 * `-m bpf`: a program of the Berkeley packet filter. nft runs none.
 *
 * man iptables-extensions, section "bpf".
 */

import { defineMatch, Invalid, type OptionUses } from "../extension.js";
import { text } from "../values/text.js";

const options = {
  bytecode: { value: text(65535), excludes: ["object-pinned"] },
  "object-pinned": { value: text(511), excludes: ["bytecode"] },
} as const;

export const bpf = defineMatch({
  name: "bpf",
  options,
  check(uses: OptionUses<typeof options>) {
    return (uses.bytecode ?? uses["object-pinned"]) ? undefined : new Invalid("needs --bytecode or --object-pinned");
  },
  facts: {
    reads: ["packet", "tos", "ttl", "mark"],
    condition: [],
    played: true,
  },
  translate({ bytecode, "object-pinned": pinned }) {
    return {
      untranslatable: "nft cannot run a BPF program",
      help: "write the program's condition in nft; raw bytes are read with @nh,offset,length and @th,offset,length in bits",
      at: bytecode ?? pinned,
    };
  },
});
