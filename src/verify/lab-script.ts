/** The shell script that sets up the laboratory, loads both firewalls and writes down what happened. */

import type { Family } from "../iptables/ast.js";
import { families as bothFamilies } from "../iptables/family.js";
import { hardwareAddress, senderAddress, type Interface } from "./frame.js";
import { readyLine } from "./namespace.js";
import { listCommands } from "./observer.js";

/** The two firewalls. */
export const sides = ["iptables", "nft"] as const;
export type Side = (typeof sides)[number];

/** Which iptables loads the dumps: the one with tables of its own in the kernel, or the one that writes nft's. */
export type IptablesVariant = "legacy" | "nft";

/** What iptables loads on a side. */
export interface SideSetup {
  /** Families with a dump, in the files `dump.SIDE.ipv4` and `dump.SIDE.ipv6`. */
  readonly families: readonly Family[];
  /** What `ipset save` printed, `sets.SIDE`, is restored before. */
  readonly hasSets: boolean;
}

export interface LabSetup {
  readonly interfaces: readonly Interface[];
  readonly loaded: Readonly<Record<Side, SideSetup>>;
  /** The script, `script.nft`, is loaded on nft's side, and no dumps. */
  readonly hasScript: boolean;
  /** What `prepare.sh` does is done. */
  readonly prepares: boolean;
  /** What `hosts.sh` does is done on the side of iptables, behind its rules. */
  readonly hasHosts: boolean;
  readonly variant: IptablesVariant;
  /** Packets come from outside. */
  readonly hasWire: boolean;
  /** The words of the command that sends the firewall's own packets; none if there are no such packets. */
  readonly ownSender: readonly string[] | undefined;
  /** The root directory of another nft, which does all in the namespace of that name: two versions in one spoil it for each other. */
  readonly nftRoot: string | undefined;
}

/** The command that loads a family's dump. */
export function restoreCommand(family: Family, variant: IptablesVariant): string {
  return `${family === "ipv4" ? "iptables" : "ip6tables"}-${variant}-restore`;
}

/** The pipe from which the program of a side reads which packets to send. */
export const ordersOf = (side: Side): string => `own.${side}`;

/** Without these the kernel answers only some rejected packets, or drops some before any rule sees them. */
const namespaceSettings = [
  "net.ipv4.ip_forward=1",
  "net.ipv6.conf.all.forwarding=1",
  "net.ipv4.conf.all.rp_filter=0",
  "net.ipv4.conf.default.rp_filter=0",
  "net.ipv4.conf.all.send_redirects=0",
  "net.ipv4.conf.default.send_redirects=0",
  "net.ipv4.icmp_ratelimit=0",
  "net.ipv4.icmp_ratemask=0",
  "net.ipv6.icmp.ratelimit=0",
  "net.ipv6.conf.all.accept_dad=0",
  "net.ipv6.conf.default.accept_dad=0",
  "net.ipv6.conf.default.router_solicitations=0",
  "net.ipv6.conf.default.autoconf=0",
  "net.ipv6.conf.default.accept_ra=0",
];

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

export function labScript({ interfaces, loaded, hasScript, prepares, hasHosts, hasWire, variant, ownSender, nftRoot }: LabSetup): string {
  const restore = (side: Side): string[] => [
    ...(loaded[side].hasSets ? [`inside ${side} ipset restore <sets.${side}`] : []),
    ...loaded[side].families.map((family) => `inside ${side} ${restoreCommand(family, variant)} <dump.${side}.${family}`),
  ];
  const ports = sides.flatMap((side) =>
    interfaces.map(({ name, addresses }, index) => ({
      side,
      name,
      addresses,
      port: `${side}${index}`,
      hardware: hardwareAddress(index),
    })),
  );
  // An old nft reads standard input by the name of a device, which is not below the other root.
  const isOther = (side: Side): boolean => side === "nft" && nftRoot !== undefined;
  const nftIn = (side: Side): string => (isOther(side) ? "other_nft" : `inside ${side} nft`);
  const listings = [
    `inside iptables iptables-${variant}-save -c >after.dump`,
    `inside iptables ip6tables-${variant}-save -c >after.dump6`,
    `${nftIn("nft")} list ruleset >after.ruleset`,
  ];
  return `set -eE
trap 'echo "failed: $BASH_COMMAND" >&2' ERR
cd "$(dirname "$0")"
exec 5<&0 </dev/null
inside() { nsenter --net="/run/netns/$1" "\${@:2}"; }
${
  nftRoot === undefined
    ? ""
    : `mount --bind . ${quoted(`${nftRoot}/in`)}
other_nft() { nsenter --net=/run/netns/nft chroot ${quoted(nftRoot)} /usr/sbin/nft "$@"; }`
}

# The bridge and the sender, with no addresses of their own.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
# Snooping would join a group and report it to the namespaces.
ip link add bridge0 type bridge mcast_snooping 0
ip link add sender0 address ${senderAddress} type veth peer name sender1
ip link set sender1 master bridge0
bridge link set dev sender1 learning off
ip link set sender0 up; ip link set sender1 up; ip link set bridge0 up
# The copies that a bridge floods share one buffer, and IPv6 reassembly gives up on such; writing to each parts them.
nft 'add table bridge copies
add chain bridge copies flooded { type filter hook postrouting priority 0; }
add rule bridge copies flooded ether saddr set ether saddr'
${sides
  .map(
    (side) => `ip netns add ${side}
inside ${side} sysctl -qw ${namespaceSettings.join(" ")}
inside ${side} ip link set lo up`,
  )
  .join("\n")}
${ports
  .map(
    ({ side, name, addresses, port, hardware }) => `ip link add ${port} type veth peer name ${name} address ${hardware} netns ${side}
ip link set ${port} master bridge0
bridge link set dev ${port} learning off isolated on
ip link set ${port} up
# Without ARP every host behind the interface is there at once, and nothing but the replayed packets is on the wire.
inside ${side} ip link set ${name} arp off addrgenmode none up
${addresses.map((address) => `inside ${side} ip address add ${address} dev ${name}${address.includes(":") ? " nodad" : ""}`).join("\n")}`,
  )
  .join("\n")}
${sides
  .map(
    (side) => `inside ${side} ip route add default dev ${interfaces[0]!.name}
inside ${side} ip -6 route add default dev ${interfaces[0]!.name}
${prepares ? `inside ${side} bash -e prepare.sh` : ""}`,
  )
  .join("\n")}

# What the kernel reports of its own groups is no packet of a test, and a busy machine reports after the rules are loaded.
${sides
  .map(
    (side) =>
      `${nftIn(side)} 'add table ip6 lab_quiet; add chain ip6 lab_quiet output { type filter hook output priority -10000; }; ` +
      "add rule ip6 lab_quiet output icmpv6 type 143 drop'",
  )
  .join("\n")}
${restore("iptables").join("\n")}
${hasHosts ? "inside iptables bash -e hosts.sh" : ""}
${hasScript ? `${nftIn("nft")} -f ${nftRoot === undefined ? "- <script.nft" : "/in/script.nft"}` : restore("nft").join("\n")}
${sides.map((side) => `${nftIn(side)} -f ${isOther(side) ? "/in/" : ""}observer.nft`).join("\n")}
${
  ownSender === undefined
    ? ""
    : `
${sides
  .map(
    (side) => `mkfifo ${ordersOf(side)}
inside ${side} ${ownSender.map(quoted).join(" ")} <${ordersOf(side)} &
senders="$senders $!"`,
  )
  .join("\n")}`
}
echo ${readyLine}
${hasWire ? "tcpreplay --quiet --topspeed --intf1=sender0 -" : "cat >/dev/null"} <&5
sleep 0.05
${ownSender === undefined ? "" : "wait $senders"}

# The counters at one moment, since a socket may still repeat what nobody has answered.
${listings
  .map(
    (command) => `${command} &
listing="$listing $!"`,
  )
  .join("\n")}
for one in $listing; do wait $one; done
cat after.dump6 >>after.dump
${sides
  .flatMap((side) =>
    bothFamilies.map((family) => {
      const { sets, times } = listCommands(family);
      return `${nftIn(side)} ${sets} >${side}.${family}.json\n${nftIn(side)} ${times} >${side}.${family}.times`;
    }),
  )
  .join("\n")}
`;
}
