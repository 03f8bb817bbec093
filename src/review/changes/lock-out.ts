/** Whether a change shuts out what nobody means to shut out: known connections, SSH, or everything. */

import { tracksConnections } from "../../rewrite/tracking.js";
import type { Span } from "../../diagnostic.js";
import type { Family, IptablesRuleset } from "../../iptables/ast.js";
import type { Remark } from "../findings.js";
import { flow } from "../flow/flow.js";
import { paths, Side } from "../flow/side.js";
import { arriving } from "../flow/state.js";
import { stateBits, type Box } from "../packets/box.js";
import { Effort, TooManyPieces } from "../packets/paths.js";

const tcp = 6n;
const fromOutside: Box = { inInterface: { pattern: "+", without: ["lo"] } };

const kinds: readonly { readonly what: string; readonly packets: Box }[] = [
  { what: "everything that comes to this machine", packets: fromOutside },
  {
    what: "the packets of connections that are known, so that no connection of this machine works",
    packets: { ...fromOutside, protocol: [[tcp, tcp]], state: stateBits(["established"]) },
  },
  {
    what: "new connections to SSH (port 22)",
    packets: { ...fromOutside, protocol: [[tcp, tcp]], destinationPort: [[22n, 22n]], state: stateBits(["new"]), flags: 1n << 2n },
  },
];

/** Of the first kind that some packets of came in before, and none of does now. */
export function lockOuts(family: Family, old: IptablesRuleset | undefined, current: IptablesRuleset | undefined, span: Span): Remark[] {
  for (const { what, packets } of kinds) {
    const [before, after] = [old, current].map((ruleset) => letsIn(ruleset, packets, family));
    if (before !== true || after !== false) continue;
    return [
      {
        code: "change-locks-out",
        severity: "warning",
        span,
        message: `no longer lets in ${what}${family === "ipv6" ? " (IPv6)" : ""}`,
        help: "whoever changes this from afar loses the machine: keep a second way in until it is tried",
      },
    ];
  }
  return [];
}

/** Comparisons: about a tenth of a second. */
const effort = 200_000;

/** Whether any of the packets gets in; undefined where that is too much to work out. */
function letsIn(ruleset: IptablesRuleset | undefined, packets: Box, family: Family): boolean | undefined {
  try {
    const side = new Side("new", family, ruleset, new Map(), ruleset !== undefined && tracksConnections(ruleset));
    return flow(side, paths.INPUT, { box: packets, state: arriving }, { drifts: new Map(), effort: new Effort(effort) }).some(
      ({ fate }) => fate !== "drop",
    );
  } catch (error) {
    if (error instanceof TooManyPieces) return undefined;
    throw error;
  }
}
