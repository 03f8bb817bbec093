/**
 * `-m mac`: the source address of an Ethernet frame. Packets from other kinds of interface never match, inverted or not.
 *
 *     -m mac --mac-source 00:00:5E:00:53:01   →   ether saddr 00:00:5e:00:53:01
 *
 * man iptables-extensions, section "mac".
 */

import { match, payload } from "../../nft/ast.js";
import { defineMatch, Invalid } from "../extension.js";
import { wordTests } from "../facts.js";
import { ethernetAddress, uniform } from "../values/uniform.js";

const hardwareAddress = uniform<string>((text) => {
  const bytes = text.split(":");
  return bytes.length === 6 && bytes.every((byte) => /^[0-9a-fA-F]{1,2}$/.test(byte))
    ? bytes.map((byte) => byte.toLowerCase().padStart(2, "0")).join(":")
    : new Invalid(`"${text}" is not an Ethernet address`);
}, ethernetAddress);

export const mac = defineMatch({
  name: "mac",
  options: { "mac-source": { value: hardwareAddress, invertible: true, required: true } },
  check(_options, { chain }) {
    return chain === "OUTPUT" || chain === "POSTROUTING" ? new Invalid(`is not allowed in ${chain}`) : undefined;
  },
  facts: {
    reads: ["packet"],
    condition: ({ "mac-source": source }) => wordTests("hardwareSource", source, source ? [source.value] : []),
    played: true,
    words: ({ "mac-source": source }) => source && `its hardware address is ${source.text}`,
  },
  translate({ "mac-source": source }) {
    if (!source) return { statements: [] };
    return { statements: [match(payload("ether", "saddr"), { kind: "address", address: source.value }, source.inverted)] };
  },
});
