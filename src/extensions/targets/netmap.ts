/**
 * `-j NETMAP`: another network, the host part kept. Maps the destination in PREROUTING and OUTPUT, else the source.
 *
 *     -d 198.51.100.0/24 -j NETMAP --to 192.0.2.0/24
 *       →   ip daddr 198.51.100.0/24 dnat prefix to ip daddr map { 0.0.0.0/0 : 192.0.2.0/24 }
 *
 * The map is there for nft 1.0.6, which reads a bare IPv6 prefix as no address.
 * man iptables-extensions, section "NETMAP".
 */

import type { AddressMask, Family } from "../../iptables/ast.js";
import { payload, type AddressLiteral } from "../../nft/ast.js";
import { defineTarget, Invalid, type ValueParser } from "../extension.js";
import { addressBits, formatAddress, parseAddress, prefixLength, prefixMask } from "../values/address.js";
import { parseInteger } from "../values/number.js";

/** A length that is none, and an IPv4 mask with holes, count as the whole address, as for iptables. */
function networkMask(text: string | undefined, family: Family): bigint | undefined {
  const bits = addressBits[family];
  if (text === undefined) return prefixMask(bits, family);
  const length = parseInteger(text);
  if (length !== undefined) return prefixMask(length > BigInt(bits) ? bits : Number(length), family);
  const mask = parseAddress(text, family);
  if (mask === undefined) return undefined;
  return prefixLength(mask, family) === undefined ? prefixMask(bits, family) : mask;
}

const network: ValueParser<AddressMask> = (text, { family }) => {
  const [addressText = "", maskText, ...more] = text.split("/");
  const address = parseAddress(addressText, family);
  const mask = networkMask(maskText, family);
  if (more.length > 0 || address === undefined || mask === undefined) return new Invalid(`"${text}" is not a network`);
  return { family, address: address & mask, mask };
};

const destinationHooks = ["prerouting", "output"] as const;
const sourceHooks = ["input", "postrouting"] as const;

export const netmapTarget = defineTarget({
  name: "NETMAP",
  tables: ["nat"],
  hooks: ["prerouting", "input", "output", "postrouting"],
  options: {
    to: { value: network, required: true },
  },
  facts: {
    way: "accept",
    effects: (options) => [{ kind: "translate", side: "either", text: `network ${options.to?.text ?? ""}`, toMachine: false }],
    played: true,
    dependsOnHook: true,
    words: { does: "maps to another network", done: "mapped to another network" },
  },
  translate(options, { family, hooks }) {
    const to = options.to?.value;
    const mapsDestination = destinationHooks.some((hook) => hooks.has(hook));
    if (!to || (mapsDestination && sourceHooks.some((hook) => hooks.has(hook)))) {
      return {
        untranslatable: "the rule maps the source for some packets and the destination for others, by the hook they come from",
        help: "give each of the built-in chains a chain of its own",
      };
    }
    const everything: AddressLiteral = { kind: "address", address: formatAddress(0n, family), prefixLength: 0 };
    const target: AddressLiteral = {
      kind: "address",
      address: formatAddress(to.address, family),
      prefixLength: prefixLength(to.mask, family) ?? addressBits[family],
    };
    const key = payload(family === "ipv4" ? "ip" : "ip6", mapsDestination ? "daddr" : "saddr");
    return {
      statements: [
        {
          kind: "nat",
          type: mapsDestination ? "dnat" : "snat",
          prefix: true,
          address: { kind: "map", key, entries: [[everything, target]] },
        },
      ],
    };
  },
});
