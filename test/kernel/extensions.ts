/**
 * Matches and targets one by one: rules that hold one of them, and packets that it concerns or misses by one field.
 *
 * Every case has a destination address of its own, which all its rules ask for; so one dump holds them all.
 */

import type { Family } from "../../src/iptables/ast.js";
import type { Frame } from "./lab.js";
import { echoRequest, icmp, maximumSegmentOption, otherProtocol, tcp, udp, type Packet } from "./packet.js";

/** A packet to the case's address, and where it comes in. */
export type Probe = (to: string) => Packet | Omit<Frame, "at">;

export interface Case {
  readonly name: string;
  readonly family: Family;
  /** Rules without `-A CHAIN` by table and chain: `filter FORWARD`. */
  readonly rules: Readonly<Record<string, readonly string[]>>;
  /** The packets go to the firewall itself, and not through it. */
  readonly local?: boolean;
  /** What a rule asks for in place of the case's destination address, where the packets have another one. */
  readonly select?: string;
  /** Packets that iptables drops. */
  readonly hits: readonly Probe[];
  /** Packets that iptables lets through. */
  readonly misses: readonly Probe[];
  /** Packets of which nothing is asked but that both sides treat them alike. */
  readonly others: readonly Probe[];
  /** Shell lines for both namespaces, before the rules are loaded. */
  readonly prepare?: string;
  /** The translator says itself that the rule is approximate; the packets here are such that it makes no difference. */
  readonly approximate: boolean;
}

type Options = Partial<Pick<Case, "local" | "select" | "others" | "prepare" | "approximate">> & { readonly chain?: string; readonly before?: Case["rules"] };

const client = "203.0.113.7";
const client6 = "2001:db8:2::7";

// ------------------------------------------------------------------------------------------------------- matches

function matchCase(family: Family, rule: string, hits: readonly Probe[], misses: readonly Probe[], options: Options): Case {
  const { chain, before = {}, others = [], approximate = false, ...rest } = options;
  const place = chain ?? (options.local === true ? "filter INPUT" : "filter FORWARD");
  return {
    name: rule, family, hits, misses, others, approximate, ...rest,
    rules: { ...before, [place]: [...(before[place] ?? []), `${rule} -j DROP`] },
  };
}

const v4 = (rule: string, hits: readonly Probe[], misses: readonly Probe[], options: Options = {}): Case => matchCase("ipv4", rule, hits, misses, options);
const v6 = (rule: string, hits: readonly Probe[], misses: readonly Probe[], options: Options = {}): Case => matchCase("ipv6", rule, hits, misses, options);

type TcpOptions = NonNullable<Parameters<typeof tcp>[3]> & { from?: string };
type UdpOptions = NonNullable<Parameters<typeof udp>[3]> & { from?: string };
type HeaderOptions = NonNullable<Parameters<typeof echoRequest>[2]> & { from?: string };

const sourceFor = (to: string, from: string | undefined): string => from ?? (to.includes(":") ? client6 : client);
const t = (port: number, { from, ...options }: TcpOptions = {}): Probe => (to) => tcp(sourceFor(to, from), to, port, options);
const u = (port: number, { from, ...options }: UdpOptions = {}): Probe => (to) => udp(sourceFor(to, from), to, port, options);
const ping = ({ from, ...options }: HeaderOptions = {}): Probe => (to) => echoRequest(sourceFor(to, from), to, options);
const message = (type: number, code: number): Probe => (to) => icmp(sourceFor(to, undefined), to, type, code, { payload: new Uint8Array(40) });
const raw = (protocol: number, payload: readonly number[], { from, ...options }: HeaderOptions = {}): Probe =>
  (to) => otherProtocol(sourceFor(to, from), to, protocol, { payload: Uint8Array.from(payload), ...options });
const by = (name: string, probe: Probe): Probe => (to) => {
  const made = probe(to);
  return { ...("packet" in made ? made : { packet: made }), interface: name };
};
const withHardwareSource = (hardwareSource: string, probe: Probe): Probe => (to) => {
  const made = probe(to);
  return { ...("packet" in made ? made : { packet: made }), hardwareSource };
};
/** What the host behind the firewall answers. */
const answer = (probe: Probe): Probe => (to) => {
  const made = probe(to);
  const packet = "packet" in made ? made.packet : made;
  const { transport } = packet;
  if (transport.kind !== "udp") throw new RangeError("only UDP is answered here");
  return {
    interface: "eth1",
    packet: { ...packet, source: to, destination: packet.source, transport: { ...transport, sourcePort: transport.destinationPort, destinationPort: transport.sourcePort } },
  };
};
const times = (count: number, probe: Probe): Probe[] => new Array<Probe>(count).fill(probe);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const ports = (source: number, destination: number): number[] => [source >> 8, source & 0xff, destination >> 8, destination & 0xff];
const word = (value: number): number[] => [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
/** An SCTP packet of chunks, each its type and flags; its checksum is wrong, which only makes it invalid to conntrack. */
const sctp = (source: number, destination: number, ...chunks: readonly (readonly [number, number])[]): Probe =>
  raw(132, [...ports(source, destination), ...word(1), ...word(0), ...chunks.flatMap(([type, flags]) => [type, flags, 0, 20, ...new Array<number>(16).fill(0)])]);
const dccp = (source: number, destination: number, type: number): Probe =>
  raw(33, [...ports(source, destination), 4, 0, 0, 0, (type << 1) | 1, 0, 0, 0, 0, 0, 0, 1, ...word(0), ...word(0)]);

/** Extension headers of IPv6, each without its first byte. */
const hopByHop = [0, Uint8Array.of(0, 1, 4, 0, 0, 0, 0)] as const;
const longHopByHop = [0, Uint8Array.of(1, 1, 12, ...new Array<number>(12).fill(0))] as const;
const destinationOptions = [60, Uint8Array.of(0, 1, 4, 0, 0, 0, 0)] as const;
const routing = (type: number, left: number): readonly [number, Uint8Array] => [43, Uint8Array.of(2, type, left, ...new Array<number>(20).fill(0))];
const authentication = (spi: number, words: number, reserved = 0): readonly [number, Uint8Array] =>
  [51, Uint8Array.of(words, 0, reserved, ...word(spi), ...new Array<number>(words * 4).fill(0))];

const basics: readonly Case[] = [
  v4("-s 203.0.113.0/25", [t(1)], [t(1, { from: "203.0.113.200" })]),
  v4("! -s 203.0.113.0/25", [t(1, { from: "203.0.113.200" })], [t(1)]),
  v4("-s 203.0.113.7/255.255.0.255", [t(1), t(1, { from: "203.0.77.7" })], [t(1, { from: "203.0.113.8" })]),
  v4("! -s 203.0.113.7/255.255.0.255", [t(1, { from: "203.0.113.8" })], [t(1), t(1, { from: "203.0.77.7" })]),
  v4("-i eth1", [by("eth1", t(1))], [t(1)], { local: true }),
  v4("! -i eth1", [t(1)], [by("eth1", t(1))], { local: true }),
  v4("-i eth+", [t(1)], [], { local: true }),
  v4("! -o eth0", [t(1)], []),
  v4("! -o eth+", [], [t(1)]),
  v4("-p 47", [raw(47, [0, 0, 8, 0])], [raw(46, [0, 0, 8, 0]), t(1)]),
  v4("! -p tcp", [u(1), ping()], [t(1)]),
  v4("-p all", [u(1), t(1)], []),
  v6("-s 2001:db8:2::/64", [t(1)], [t(1, { from: "2001:db8:3::7" })]),
  v6("! -s 2001:db8:2::7/ffff:ffff::ffff", [t(1, { from: "2001:db8:2::8" })], [t(1), t(1, { from: "2001:db8:77::7" })]),
  v6("-p icmpv6", [ping()], [t(1)]),
  v6("! -p udp", [ping(), t(1)], [u(1)]),
  v6("-p tcp", [t(1, { extensionHeaders: [destinationOptions] })], [u(1, { extensionHeaders: [destinationOptions] })]),
];

const headerMatches: readonly Case[] = [
  v4("-p tcp -m tcp --dport 80", [t(80)], [t(81), u(80)]),
  v4("-p tcp -m tcp ! --dport 1000:2000", [t(999), t(2001)], [t(1000), t(2000), u(5)]),
  v4("-p tcp -m tcp --sport 1000:2000 --dport 80", [t(80, { sourcePort: 1000 })], [t(80, { sourcePort: 2001 }), t(81, { sourcePort: 1000 })]),
  v4("-p tcp -m tcp --dport 0:65535", [t(0), t(65535)], [u(9)]),
  v4("-p tcp -m tcp ! --dport 0:65535", [], [t(0), t(65535)]),
  v4("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", [t(1), t(2, { flags: ["syn", "psh"] })], [t(3, { flags: ["syn", "ack"] }), t(4, { flags: ["ack"] }), t(5, { flags: [] })]),
  v4("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", [t(3, { flags: ["syn", "ack"] }), t(4, { flags: ["ack"] }), t(5, { flags: [] })], [t(1), t(2, { flags: ["syn", "psh"] }), u(1)]),
  v4("-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE", [t(1, { flags: [] }), t(2, { flags: ["ece", "cwr"] })], [t(3), t(4, { flags: ["urg"] })]),
  v4("-p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN", [t(1, { flags: ["fin", "syn"] }), t(2, { flags: ["fin", "syn", "ack"] })], [t(3), t(4, { flags: ["fin"] })]),
  v4("-p tcp -m tcp --tcp-option 8", [t(1, { options: Uint8Array.of(8, 10, 0, 0, 0, 1, 0, 0, 0, 0) }), t(2, { options: Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0) })],
    [t(3), t(4, { options: maximumSegmentOption(1000) })]),
  v4("-p tcp -m tcp ! --tcp-option 8", [t(3), t(4, { options: maximumSegmentOption(1000) })], [t(1, { options: Uint8Array.of(8, 10, 0, 0, 0, 1, 0, 0, 0, 0) }), u(1)]),
  v4("-p tcp -m tcpmss --mss 1000:1400", [t(1, { options: maximumSegmentOption(1000) }), t(2, { options: maximumSegmentOption(1400) })],
    [t(3, { options: maximumSegmentOption(1401) }), t(4, { options: maximumSegmentOption(999) }), t(5)]),
  v4("-p tcp -m tcpmss ! --mss 1000:1400", [t(3, { options: maximumSegmentOption(1401) }), t(5)], [t(1, { options: maximumSegmentOption(1000) }), u(1)]),
  v4("-p udp -m udp --dport 53", [u(53)], [u(54), t(53)]),
  v4("-p udp -m udp ! --sport 1000:2000", [u(1)], [u(1, { sourcePort: 1500 }), t(1)]),
  v4("-p udp -m multiport --dports 53,100:200,5000", [u(53), u(100), u(200), u(5000)], [u(54), u(99), u(201), t(53)]),
  v4("-p tcp -m multiport --ports 53,100:200", [t(53), t(1, { sourcePort: 150 }), t(150, { sourcePort: 150 })], [t(99), t(201, { sourcePort: 54 })]),
  v4("-p tcp -m multiport ! --ports 53,100:200", [t(99), t(201, { sourcePort: 54 })], [t(53), t(1, { sourcePort: 150 }), u(5)]),
  v4("-p tcp -m multiport ! --sports 53,100:200", [t(53)], [t(53, { sourcePort: 53 })]),
  v4("-p udplite -m multiport --dports 53,99", [raw(136, [...ports(1, 53), 0, 0, 0, 0])], [raw(136, [...ports(53, 54), 0, 0, 0, 0])]),
  v4("-p sctp -m sctp --dport 100:200", [sctp(5, 100, [1, 0]), sctp(5, 200, [1, 0])], [sctp(5, 201, [1, 0])]),
  v4("-p sctp -m sctp ! --sport 5", [sctp(6, 1, [1, 0])], [sctp(5, 1, [1, 0])]),
  v4("-p sctp -m sctp --chunk-types any INIT,SACK", [sctp(1, 1, [1, 0]), sctp(1, 1, [0, 0], [3, 0])], [sctp(1, 1, [0, 0])]),
  v4("-p sctp -m sctp --chunk-types all INIT,SACK", [sctp(1, 1, [1, 0], [3, 0]), sctp(1, 1, [3, 0], [0, 0], [1, 0])], [sctp(1, 1, [1, 0]), sctp(1, 1, [3, 0], [0, 0])]),
  v4("-p sctp -m sctp ! --chunk-types any INIT,SACK", [sctp(1, 1, [0, 0])], [sctp(1, 1, [1, 0]), sctp(1, 1, [0, 0], [3, 0])]),
  v4("-p dccp -m dccp --dport 100 --dccp-types REQUEST,CLOSE", [dccp(1, 100, 0), dccp(1, 100, 6)], [dccp(1, 101, 0), dccp(1, 100, 1)]),
  v4("-p dccp -m dccp ! --dccp-types REQUEST,CLOSE", [dccp(1, 101, 1)], [dccp(1, 100, 6)]),
  v4("-p icmp -m icmp --icmp-type any", [ping(), message(13, 0)], [t(1)]),
  v4("-p icmp -m icmp --icmp-type echo-request", [ping()], [message(13, 0), u(1)]),
  v4("-p icmp -m icmp --icmp-type 3", [message(3, 0), message(3, 13)], [message(4, 0)]),
  v4("-p icmp -m icmp --icmp-type 3/1", [message(3, 1)], [message(3, 2), message(4, 1)]),
  v4("-p icmp -m icmp ! --icmp-type 3/1", [message(3, 2), message(4, 1)], [message(3, 1), u(1)]),
  v4("-p icmp -m icmp ! --icmp-type 8", [message(13, 0)], [ping()]),
  v6("-p icmpv6 -m icmp6 --icmpv6-type 128", [ping()], [message(150, 0)]),
  v6("-p icmpv6 -m icmp6 --icmpv6-type no-route", [message(1, 0)], [message(1, 1), message(2, 0)]),
  v6("-p icmpv6 -m icmp6 ! --icmpv6-type no-route", [message(1, 1), message(2, 0)], [message(1, 0)]),
  v4("-p ah -m ah --ahspi 500:600", [raw(51, [6, 4, 0, 0, ...word(500), ...word(1)]), raw(51, [6, 4, 0, 0, ...word(600), ...word(1)])], [raw(51, [6, 4, 0, 0, ...word(601), ...word(1)])]),
  v4("-p ah -m ah ! --ahspi 500", [raw(51, [6, 4, 0, 0, ...word(501), ...word(1)])], [raw(51, [6, 4, 0, 0, ...word(500), ...word(1)])]),
  v4("-p esp -m esp --espspi 500:600", [raw(50, [...word(500), ...word(1)]), raw(50, [...word(600), ...word(1)])], [raw(50, [...word(499), ...word(1)]), raw(51, [6, 4, 0, 0, ...word(500), ...word(1)])]),
  v4("-p esp -m esp ! --espspi 500", [raw(50, [...word(501), ...word(1)])], [raw(50, [...word(500), ...word(1)])]),
  v4("-p ipcomp -m ipcomp --ipcompspi 500", [raw(108, [6, 0, 1, 244])], [raw(108, [6, 0, 1, 245])]),
  v4("-p ipcomp -m ipcomp ! --ipcompspi 500", [raw(108, [6, 0, 1, 245])], [raw(108, [6, 0, 1, 244])]),
  v6("-p esp -m esp --espspi 500", [raw(50, [...word(500), ...word(1)])], [raw(50, [...word(501), ...word(1)])]),
  v4("-m iprange --src-range 203.0.113.5-203.0.113.9", [t(1)], [t(1, { from: "203.0.113.10" }), t(1, { from: "203.0.113.4" })]),
  v4("-m iprange ! --src-range 203.0.113.5-203.0.113.9", [t(1, { from: "203.0.113.10" })], [t(1)]),
  v4("-m iprange ! --dst-range 198.51.100.0-198.51.100.255 --src-range 203.0.113.5-203.0.113.9", [], [t(1)]),
  v6("-m iprange --src-range 2001:db8:2::5-2001:db8:2::9", [t(1)], [t(1, { from: "2001:db8:2::a" })]),
  v4("-m mac --mac-source 02:00:00:00:aa:01", [withHardwareSource("02:00:00:00:aa:01", t(1))], [withHardwareSource("02:00:00:00:aa:02", t(1))]),
  v4("-m mac ! --mac-source 02:00:00:00:aa:01", [withHardwareSource("02:00:00:00:aa:02", t(1))], [withHardwareSource("02:00:00:00:aa:01", t(1))]),
  v4("-m pkttype --pkt-type unicast", [t(1)], []),
  v4("-m pkttype ! --pkt-type unicast", [], [t(1)]),
  v4("-m ttl --ttl-eq 5", [t(1, { ttl: 5 })], [t(1, { ttl: 6 })], { local: true }),
  v4("-m ttl --ttl-lt 5", [t(1, { ttl: 4 })], [t(1, { ttl: 5 })], { local: true }),
  v4("-m ttl --ttl-gt 5", [t(1, { ttl: 7 })], [t(1, { ttl: 6 })]),
  v4("-m ttl ! --ttl-eq 5", [t(1, { ttl: 5 })], [t(1, { ttl: 6 })]),
  v6("-m hl --hl-eq 5", [t(1, { ttl: 5 })], [t(1, { ttl: 6 })], { local: true }),
  v6("-m hl ! --hl-eq 5", [t(1, { ttl: 6 })], [t(1, { ttl: 5 })], { local: true }),
  v4("-m length --length 128:256", [u(1, { payload: new Uint8Array(100) }), u(1, { payload: new Uint8Array(228) })], [u(1, { payload: new Uint8Array(99) }), u(1, { payload: new Uint8Array(229) })]),
  v4("-m length ! --length 128:256", [u(1, { payload: new Uint8Array(99) })], [u(1, { payload: new Uint8Array(100) })]),
  v6("-m length --length 148", [u(1, { payload: new Uint8Array(100) })], [u(1, { payload: new Uint8Array(101) })]),
  v6("-m length --length :147", [u(1, { payload: new Uint8Array(99) })], [u(1, { payload: new Uint8Array(100) })]),
  v4("-m dscp --dscp 0x0a", [t(1, { tos: 0x28 }), t(1, { tos: 0x2b })], [t(1, { tos: 0x2c })]),
  v4("-m dscp ! --dscp-class EF", [t(1)], [t(1, { tos: 0xb8 })]),
  v6("-m dscp --dscp-class EF", [t(1, { tos: 0xb8 }), t(1, { tos: 0xb9 })], [t(1, { tos: 0xbc })]),
  v4("-m tos --tos 0x10/0x3f", [t(1, { tos: 0x10 }), t(1, { tos: 0xd0 })], [t(1, { tos: 0x11 })]),
  v4("-m tos ! --tos 0x10", [t(1, { tos: 0x11 })], [t(1, { tos: 0x10 })]),
  v6("-m tos --tos 0x12", [t(1, { tos: 0x12 })], [t(1, { tos: 0x10 }), t(1, { tos: 0x22 })]),
  v6("-m tos ! --tos 0x12/0xf", [t(1, { tos: 0x10 })], [t(1, { tos: 0x22 })]),
  v4("-m ecn --ecn-ip-ect 1", [t(1, { tos: 1 }), t(1, { tos: 0x2d })], [t(1, { tos: 2 }), t(1)]),
  v4("-m ecn ! --ecn-ip-ect 3", [t(1, { tos: 1 })], [t(1, { tos: 3 })]),
  v6("-m ecn --ecn-ip-ect 2", [t(1, { tos: 2 })], [t(1, { tos: 1 })]),
  v4("-p tcp -m ecn --ecn-tcp-cwr", [t(1, { flags: ["syn", "cwr"] })], [t(1, { flags: ["syn", "ece"] }), u(1)]),
  v4("-p tcp -m ecn ! --ecn-tcp-ece", [t(1)], [t(1, { flags: ["syn", "ece"] })]),
  v4('-m u32 --u32 "0>>22&0x3c@0>>16&0xffff=0x1000:0x2000"', [t(1, { sourcePort: 0x1000 }), u(1, { sourcePort: 0x2000 })], [t(1, { sourcePort: 0x2001 })]),
  v4('-m u32 --u32 "6&0xff=17&&4&0x1fff=0"', [u(1)], [t(1)]),
  v4('-m u32 ! --u32 "6&0xff=17,6"', [ping()], [t(1), u(1)]),
  v4('-m string --string "abc" --algo bm --from 28 --to 31', [u(1, { payload: bytes("abcd") })], [u(1, { payload: bytes("abdd") }), u(1, { payload: bytes("xabc") })], { approximate: true }),
  v4("-m comment --comment \"a comment\"", [t(1)], []),
];

const ipv6Matches: readonly Case[] = [
  v6("-m hbh", [t(1, { extensionHeaders: [hopByHop] })], [t(1), t(1, { extensionHeaders: [destinationOptions] })]),
  v6("-m hbh --hbh-len 16", [t(1, { extensionHeaders: [longHopByHop] })], [t(1, { extensionHeaders: [hopByHop] }), t(1)]),
  v6("-m dst", [t(1, { extensionHeaders: [destinationOptions] })], [t(1)]),
  v6("-m dst ! --dst-len 16", [t(1, { extensionHeaders: [destinationOptions] })], [t(1)]),
  v6("-m rt --rt-type 2", [t(1, { extensionHeaders: [routing(2, 0)] })], [t(1, { extensionHeaders: [routing(3, 0)] }), t(1)],),
  v6("-m rt ! --rt-type 2", [t(1, { extensionHeaders: [routing(3, 0)] })], [t(1, { extensionHeaders: [routing(2, 0)] }), t(1)]),
  v6("-m rt --rt-segsleft 1:2 --rt-len 24", [t(1, { extensionHeaders: [routing(2, 1)] })], [t(1, { extensionHeaders: [routing(2, 3)] })]),
  v6("-m ah --ahspi 500", [t(1, { extensionHeaders: [authentication(500, 4)] })], [t(1, { extensionHeaders: [authentication(501, 4)] }), t(1)]),
  v6("-m ah ! --ahspi 500", [t(1, { extensionHeaders: [authentication(501, 4)] })], [t(1, { extensionHeaders: [authentication(500, 4)] }), t(1)]),
  v6("-m ah --ahlen 24", [t(1, { extensionHeaders: [authentication(500, 4)] })], [t(1, { extensionHeaders: [authentication(500, 6)] })]),
  v6("-p mh -m mh --mh-type 1:3", [raw(135, [59, 0, 2, 0, 0, 0, 0, 0])], [raw(135, [59, 0, 4, 0, 0, 0, 0, 0])]),
  v6("-m ipv6header --header hop --soft", [t(1, { extensionHeaders: [hopByHop] }), t(1, { extensionHeaders: [hopByHop, destinationOptions] })], [t(1)]),
  v6("-m ipv6header --header hop,prot", [t(1, { extensionHeaders: [hopByHop] })], [t(1), t(1, { extensionHeaders: [hopByHop, destinationOptions] })]),
  v6("-m ipv6header ! --header hop --soft", [t(1)], [t(1, { extensionHeaders: [hopByHop] })]),
];

/** The moment of the test, in hours of its day by UTC. */
const hour = new Date().getUTCHours();
const clock = (hours: number): string => `${String((hour + hours + 24) % 24).padStart(2, "0")}:00:00`;

const stateMatches: readonly Case[] = [
  v4("-m state --state NEW", [t(1), u(1)], [t(2, { flags: ["rst"] })]),
  v4("-m conntrack --ctstate INVALID", [t(2, { flags: ["rst"] })], [t(1)]),
  v4("-m conntrack ! --ctstate INVALID", [t(1)], [t(2, { flags: ["rst"] })]),
  v4("-m conntrack ! --ctstate NEW,RELATED", [u(7)], [u(8)],
    { before: { "filter FORWARD": ["-p udp -m udp --dport 7 -m conntrack --ctstate NEW -j ACCEPT"] }, others: [u(7), answer(u(7)), u(7), u(8)] }),
  v4("-m conntrack --ctstate UNTRACKED", [t(3)], [t(4)], { before: { "raw PREROUTING": ["-p tcp -m tcp --dport 3 -j CT --notrack"] } }),
  v4("-m state --state INVALID,UNTRACKED", [t(3), t(2, { flags: ["rst"] })], [t(4)], { before: { "raw PREROUTING": ["-p tcp -m tcp --dport 3 -j NOTRACK"] } }),
  v4("-m conntrack ! --ctstate DNAT", [t(1)], [t(2), t(3)], { before: { "nat PREROUTING": ["-p tcp -m tcp --dport 2:3 -j DNAT --to-destination :99"] } }),
  v4("-m conntrack --ctstate DNAT,INVALID", [t(2), t(3, { flags: ["rst"] })], [t(1)], { before: { "nat PREROUTING": ["-p tcp -m tcp --dport 2 -j DNAT --to-destination :99"] } }),
  v4("-m conntrack --ctproto 17", [u(1)], [t(1)]),
  v4("-m conntrack ! --ctproto udp", [t(1)], [u(1), t(2, { flags: ["rst"] })]),
  v4("-m conntrack --ctorigsrc 203.0.113.0/29", [u(1)], [u(1, { from: "203.0.113.9" })]),
  v4("-m conntrack ! --ctorigsrc 203.0.113.7", [u(1, { from: "203.0.113.9" })], [u(1)]),
  v4("-m conntrack --ctproto tcp --ctorigdstport 100:200", [t(100)], [t(201), u(100)]),
  v4("-m conntrack ! --ctorigdstport 100", [t(101), u(101)], [t(100)]),
  v4("-m conntrack --ctstatus NONE", [u(1)], [], { others: [u(1), answer(u(1)), u(1)] }),
  v4("-m conntrack --ctstatus SEEN_REPLY", [], [u(1)], { others: [u(1), answer(u(1)), u(1), u(1)] }),
  v4("-m conntrack ! --ctstatus CONFIRMED,SEEN_REPLY", [u(1)], [], { others: [u(2), answer(u(2)), u(2)] }),
  v4("-m conntrack --ctdir ORIGINAL", [u(1)], [], { others: [t(1), t(2, { flags: ["rst"] })] }),
  v4("-m conntrack --ctexpire 100:600", [], [u(1)], { others: [u(1), u(1)] }),
  v4("-m connmark --mark 0x2/0xff", [t(2)], [t(3), t(4)],
    { before: { "mangle PREROUTING": ["-p tcp -m tcp --dport 2 -j CONNMARK --set-xmark 0xf02/0xffffffff", "-p tcp -m tcp --dport 3 -j CONNMARK --set-xmark 0xf03/0xffffffff"] } }),
  v4("-m connmark ! --mark 0x2/0xff", [t(3), t(4)], [t(2), t(5, { flags: ["rst"] })], { before: { "mangle PREROUTING": ["-p tcp -m tcp --dport 2 -j CONNMARK --set-xmark 0xf02/0xffffffff"] } }),
  v4("-m mark --mark 0x2/0xff", [t(2)], [t(3), t(4)],
    { before: { "mangle PREROUTING": ["-p tcp -m tcp --dport 2 -j MARK --set-xmark 0xf02/0xffffffff", "-p tcp -m tcp --dport 3 -j MARK --set-xmark 0xf03/0xffffffff"] } }),
  v4("-m mark ! --mark 0x2", [t(3), t(4)], [t(2)], { before: { "mangle PREROUTING": ["-p tcp -m tcp --dport 2 -j MARK --set-xmark 0x2/0xffffffff"] } }),
  v4("-m connlabel --label 5", [t(2)], [t(3)], { before: { "filter FORWARD": ["-p tcp -m tcp --dport 2 -m connlabel --label 5 --set"] } }),
  v4("-m connlabel ! --label 5", [t(3)], [t(2)], { before: { "filter FORWARD": ["-p tcp -m tcp --dport 2 -m connlabel --label 5 --set"] } }),
  v4("-m connbytes --connbytes 3: --connbytes-dir both --connbytes-mode packets", [], [], { others: times(5, u(1)) }),
  v4("-m connbytes ! --connbytes 3: --connbytes-dir original --connbytes-mode packets", [], [], { others: times(5, u(1)) }),
  v4("-m connbytes --connbytes :100 --connbytes-dir original --connbytes-mode bytes", [], [], { others: times(5, u(1)) }),
  v4("-m connbytes --connbytes 100:200 --connbytes-dir both --connbytes-mode avgpkt", [], [], { others: times(5, u(1, { payload: new Uint8Array(100) })) }),
  v4("-m addrtype --dst-type LOCAL", [t(1)], [], { local: true }),
  v4("-m addrtype --dst-type LOCAL --limit-iface-in", [t(1)], [by("eth1", t(1))], { local: true }),
  v4("-m addrtype ! --dst-type LOCAL,BROADCAST", [t(1)], []),
  v4("-m addrtype --src-type UNICAST ! --dst-type MULTICAST", [t(1)], []),
  v4("-m addrtype --dst-type BROADCAST", [() => udp("203.0.113.241", "192.0.2.255", 1)], [() => udp("203.0.113.241", "198.51.100.9", 1)], { select: "-s 203.0.113.241", chain: "mangle PREROUTING" }),
  v4("-m addrtype ! --dst-type MULTICAST", [() => udp("203.0.113.242", "192.0.2.1", 1)], [], { select: "-s 203.0.113.242", chain: "mangle PREROUTING", others: [() => udp("203.0.113.242", "224.0.0.5", 1)] }),
  v6("-m addrtype --dst-type LOCAL", [t(1)], [], { local: true }),
  v6("-m addrtype ! --dst-type LOCAL", [t(1)], []),
  v4("-m devgroup --src-group 0x2", [by("eth1", t(1))], [t(1)], { local: true, prepare: "ip link set eth1 group 2" }),
  v4("-m devgroup ! --dst-group 0x2/0xf", [], [t(1)]),
  v4("-m realm --realm 4", [t(1)], [], { prepare: "ip route add 198.51.100.NN/32 dev eth1 realm 4" }),
  v4("-m realm ! --realm 0x1/0xf", [t(1)], [], { prepare: "ip route add 198.51.100.NN/32 dev eth1 realm 4" }),
  v4("-m rpfilter --invert", [by("eth1", t(1))], [t(1), by("eth1", t(1, { from: "198.51.100.77" }))], { chain: "raw PREROUTING" }),
  v4("-m rpfilter --loose", [by("eth1", t(1)), t(1)], [], { chain: "raw PREROUTING" }),
  v6("-m rpfilter --invert", [by("eth1", t(1))], [t(1)], { chain: "raw PREROUTING" }),
  v4("-m policy --dir in --pol none", [t(1)], []),
  v4("-m policy --dir in --pol ipsec", [], [t(1)]),
  v4("-m statistic --mode nth --every 3 --packet 0", [], [], { others: times(9, u(1)) }),
  v4("-m statistic --mode nth --every 3 --packet 1", [], [], { others: times(9, u(1)) }),
  v4("-m statistic --mode nth ! --every 4 --packet 3", [], [], { others: times(9, u(1)) }),
  v4("-m statistic --mode random --probability 1.0", times(4, u(1)), []),
  v4("-m quota --quota 100", times(3, u(1)), times(3, u(1))),
  v4("-m quota ! --quota 100", [], [], { others: times(6, u(1)) }),
  v4("-m limit --limit 1/hour --limit-burst 3", times(3, u(1)), times(3, u(1))),
  v4("-m limit --limit 1/sec", times(5, u(1)), times(3, u(1))),
  v4("-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 3 --hashlimit-mode srcip --hashlimit-name upto", [...times(3, u(1)), u(1, { from: "203.0.113.8" })], times(3, u(1))),
  v4("-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 3 --hashlimit-mode srcip,dstport --hashlimit-name above", [], [], { others: [...times(5, u(1)), u(2), ...times(2, u(1))] }),
  v4("-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-srcmask 24 --hashlimit-name wide", [], [],
    { others: [u(1), u(1, { from: "203.0.113.8" }), u(1, { from: "203.0.113.9" }), u(1, { from: "203.0.114.9" })] }),
  v4("-p tcp -m connlimit --connlimit-above 2 --connlimit-mask 32 --connlimit-saddr", [], [],
    { others: [t(1), t(2), t(3), t(1), t(4), t(1, { from: "203.0.113.8" })] }),
  v4("-p tcp -m connlimit --connlimit-upto 2 --connlimit-mask 24 --connlimit-saddr", [], [], { others: [t(1), t(2, { from: "203.0.113.8" }), t(3), t(4)] }),
  v4("-m time --datestart 2020-01-01 --datestop 2037-01-01", [t(1)], []),
  v4("-m time --datestop 2020-01-01", [], [t(1)]),
  v4(`-m time --timestart ${clock(-1)} --timestop ${clock(2)}`, [t(1)], []),
  v4(`-m time --timestart ${clock(2)} --timestop ${clock(3)}`, [], [t(1)]),
  v4("-m time --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun", [t(1)], [], { approximate: true }),
  v4("-m cluster --cluster-total-nodes 3 --cluster-local-node 2 --cluster-hash-seed 0xdeadbeef", [], [],
    { approximate: true, others: Array.from({ length: 24 }, (_, index) => u(1, { from: `203.0.113.${index + 20}` })) }),
];

// ------------------------------------------------------------------------------------------------------- targets

const target = (family: Family, place: string, rules: string | readonly string[], probes: readonly Probe[], options: Partial<Case> = {}): Case => ({
  name: typeof rules === "string" ? `${place} ${rules}` : `${place} ${rules.join("; ")}`,
  family, rules: { [place]: typeof rules === "string" ? [rules] : rules }, hits: [], misses: [], others: probes, approximate: false, ...options,
});

const mangle = (rules: string | readonly string[], probes: readonly Probe[] = [t(1, { tos: 0x2b })], options: Partial<Case> = {}): Case =>
  target("ipv4", "mangle PREROUTING", rules, probes, options);
const mangle6 = (rules: string | readonly string[], probes: readonly Probe[] = [t(1, { tos: 0x2b })]): Case => target("ipv6", "mangle PREROUTING", rules, probes);
const rejectProbes = [t(1), u(1), t(2, { flags: ["ack"] }), t(3, { flags: ["rst"] }), ping()];

const targetCases: readonly Case[] = [
  mangle("-j MARK --set-xmark 0x12/0xffffffff"),
  mangle(["-j MARK --set-xmark 0xff/0xffffffff", "-j MARK --set-xmark 0x12/0x36"]),
  mangle(["-j MARK --set-xmark 0xff/0xffffffff", "-j MARK --set-mark 0x12/0x36"]),
  mangle(["-j MARK --set-mark 0xff", "-j MARK --and-mark 0x3c", "-j MARK --or-mark 0x100", "-j MARK --xor-mark 0x14"]),
  mangle(["-j CONNMARK --set-xmark 0xff/0xffffffff", "-j CONNMARK --set-xmark 0x12/0x36", "-j CONNMARK --restore-mark"]),
  mangle(["-j CONNMARK --set-mark 0xff", "-j CONNMARK --and-mark 0x3c", "-j CONNMARK --or-mark 0x100", "-j CONNMARK --xor-mark 0x14"]),
  mangle(["-j MARK --set-mark 0x1ff", "-j CONNMARK --save-mark"]),
  mangle(["-j MARK --set-mark 0x1ff", "-j CONNMARK --set-mark 0x800", "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff"]),
  mangle(["-j MARK --set-mark 0x800", "-j CONNMARK --set-mark 0x1ff", "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff"]),
  mangle(["-j MARK --set-mark 0x1ff", "-j CONNMARK --save-mark --mask 0x12", "-j MARK --set-mark 0", "-j CONNMARK --restore-mark --mask 0x10"]),
  mangle(["-j MARK --set-mark 0x5", "-j CONNMARK --restore-mark"], [t(2, { flags: ["rst"] })]),
  mangle("-j DSCP --set-dscp 0x0a"),
  mangle("-j DSCP --set-dscp-class EF"),
  mangle("-j TOS --set-tos 0x12/0xff"),
  mangle("-j TOS --set-tos 0x12/0x34"),
  mangle("-j TOS --set-tos Minimize-Delay"),
  mangle("-j TOS --and-tos 0x12"),
  mangle("-j TOS --or-tos 0x54"),
  mangle("-j TOS --xor-tos 0x55"),
  mangle6("-j DSCP --set-dscp 0x0a"),
  mangle6("-j TOS --set-tos 0x12/0xff"),
  mangle6("-j TOS --set-tos 0x12/0x34"),
  mangle6("-j TOS --xor-tos 0x55"),
  mangle("-j TTL --ttl-set 42"),
  mangle("-j TTL --ttl-inc 5", [t(1, { ttl: 10 }), t(1, { ttl: 253 })]),
  mangle("-j TTL --ttl-dec 5", [t(1, { ttl: 10 }), t(1, { ttl: 5 }), t(1, { ttl: 3 })]),
  mangle6("-j HL --hl-set 42"),
  mangle6("-j HL --hl-inc 5", [t(1, { ttl: 10 }), t(1, { ttl: 253 })]),
  mangle6("-j HL --hl-dec 5", [t(1, { ttl: 10 }), t(1, { ttl: 3 })]),
  mangle("-j TRACE", [t(1)], { rules: { "raw PREROUTING": ["-j TRACE"] }, approximate: true }),
  target("ipv4", "mangle FORWARD", "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000",
    [t(1, { options: maximumSegmentOption(1400) }), t(1, { options: maximumSegmentOption(900) }), t(1, { flags: ["ack"], options: maximumSegmentOption(1400) })], { approximate: true }),
  target("ipv4", "mangle FORWARD", "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
    [t(1, { options: maximumSegmentOption(1400) }), t(1, { options: maximumSegmentOption(1460) }), t(1, { options: maximumSegmentOption(8000) })]),
  target("ipv6", "mangle FORWARD", "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
    [t(1, { options: maximumSegmentOption(1400) }), t(1, { options: maximumSegmentOption(1460) }), t(1, { options: maximumSegmentOption(8000) })]),
  mangle("-p tcp -j TCPOPTSTRIP --strip-options mss", [t(1, { options: maximumSegmentOption(1400) }), t(1)], { approximate: true }),
  target("ipv4", "nat PREROUTING", "-p tcp -m tcp --dport 80 -j DNAT --to-destination 198.51.100.9:8080", [t(80), t(81)]),
  target("ipv4", "nat PREROUTING", "-p tcp -j DNAT --to-destination :8080", [t(80)]),
  target("ipv4", "nat PREROUTING", "-j DNAT --to-destination 198.51.100.9", [t(80), u(5), ping()]),
  target("ipv6", "nat PREROUTING", "-p tcp -m tcp --dport 80 -j DNAT --to-destination [2001:db8:1::9]:8080", [t(80), t(81)]),
  target("ipv4", "nat PREROUTING", "-p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080", [t(80), t(81)]),
  target("ipv4", "nat PREROUTING", "-j REDIRECT", [t(80), u(9)]),
  target("ipv4", "nat PREROUTING", "-j NETMAP --to 198.51.100.128/25", [t(80), u(9)]),
  target("ipv6", "nat PREROUTING", "-j NETMAP --to 2001:db8:1:5::/64", [t(80), u(9)]),
  target("ipv4", "nat POSTROUTING", "-j SNAT --to-source 198.51.100.99", [t(80), u(9), ping()]),
  target("ipv4", "nat POSTROUTING", "-p tcp -j SNAT --to-source 198.51.100.99:5000", [t(80), u(9)]),
  target("ipv6", "nat POSTROUTING", "-p tcp -j SNAT --to-source [2001:db8:1::99]:5000", [t(80), u(9)]),
  target("ipv4", "nat POSTROUTING", "-o eth1 -j MASQUERADE", [t(80), u(9), ping()]),
  target("ipv4", "nat POSTROUTING", "-p tcp -j MASQUERADE --to-ports 5000", [t(80)]),
  target("ipv6", "nat POSTROUTING", "-j MASQUERADE", [t(80), u(9)]),
  target("ipv4", "nat POSTROUTING", "-j NETMAP --to 198.51.100.128/25", [t(80), u(9)]),
  target("ipv4", "raw PREROUTING", "-j CT --notrack", [t(1)]),
  target("ipv4", "raw PREROUTING", "-j NOTRACK", [t(1)]),
  target("ipv4", "raw PREROUTING", "-j CT --zone 7", [t(1), t(1, { flags: ["rst"] })]),
  ...["icmp-net-unreachable", "icmp-host-unreachable", "icmp-port-unreachable", "icmp-proto-unreachable", "icmp-net-prohibited", "icmp-host-prohibited", "icmp-admin-prohibited"]
    .map((type) => target("ipv4", "filter FORWARD", `-j REJECT --reject-with ${type}`, rejectProbes)),
  target("ipv4", "filter INPUT", "-p tcp -j REJECT --reject-with tcp-reset", rejectProbes, { local: true }),
  target("ipv4", "filter FORWARD", "-p tcp -j REJECT --reject-with tcp-reset", rejectProbes),
  ...["icmp6-no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-port-unreachable", "icmp6-policy-fail", "icmp6-reject-route"]
    .map((type) => target("ipv6", "filter FORWARD", `-j REJECT --reject-with ${type}`, rejectProbes)),
  target("ipv6", "filter FORWARD", "-p tcp -j REJECT --reject-with tcp-reset", rejectProbes),
  target("ipv4", "filter FORWARD", ["-j LOG --log-prefix \"a: \"", "-p udp -j DROP"], [t(1), u(1)]),
  target("ipv4", "filter FORWARD", ["-j NFLOG --nflog-group 5", "-p udp -j DROP"], [t(1), u(1)]),
  target("ipv4", "filter FORWARD", ["-j AUDIT --type accept", "-p udp -j DROP"], [t(1), u(1)]),
  target("ipv4", "mangle POSTROUTING", ["-j CLASSIFY --set-class 1:10"], [t(1), u(1)]),
  mangle("-p udp -j TPROXY --on-port 5000 --on-ip 0.0.0.0 --tproxy-mark 0x7/0xff", [u(1), t(1)]),
];

export const cases: readonly Case[] = [...basics, ...headerMatches, ...ipv6Matches, ...stateMatches, ...targetCases];
