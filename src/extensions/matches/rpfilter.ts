/**
 * `-m rpfilter`: would an answer leave by the interface the packet came in by.
 *
 *     -m rpfilter             →   fib saddr . iif oif exists
 *     -m rpfilter --invert    →   fib saddr . iif oif missing
 *     -m rpfilter --loose --validmark   →   fib saddr . mark oif exists
 *
 * The source `::` always passes in iptables; nft finds no route to it unless the packet is neighbour discovery.
 *
 * man iptables-extensions, section "rpfilter".
 */

import { exists, match, payload, symbol, type FibLookup, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid } from "../extension.js";
import { addressLiteral } from "../values/address.js";
import { outsideHooks } from "../values/hooks.js";

export const rpfilter = defineMatch({
  name: "rpfilter",
  options: { loose: {}, validmark: {}, "accept-local": {}, invert: {} },
  check(_uses, { table }) {
    return table === "raw" || table === "mangle" ? undefined : new Invalid("stands only in PREROUTING of raw and mangle");
  },
  translate({ loose, validmark, "accept-local": acceptLocal, invert }, context) {
    const outside = outsideHooks(context, ["prerouting"], "fib");
    if (outside) return outside;
    const interfaces = loose ? [] : ["iif"];
    const route: FibLookup = { kind: "fib", flags: ["saddr", ...(validmark ? ["mark"] : []), ...interfaces], result: "oif" };
    // With --accept-local an IPv4 source has to be an address of the interface itself, an IPv6 source of any.
    const type: FibLookup = { kind: "fib", flags: ["saddr", ...(context.family === "ipv4" ? interfaces : [])], result: "type" };
    const source = payload("ip6", "saddr");
    const unspecified = addressLiteral(0n, "ipv6");

    if (invert) {
      const statements: Statement[] = context.family === "ipv6" ? [match(source, unspecified, true)] : [];
      statements.push(exists(route, false));
      if (acceptLocal) statements.push(match(type, symbol("local"), true));
      return { statements };
    }
    const alternatives: Statement[][] = [[exists(route)]];
    if (acceptLocal) alternatives.push([exists(route, false), match(type, symbol("local"))]);
    if (context.family === "ipv6") {
      for (const alternative of alternatives) alternative.unshift(match(source, unspecified, true));
      alternatives.push([match(source, unspecified)]);
    }
    return alternatives.length === 1 ? { statements: alternatives[0]! } : { alternatives };
  },
});
