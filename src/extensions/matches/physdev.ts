/**
 * `-m physdev`: the bridge port of a bridged packet. In nft only chains of the bridge family see ports.
 *
 * man iptables-extensions, section "physdev".
 */

import { defineMatch, Invalid, type OptionUses, type ValueParser } from "../extension.js";
import { text } from "../values/text.js";

const interfaceName: ValueParser<string> = (value, context) =>
  value === "" ? new Invalid("the interface name is empty") : text(15)(value, context);

const options = {
  "physdev-in": { value: interfaceName, invertible: true },
  "physdev-out": { value: interfaceName, invertible: true },
  "physdev-is-in": { invertible: true },
  "physdev-is-out": { invertible: true },
  "physdev-is-bridged": { invertible: true },
} as const;

export const physdev = defineMatch({
  name: "physdev",
  options,
  check(uses: OptionUses<typeof options>) {
    return Object.values(uses).some((use) => use !== undefined) ? undefined : new Invalid("needs an option");
  },
  facts: {
    reads: ["interfaces", "outside"],
    condition: [],
    played: true,
  },
  translate() {
    return {
      untranslatable: "nft sees the port of a bridge only in tables of the bridge family",
      help:
        "put the rule into a table of family bridge, with iifname or oifname for the port; without br_netfilter no packet has a " +
        "port here",
    };
  },
});
