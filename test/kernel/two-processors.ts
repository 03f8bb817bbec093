/** Packets of one host that come on two processors at the same moment, and how many of each host a script, or iptables, lets pass. */

import type { Family } from "../../src/iptables/ast.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";

export interface Race {
  /** What decides: a script for nft, or a dump for iptables. */
  readonly rules: { readonly script: string } | { readonly dump: string };
  readonly family: Family;
  readonly hosts: number;
  /** Packets of each host from either processor. */
  readonly packets: readonly [number, number];
}

/**
 * Sends the packets of all hosts, one host after the other, each at a moment that is the same for all processes: its arguments are the
 * number of the interface, the moment of the first in seconds, the seconds between two hosts, packets a host, 4 or 6, and hosts.
 * In Perl, which every Debian has: Node has no packet sockets, and two tcpreplay drift apart.
 */
const sender = String.raw`use strict;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
my ($interface, $start, $step, $packets, $version, $hosts) = @ARGV;
my $type = $version == 4 ? 0x0800 : 0x86dd;
socket(my $socket, 17, 3, 0) or die "socket: $!";
bind($socket, pack('S n l S C C a8', 17, $type, $interface, 0, 0, 6, '')) or die "bind: $!";
sub checksum {
  my $sum = 0;
  $sum += $_ for unpack('n*', $_[0]);
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum >> 16;
  return ~$sum & 0xffff;
}
my $ethernet = pack('H12 H12 n', '020000000001', '020000000002', $type);
my @frames = map {
  my $udp = pack('n n n n a4', 1000 + $_, 53, 12, 0, 'test');
  if ($version == 4) {
    my $ip = pack('C C n n n C C n C4 C4', 0x45, 0, 32, $_, 0, 64, 17, 0, 10, 0, $_ >> 8, $_ & 255, 192, 0, 2, 1);
    substr($ip, 10, 2) = pack('n', checksum($ip));
    $ethernet . $ip . $udp;
  } else {
    my $addresses = pack('H16 N N H32', '20010db800020000', 0, $_, '20010db8000000000000000000000001');
    substr($udp, 6, 2) = pack('n', checksum($addresses . pack('N N', 12, 17) . $udp) || 0xffff);
    $ethernet . pack('N n C C', 6 << 28, 12, 17, 64) . $addresses . $udp;
  }
} 1 .. $hosts;
for my $host (0 .. $hosts - 1) {
  1 while clock_gettime(CLOCK_MONOTONIC) < $start + $host * $step;
  send($socket, $frames[$host], 0) for 1 .. $packets;
}
`;

/** Seconds of a host's turn: some microseconds a packet. */
const turn = (packets: readonly number[]): number => 0.00015 + Math.max(...packets) * 0.00001;

/** How many packets of a host passed, and of how many hosts that is true. */
export async function passedPackets({ rules, family, hosts, packets }: Race): Promise<ReadonlyMap<number, number>> {
  const [version, address, type] = family === "ipv4" ? [4, "ip", "ipv4_addr"] : [6, "ip6", "ipv6_addr"];
  const observer = `table inet observer {
  set passed { type ${type}; flags dynamic; }
  chain input { type filter hook input priority 200; policy accept; udp dport 53 add @passed { ${address} saddr counter } drop; }
}
`;
  const [load, ruleset] =
    "script" in rules ? ["nft -f", rules.script] : [`${family === "ipv4" ? "iptables" : "ip6tables"}-legacy-restore`, rules.dump];
  return withFiles({ ruleset, "observer.nft": observer, "sender.pl": sender }, async (directory) => {
    const shell = `set -e
ip netns add n
inside() { ip netns exec n "$@"; }
ip link add s0 address 02:00:00:00:00:02 type veth peer name r0 address 02:00:00:00:00:01 netns n
sysctl -qw net.ipv6.conf.s0.disable_ipv6=1
inside sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.r0.rp_filter=0 net.ipv6.conf.r0.accept_dad=0
inside ip link set r0 arp off up; ip link set s0 up
inside ip address add 192.0.2.1/24 dev r0; inside ip route add default dev r0
inside ip address add 2001:db8::1/64 dev r0 nodad; inside ip -6 route add default dev r0
inside ${load} ${directory}/ruleset
inside nft -f ${directory}/observer.nft
interface=$(ip -o link show s0 | cut -d: -f1)
start=$(perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e 'print clock_gettime(CLOCK_MONOTONIC) + 0.3')
# In real time, so that both run at once on a busy machine; where that is not allowed, as they are.
urgent=; chrt -f 1 true 2>/dev/null && urgent="chrt -f 1"
packets=(${packets.join(" ")})
for processor in 0 1; do
  $urgent taskset -c $processor perl ${directory}/sender.pl $interface $start ${turn(packets)} \${packets[$processor]} ${version} ${hosts} & senders="$senders $!"
done
for one in $senders; do wait $one; done
sleep 0.1
inside nft list set inet observer passed
`;
    return withFiles({ shell }, async (own) => {
      const { status, stdout, stderr } = await runInNamespace(`${own}/shell`, 60);
      if (status !== 0) throw new Error(stderr);
      const found = new Map<number, number>();
      for (const [, count] of stdout.matchAll(/counter packets (\d+)/g)) found.set(Number(count), (found.get(Number(count)) ?? 0) + 1);
      return found;
    });
  });
}
