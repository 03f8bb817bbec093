/**
 * Targets that no kernel of today has, or only one with a module from elsewhere (xtables-addons, ipt_NETFLOW, Android, old
 * patch-o-matic). Their options are not read.
 */

import { defineTarget, type TargetExtension } from "../extension.js";
import type { Way } from "../facts.js";

interface UnavailableTarget {
  readonly reason: string;
  readonly help: string;
  /** Where it sends the packet, as far as that is known; `elsewhere` unless told. */
  readonly way?: Way;
}

const addons = "it comes with xtables-addons";

const unavailable: Readonly<Record<string, UnavailableTarget>> = {
  ACCOUNT: {
    way: "continue",
    reason: `${addons}, and nft counts hosts in another way`,
    help: "count in a dynamic set: update @hosts { ip saddr counter }",
  },
  BALANCE: { way: "accept", reason: "it is gone from the kernel", help: "add by hand: dnat to numgen inc mod N map { … }" },
  CHAOS: { way: "drop", reason: `${addons}, and nft cannot choose its answers at random`, help: "drop the packet, or reject it" },
  COUNT: { way: "continue", reason: "it is no part of the kernel", help: "every rule of the script has a counter already" },
  DELUDE: {
    way: "drop",
    reason: `${addons}, and nft cannot pretend that a port is open`,
    help: "reject with a TCP reset: -j REJECT --reject-with tcp-reset",
  },
  DHCPMAC: { reason: `${addons}, and nft cannot rewrite DHCP`, help: "assign the addresses in the DHCP server" },
  DNETMAP: {
    way: "accept",
    reason: `${addons}, and nft cannot bind addresses of a pool as it does`,
    help: "use -j NETMAP, or a map in nft",
  },
  ECHO: { way: "drop", reason: `${addons}, and nft cannot send a packet's content back`, help: "run an echo service" },
  FLOWOFFLOAD: { reason: "it comes with OpenWrt", help: "declare a flowtable in an nft table of your own, and add: flow add @name" },
  FTOS: { way: "continue", reason: "it is gone from the kernel", help: "use -j TOS" },
  IMQ: { reason: "it is no part of the kernel", help: "use the ifb device of tc" },
  IPMARK: {
    way: "continue",
    reason: `${addons}, and a mark out of an address needs a map in nft`,
    help: "add by hand: meta mark set ip saddr map { … }",
  },
  IPV4OPTSSTRIP: { reason: "it is gone from the kernel", help: "drop packets with options: -m u32 or ip hdrlength > 5 in nft" },
  LOGMARK: { way: "continue", reason: `${addons}, and nft does not log marks`, help: "watch with nft monitor trace" },
  MIRROR: { way: "drop", reason: "it is gone from the kernel", help: "reject the packet" },
  NETFLOW: { way: "continue", reason: "it comes with ipt_NETFLOW", help: "export flows with softflowd, or ulogd and conntrack events" },
  PROTO: { reason: `${addons}, and nft cannot renumber the protocol`, help: "use a tunnel" },
  RAWDNAT: { reason: "it is gone from xtables-addons", help: "write the address by hand in table raw: ip daddr set …, with notrack" },
  RAWSNAT: { reason: "it is gone from xtables-addons", help: "write the address by hand: ip saddr set …, with notrack" },
  ROUTE: { reason: "it is gone from the kernel", help: "mark the packet and route by the mark" },
  SAME: { way: "accept", reason: "it is gone from the kernel", help: "use -j SNAT … --persistent" },
  STEAL: { way: "drop", reason: `${addons}`, help: "use -j DROP" },
  SYSRQ: { way: "drop", reason: `${addons}, and nft cannot press system request keys`, help: "let a daemon listen for it" },
  TARPIT: {
    way: "drop",
    reason: `${addons}, and nft cannot hold a connection without a socket`,
    help: "drop the packet (in table raw with NOTRACK before it), or run a tarpit daemon",
  },
  TCPLAG: { way: "continue", reason: "it is no part of the kernel", help: "measure with ss or tcptrace" },
  ULOG: { way: "continue", reason: "it is gone from the kernel", help: "use -j NFLOG" },
  XOR: { reason: "it is gone from the kernel", help: "use a tunnel" },
};

export const unavailableTargets: readonly TargetExtension[] = Object.entries(unavailable).map(
  ([name, { reason, help, way = "elsewhere" }]) =>
    defineTarget({
      name,
      unavailable: { reason, help },
      options: {},
      facts: {
        way,
        effects: [{ kind: "other", of: "outside", text: name }],
        played: "no kernel of today has the target",
        words: { does: `applies "${name}" to`, done: `given to ${name}` },
      },
      translate: () => ({ untranslatable: reason, help }),
    }),
);
