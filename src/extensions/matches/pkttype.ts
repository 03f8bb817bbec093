/**
 * `-m pkttype`: to whom a frame was addressed on its link.
 *
 *     -m pkttype --pkt-type broadcast   →   meta pkttype broadcast
 *
 * man iptables-extensions, section "pkttype".
 */

import { match, meta, symbol } from "../../nft/ast.js";
import { defineMatch, Invalid, type ValueParser } from "../extension.js";
import { wordTests } from "../facts.js";

/** The words of iptables and of nft. */
const packetTypes: ReadonlyMap<string, string> = new Map([
  ["unicast", "host"],
  ["host", "host"],
  ["broadcast", "broadcast"],
  ["bcast", "broadcast"],
  ["multicast", "multicast"],
  ["mcast", "multicast"],
  ["otherhost", "other"],
]);

const packetType: ValueParser<string> = (text) => packetTypes.get(text.toLowerCase()) ?? new Invalid(`"${text}" is not a packet type`);

export const pkttype = defineMatch({
  name: "pkttype",
  options: { "pkt-type": { value: packetType, invertible: true, required: true } },
  facts: {
    reads: ["packet"],
    condition: ({ "pkt-type": type }) => wordTests("packetType", type, type ? [type.value] : []),
    played: true,
    words: ({ "pkt-type": type }) => type && `it came as ${type.text}`,
  },
  translate({ "pkt-type": type }) {
    return { statements: type ? [match(meta("pkttype"), symbol(type.value), type.inverted)] : [] };
  },
});
