/**
 * `-m rpfilter`: would an answer leave by the interface the packet came in by.
 *
 *     -6: -m rpfilter             →   fib saddr . iif oif exists
 *     -6: -m rpfilter --invert    →   fib saddr . iif oif missing
 *     -6: -m rpfilter --loose --validmark   →   fib saddr . mark oif exists
 *
 * In IPv4 a network's broadcast address as a source fails, although `fib` finds an interface for it (measured on 6.18).
 *
 * The source `::` always passes in iptables; nft finds no route to it unless the packet is neighbour discovery.
 *
 * man iptables-extensions, section "rpfilter".
 */

import { exists, match, oneOf, payload, symbol, type Expression, type FibLookup, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid } from "../extension.js";
import { addressLiteral } from "../values/address.js";
import { outsideHooks } from "../values/hooks.js";

const sourceType: FibLookup = { kind: "fib", flags: ["saddr"], result: "type" };

/** Broadcast addresses to `fib`'s type, whatever the routes say; DHCP clients send from the first. */
const neverNetworks: Expression = oneOf([
  { kind: "address", address: "0.0.0.0", prefixLength: 8 },
  { kind: "address", address: "255.255.255.255" },
]);

export const rpfilter = defineMatch({
  name: "rpfilter",
  options: { loose: {}, validmark: {}, "accept-local": {}, invert: {} },
  check(_uses, { table }) {
    return table === "raw" || table === "mangle" ? undefined : new Invalid("stands only in PREROUTING of raw and mangle");
  },
  facts: {
    reads: ["addresses", "routing"],
    condition: [],
    played: true,
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

    if (context.family === "ipv4") {
      const noRoute = [exists(route, false), ...(acceptLocal ? [match(type, symbol("local"), true)] : [])];
      const local = [exists(route, false), match(type, symbol("local"))];
      if (invert)
        return {
          alternatives: [
            noRoute,
            [exists(route), match(payload("ip", "saddr"), neverNetworks, true), match(sourceType, symbol("broadcast"))],
          ],
        };
      return {
        alternatives: [
          [exists(route), match(payload("ip", "saddr"), neverNetworks)],
          [exists(route), match(payload("ip", "saddr"), neverNetworks, true), match(sourceType, symbol("broadcast"), true)],
          ...(acceptLocal ? [local] : []),
        ],
      };
    }
    if (invert) {
      const statements: Statement[] = [match(source, unspecified, true), exists(route, false)];
      if (acceptLocal) statements.push(match(type, symbol("local"), true));
      return { statements };
    }
    const alternatives: Statement[][] = [[exists(route)]];
    if (acceptLocal) alternatives.push([exists(route, false), match(type, symbol("local"))]);
    for (const alternative of alternatives) alternative.unshift(match(source, unspecified, true));
    alternatives.push([match(source, unspecified)]);
    return { alternatives };
  },
});
