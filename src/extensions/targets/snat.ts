/**
 * `-j SNAT`: another source address for the connection.
 *
 *     -p tcp -j SNAT --to-source 192.0.2.1-192.0.2.9:1024-2047 --persistent
 *       →   meta l4proto tcp snat to 192.0.2.1-192.0.2.9:1024-2047 persistent
 *
 * man iptables-extensions, section "SNAT".
 */

import { defineTarget } from "../extension.js";
import { checkPorts, natFlags, natRange, natTranslation } from "./nat-range.js";

export const snatTarget = defineTarget({
  name: "SNAT",
  tables: ["nat"],
  hooks: ["input", "postrouting"],
  options: {
    "to-source": { value: natRange, required: true },
    random: {},
    "random-fully": {},
    persistent: {},
  },
  check: (options, context) => checkPorts(options["to-source"], context),
  facts: {
    way: "accept",
    effects: (options) => [
      {
        kind: "translate",
        side: "source",
        ...options["to-source"]?.value,
        toMachine: false,
        portByLot: (options.random ?? options["random-fully"]) !== undefined,
      },
    ],
    played: true,
    words: { does: "gives a new source address to", done: "given a new source address" },
  },
  translate: (options, context) => natTranslation("snat", options["to-source"], natFlags(options), context),
});
