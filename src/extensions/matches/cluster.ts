/**
 * `-m cluster`: this node's share of the connections, by a hash of the original source.
 *
 *     --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 0xdeadbeef
 *       →   jhash ct original ip saddr mod 2 seed 0xdeadbeef 0 meta pkttype set host
 *
 * Both hash an IPv4 address with the kernel's jhash and scale it to the number of nodes. Of an IPv6 address iptables hashes
 * the first 32 bits only (measured), which nft cannot cut out of a connection's address.
 *
 * man iptables-extensions, section "cluster".
 */

import { assign, ct, match, meta, number, oneOf, symbol, type Statement } from "../../nft/ast.js";
import { defineMatch, Invalid, type OptionUses } from "../extension.js";
import { integer } from "../values/number.js";

const options = {
  "cluster-total-nodes": { value: integer(1, 32), required: true },
  "cluster-local-node": { value: integer(1, 32), invertible: true, excludes: ["cluster-local-nodemask"] },
  "cluster-local-nodemask": { value: integer(0, 0xffffffff), invertible: true, excludes: ["cluster-local-node"] },
  "cluster-hash-seed": { value: integer(0, 0xffffffff), required: true },
} as const;

export const cluster = defineMatch({
  name: "cluster",
  options,
  check(uses: OptionUses<typeof options>) {
    const node = uses["cluster-local-node"]?.value;
    if (node === undefined && !uses["cluster-local-nodemask"]) return new Invalid("needs --cluster-local-node or --cluster-local-nodemask");
    return node !== undefined && node > (uses["cluster-total-nodes"]?.value ?? 0)
      ? new Invalid("the local node is not one of the nodes")
      : undefined;
  },
  facts: {
    reads: ["tracking"],
    condition: [],
    played: true,
  },
  translate(uses, { family, hooks }) {
    if (family === "ipv6") {
      return {
        untranslatable: "iptables hashes the first 32 bits of an IPv6 source, and nft all 128: the nodes' shares would not fit together",
      };
    }
    const total = uses["cluster-total-nodes"]?.value ?? 1;
    const node = uses["cluster-local-node"];
    const mask = uses["cluster-local-nodemask"];
    const local = Array.from({ length: total }, (_, index) => index).filter((index) =>
      node ? index === node.value - 1 : (((mask?.value ?? 0) >>> index) & 1) === 1,
    );
    const inverted = (node ?? mask)?.inverted === true;
    const chosen = inverted ? Array.from({ length: total }, (_, index) => index).filter((index) => !local.includes(index)) : local;
    if (chosen.length === 0) return { never: "no node is left" };
    const isPrerouting = hooks.size === 1 && hooks.has("prerouting");
    const share: Statement = match(
      { kind: "jhash", key: ct("ip saddr", "original"), modulus: total, seed: uses["cluster-hash-seed"]?.value ?? 0 },
      oneOf(chosen.map((index) => number(index))),
    );
    // iptables makes link-layer multicast look as if it were sent to this host, so that the stack takes it.
    const toHost = assign(meta("pkttype"), symbol("host"));
    return {
      statements: isPrerouting ? [share, toHost] : [share],
      approximations: [
        {
          message:
            "a connection that belongs to another one (ftp data) is hashed by its own source, not by that of the connection it " +
            "belongs to; on machines of big-endian order the shares differ" +
            (isPrerouting ? "" : "; packets sent to a multicast hardware address keep their type"),
        },
      ],
    };
  },
});
