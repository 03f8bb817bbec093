/** Fragments behind the first, which have no transport header. */

import type { Family } from "../../iptables/ast.js";
import { binary, compare, hex, number, payload, type Statement } from "../../nft/ast.js";

/**
 * Holds for whole packets and first fragments only: put in front of what a match that reads the transport header becomes. iptables'
 * matches never hold for other fragments; nft's `tcp dport` and the like read whatever bytes stand where the header would be, since the
 * kernel checks for fragments only on the slow path of nft_payload.c (measured on Linux 6.18). A load of three bytes takes that path.
 *
 * `mh` needs no help: nft finds that header by its number, and finds none in such a fragment. (Nor could it have it: nft 1.0.6 aborts
 * when it lists an odd load behind `meta l4proto 135`.)
 */
export function firstFragmentOnly(family: Family): Statement {
  return family === "ipv4"
    ? compare(binary(payload("ip", "frag-off"), "&", hex(0x1fff)), "==", number(0))
    : compare({ kind: "raw-payload", base: "th", offset: 0, length: 24 }, ">=", number(0));
}
