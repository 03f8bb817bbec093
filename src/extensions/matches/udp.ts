/**
 * `-m udp`: ports of UDP.
 *
 *     -p udp -m udp --sport 1024:65535 --dport 53   →   udp sport 1024-65535 udp dport 53
 *
 * man iptables-extensions, section "udp".
 */

import { defineMatch } from "../extension.js";
import { portFieldTests } from "../facts.js";
import { comparedPorts, portRange, portTests } from "../values/port.js";
import { allOf } from "../values/range.js";

export const udp = defineMatch({
  name: "udp",
  protocols: [17],
  options: {
    "source-port": { aliases: ["sport"], value: portRange, invertible: true },
    "destination-port": { aliases: ["dport"], value: portRange, invertible: true },
  },
  compared: comparedPorts,
  facts: {
    reads: ["transport"],
    condition: portFieldTests,
    played: true,
  },
  translate({ "source-port": source, "destination-port": destination }) {
    const statements = allOf(portTests("udp", source, destination));
    return Array.isArray(statements) ? { statements } : statements;
  },
});
