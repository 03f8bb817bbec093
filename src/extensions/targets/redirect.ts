/**
 * `-j REDIRECT`: to this machine.
 *
 *     -p tcp --dport 80 -j REDIRECT --to-ports 8080   →   tcp dport 80 redirect to :8080
 *
 * man iptables-extensions, section "REDIRECT".
 */

import { defineTarget } from "../extension.js";
import { checkPorts, natFlags, natTranslation, redirectPorts } from "./nat-range.js";

export const redirectTarget = defineTarget({
  name: "REDIRECT",
  tables: ["nat"],
  hooks: ["prerouting", "output"],
  options: {
    "to-ports": { value: redirectPorts },
    random: {},
  },
  check: (options, context) => checkPorts(options["to-ports"], context),
  facts: {
    way: "accept",
    effects: (options) => [
      { kind: "translate", side: "destination", ...options["to-ports"]?.value, toMachine: true, portByLot: options.random !== undefined },
    ],
    played: true,
    words: { does: "redirects to this machine", done: "redirected to this machine" },
  },
  translate: (options, context) => natTranslation("redirect", options["to-ports"], natFlags(options), context),
});
