/** Whether a ruleset makes the kernel track connections, and so put fragments together before any chain sees them. */

import type { IptablesRuleset } from "../iptables/ast.js";

const trackingMatches = new Set(["conntrack", "state", "connmark", "connbytes", "connlabel", "connlimit", "helper", "cluster", "socket"]);
const trackingTargets = new Set([
  "CT",
  "NOTRACK",
  "CONNMARK",
  "CONNSECMARK",
  "SNAT",
  "DNAT",
  "MASQUERADE",
  "REDIRECT",
  "NETMAP",
  "SYNPROXY",
  "TPROXY",
  "CLUSTERIP",
]);

/** Whether any rule makes the kernel track connections. */
export function tracksConnections(ruleset: IptablesRuleset): boolean {
  return ruleset.tables.some((table) =>
    table.chains.some((chain) =>
      chain.rules.some(
        ({ matches, target }) =>
          matches.some(({ extension }) => trackingMatches.has(extension)) ||
          (target?.kind === "extension" && trackingTargets.has(target.extension)),
      ),
    ),
  );
}
