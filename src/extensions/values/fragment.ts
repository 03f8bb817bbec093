/** Fragments behind the first, which have no transport header. */

import type { Family } from "../../iptables/ast.js";
import { binary, compare, hex, number, payload, type Statement } from "../../nft/ast.js";

/**
 * Matches of iptables that never hold for such fragments. On nft's side `tcp dport` and the like read whatever bytes stand
 * where the header would be: the kernel checks for fragments only on the slow path of nft_payload.c (measured on Linux 6.18).
 * No difference where connection tracking is in use, since it puts fragments together before any chain sees them.
 *
 * `mh` needs no help: nft finds that header by its number, and finds none in such a fragment. (Nor could it have it: nft 1.0.6
 * aborts when it lists an odd load behind `meta l4proto 135`.)
 */
export const matchesOfFirstFragments: ReadonlySet<string> = new Set([
  "tcp",
  "udp",
  "icmp",
  "icmp6",
  "multiport",
  "sctp",
  "dccp",
  "ah",
  "esp",
  "ipcomp",
]);

/** Holds for whole packets and first fragments only. A load of three bytes takes the slow path. */
export function firstFragmentOnly(family: Family): Statement {
  return family === "ipv4"
    ? compare(binary(payload("ip", "frag-off"), "&", hex(0x1fff)), "==", number(0))
    : compare({ kind: "raw-payload", base: "th", offset: 0, length: 24 }, ">=", number(0));
}
