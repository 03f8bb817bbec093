/**
 * `-j MASQUERADE`: the outgoing interface's address as the connection's source.
 *
 *     -o eth0 -p tcp -j MASQUERADE --to-ports 1024-2047 --random
 *       →   oifname "eth0" meta l4proto tcp masquerade to :1024-2047 random
 *
 * man iptables-extensions, section "MASQUERADE".
 */

import { defineTarget } from "../extension.js";
import { checkPorts, natFlags, natPorts, natTranslation } from "./nat-range.js";

export const masqueradeTarget = defineTarget({
  name: "MASQUERADE",
  tables: ["nat"],
  hooks: ["postrouting"],
  options: {
    "to-ports": { value: natPorts },
    random: {},
    "random-fully": {},
  },
  check: (options, context) => checkPorts(options["to-ports"], context),
  facts: {
    way: "accept",
    effects: (options) => [
      {
        kind: "translate",
        side: "source",
        ...options["to-ports"]?.value,
        toMachine: true,
        portByLot: (options.random ?? options["random-fully"]) !== undefined,
      },
    ],
    played: true,
    words: { does: "hides behind this machine's address", done: "hidden behind this machine's address" },
  },
  translate: (options, context) => natTranslation("masquerade", options["to-ports"], natFlags(options), context),
});
