/** Names of nft tables. */

/**
 * Words that nft's scanner takes for something else where a table's name must stand. Measured: every word of `man nft`
 * and of libnftables as a name in `add table`, `delete table`, `flush table`, `add chain` and a table block under nft
 * 1.0.6; and, not measured, keywords of later versions (destroy, geneve, gre, gretap, last, tunnel, vxlan).
 */
const reserved = new Set(
  (
    "accept add ah all and arp bridge cgroup chain comment comp constant continue counter cpu create ct day dccp define " +
    "delete describe destroy device devices dnat drop dst dup dynamic ecn element elements eq esp ether exists expires " +
    "exthdr fib flags flow flowtable flush frag fwd geneve get goto gre gretap gt handle hbh hook hour ibriport ibrname " +
    "icmp icmpv6 igmp iif iifgroup iifname iiftype include index inet insert interval ip ip6 ipsec jhash jump last limit " +
    "list log lt map mark masquerade meta meter mh missing monitor ne netdev nftrace not notrack numgen obriport obrname " +
    "offload oif oifgroup oifname oiftype or osf pkttype policy position priority queue quota random redefine redirect " +
    "reject rename replace reset return rt rt0 rt2 rtclassid rule ruleset sctp secmark set size skgid skuid snat socket " +
    "srh symhash synproxy table tcp th time timeout tproxy tunnel type typeof udp udplite undefine update vlan vmap vxlan " +
    "xor xt"
  ).split(" "),
);

const longest = 64;

/** Why the name cannot be a table's; undefined if it can. */
export function tableNameFault(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return "a table name has letters, digits and _, and begins with no digit";
  if (name.length > longest) return `a table name has at most ${longest} characters`;
  if (reserved.has(name)) return "it is a word of the nft language";
  return undefined;
}
