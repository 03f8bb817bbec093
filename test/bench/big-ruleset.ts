/** Dumps of any size with the mix of a real machine: hosts with their services, a router's address translation, marks. */

import { seededRandom, type Random } from "../../src/random.js";

/** Rules in a user chain; the chains are called from the built-in ones. */
const rulesInChain = 40;

type Making = (random: Random) => string;

function below(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

function pick<Value>(values: readonly Value[], random: Random): Value {
  return values[below(values.length, random)]!;
}

/** A host of 198.18.0.0/15, the network for benchmarks (RFC 2544): the documentation networks are too small for this. */
const host: Making = (random) => `198.${18 + below(2, random)}.${below(256, random)}.${1 + below(254, random)}`;
const network: Making = (random) => `198.${18 + below(2, random)}.${below(256, random)}.0/24`;
const port: Making = (random) => String(1 + below(65_535, random));
const outside: Making = (random) => pick(["eth0", "ens3", "ppp0", "wan+"], random);
const inside: Making = (random) => pick(["eth1", "br-lan", "docker0", "veth+", "wg0"], random);
const word: Making = (random) => pick(["web", "mail", "backup", "monitoring", "tenant", "legacy", "office", "vpn"], random);

const filterRules: readonly Making[] = [
  (random) => `-s ${host(random)}/32 -p tcp -m tcp --dport ${port(random)} -j ACCEPT`,
  (random) => `-s ${network(random)} -d ${host(random)}/32 -p tcp -m tcp --dport ${port(random)} -j ACCEPT`,
  (random) => `-i ${outside(random)} -p tcp -m tcp --dport ${port(random)} -m conntrack --ctstate NEW -j ACCEPT`,
  (random) =>
    `-d ${host(random)}/32 -i ${outside(random)} -o ${inside(random)} -p tcp -m tcp --dport ${port(random)} -m comment --comment "${word(random)} ${port(random)}" -j ACCEPT`,
  (random) => `-p tcp -m multiport --dports 80,443,${port(random)} -m state --state NEW,RELATED -j ACCEPT`,
  (random) => `-p udp -m udp --sport 1024:65535 --dport ${port(random)} -j ACCEPT`,
  (random) => `! -s ${network(random)} -p udp -m udp --dport 53 -j DROP`,
  (random) => `-s ${network(random)} -m limit --limit 5/min --limit-burst 10 -j LOG --log-prefix "[${word(random)} block] " --log-level 4`,
  (random) => `-s ${host(random)}/32 -j DROP`,
  (random) => `-s ${host(random)}/32 -p tcp -m tcp --dport 25 -j REJECT --reject-with tcp-reset`,
  (random) => `-s ${network(random)} -j REJECT --reject-with icmp-port-unreachable`,
  (random) => `-d ${host(random)}/32 -p icmp -m icmp --icmp-type 8 -m limit --limit 2/sec -j ACCEPT`,
  (random) => `-m mac --mac-source 00:00:5e:00:53:${below(256, random).toString(16).padStart(2, "0")} -i ${inside(random)} -j ACCEPT`,
  (random) => `-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m tcp --dport ${port(random)} -m conntrack --ctstate NEW -j RETURN`,
  (random) =>
    `-m iprange --src-range 198.18.1.${below(100, random)}-198.18.1.${100 + below(100, random)} -p tcp -m tcp --dport 22 -j ACCEPT`,
  (random) => `-m mark --mark 0x${(1 + below(255, random)).toString(16)}/0xff -j ACCEPT`,
  (random) => `-d ${network(random)} -m conntrack --ctstate INVALID -j DROP`,
  (random) => `-d ${network(random)} -m addrtype --dst-type BROADCAST -j DROP`,
];

const natRules: readonly Making[] = [
  (random) => `-d ${host(random)}/32 -p tcp -m tcp --dport ${port(random)} -j DNAT --to-destination ${host(random)}:${port(random)}`,
  (random) =>
    `! -s ${network(random)} -d ${host(random)}/32 -p udp -m udp --dport ${port(random)} -j DNAT --to-destination ${host(random)}:53`,
  (random) =>
    `-d ${host(random)}/32 -m comment --comment "${word(random)}/${word(random)}:http" -m statistic --mode random --probability 0.50000000000 -j RETURN`,
  (random) => `-s ${host(random)}/32 -m comment --comment "${word(random)}" -j MARK --set-xmark 0x4000/0x4000`,
];

const mangleRules: readonly Making[] = [
  (random) =>
    `-s ${network(random)} -p tcp -m tcp --dport ${port(random)} -j MARK --set-xmark 0x${(1 + below(255, random)).toString(16)}/0xffffffff`,
  (random) => `-o ${outside(random)} -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`,
];

/** A login throttle of its own list and port: two rules. */
function throttle(index: number, random: Random): string[] {
  const rule = `-p tcp -m tcp --dport ${port(random)} -m conntrack --ctstate NEW -m recent`;
  const list = `--name login${index} --mask 255.255.255.255 --rsource`;
  return [`${rule} --set ${list}`, `${rule} --update --seconds 60 --hitcount 4 ${list} -j DROP`];
}

/**
 * A dump with this many rules, give or take a chain, the same for the same number: 70 % filter, 20 % nat, 10 % mangle, and
 * a throttle for about every five hundred rules.
 */
export function bigRuleset(rules: number): string {
  const random = seededRandom(rules);
  const table = (
    name: string,
    builtIn: readonly (readonly [chain: string, policy: string])[],
    share: number,
    make: (chain: number) => string[],
  ): string => {
    const chains = Math.max(1, Math.round((rules * share) / rulesInChain));
    const names = Array.from({ length: chains }, (_, index) => `${name}-${word(random)}-${index}`);
    return [
      `*${name}`,
      ...builtIn.map(([chain, policy]) => `:${chain} ${policy} [0:0]`),
      ...names.map((chain) => `:${chain} - [0:0]`),
      ...names.map((chain) => `-A ${builtIn[0]![0]} -d ${network(random)} -j ${chain}`),
      ...names.flatMap((chain, index) => make(index).map((rule) => `-A ${chain} ${rule}`)),
      "COMMIT",
      "",
    ].join("\n");
  };
  const rulesOf = (makings: readonly Making[]) => (): string[] =>
    Array.from({ length: rulesInChain - 1 }, () => pick(makings, random)(random));
  return [
    table(
      "mangle",
      [
        ["FORWARD", "ACCEPT"],
        ["POSTROUTING", "ACCEPT"],
      ],
      0.1,
      rulesOf(mangleRules),
    ),
    table(
      "nat",
      [
        ["PREROUTING", "ACCEPT"],
        ["POSTROUTING", "ACCEPT"],
      ],
      0.2,
      rulesOf(natRules),
    ),
    table(
      "filter",
      [
        ["FORWARD", "DROP"],
        ["INPUT", "DROP"],
        ["OUTPUT", "ACCEPT"],
      ],
      0.7,
      (chain) => {
        const plain = rulesOf(filterRules)();
        return chain % 10 === 0 ? [...throttle(chain, random), ...plain.slice(2)] : plain;
      },
    ),
  ].join("");
}
