/** The tables of iptables and the chains they are born with. */

import type { TableName } from "./ast.js";

/** In hook order. The nat table of IPv4 and of IPv6 alike has INPUT (kernel 2.6.36 and later). */
export const builtInChains: Readonly<Record<TableName, readonly string[]>> = {
  raw: ["PREROUTING", "OUTPUT"],
  mangle: ["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"],
  nat: ["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"],
  filter: ["INPUT", "FORWARD", "OUTPUT"],
  security: ["INPUT", "FORWARD", "OUTPUT"],
};

export function isTableName(name: string): name is TableName {
  return Object.hasOwn(builtInChains, name);
}

/** Names that `-j` never takes for a chain, so that no chain can have them. */
export const verdictNames: ReadonlySet<string> = new Set(["ACCEPT", "DROP", "QUEUE", "RETURN"]);

/** Bytes of a chain's name: XT_EXTENSION_MAXNAMELEN of the kernel's x_tables.h, less the closing zero. */
export const longestChainName = 28;

/** Bytes of an interface's name: IFNAMSIZ of the kernel's if.h, less the closing zero. */
export const longestInterfaceName = 15;

/**
 * The matches that `-p` alone makes iptables load when it meets an option of theirs: those named like the protocol, in its
 * database or in libxtables (proto_to_name).
 */
export const protocolMatches: ReadonlyMap<number, string> = new Map([
  [1, "icmp"],
  [6, "tcp"],
  [17, "udp"],
  [33, "dccp"],
  [50, "esp"],
  [51, "ah"],
  [58, "icmp6"],
  [108, "ipcomp"],
  [132, "sctp"],
  [135, "mh"],
  [136, "udplite"],
]);

const encoder = new TextEncoder();

/** Bytes of a text in UTF-8. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}
