/** Rulesets that tempt to wrong merges: few values, so that rules overlap, shadow each other, and come back to the same packet. */

import fc from "fast-check";

import type { Family } from "../../src/iptables/ast.js";
import type { Packet } from "../../src/simulate/packet.js";

interface Parts {
  readonly chain: string;
  readonly inInterface: string;
  readonly source: string;
  readonly destination: string;
  readonly ports: string;
  readonly more: string;
  readonly target: string;
}

const often = <Value>(usual: Value, others: readonly Value[]): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant(usual) }, { weight: 3, arbitrary: fc.constantFrom(...others) });

const sources = [
  "-s 192.0.2.20/32",
  "-s 192.0.2.21/32",
  "-s 192.0.2.22/32",
  "-s 192.0.2.20/31",
  "-s 192.0.2.20/30",
  "-s 192.0.2.0/24",
  "-s 192.0.0.0/16",
  "! -s 192.0.2.20/32",
];
const singleSources = sources.slice(0, 3);
const singlePorts = [
  "-p tcp -m tcp --dport 22",
  "-p tcp -m tcp --dport 80",
  "-p udp -m udp --dport 22",
  "-p udp -m udp --dport 80",
  "-p tcp -m multiport --dports 22,80",
];
const ports = [
  "-p tcp",
  "-p udp",
  "-p tcp -m tcp --dport 22",
  "-p tcp -m tcp --dport 80",
  "-p udp -m udp --dport 22",
  "-p udp -m udp --dport 80",
  "-p tcp -m tcp --dport 20:30",
  "-p tcp -m tcp --dport 22:80",
  "-p tcp -m multiport --dports 22,80",
  "-p udp -m multiport --dports 53,80",
  "-p tcp -m tcp ! --dport 22",
  "-p tcp -m tcp --sport 22 --dport 22",
  "-p icmp",
  "-p icmp -m icmp --icmp-type 8",
  "-p tcp -m tcp --tcp-flags SYN,ACK SYN",
  "-p tcp -m tcp --tcp-flags SYN SYN",
  "-p tcp -m tcp --tcp-flags ACK ACK",
];
const more = [
  "-m conntrack --ctstate NEW",
  "-m conntrack --ctstate RELATED,ESTABLISHED",
  "-m conntrack --ctstate INVALID",
  "-m conntrack ! --ctstate NEW",
  "-m mark --mark 0x1",
  "-m mark --mark 0x1/0x1",
  "-m mark ! --mark 0x2",
  "-m connmark --mark 0x1",
  "-m limit --limit 1/hour --limit-burst 2",
  '-m comment --comment "one of many"',
];
const targets = [
  "-j DROP",
  "-j DROP",
  "-j ACCEPT",
  "-j RETURN",
  "-j REJECT --reject-with icmp-port-unreachable",
  "-j MARK --set-xmark 0x1/0xffffffff",
];
/** Marks that rules give: the last rule that matches has the last word. */
const marks = [
  "-j MARK --set-xmark 0x1/0xffffffff",
  "-j MARK --set-xmark 0x2/0xffffffff",
  "-j MARK --set-xmark 0x3/0xffffffff",
  "-j MARK --set-xmark 0x2/0x2",
  "-j MARK --set-xmark 0x1/0x0",
  "-j CONNMARK --set-xmark 0x1/0xffffffff",
  "-j CONNMARK --set-xmark 0x2/0xffffffff",
  "-j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
];
/** Calls go from one of these to a later one only. */
const chains = ["INPUT", "FIRST", "SECOND"];

const parts = (destinations: readonly string[]): fc.Arbitrary<Parts> =>
  fc.record({
    chain: fc.constantFrom("INPUT", "INPUT", "INPUT", "FIRST", "SECOND"),
    inInterface: often("", ["-i eth0", "-i eth1", "-i eth+", "! -i eth0"]),
    source: often("", sources),
    destination: often("", destinations),
    ports: often("", ports),
    more: fc.oneof({ weight: 5, arbitrary: fc.constant("") }, { weight: 1, arbitrary: fc.constantFrom(...more) }),
    target: fc.constantFrom(...targets, "", "-j LOG", "-j FIRST", "-j SECOND", "-j SECOND", "-g SECOND"),
  });

/** What changes from one rule of a run to the next. */
const variations: fc.Arbitrary<Partial<Parts>> = fc.oneof(
  fc.record({ source: fc.constantFrom(...sources) }),
  fc.record({ ports: fc.constantFrom(...ports) }),
  fc.record({ inInterface: fc.constantFrom("-i eth0", "-i eth1", "-i eth2", "-i eth+") }),
  fc.record({
    inInterface: fc.constantFrom("-i eth0", "-i eth1", "-i eth+"),
    target: fc.constantFrom("-j DROP", "-j ACCEPT", "-j SECOND"),
  }),
  fc.record({ source: fc.constantFrom(...sources), target: fc.constantFrom(...targets, "-j SECOND") }),
  fc.record({ ports: fc.constantFrom(...ports), target: fc.constantFrom(...targets, "-j SECOND") }),
  fc.record({ source: fc.constantFrom(...singleSources), ports: fc.constantFrom(...singlePorts) }),
  fc.record({
    source: fc.constantFrom(...singleSources),
    ports: fc.constantFrom(...singlePorts),
    target: fc.constantFrom("-j DROP", "-j ACCEPT", "-j SECOND"),
  }),
  fc.record({ source: fc.constantFrom(...sources), target: fc.constantFrom(...marks) }),
  fc.record({
    source: fc.constantFrom(...singleSources),
    ports: fc.constantFrom(...singlePorts),
    target: fc.constantFrom(...marks.slice(0, 3)),
  }),
);

/** Some rules are made over and over with a part changed, as people write them, and some of them in turns. */
const run = fc
  .tuple(parts(["-d 198.51.100.1/32", "-d 198.51.100.0/24"]), fc.array(variations, { maxLength: 7 }))
  .map(([first, varied]): Parts[] => [first, ...varied.map((variation) => ({ ...first, ...variation }))]);

/** Rules that differ in several fields at once, with networks and ranges in each. */
export const temptingBoxes = fc
  .tuple(
    parts(["-d 198.51.100.1/32"]),
    fc.constantFrom<Partial<Parts>>({}, {}, { inInterface: "-i eth0" }, { ports: "-p tcp -m multiport --dports 22,80" }),
    fc.array(
      fc.record({
        source: fc.constantFrom(...sources.slice(0, -1), "-m iprange --src-range 192.0.2.21-192.0.2.22"),
        destination: fc.constantFrom("-d 198.51.100.1/32", "-d 198.51.100.0/31", "-d 198.51.100.0/24", "-d 192.0.2.0/24"),
        ports: fc.constantFrom(...ports.slice(2, 10)),
        target: fc.constantFrom("-j DROP", "-j DROP", "-j ACCEPT", "-j ACCEPT", "-j RETURN", "-j SECOND", ...marks.slice(0, 2)),
      }),
      { minLength: 2, maxLength: 9 },
    ),
  )
  .map(([first, alike, varied]): Parts[] => varied.map((variation) => ({ ...first, more: "", inInterface: "", ...variation, ...alike })));

/** Behind a rule for all packets of an interface, rules for those of all others. */
const behindAnInterface = fc
  .tuple(
    parts(["-d 198.51.100.1/32"]),
    fc.record({
      inInterface: fc.constantFrom("-i eth0", "-i eth0", "-i eth1", "-i eth+"),
      more: fc.constantFrom("", "", "", "-m conntrack --ctstate NEW"),
      ports: fc.constantFrom("", "", "", "-p tcp"),
      target: fc.constantFrom("-j RETURN", "-j DROP", "-j ACCEPT", "-j SECOND", "-g SECOND", "-j MARK --set-xmark 0x1/0xffffffff"),
    }),
    fc.array(fc.tuple(fc.constantFrom("! -i eth0", "! -i eth0", "! -i eth1", "! -i eth+", "-i eth0"), variations), { maxLength: 7 }),
  )
  .map(([first, wholly, varied]): Parts[] => [
    { ...first, ...wholly, source: "", destination: "" },
    ...varied.map(([inInterface, variation]) => ({ ...first, ...variation, inInterface })),
  ]);

export const temptingRules = fc
  .array(fc.oneof({ weight: 4, arbitrary: run }, { weight: 1, arbitrary: behindAnInterface }, { weight: 2, arbitrary: temptingBoxes }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((runs) => runs.flat());

/** The dump; rules whose chains may not call each other lose their target. Each rule has its number as the bytes it counted. */
export function temptingDump(rules: readonly Parts[], family: Family = "ipv4"): string {
  const lines = rules.map(({ chain, inInterface, source, destination, ports: protocol, more: other, target }, index) => {
    const [, called] = /^-[jg] (FIRST|SECOND)$/.exec(target) ?? [];
    const isCall = called !== undefined && chains.indexOf(called) <= chains.indexOf(chain);
    const words = [inInterface, source, destination, protocol, other, isCall ? "" : target].filter((word) => word !== "");
    const text = words.join(" ");
    return `[0:${(index + 1) * 1000}] -A ${chain} ${family === "ipv4" ? text : inIpv6(text)}`.trim();
  });
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":FIRST - [0:0]",
    ":SECOND - [0:0]",
    ...lines,
    "COMMIT",
    "",
  ].join("\n");
}

const translations = [
  "-j DNAT --to-destination 198.51.100.7:80",
  "-j DNAT --to-destination 198.51.100.8:80",
  "-j DNAT --to-destination 198.51.100.8:81",
  "-j DNAT --to-destination 198.51.100.9",
  "-j DNAT --to-destination 198.51.100.10",
  "-j REDIRECT --to-ports 81",
  "-j REDIRECT --to-ports 82",
  "-j REDIRECT --to-ports 83-85",
  "-j RETURN",
];

const sourceTranslations = [
  "-j SNAT --to-source 198.51.100.7:80",
  "-j SNAT --to-source 198.51.100.8:81",
  "-j SNAT --to-source 198.51.100.9",
  "-j SNAT --to-source 198.51.100.10",
  "-j MASQUERADE",
  "-j MASQUERADE --to-ports 1024",
  "-j MASQUERADE --to-ports 1025",
  "-j ACCEPT",
];

const translating = (interfaces: readonly string[], singles: readonly string[], targetsOfIt: readonly string[]) =>
  fc.array(
    fc.record({
      inInterface: fc.constantFrom("", "", "", "", ...interfaces),
      source: fc.constantFrom("", "", "", ...singles),
      ports: fc.constantFrom(...singlePorts, "-p tcp -m tcp --dport 20:30", "-p udp"),
      target: fc.constantFrom(...targetsOfIt, ...targetsOfIt.slice(0, 3)),
    }),
    { minLength: 2, maxLength: 25 },
  );

/** Address translation, of new destinations above all. */
export const temptingTranslations = translating(["-i eth0", "! -i eth0"], sources.slice(0, 4), translations);
/** The same of new sources. */
export const temptingSources = translating(["-o eth1", "! -o eth1"], [...singleSources, ...singleSources], sourceTranslations);

/** The dump of such rules. */
export function translationDump(
  rules: readonly Pick<Parts, "inInterface" | "source" | "ports" | "target">[],
  chain: "PREROUTING" | "POSTROUTING" = "PREROUTING",
  family: Family = "ipv4",
): string {
  const lines = rules.map(({ inInterface, source, ports: protocol, target }, index) => {
    const words = [inInterface, source, protocol, target].filter((word) => word !== "");
    const text = words.join(" ");
    return `[0:${(index + 1) * 1000}] -A ${chain} ${family === "ipv4" ? text : inIpv6(text)}`;
  });
  return [
    "*nat",
    ...["PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"].map((builtIn) => `:${builtIn} ACCEPT [0:0]`),
    ...lines,
    "COMMIT",
    "",
  ].join("\n");
}

/** The same of IPv6: addresses end in those of IPv4. */
function inIpv6(words: string): string {
  return words
    .replace(
      /(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+)|(:\d+))?/g,
      (_, a: string, b: string, c: string, d: string, length?: string, port?: string) => {
        const word = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
        const address = `2001:db8::${word(a, b)}:${word(c, d)}`;
        if (port !== undefined) return `[${address}]${port}`;
        return length === undefined ? address : `${address}/${96 + Number(length)}`;
      },
    )
    .replace("-m icmp --icmp-type 8", "-m icmp6 --icmpv6-type 128")
    .replace("-p icmp", "-p ipv6-icmp")
    .replace("icmp-port-unreachable", "icmp6-port-unreachable");
}

const ipv6Network = 0x20010db8n << 96n;

/** The same packets of IPv6. */
export function packetsInIpv6(packets: readonly Packet[]): Packet[] {
  return packets.map((packet) => ({
    ...packet,
    source: ipv6Network + packet.source,
    destination: ipv6Network + packet.destination,
    protocol: packet.protocol === 1 ? 58 : packet.protocol,
  }));
}

/** Packets that such rules tell apart. */
export const drawnPackets = fc
  .array(
    fc.record({
      source: fc.constantFrom(0xc0000214n, 0xc0000215n, 0xc0000216n, 0xc0000217n, 0xc0000201n, 0xc0000501n, 0xcb007107n),
      destination: fc.constantFrom(0xc6336401n, 0xc6336402n, 0xc0000201n),
      protocol: fc.constantFrom(6, 6, 17, 1),
      sourcePort: fc.constantFrom(22, 40000),
      destinationPort: fc.constantFrom(22, 25, 53, 80, 81),
      inInterface: fc.constantFrom("eth0", "eth1", "lo"),
      state: fc.constantFrom("new" as const, "established" as const, "invalid" as const),
      tcpFlags: fc.constantFrom(2, 18, 16),
      mark: fc.constantFrom(0, 1, 2),
    }),
    { minLength: 25, maxLength: 40 },
  )
  .map((drawn) => drawn.map((packet, index): Packet => ({ ...packet, time: 1000 + index, path: "input", ttl: 64, outInterface: "" })));
