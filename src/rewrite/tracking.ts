/** Whether a ruleset makes the kernel track connections, and so put fragments together before any chain sees them. */

import { tracksConnections as ruleTracks } from "../extensions/described.js";
import type { IptablesRuleset } from "../iptables/ast.js";

/** Whether any rule makes the kernel track connections. */
export function tracksConnections({ family, tables }: IptablesRuleset): boolean {
  return tables.some(({ chains }) => chains.some(({ rules }) => rules.some((rule) => ruleTracks(rule, family))));
}
