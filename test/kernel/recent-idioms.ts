/**
 * The commonest ways to use `-m recent` in public rulesets, each as a small dump and as the packets its senders send.
 * Windows are scaled down to seconds; hit counts are as they are found.
 */

import type { Family } from "../../src/iptables/ast.js";
import type { Frame } from "../../src/verify/frame.js";
import { echoRequest, tcp, udp, type Packet } from "../../src/verify/packet.js";
import { seededRandom, type Random } from "../../src/random.js";
import { momentsOf, senderCount, type Limit } from "../../src/verify/rhythm.js";

/** One packet to be made. */
interface Visit {
  readonly source: string;
  /** How many packets this source has sent before. */
  readonly count: number;
  readonly random: Random;
  /** The ports this source has sent from so far. */
  readonly ports: number[];
}

export interface Idiom {
  /** What the ruleset does, and the usual seconds/hit count in the wild. */
  readonly name: string;
  readonly family: Family;
  readonly dump: string;
  readonly limit: Limit;
  readonly visit: (visit: Visit) => Packet;
}

const host = { ipv4: "192.0.2.1", ipv6: "2001:db8::1" };
const lan = "198.51.100.10";
const otherPorts = [25, 443, 8443, 5222];

/** Seconds that an idiom is played. */
const duration = 10;

/** The frames of all senders of an idiom; the same for the same seed. */
export function framesOf({ family, limit, visit }: Idiom, seed: number): Frame[] {
  return Array.from({ length: senderCount }, (_, sender) => {
    const random = seededRandom(seed * 1000 + sender);
    const source = family === "ipv4" ? `203.0.113.${10 + sender}` : `2001:db8:2::${10 + sender}`;
    const ports: number[] = [];
    return momentsOf(sender, limit, duration, random).map((at, count) => ({ at, packet: visit({ source, count, random, ports }) }));
  }).flat();
}

// ---------------------------------------------------------------------------------------------------- the packets

function pick<Value>(values: readonly Value[], random: Random): Value {
  return values[Math.floor(random() * values.length)]!;
}

function newPort({ random, ports }: Visit): number {
  const port = 1024 + Math.floor(random() * 60_000);
  ports.push(port);
  return port;
}

/** Mostly new connections to one of the ports, some to others, some further packets of a connection begun before. */
function connections(...destinationPorts: readonly number[]): Idiom["visit"] {
  return (visit) => {
    const { source, random, ports } = visit;
    const destination = source.includes(":") ? host.ipv6 : host.ipv4;
    const chance = random();
    if (chance < 0.12 && ports.length > 0)
      return tcp(source, destination, pick(destinationPorts, random), { sourcePort: pick(ports, random), flags: ["ack"] });
    const port = chance < 0.24 ? pick(otherPorts, random) : pick(destinationPorts, random);
    return tcp(source, destination, port, { sourcePort: newPort(visit) });
  };
}

function datagrams(destinationPort: number): Idiom["visit"] {
  return (visit) => udp(visit.source, host.ipv4, visit.random() < 0.1 ? 53 : destinationPort, { sourcePort: newPort(visit) });
}

/** Ports in their order, with some wrong ones in between. */
function knocks(...sequence: readonly number[]): Idiom["visit"] {
  return (visit) => {
    const port = visit.random() < 0.85 ? sequence[visit.count % sequence.length]! : pick([...sequence, ...otherPorts], visit.random);
    return tcp(visit.source, host.ipv4, port, { sourcePort: newPort(visit) });
  };
}

// ------------------------------------------------------------------------------------------------------ the dumps

function table(name: string, chains: readonly string[], rules: readonly string[]): string {
  return [`*${name}`, ...chains.map((chain) => `:${chain} [0:0]`), ...rules, "COMMIT", ""].join("\n");
}

function filter(rules: readonly string[], { input = "ACCEPT", chains = [] as readonly string[] } = {}): string {
  return table("filter", [`INPUT ${input}`, "FORWARD ACCEPT", "OUTPUT ACCEPT", ...chains.map((chain) => `${chain} -`)], rules);
}

/** A recent match as iptables-save prints it. */
function recent(operation: string, list = "DEFAULT", mask = "255.255.255.255"): string {
  return `-m recent ${operation} --name ${list} --mask ${mask} --rsource`;
}

const toSsh = "-A INPUT -p tcp -m tcp --dport 22";
const isNew = "-m state --state NEW";
const isNewConntrack = "-m conntrack --ctstate NEW";
const established = "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT";

export const idioms: readonly Idiom[] = [
  {
    name: "login throttle, set above update (60/4)",
    family: "ipv4",
    limit: { windows: [2], hits: 4 },
    visit: connections(22),
    dump: filter([`${toSsh} ${isNew} ${recent("--set")}`, `${toSsh} ${isNew} ${recent("--update --seconds 2 --hitcount 4")} -j DROP`]),
  },
  {
    name: "login throttle, update above set (60/4)",
    family: "ipv4",
    limit: { windows: [2], hits: 4 },
    visit: connections(22),
    dump: filter([
      established,
      `${toSsh} ${isNewConntrack} ${recent("--update --seconds 2 --hitcount 4", "SSH")} -j DROP`,
      `${toSsh} ${isNewConntrack} ${recent("--set", "SSH")}`,
    ]),
  },
  {
    name: "check, then set and accept, in a firewall that drops the rest (60/3)",
    family: "ipv4",
    limit: { windows: [2], hits: 3 },
    visit: connections(22),
    dump: filter(
      [
        "-A INPUT -i lo -j ACCEPT",
        established,
        `${toSsh} ${isNew} ${recent("--update --seconds 2 --hitcount 3", "sshd")} -j REJECT --reject-with tcp-reset`,
        `${toSsh} ${isNew} ${recent("--set", "sshd")} -j ACCEPT`,
      ],
      { input: "DROP" },
    ),
  },
  {
    name: "LOG and DROP that both update (60/4)",
    family: "ipv4",
    limit: { windows: [2], hits: 4 },
    visit: connections(22),
    dump: filter([
      `${toSsh} ${isNew} ${recent("--set", "SSH")}`,
      `${toSsh} ${isNew} ${recent("--update --seconds 2 --hitcount 4 --rttl", "SSH")} -j LOG --log-prefix "SSH brute force "`,
      `${toSsh} ${isNew} ${recent("--update --seconds 2 --hitcount 4 --rttl", "SSH")} -j DROP`,
    ]),
  },
  {
    name: "accepted while not over the limit (CentOS wiki, 60/4)",
    family: "ipv4",
    limit: { windows: [2], hits: 4 },
    visit: connections(22),
    dump: filter(
      [
        established,
        `${toSsh} ${isNew} ${recent("--set", "ssh")}`,
        `${toSsh} ${isNew} -m recent ! --rcheck --seconds 2 --hitcount 4 --name ssh --mask 255.255.255.255 --rsource -j ACCEPT`,
      ],
      { input: "DROP" },
    ),
  },
  {
    name: "returned while not over the limit, by update (DD-WRT, 60/3)",
    family: "ipv4",
    limit: { windows: [2], hits: 3 },
    visit: connections(22, 23),
    dump: filter(
      [
        `-A INPUT -p tcp -m tcp --dport 22 ${isNew} -j logbrute`,
        `-A INPUT -p tcp -m tcp --dport 23 ${isNew} -j logbrute`,
        `-A logbrute ${recent("--set", "BRUTEFORCE")}`,
        "-A logbrute -m recent ! --update --seconds 2 --hitcount 3 --name BRUTEFORCE --mask 255.255.255.255 --rsource -j RETURN",
        "-A logbrute -j DROP",
      ],
      { chains: ["logbrute"] },
    ),
  },
  {
    name: "two windows on one list (60/4 and 1800/10)",
    family: "ipv4",
    limit: { windows: [1, 3], hits: 4 },
    visit: connections(22),
    dump: filter([
      `${toSsh} ${isNew} ${recent("--set", "SSH")}`,
      `${toSsh} ${isNew} ${recent("--update --seconds 1 --hitcount 4", "SSH")} -j DROP`,
      `${toSsh} ${isNew} ${recent("--update --seconds 3 --hitcount 10", "SSH")} -j DROP`,
    ]),
  },
  {
    name: "three windows in a chain of their own (60/6, 600/11, 3600/31)",
    family: "ipv4",
    limit: { windows: [1, 2, 3], hits: 6 },
    visit: connections(22),
    dump: filter(
      [
        `${toSsh} ${isNewConntrack} -j SSH_CHECK`,
        `-A SSH_CHECK ${recent("--set", "SSH")}`,
        `-A SSH_CHECK ${recent("--rcheck --seconds 1 --hitcount 6", "SSH")} -j REJECT --reject-with icmp-port-unreachable`,
        `-A SSH_CHECK ${recent("--rcheck --seconds 2 --hitcount 11", "SSH")} -j REJECT --reject-with icmp-port-unreachable`,
        `-A SSH_CHECK ${recent("--rcheck --seconds 3 --hitcount 31", "SSH")} -j DROP`,
        "-A SSH_CHECK -j ACCEPT",
      ],
      { chains: ["SSH_CHECK"] },
    ),
  },
  {
    name: "login throttle without a state match, every packet counts (60/10)",
    family: "ipv4",
    limit: { windows: [2], hits: 10 },
    visit: connections(22, 3389),
    dump: filter([
      `-A INPUT -p tcp -m multiport --dports 22,3389 ${recent("--set", "login")}`,
      `-A INPUT -p tcp -m multiport --dports 22,3389 ${recent("--update --seconds 2 --hitcount 10", "login")} -j DROP`,
    ]),
  },
  {
    name: "port-scan trap in INPUT and FORWARD (86400)",
    family: "ipv4",
    limit: { windows: [2], hits: 2 },
    visit: (visit) => {
      const destination = visit.random() < 0.4 ? lan : host.ipv4;
      return tcp(visit.source, destination, visit.random() < 0.35 ? 139 : pick(otherPorts, visit.random), { sourcePort: newPort(visit) });
    },
    dump: filter(
      ["INPUT", "FORWARD"].flatMap((chain) => [
        `-A ${chain} ${recent("--rcheck --seconds 2", "portscan")} -j DROP`,
        `-A ${chain} ${recent("--remove", "portscan")}`,
        `-A ${chain} -p tcp -m tcp --dport 139 ${recent("--set", "portscan")} -j LOG --log-prefix "Portscan:"`,
        `-A ${chain} -p tcp -m tcp --dport 139 ${recent("--set", "portscan")} -j DROP`,
      ]),
    ),
  },
  {
    name: "web connection rate (60/20)",
    family: "ipv4",
    limit: { windows: [2], hits: 20 },
    visit: connections(80, 443),
    dump: filter([
      `-A INPUT -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN ${recent("--update --seconds 2 --hitcount 20", "webpool")} -j DROP`,
      `-A INPUT -p tcp -m tcp --dport 443 --tcp-flags FIN,SYN,RST,ACK SYN ${recent("--update --seconds 2 --hitcount 20", "webpool")} -j DROP`,
      `-A INPUT -p tcp -m multiport --dports 80,443 -m tcp --tcp-flags FIN,SYN,RST,ACK SYN ${recent("--set", "webpool")} -j ACCEPT`,
    ]),
  },
  {
    name: "connections per second (1/10)",
    family: "ipv4",
    limit: { windows: [1], hits: 10 },
    visit: connections(80),
    dump: filter([
      `-A INPUT -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN ${recent("--set", "http")}`,
      `-A INPUT -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN ${recent("--rcheck --seconds 1 --hitcount 10", "http")} -j REJECT --reject-with tcp-reset`,
    ]),
  },
  {
    name: "port knocking in three stages (30, then a list each)",
    family: "ipv4",
    limit: { windows: [2], hits: 4 },
    visit: knocks(8881, 7777, 9991, 22, 22),
    dump: filter(
      [
        established,
        `-A INPUT -p tcp -m tcp --dport 22 ${isNew} ${recent("--rcheck --seconds 2", "SSH2")} -j ACCEPT`,
        `-A INPUT -p tcp ${isNew} -m tcp ${recent("--remove", "SSH2")} -j DROP`,
        `-A INPUT -p tcp ${isNew} -m tcp --dport 9991 ${recent("--rcheck", "SSH1")} -j SSH-INPUTTWO`,
        `-A INPUT -p tcp ${isNew} -m tcp ${recent("--remove", "SSH1")} -j DROP`,
        `-A INPUT -p tcp ${isNew} -m tcp --dport 7777 ${recent("--rcheck", "SSH0")} -j SSH-INPUT`,
        `-A INPUT -p tcp ${isNew} -m tcp ${recent("--remove", "SSH0")} -j DROP`,
        `-A INPUT -p tcp ${isNew} -m tcp --dport 8881 ${recent("--set", "SSH0")} -j DROP`,
        `-A SSH-INPUT ${recent("--set", "SSH1")} -j DROP`,
        `-A SSH-INPUTTWO ${recent("--set", "SSH2")} -j DROP`,
      ],
      { input: "DROP", chains: ["SSH-INPUT", "SSH-INPUTTWO"] },
    ),
  },
  {
    name: "session affinity of kube-proxy (10800)",
    family: "ipv4",
    limit: { windows: [3], hits: 3 },
    visit: (visit) => tcp(visit.source, host.ipv4, 30_080, { sourcePort: newPort(visit) }),
    dump: table(
      "nat",
      [
        "PREROUTING ACCEPT",
        "INPUT ACCEPT",
        "OUTPUT ACCEPT",
        "POSTROUTING ACCEPT",
        "KUBE-SVC-EXAMPLE -",
        "KUBE-SEP-ONE -",
        "KUBE-SEP-TWO -",
      ],
      [
        "-A PREROUTING -p tcp -m tcp --dport 30080 -j KUBE-SVC-EXAMPLE",
        `-A KUBE-SVC-EXAMPLE ${recent("--rcheck --seconds 3 --reap", "KUBE-SEP-ONE")} -j KUBE-SEP-ONE`,
        `-A KUBE-SVC-EXAMPLE ${recent("--rcheck --seconds 3 --reap", "KUBE-SEP-TWO")} -j KUBE-SEP-TWO`,
        // kube-proxy draws at random; two machines that are to agree take turns.
        "-A KUBE-SVC-EXAMPLE -m statistic --mode nth --every 2 --packet 0 -j KUBE-SEP-ONE",
        "-A KUBE-SVC-EXAMPLE -j KUBE-SEP-TWO",
        `-A KUBE-SEP-ONE -p tcp ${recent("--set", "KUBE-SEP-ONE")} -m tcp -j DNAT --to-destination 198.51.100.11:8080`,
        `-A KUBE-SEP-TWO -p tcp ${recent("--set", "KUBE-SEP-TWO")} -m tcp -j DNAT --to-destination 198.51.100.12:8080`,
      ],
    ),
  },
  {
    name: "game server queries (5/15)",
    family: "ipv4",
    limit: { windows: [1], hits: 15 },
    visit: datagrams(27_015),
    dump: filter([
      `-A INPUT -p udp -m udp --dport 27015 -m length --length 28:60 ${recent("--set", "A2S")}`,
      `-A INPUT -p udp -m udp --dport 27015 -m length --length 28:60 ${recent("--update --seconds 1 --hitcount 15", "A2S")} -j DROP`,
    ]),
  },
  {
    name: "ping flood (1/6 with --rttl)",
    family: "ipv4",
    limit: { windows: [1], hits: 6 },
    visit: ({ source }) => echoRequest(source, host.ipv4),
    dump: filter([
      `-A INPUT -p icmp -m icmp --icmp-type 8 ${recent("--set", "ICMP")}`,
      `-A INPUT -p icmp -m icmp --icmp-type 8 ${recent("--update --seconds 1 --hitcount 6 --rttl", "ICMP")} -j DROP`,
    ]),
  },
  {
    name: "SYN flood chain (60/50)",
    family: "ipv4",
    limit: { windows: [3], hits: 50 },
    visit: connections(80, 22),
    dump: filter(
      [
        "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j SYN_FLOOD",
        `-A SYN_FLOOD ${recent("--set", "synflood")}`,
        `-A SYN_FLOOD ${recent("--update --seconds 3 --hitcount 50", "synflood")} -j DROP`,
        "-A SYN_FLOOD -j RETURN",
      ],
      { chains: ["SYN_FLOOD"] },
    ),
  },
  {
    name: "penalty for a wrong port (60)",
    family: "ipv4",
    limit: { windows: [2], hits: 2 },
    visit: (visit) => connections(...(visit.random() < 0.3 ? [139] : [22, 80]))(visit),
    dump: filter([
      `-A INPUT ${recent("--update --seconds 2", "badguy")} -j DROP`,
      `-A INPUT -p tcp -m tcp --dport 139 ${recent("--set", "badguy")} -j DROP`,
    ]),
  },
  {
    name: "ufw limit (30/6)",
    family: "ipv4",
    limit: { windows: [2], hits: 6 },
    visit: connections(22),
    dump: filter(
      [
        "-A INPUT -j ufw-user-input",
        `-A ufw-user-input -p tcp -m tcp --dport 22 ${isNewConntrack} ${recent("--set")}`,
        `-A ufw-user-input -p tcp -m tcp --dport 22 ${isNewConntrack} ${recent("--update --seconds 2 --hitcount 6")} -j ufw-user-limit`,
        "-A ufw-user-input -p tcp -m tcp --dport 22 -j ufw-user-limit-accept",
        '-A ufw-user-limit -m limit --limit 3/min -j LOG --log-prefix "[UFW LIMIT BLOCK] "',
        "-A ufw-user-limit -j REJECT --reject-with icmp-port-unreachable",
        "-A ufw-user-limit-accept -j ACCEPT",
      ],
      { input: "DROP", chains: ["ufw-user-input", "ufw-user-limit", "ufw-user-limit-accept"] },
    ),
  },
  {
    name: "ban in raw of whoever was over the limit in filter (120/60 and a ban)",
    family: "ipv4",
    limit: { windows: [1, 3], hits: 5 },
    visit: connections(22, 80),
    dump:
      table("raw", ["PREROUTING ACCEPT", "OUTPUT ACCEPT"], [`-A PREROUTING ${recent("--rcheck --seconds 3", "banned")} -j DROP`]) +
      filter([
        `${toSsh} ${isNew} ${recent("--set", "attempts")}`,
        `${toSsh} ${isNew} ${recent("--rcheck --seconds 1 --hitcount 5", "attempts")} ${recent("--set", "banned")} -j DROP`,
      ]),
  },
  {
    name: "whoever has come lately is rejected (5/1 with --reap)",
    family: "ipv4",
    limit: { windows: [2], hits: 2 },
    visit: connections(22),
    dump: filter([
      `-A INPUT -i eth0 -p tcp -m tcp --dport 22 ${isNew} ${recent("--rcheck --seconds 2 --reap --hitcount 1", "lately")} -j REJECT --reject-with icmp-port-unreachable`,
      `-A INPUT -i eth0 -p tcp -m tcp --dport 22 ${isNew} ${recent("--set", "lately")}`,
    ]),
  },
  {
    name: "login throttle over IPv6 (60/4)",
    family: "ipv6",
    limit: { windows: [2], hits: 4 },
    visit: connections(22),
    dump: filter([
      `${toSsh} ${isNew} ${recent("--set", "SSH6", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")}`,
      `${toSsh} ${isNew} ${recent("--update --seconds 2 --hitcount 4", "SSH6", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")} -j DROP`,
    ]),
  },
];
