/**
 * `-m connlimit`: how many connections a host or network has at once.
 *
 *     --connlimit-above 3 --connlimit-mask 24 --connlimit-saddr   →   update @connlimit { ip saddr & 255.255.255.0 ct count over 3 }
 *
 * Every rule counts for itself, so every rule has a set of its own. The set has no timeout: an element goes when its last
 * connection does. Where the set is full the statement does not match.
 *
 * man iptables-extensions, section "connlimit".
 */

import { payload, updateSet } from "../../nft/ast.js";
import { declaredSize } from "../../nft/set-size.js";
import { defineMatch, Invalid, type OptionUses, type ValueParser } from "../extension.js";
import { addressBits, maskedField, prefixMask } from "../values/address.js";
import { integer } from "../values/number.js";

const connections = integer(0, 0xffffffff);

const prefix: ValueParser<number> = (text, context) => integer(0, addressBits[context.family])(text, context);

const options = {
  "connlimit-upto": { value: connections, invertible: true, excludes: ["connlimit-above"] },
  "connlimit-above": { value: connections, invertible: true, excludes: ["connlimit-upto"] },
  "connlimit-mask": { value: prefix },
  "connlimit-saddr": { excludes: ["connlimit-daddr"] },
  "connlimit-daddr": { excludes: ["connlimit-saddr"] },
} as const;

/** Whether more connections than the number match, and not fewer. */
function isAbove(uses: OptionUses<typeof options>): boolean {
  const limit = uses["connlimit-above"] ?? uses["connlimit-upto"];
  return (uses["connlimit-above"] !== undefined) !== (limit?.inverted ?? false);
}

export const connlimit = defineMatch({
  name: "connlimit",
  options,
  check(uses: OptionUses<typeof options>) {
    return (uses["connlimit-upto"] ?? uses["connlimit-above"]) ? undefined : new Invalid("needs --connlimit-upto or --connlimit-above");
  },
  compared: ({ "connlimit-upto": upto, "connlimit-above": above, ...others }) => ({
    ...others,
    most: (above ?? upto)?.value,
    over: (above !== undefined) !== ((above ?? upto)?.inverted ?? false),
  }),
  facts: {
    reads: [{ memory: "connections" }, "addresses", "tracking"],
    condition: [],
    played: true,
    growsWithUse: isAbove,
    // The same hosts counted: more than 20 are more than 10.
    implies: (first, second) => {
      const sameHosts = (["connlimit-mask", "connlimit-saddr", "connlimit-daddr"] as const).every(
        (name) => first[name]?.text === second[name]?.text,
      );
      const [a, b] = [first, second].map((uses) => {
        const use = uses["connlimit-above"] ?? uses["connlimit-upto"];
        return { most: use?.value ?? 0, above: isAbove(uses) };
      });
      return sameHosts && a!.above === b!.above && (a!.above ? a!.most >= b!.most : a!.most <= b!.most);
    },
    words: (uses) => {
      const limit = uses["connlimit-above"] ?? uses["connlimit-upto"];
      if (!limit) return undefined;
      const mask = uses["connlimit-mask"];
      const hosts = `${uses["connlimit-daddr"] ? "to the destination" : "from the source"}${mask ? ` (/${mask.text})` : ""}`;
      return `${uses["connlimit-above"] ? "more than" : "at most"} ${limit.value} connections ${hosts} are open`;
    },
  },
  translate(uses, context) {
    const limit = uses["connlimit-above"] ?? uses["connlimit-upto"];
    if (!limit) return { never: "no number of connections is given" };
    const over = isAbove(uses);
    const { family } = context;
    const field = payload(family === "ipv4" ? "ip" : "ip6", uses["connlimit-daddr"] ? "daddr" : "saddr");
    const mask = prefixMask(uses["connlimit-mask"]?.value ?? addressBits[family], family);
    // The name tells the limit, which is kept in the elements: under --keep-sets the next script must not meet those of another.
    const set = context.declare.set(`connlimit_${over ? "above" : "upto"}_${limit.value}`, {
      type: [family === "ipv4" ? "ipv4_addr" : "ipv6_addr"],
      flags: ["dynamic"],
      ...declaredSize(context.setSize),
    });
    return { statements: [updateSet(set, maskedField(field, { mask, family }), [{ kind: "ct-count", over, count: limit.value }])] };
  },
});
