/**
 * `-j DNAT`: another destination for the connection.
 *
 *     -p tcp --dport 80 -j DNAT --to-destination 192.0.2.1:8080   →   tcp dport 80 dnat to 192.0.2.1:8080
 *     -p tcp -j DNAT --to-destination :8080                       →   meta l4proto tcp dnat to :8080
 *
 * man iptables-extensions, section "DNAT".
 */

import { defineTarget } from "../extension.js";
import { checkPorts, natFlags, natRange, natTranslation } from "./nat-range.js";

export const dnatTarget = defineTarget({
  name: "DNAT",
  tables: ["nat"],
  hooks: ["prerouting", "output"],
  options: {
    "to-destination": { value: natRange, required: true },
    random: {},
    persistent: {},
  },
  check: (options, context) => checkPorts(options["to-destination"], context),
  facts: {
    way: "accept",
    effects: (options) => [
      {
        kind: "translate",
        side: "destination",
        ...options["to-destination"]?.value,
        toMachine: false,
        portByLot: options.random !== undefined,
      },
    ],
    played: true,
    words: { does: "gives a new destination to", done: "given a new destination" },
  },
  translate: (options, context) => natTranslation("dnat", options["to-destination"], natFlags(options), context),
});
