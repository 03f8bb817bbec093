/**
 * Matches and targets one by one: rules that hold one of them, and packets that it concerns or misses by one field.
 *
 * Every case has a destination address of its own, which all its rules ask for; so one dump holds them all.
 */

import type { Family } from "../../src/iptables/ast.js";
import type { Frame } from "../../src/verify/frame.js";
import { echoRequest, icmp, maximumSegmentOption, otherProtocol, tcp, udp, type Packet } from "../../src/verify/packet.js";

/** A packet to the case's address, and where it comes in. */
export type Probe = (to: string) => Packet | Omit<Frame, "at">;

export interface Case {
  readonly name: string;
  readonly family: Family;
  /**
   * Rules without `-A CHAIN` by table and chain: `filter FORWARD`. Only those of built-in chains ask for the address; `{n}`
   * becomes the case's number.
   */
  readonly rules: Readonly<Record<string, readonly string[]>>;
  /** The packets go to the firewall itself, and not through it. */
  readonly local?: boolean;
  /** What a rule asks for in place of the case's destination address, where the packets have another one; `ADDRESS` is that of the case. */
  readonly select?: string;
  /** Packets that iptables drops. */
  readonly hits: readonly Probe[];
  /** Packets that iptables lets through. */
  readonly misses: readonly Probe[];
  /** Packets of which nothing is asked but that both sides treat them alike … */
  readonly others: readonly Probe[];
  /** … and, where the case is about a conversation, that iptables drops exactly these: places in `others`. */
  readonly dropped?: readonly number[];
  /** Seconds between two packets, where the usual 3 ms are too few. */
  readonly spacing?: number;
  /** Shell lines for both namespaces, before the rules are loaded. */
  readonly prepare?: string;
  /** The translator says itself that the rule is approximate; the packets here are such that it makes no difference. */
  readonly approximate: boolean;
}

type Options = Partial<Pick<Case, "local" | "select" | "others" | "spacing" | "prepare" | "approximate">> & {
  readonly chain?: string;
  readonly before?: Case["rules"];
};

const client = "203.0.113.7";
const client6 = "2001:db8:2::7";

// ------------------------------------------------------------------------------------------------------- matches

function matchCase(family: Family, rule: string, hits: readonly Probe[], misses: readonly Probe[], options: Options): Case {
  const { chain, before = {}, others = [], approximate = false, ...rest } = options;
  const place = chain ?? (options.local === true ? "filter INPUT" : "filter FORWARD");
  return {
    name: rule,
    family,
    hits,
    misses,
    others,
    approximate,
    ...rest,
    rules: { ...before, [place]: [...(before[place] ?? []), `${rule} -j DROP`] },
  };
}

const v4 = (rule: string, hits: readonly Probe[], misses: readonly Probe[], options: Options = {}): Case =>
  matchCase("ipv4", rule, hits, misses, options);
const v6 = (rule: string, hits: readonly Probe[], misses: readonly Probe[], options: Options = {}): Case =>
  matchCase("ipv6", rule, hits, misses, options);

type TcpOptions = NonNullable<Parameters<typeof tcp>[3]> & { from?: string };
type UdpOptions = NonNullable<Parameters<typeof udp>[3]> & { from?: string };
type HeaderOptions = NonNullable<Parameters<typeof echoRequest>[2]> & { from?: string };

const sourceFor = (to: string, from: string | undefined): string => from ?? (to.includes(":") ? client6 : client);
const t =
  (port: number, { from, ...options }: TcpOptions = {}): Probe =>
  (to) =>
    tcp(sourceFor(to, from), to, port, options);
const u =
  (port: number, { from, ...options }: UdpOptions = {}): Probe =>
  (to) =>
    udp(sourceFor(to, from), to, port, options);
const ping =
  ({ from, ...options }: HeaderOptions = {}): Probe =>
  (to) =>
    echoRequest(sourceFor(to, from), to, options);
const message =
  (type: number, code: number): Probe =>
  (to) =>
    icmp(sourceFor(to, undefined), to, type, code, { payload: new Uint8Array(40) });
const raw =
  (protocol: number, payload: readonly number[], { from, ...options }: HeaderOptions = {}): Probe =>
  (to) =>
    otherProtocol(sourceFor(to, from), to, protocol, { payload: Uint8Array.from(payload), ...options });
const by =
  (name: string, probe: Probe): Probe =>
  (to) => {
    const made = probe(to);
    return { ...("packet" in made ? made : { packet: made }), interface: name };
  };
const withHardwareSource =
  (hardwareSource: string, probe: Probe): Probe =>
  (to) => {
    const made = probe(to);
    return { ...("packet" in made ? made : { packet: made }), hardwareSource };
  };
/** What the host behind the firewall answers. */
const answer =
  (probe: Probe): Probe =>
  (to) => {
    const made = probe(to);
    const packet = "packet" in made ? made.packet : made;
    const { transport } = packet;
    if (transport.kind !== "udp") throw new RangeError("only UDP is answered here");
    return {
      interface: "eth1",
      packet: {
        ...packet,
        source: to,
        destination: packet.source,
        transport: { ...transport, sourcePort: transport.destinationPort, destinationPort: transport.sourcePort },
      },
    };
  };
const times = (count: number, probe: Probe): Probe[] => new Array<Probe>(count).fill(probe);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const ports = (source: number, destination: number): number[] => [source >> 8, source & 0xff, destination >> 8, destination & 0xff];
const word = (value: number): number[] => [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
/** An SCTP packet of chunks, each its type and flags; its checksum is wrong, which only makes it invalid to conntrack. */
const sctp = (source: number, destination: number, ...chunks: readonly (readonly [number, number])[]): Probe =>
  raw(132, [
    ...ports(source, destination),
    ...word(1),
    ...word(0),
    ...chunks.flatMap(([type, flags]) => [type, flags, 0, 20, ...new Array<number>(16).fill(0)]),
  ]);
const dccp = (source: number, destination: number, type: number): Probe =>
  raw(33, [...ports(source, destination), 4, 0, 0, 0, (type << 1) | 1, 0, 0, 0, 0, 0, 0, 1, ...word(0), ...word(0)]);

/** Extension headers of IPv6, each without its first byte. */
const hopByHop = [0, Uint8Array.of(0, 1, 4, 0, 0, 0, 0)] as const;
/** Of one option that the kernel does not know and may skip. */
const longHopByHop = [0, Uint8Array.of(1, 30, 12, ...new Array<number>(12).fill(0))] as const;
const destinationOptions = [60, Uint8Array.of(0, 1, 4, 0, 0, 0, 0)] as const;
const routing = (type: number, left: number): readonly [number, Uint8Array] => [
  43,
  Uint8Array.of(2, type, left, ...new Array<number>(20).fill(0)),
];
const authentication = (spi: number, words: number, reserved = 0): readonly [number, Uint8Array] => [
  51,
  Uint8Array.of(words, 0, reserved, ...word(spi), ...new Array<number>(words * 4).fill(0)),
];

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
  v4(
    "-p tcp -m tcp --sport 1000:2000 --dport 80",
    [t(80, { sourcePort: 1000 })],
    [t(80, { sourcePort: 2001 }), t(81, { sourcePort: 1000 })],
  ),
  v4("-p tcp -m tcp --dport 0:65535", [t(0), t(65535)], [u(9)]),
  v4("-p tcp -m tcp ! --dport 0:65535", [], [t(0), t(65535)]),
  v4(
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN",
    [t(1), t(2, { flags: ["syn", "psh"] })],
    [t(3, { flags: ["syn", "ack"] }), t(4, { flags: ["ack"] }), t(5, { flags: [] })],
  ),
  v4(
    "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN",
    [t(3, { flags: ["syn", "ack"] }), t(4, { flags: ["ack"] }), t(5, { flags: [] })],
    [t(1), t(2, { flags: ["syn", "psh"] }), u(1)],
  ),
  v4(
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE",
    [t(1, { flags: [] }), t(2, { flags: ["ece", "cwr"] })],
    [t(3), t(4, { flags: ["urg"] })],
  ),
  v4(
    "-p tcp -m tcp --tcp-flags FIN,SYN FIN,SYN",
    [t(1, { flags: ["fin", "syn"] }), t(2, { flags: ["fin", "syn", "ack"] })],
    [t(3), t(4, { flags: ["fin"] })],
  ),
  v4(
    "-p tcp -m tcp --tcp-option 8",
    [
      t(1, { options: Uint8Array.of(8, 10, 0, 0, 0, 1, 0, 0, 0, 0) }),
      t(2, { options: Uint8Array.of(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0) }),
    ],
    [t(3), t(4, { options: maximumSegmentOption(1000) })],
  ),
  v4(
    "-p tcp -m tcp ! --tcp-option 8",
    [t(3), t(4, { options: maximumSegmentOption(1000) })],
    [t(1, { options: Uint8Array.of(8, 10, 0, 0, 0, 1, 0, 0, 0, 0) }), u(1)],
  ),
  v4(
    "-p tcp -m tcpmss --mss 1000:1400",
    [t(1, { options: maximumSegmentOption(1000) }), t(2, { options: maximumSegmentOption(1400) })],
    [t(3, { options: maximumSegmentOption(1401) }), t(4, { options: maximumSegmentOption(999) }), t(5)],
  ),
  v4(
    "-p tcp -m tcpmss ! --mss 1000:1400",
    [
      t(3, { options: maximumSegmentOption(1401) }),
      t(5),
      t(5, { options: Uint8Array.of(2, 30, 4, 0) }),
      t(5, { options: Uint8Array.of(2, 3, 4, 0) }),
    ],
    [t(1, { options: maximumSegmentOption(1000) }), u(1)],
  ),
  v4("-p udp -m udp --dport 53", [u(53)], [u(54), t(53)]),
  v4("-p udp -m udp ! --sport 1000:2000", [u(1)], [u(1, { sourcePort: 1500 }), t(1)]),
  v4("-p udp -m udp --dport 200:100", [], [u(100), u(150), u(200)]),
  v4("-p udp -m udp ! --dport 200:100", [u(100), u(150), u(0)], [t(150)]),
  v4("-p udp -m multiport --dports 53,100:200,5000", [u(53), u(100), u(200), u(5000)], [u(54), u(99), u(201), t(53)]),
  v4(
    "-p tcp -m multiport --ports 53,100:200",
    [t(53), t(1, { sourcePort: 150 }), t(150, { sourcePort: 150 })],
    [t(99), t(201, { sourcePort: 54 })],
  ),
  v4("-p tcp -m multiport ! --ports 53,100:200", [t(99), t(201, { sourcePort: 54 })], [t(53), t(1, { sourcePort: 150 }), u(5)]),
  v4("-p tcp -m multiport ! --sports 53,100:200", [t(53)], [t(53, { sourcePort: 53 })]),
  v4("-p udplite -m multiport --dports 53,99", [raw(136, [...ports(1, 53), 0, 0, 0, 0])], [raw(136, [...ports(53, 54), 0, 0, 0, 0])]),
  v4("-p sctp -m sctp --dport 100:200", [sctp(5, 100, [1, 0]), sctp(5, 200, [1, 0])], [sctp(5, 201, [1, 0])]),
  v4("-p sctp -m sctp ! --sport 5", [sctp(6, 1, [1, 0])], [sctp(5, 1, [1, 0])]),
  v4("-p sctp -m sctp --chunk-types any INIT,SACK", [sctp(1, 1, [1, 0]), sctp(1, 1, [0, 0], [3, 0])], [sctp(1, 1, [0, 0])]),
  v4(
    "-p sctp -m sctp --chunk-types all INIT,SACK",
    [sctp(1, 1, [1, 0], [3, 0]), sctp(1, 1, [3, 0], [0, 0], [1, 0])],
    [sctp(1, 1, [1, 0]), sctp(1, 1, [3, 0], [0, 0])],
  ),
  v4("-p sctp -m sctp ! --chunk-types any INIT,SACK", [sctp(1, 1, [0, 0])], [sctp(1, 1, [1, 0]), sctp(1, 1, [0, 0], [3, 0])]),
  v4("-p sctp -m sctp --chunk-types all INIT,ABORT:T", [sctp(1, 1, [1, 0], [6, 1])], [sctp(1, 1, [1, 0], [6, 0]), sctp(1, 1, [6, 1])], {
    approximate: true,
  }),
  v4(
    "-p sctp -m sctp --dport 5 --chunk-types any SHUTDOWN_COMPLETE:t,ABORT:T",
    [sctp(1, 5, [6, 1]), sctp(1, 5, [14, 0])],
    [sctp(1, 6, [6, 1]), sctp(1, 5, [6, 0]), sctp(1, 5, [14, 1], [0, 0])],
    { approximate: true },
  ),
  v4(
    "-p sctp -m sctp --dport 5 ! --chunk-types any DATA:UBe,ABORT:T",
    [sctp(1, 5, [6, 0]), sctp(1, 5, [0, 7]), sctp(1, 5, [1, 0])],
    [sctp(1, 6, [6, 0]), sctp(1, 5, [0, 6]), sctp(1, 5, [6, 1])],
    { approximate: true },
  ),
  v4("-p dccp -m dccp --dport 100 --dccp-types REQUEST,CLOSE", [dccp(1, 100, 0), dccp(1, 100, 6)], [dccp(1, 101, 0), dccp(1, 100, 1)]),
  v4("-p dccp -m dccp ! --dport 200:100", [dccp(1, 150, 0)], [u(150)]),
  v4("-p dccp -m dccp ! --dccp-types REQUEST,CLOSE", [dccp(1, 101, 1)], [dccp(1, 100, 6)]),
  v4("-p icmp -m icmp --icmp-type any", [ping(), message(13, 0)], [t(1)]),
  v4("-p icmp -m icmp --icmp-type echo-request", [ping()], [message(13, 0), u(1)]),
  v4("-p icmp -m icmp --icmp-type 3", [message(3, 0), message(3, 13)], [message(4, 0)]),
  v4("-p icmp -m icmp --icmp-type 3/1", [message(3, 1)], [message(3, 2), message(4, 1)]),
  v4("-p icmp -m icmp ! --icmp-type 3/1", [message(3, 2), message(4, 1)], [message(3, 1), u(1)]),
  v4("-p icmp -m icmp --icmp-type 3/1:3", [message(3, 1), message(3, 3)], [message(3, 0), message(3, 4), message(4, 2)]),
  v4("-p icmp -m icmp ! --icmp-type 3/1:3", [message(3, 0), message(4, 2)], [message(3, 1), message(3, 3), u(1)]),
  v4("-p icmp -m icmp --icmp-type 3/3:1", [], [message(3, 1), message(3, 2), message(4, 2), u(1)]),
  v4("-p icmp -m icmp ! --icmp-type 3/3:1", [message(3, 2), message(13, 0)], [u(1)]),
  v4("-p icmp -m icmp --icmp-type 255/1:3", [message(3, 0), message(13, 0)], [u(1)]),
  v4("-p icmp -m icmp ! --icmp-type 8", [message(13, 0)], [ping()]),
  v6("-p icmpv6 -m icmp6 --icmpv6-type 128", [ping()], [message(150, 0)]),
  v6("-p icmpv6 -m icmp6 --icmpv6-type no-route", [message(1, 0)], [message(1, 1), message(2, 0)]),
  v6("-p icmpv6 -m icmp6 ! --icmpv6-type no-route", [message(1, 1), message(2, 0)], [message(1, 0)]),
  v4(
    "-p ah -m ah --ahspi 500:600",
    [raw(51, [6, 4, 0, 0, ...word(500), ...word(1)]), raw(51, [6, 4, 0, 0, ...word(600), ...word(1)])],
    [raw(51, [6, 4, 0, 0, ...word(601), ...word(1)])],
  ),
  v4("-p ah -m ah ! --ahspi 500", [raw(51, [6, 4, 0, 0, ...word(501), ...word(1)])], [raw(51, [6, 4, 0, 0, ...word(500), ...word(1)])]),
  v4(
    "-p esp -m esp --espspi 500:600",
    [raw(50, [...word(500), ...word(1)]), raw(50, [...word(600), ...word(1)])],
    [raw(50, [...word(499), ...word(1)]), raw(51, [6, 4, 0, 0, ...word(500), ...word(1)])],
  ),
  v4("-p esp -m esp ! --espspi 500", [raw(50, [...word(501), ...word(1)])], [raw(50, [...word(500), ...word(1)])]),
  v4("-p ipcomp -m ipcomp --ipcompspi 500", [raw(108, [6, 0, 1, 244])], [raw(108, [6, 0, 1, 245])]),
  v4("-p ipcomp -m ipcomp ! --ipcompspi 500", [raw(108, [6, 0, 1, 245])], [raw(108, [6, 0, 1, 244])]),
  v6("-p esp -m esp --espspi 500", [raw(50, [...word(500), ...word(1)])], [raw(50, [...word(501), ...word(1)])]),
  v4("-m iprange --src-range 203.0.113.5-203.0.113.9", [t(1)], [t(1, { from: "203.0.113.10" }), t(1, { from: "203.0.113.4" })]),
  v4("-m iprange ! --src-range 203.0.113.5-203.0.113.9", [t(1, { from: "203.0.113.10" })], [t(1)]),
  v4("-m iprange ! --dst-range 198.51.100.0-198.51.100.255 --src-range 203.0.113.5-203.0.113.9", [], [t(1)]),
  v6("-m iprange --src-range 2001:db8:2::5-2001:db8:2::9", [t(1)], [t(1, { from: "2001:db8:2::a" })]),
  v4(
    "-m mac --mac-source 02:00:00:00:aa:01",
    [withHardwareSource("02:00:00:00:aa:01", t(1))],
    [withHardwareSource("02:00:00:00:aa:02", t(1))],
  ),
  v4(
    "-m mac ! --mac-source 02:00:00:00:aa:01",
    [withHardwareSource("02:00:00:00:aa:02", t(1))],
    [withHardwareSource("02:00:00:00:aa:01", t(1))],
  ),
  v4("-m pkttype --pkt-type unicast", [t(1)], []),
  v4("-m pkttype ! --pkt-type unicast", [], [t(1)]),
  v4("-m ttl --ttl-eq 5", [t(1, { ttl: 5 })], [t(1, { ttl: 6 })], { local: true }),
  v4("-m ttl --ttl-lt 5", [t(1, { ttl: 4 })], [t(1, { ttl: 5 })], { local: true }),
  v4("-m ttl --ttl-gt 5", [t(1, { ttl: 7 })], [t(1, { ttl: 6 })]),
  v4("-m ttl ! --ttl-eq 5", [t(1, { ttl: 5 })], [t(1, { ttl: 6 })]),
  v6("-m hl --hl-eq 5", [t(1, { ttl: 5 })], [t(1, { ttl: 6 })], { local: true }),
  v6("-m hl ! --hl-eq 5", [t(1, { ttl: 6 })], [t(1, { ttl: 5 })], { local: true }),
  v4(
    "-m length --length 128:256",
    [u(1, { payload: new Uint8Array(100) }), u(1, { payload: new Uint8Array(228) })],
    [u(1, { payload: new Uint8Array(99) }), u(1, { payload: new Uint8Array(229) })],
  ),
  v4("-m length ! --length 128:256", [u(1, { payload: new Uint8Array(99) })], [u(1, { payload: new Uint8Array(100) })]),
  v6("-m length --length 148", [u(1, { payload: new Uint8Array(100) })], [u(1, { payload: new Uint8Array(101) })]),
  v6("-m length --length :147", [u(1, { payload: new Uint8Array(99) })], [u(1, { payload: new Uint8Array(100) })]),
  v4("-m dscp --dscp 0x0a", [t(1, { tos: 0x28 }), t(1, { tos: 0x2b })], [t(1, { tos: 0x2c })]),
  v4("-m dscp ! --dscp-class EF", [t(1)], [t(1, { tos: 0xb8 })]),
  v6("-m dscp --dscp-class EF", [t(1, { tos: 0xb8 }), t(1, { tos: 0xb9 })], [t(1, { tos: 0xbc })]),
  v4("-m tos --tos 0x10/0x3f", [t(1, { tos: 0x10 }), t(1, { tos: 0xd0 })], [t(1, { tos: 0x11 })]),
  v4("-m tos ! --tos 0x10", [t(1, { tos: 0x11 })], [t(1, { tos: 0x10 })]),
  v6("-m tos --tos 0x12", [t(1, { tos: 0x12 })], [t(1, { tos: 0x10 }), t(1, { tos: 0x22 })]),
  v6("-m tos ! --tos 0x2/0xf", [t(1, { tos: 0x10 })], [t(1, { tos: 0x22 })]),
  v4("-m ecn --ecn-ip-ect 1", [t(1, { tos: 1 }), t(1, { tos: 0x2d })], [t(1, { tos: 2 }), t(1)]),
  v4("-m ecn ! --ecn-ip-ect 3", [t(1, { tos: 1 })], [t(1, { tos: 3 })]),
  v6("-m ecn --ecn-ip-ect 2", [t(1, { tos: 2 })], [t(1, { tos: 1 })]),
  v4("-p tcp -m ecn --ecn-tcp-cwr", [t(1, { flags: ["syn", "cwr"] })], [t(1, { flags: ["syn", "ece"] }), u(1)]),
  v4("-p tcp -m ecn ! --ecn-tcp-ece", [t(1)], [t(1, { flags: ["syn", "ece"] })]),
  v4(
    '-m u32 --u32 "0>>22&0x3c@0>>16&0xffff=0x1000:0x2000"',
    [t(1, { sourcePort: 0x1000 }), u(1, { sourcePort: 0x2000 })],
    [t(1, { sourcePort: 0x2001 })],
    { approximate: true },
  ),
  v4(
    '-m u32 ! --u32 "0>>22&0x3c@0>>16&0xffff=0x1000:0x2000"',
    [t(1, { sourcePort: 0x2001 }), u(1, { sourcePort: 0xfff })],
    [t(1, { sourcePort: 0x1000 }), u(1, { sourcePort: 0x2000 })],
    { approximate: true },
  ),
  v4(
    '-m u32 ! --u32 "0>>22&0x3c@8=0x61626364&&0>>22&0x3c@12>>24=4:9"',
    [u(1), u(1, { payload: bytes("abcd") }), u(1, { payload: bytes("abcd\x03xxx") }), u(1, { payload: bytes("abcx\x05xxx") })],
    [u(1, { payload: bytes("abcd\x05xxx") }), u(1, { payload: bytes("abcd\x09xxx") })],
    { approximate: true },
  ),
  v4('-m u32 --u32 "6&0xff=17&&4&0x1fff=0"', [u(1)], [t(1)]),
  v4('-m u32 ! --u32 "6&0xff=17,6"', [ping()], [t(1), u(1)]),
  v4(
    '-m string --string "abc" --algo bm --from 28 --to 31',
    [u(1, { payload: bytes("abcd") })],
    [u(1, { payload: bytes("abdd") }), u(1, { payload: bytes("xabc") })],
  ),
  v4('-m comment --comment "a comment"', [t(1)], []),
];

const ipv6Matches: readonly Case[] = [
  v6("-m hbh", [t(1, { extensionHeaders: [hopByHop] })], [t(1), t(1, { extensionHeaders: [destinationOptions] })]),
  v6("-m hbh --hbh-len 16", [t(1, { extensionHeaders: [longHopByHop] })], [t(1, { extensionHeaders: [hopByHop] }), t(1)]),
  v6("-m dst", [t(1, { extensionHeaders: [destinationOptions] })], [t(1)]),
  v6("-m dst ! --dst-len 16", [t(1, { extensionHeaders: [destinationOptions] })], [t(1)]),
  v6("-m rt --rt-type 2", [t(1, { extensionHeaders: [routing(2, 0)] })], [t(1, { extensionHeaders: [routing(3, 0)] }), t(1)]),
  v6("-m rt ! --rt-type 2", [t(1, { extensionHeaders: [routing(3, 0)] })], [t(1, { extensionHeaders: [routing(2, 0)] }), t(1)]),
  v6("-m rt --rt-segsleft 1:2 --rt-len 24", [t(1, { extensionHeaders: [routing(2, 1)] })], [t(1, { extensionHeaders: [routing(2, 3)] })]),
  v6(
    "-m ah --ahspi 500",
    [t(1, { extensionHeaders: [authentication(500, 4)] })],
    [t(1, { extensionHeaders: [authentication(501, 4)] }), t(1)],
  ),
  v6(
    "-m ah ! --ahspi 500",
    [t(1, { extensionHeaders: [authentication(501, 4)] })],
    [t(1, { extensionHeaders: [authentication(500, 4)] }), t(1)],
  ),
  v6("-m ah --ahlen 24", [t(1, { extensionHeaders: [authentication(500, 4)] })], [t(1, { extensionHeaders: [authentication(500, 6)] })]),
  v6("-p mh -m mh --mh-type 1:3", [raw(135, [59, 0, 2, 0, 0, 0, 0, 0])], [raw(135, [59, 0, 4, 0, 0, 0, 0, 0])]),
  v6(
    "-m ipv6header --header hop --soft",
    [t(1, { extensionHeaders: [hopByHop] }), t(1, { extensionHeaders: [hopByHop, destinationOptions] })],
    [t(1)],
  ),
  v6(
    "-m ipv6header --header hop,prot",
    [t(1, { extensionHeaders: [hopByHop] })],
    [t(1), t(1, { extensionHeaders: [hopByHop, destinationOptions] })],
  ),
  v6("-m ipv6header ! --header hop --soft", [t(1)], [t(1, { extensionHeaders: [hopByHop] })]),
];

const segments = (left: number, tag: number): readonly [number, Uint8Array] => [
  43,
  Uint8Array.of(2, 4, left, 0, 0, tag >> 8, tag & 0xff, ...new Array<number>(16).fill(0)),
];
const segmentMatches: readonly Case[] = [
  v6(
    "-m srh --srh-next-hdr 6 --srh-hdr-len-eq 2",
    [t(1, { extensionHeaders: [segments(0, 5)] })],
    [u(1, { extensionHeaders: [segments(0, 5)] }), t(1), t(1, { extensionHeaders: [routing(2, 0)] })],
    { approximate: true },
  ),
  v6(
    "-m srh ! --srh-tag 0x505 --srh-hdr-len-gt 1 --srh-last-entry-lt 1 ! --srh-segs-left-gt 0",
    [t(1, { extensionHeaders: [segments(0, 6)] })],
    [t(1, { extensionHeaders: [segments(0, 0x505)] })],
    { approximate: true },
  ),
];

/** The answers of the firewall itself: resets of the kernel, which belong to no process. */
const answers = (rule: string, options: Options = {}): Case =>
  matchCase("ipv4", rule, [], [], { local: true, chain: "filter OUTPUT", select: "-s ADDRESS", others: [t(1), u(1), ping()], ...options });
const outputMatches: readonly Case[] = [
  answers("-m owner --uid-owner 0", {}),
  answers("-m owner ! --uid-owner 1000", {}),
  answers("-m owner ! --gid-owner 1000 ! --uid-owner 1000", {}),
  answers("-m owner --uid-owner 1000 ! --gid-owner 1000", {}),
  answers("-p icmp -m icmp --icmp-type echo-reply", {}),
  answers("-p icmp -m icmp --icmp-type 3/3", {}),
  answers("-p tcp -m tcp --tcp-flags RST RST", {}),
  answers("-m addrtype --src-type LOCAL --dst-type UNICAST --limit-iface-out", {}),
  answers("-o eth0 -m conntrack --ctdir REPLY --ctstate ESTABLISHED", {}),
  answers("-m conntrack --ctstate RELATED", {}),
];

/** Chains that a case calls; `{n}` makes their names its own. */
const chainCases: readonly Case[] = [
  {
    ...v4("jumps", [t(80, { from: "203.0.113.9" }), u(1), t(3)], [t(80), t(81)]),
    rules: {
      "filter FORWARD": ["-j CALLED{n}", "-p tcp -m tcp --dport 80 -j ACCEPT", "-m mark --mark 0x7 -j ACCEPT", "-p tcp -j DROP"],
      "filter CALLED{n}": [
        "-s 203.0.113.9/32 -g AWAY{n}",
        "-p tcp -m tcp --dport 80 -j RETURN",
        "-p udp -j DROP",
        "-p tcp -m tcp --dport 81 -g PASS{n}",
        "-p tcp -j RETURN",
      ],
      "filter AWAY{n}": ["-p udp -j RETURN", "-p tcp -m tcp --dport 80 -j DROP"],
      "filter PASS{n}": ["-j ACCEPT"],
    },
    others: [u(1, { from: "203.0.113.9" }), t(1, { from: "203.0.113.9" })],
  },
  {
    ...v4("falling off the end", [t(1)], [t(2), u(1)]),
    rules: {
      "filter FORWARD": ["-p tcp -m tcp --dport 2 -j RETURN", "-p tcp -g AWAY{n}", "-j ACCEPT"],
      "filter AWAY{n}": ["-p udp -j ACCEPT", "-j INNER{n}", "-p tcp -j DROP"],
      "filter INNER{n}": ["-p udp -j DROP"],
    },
  },
  {
    ...v4("accept in one table, drop in the next", [t(1), u(1)], [t(2)]),
    rules: {
      "raw PREROUTING": ["-p udp -j ACCEPT"],
      "mangle PREROUTING": ["-p tcp -m tcp --dport 1 -j CALLED{n}"],
      "mangle CALLED{n}": ["-j MARK --set-mark 0x9", "-j ACCEPT", "-j DROP"],
      "mangle FORWARD": ["-p udp -j DROP"],
      "filter FORWARD": ["-m mark --mark 0x9 -j DROP"],
    },
  },
];

/** The moment of the test, in hours of its day by UTC. */
const hour = new Date().getUTCHours();
const clock = (hours: number): string => `${String((hour + hours + 24) % 24).padStart(2, "0")}:00:00`;

const stateMatches: readonly Case[] = [
  v4("-m state --state NEW", [t(1), u(1)], [t(2, { flags: ["rst"] })]),
  v4("-m conntrack --ctstate INVALID", [t(2, { flags: ["rst"] })], [t(1)]),
  v4("-m conntrack ! --ctstate INVALID", [t(1)], [t(2, { flags: ["rst"] })]),
  v4("-m conntrack ! --ctstate NEW,RELATED", [t(2, { flags: ["rst"] })], [u(7)], { others: [u(7), answer(u(7)), u(7), u(8)] }),
  v4("-m conntrack --ctstate UNTRACKED", [t(3)], [t(4)], { before: { "raw PREROUTING": ["-p tcp -m tcp --dport 3 -j CT --notrack"] } }),
  v4("-m state --state INVALID,UNTRACKED", [t(3), t(2, { flags: ["rst"] })], [t(4)], {
    before: { "raw PREROUTING": ["-p tcp -m tcp --dport 3 -j NOTRACK"] },
  }),
  v4("-m conntrack ! --ctstate DNAT", [t(1)], [t(2), t(3, { sourcePort: 40_001 })], {
    before: { "nat PREROUTING": ["-p tcp -m tcp --dport 2:3 -j DNAT --to-destination :99"] },
  }),
  v4("-m conntrack --ctstate DNAT,INVALID", [t(2), t(3, { flags: ["rst"] })], [t(1)], {
    before: { "nat PREROUTING": ["-p tcp -m tcp --dport 2 -j DNAT --to-destination :99"] },
  }),
  v4("-m conntrack --ctproto 17", [u(1)], [t(1)]),
  v4("-m conntrack ! --ctproto udp", [t(1)], [u(1), t(2, { flags: ["rst"] })]),
  v4("-m conntrack --ctorigsrc 203.0.113.0/29", [u(1)], [u(1, { from: "203.0.113.9" })]),
  v4("-m conntrack ! --ctorigsrc 203.0.113.7", [u(1, { from: "203.0.113.9" })], [u(1)]),
  v4("-m conntrack --ctproto tcp --ctorigdstport 100:200", [t(100)], [t(201), u(100)]),
  v4("-m conntrack --ctproto tcp --ctorigdstport 200:100", [], [t(100), t(150)]),
  v4("-m conntrack --ctproto tcp ! --ctorigdstport 200:100", [t(100), t(150)], [u(150)]),
  v4("-m conntrack ! --ctorigdstport 100", [t(101), u(101)], [t(100)]),
  v4("-m conntrack --ctstatus NONE", [], [], { others: [u(1), answer(u(1)), u(1)] }),
  v4("-m conntrack --ctstatus SEEN_REPLY", [], [u(1)], { others: [u(1), answer(u(1)), u(1), u(1)] }),
  v4("-m conntrack ! --ctstatus CONFIRMED,SEEN_REPLY", [u(1)], [], { others: [u(2), answer(u(2)), u(2)] }),
  v4("-m conntrack --ctdir ORIGINAL", [u(1)], [], { others: [t(1), t(2, { flags: ["rst"] })] }),
  v4("-m conntrack --ctexpire 100:600", [], [u(1)], { others: [u(1), u(1)] }),
  v4("-m connmark --mark 0x2/0xff", [t(2)], [t(3), t(4)], {
    before: {
      "mangle PREROUTING": [
        "-p tcp -m tcp --dport 2 -j CONNMARK --set-xmark 0xf02/0xffffffff",
        "-p tcp -m tcp --dport 3 -j CONNMARK --set-xmark 0xf03/0xffffffff",
      ],
    },
  }),
  v4("-m connmark ! --mark 0x2/0xff", [t(3), t(4)], [t(2), t(5, { flags: ["rst"] })], {
    before: { "mangle PREROUTING": ["-p tcp -m tcp --dport 2 -j CONNMARK --set-xmark 0xf02/0xffffffff"] },
  }),
  v4("-m mark --mark 0x2/0xff", [t(2)], [t(3), t(4)], {
    before: {
      "mangle PREROUTING": [
        "-p tcp -m tcp --dport 2 -j MARK --set-xmark 0xf02/0xffffffff",
        "-p tcp -m tcp --dport 3 -j MARK --set-xmark 0xf03/0xffffffff",
      ],
    },
  }),
  v4("-m mark ! --mark 0x2", [t(3), t(4)], [t(2)], {
    before: { "mangle PREROUTING": ["-p tcp -m tcp --dport 2 -j MARK --set-xmark 0x2/0xffffffff"] },
  }),
  v4("-m connlabel --label 5", [t(2)], [t(3)], { before: { "filter FORWARD": ["-p tcp -m tcp --dport 2 -m connlabel --label 5 --set"] } }),
  v4("-m connlabel ! --label 5", [t(3)], [t(2)], {
    before: { "filter FORWARD": ["-p tcp -m tcp --dport 2 -m connlabel --label 5 --set"] },
  }),
  v4("-m connbytes --connbytes 3: --connbytes-dir both --connbytes-mode packets", [], [], { others: times(5, u(1)) }),
  v4("-m connbytes ! --connbytes 3: --connbytes-dir original --connbytes-mode packets", [], [], { others: times(5, u(1)) }),
  v4("-m connbytes --connbytes :100 --connbytes-dir original --connbytes-mode bytes", [], [], { others: times(5, u(1)) }),
  v4("-m connbytes --connbytes 100:200 --connbytes-dir both --connbytes-mode avgpkt", [], [], {
    others: times(5, u(1, { payload: new Uint8Array(100) })),
  }),
  v4("-m addrtype --dst-type LOCAL", [t(1)], [], { local: true }),
  v4("-m addrtype --dst-type LOCAL --limit-iface-in", [t(1)], [by("eth1", t(1))], { local: true }),
  v4("-m addrtype ! --dst-type LOCAL,BROADCAST", [t(1)], []),
  v4("-m addrtype --src-type UNICAST ! --dst-type MULTICAST", [t(1)], []),
  v4("-m addrtype --dst-type BROADCAST", [() => udp("203.0.113.241", "192.0.2.255", 1)], [() => udp("203.0.113.241", "198.51.100.9", 1)], {
    select: "-s 203.0.113.241",
    chain: "mangle PREROUTING",
  }),
  v4("-m addrtype ! --dst-type MULTICAST", [() => udp("203.0.113.242", "192.0.2.1", 1)], [], {
    select: "-s 203.0.113.242",
    chain: "mangle PREROUTING",
    others: [() => udp("203.0.113.242", "224.0.0.5", 1)],
  }),
  v6("-m addrtype --dst-type LOCAL", [t(1)], [], { local: true }),
  v6("-m addrtype ! --dst-type LOCAL", [t(1)], []),
  v4("-m devgroup --src-group 0x2", [by("eth1", t(1))], [t(1)], { local: true, prepare: "ip link set eth1 group 2" }),
  v4("-m devgroup ! --dst-group 0x2/0xf", [], [t(1)]),
  v4("-m realm --realm 4", [t(1)], [], { prepare: "ip route add 198.51.100.{n}/32 dev eth1 realm 4" }),
  v4("-m realm ! --realm 0x1/0xf", [t(1)], [], { prepare: "ip route add 198.51.100.{n}/32 dev eth1 realm 4" }),
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
  v4(
    "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 3 --hashlimit-mode srcip --hashlimit-name upto",
    [...times(3, u(1)), u(1, { from: "203.0.113.8" })],
    times(3, u(1)),
    { approximate: true },
  ),
  v4("-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 3 --hashlimit-mode srcip,dstport --hashlimit-name above", [], [], {
    approximate: true,
    others: [...times(5, u(1)), u(2), ...times(2, u(1))],
  }),
  v4(
    "-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 2 --hashlimit-mode srcip --hashlimit-srcmask 24 --hashlimit-name wide",
    [],
    [],
    { approximate: true, others: [u(1), u(1, { from: "203.0.113.8" }), u(1, { from: "203.0.113.9" }), u(1, { from: "203.0.114.9" })] },
  ),
  v4(
    "-p tcp -m connlimit --connlimit-above 2 --connlimit-mask 32 --connlimit-saddr",
    [],
    [],
    // The kernel's count of connections may forget one that is not yet through the last hook when the next comes.
    { spacing: 0.02, others: [t(1), t(2), t(3), t(1), t(4), t(1, { from: "203.0.113.8" })] },
  ),
  v4("-p tcp -m connlimit --connlimit-upto 2 --connlimit-mask 24 --connlimit-saddr", [], [], {
    spacing: 0.02,
    others: [t(1), t(2, { from: "203.0.113.8" }), t(3), t(4)],
  }),
  v4("-m time --datestart 2020-01-01 --datestop 2037-01-01", [t(1)], []),
  v4("-m time --datestop 2020-01-01", [], [t(1)]),
  v4(`-m time --timestart ${clock(-1)} --timestop ${clock(2)}`, [t(1)], []),
  v4(`-m time --timestart ${clock(2)} --timestop ${clock(3)}`, [], [t(1)]),
  v4("-m time --weekdays Mon,Tue,Wed,Thu,Fri,Sat,Sun", [t(1)], []),
  v4("-m cluster --cluster-total-nodes 3 --cluster-local-node 2 --cluster-hash-seed 0xdeadbeef", [], [], {
    approximate: true,
    others: Array.from({ length: 24 }, (_, index) => u(1, { from: `203.0.113.${index + 20}` })),
  }),
];

// ------------------------------------------------------------------------------------------------------- targets

const target = (
  family: Family,
  place: string,
  rules: string | readonly string[],
  probes: readonly Probe[],
  options: Partial<Case> = {},
): Case => ({
  name: typeof rules === "string" ? `${place} ${rules}` : `${place} ${rules.join("; ")}`,
  family,
  rules: { [place]: typeof rules === "string" ? [rules] : rules },
  hits: [],
  misses: [],
  others: probes,
  approximate: false,
  ...options,
});

const mangle = (rules: string | readonly string[], probes: readonly Probe[] = [t(1, { tos: 0x2b })], options: Partial<Case> = {}): Case =>
  target("ipv4", "mangle PREROUTING", rules, probes, options);
const mangle6 = (rules: string | readonly string[], probes: readonly Probe[] = [t(1, { tos: 0x2b })]): Case =>
  target("ipv6", "mangle PREROUTING", rules, probes);
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
  mangle([
    "-j MARK --set-mark 0x1ff",
    "-j CONNMARK --save-mark --mask 0x12",
    "-j MARK --set-mark 0",
    "-j CONNMARK --restore-mark --mask 0x10",
  ]),
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
  target("ipv4", "mangle FORWARD", "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1000", [
    t(1, { options: maximumSegmentOption(1400) }),
    t(1, { options: maximumSegmentOption(900) }),
    t(1, { flags: ["ack"], options: maximumSegmentOption(1400) }),
  ]),
  target("ipv4", "mangle FORWARD", "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu", [
    t(1, { options: maximumSegmentOption(1400) }),
    t(1, { options: maximumSegmentOption(1460) }),
    t(1, { options: maximumSegmentOption(8000) }),
  ]),
  target("ipv6", "mangle FORWARD", "-p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu", [
    t(1, { options: maximumSegmentOption(1400) }),
    t(1, { options: maximumSegmentOption(1460) }),
    t(1, { options: maximumSegmentOption(8000) }),
  ]),
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
  ...[
    "icmp-net-unreachable",
    "icmp-host-unreachable",
    "icmp-port-unreachable",
    "icmp-proto-unreachable",
    "icmp-net-prohibited",
    "icmp-host-prohibited",
    "icmp-admin-prohibited",
  ].map((type) => target("ipv4", "filter FORWARD", `-j REJECT --reject-with ${type}`, rejectProbes)),
  target("ipv4", "filter INPUT", "-p tcp -j REJECT --reject-with tcp-reset", rejectProbes, { local: true }),
  target("ipv4", "filter FORWARD", "-p tcp -j REJECT --reject-with tcp-reset", rejectProbes),
  ...[
    "icmp6-no-route",
    "icmp6-adm-prohibited",
    "icmp6-addr-unreachable",
    "icmp6-port-unreachable",
    "icmp6-policy-fail",
    "icmp6-reject-route",
  ].map((type) => target("ipv6", "filter FORWARD", `-j REJECT --reject-with ${type}`, rejectProbes)),
  target("ipv6", "filter FORWARD", "-p tcp -j REJECT --reject-with tcp-reset", rejectProbes),
  target("ipv4", "filter FORWARD", ['-j LOG --log-prefix "a: "', "-p udp -j DROP"], [t(1), u(1)]),
  target("ipv4", "filter FORWARD", ["-j NFLOG --nflog-group 5", "-p udp -j DROP"], [t(1), u(1)]),
  target("ipv4", "filter FORWARD", ["-j AUDIT --type accept", "-p udp -j DROP"], [t(1), u(1)]),
  target("ipv4", "mangle POSTROUTING", ["-j CLASSIFY --set-class 1:10"], [t(1), u(1)]),
  mangle("-p udp -j TPROXY --on-port 5000 --on-ip 0.0.0.0 --tproxy-mark 0x7/0xff", [u(1), t(1)]),
];

/** Today by UTC, and another day of the month. */
const today = new Date().getUTCDate();
const anotherDay = (today % 28) + 1;
const fifteen = "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29";

const furtherMatches: readonly Case[] = [
  v4(`-p tcp -m multiport --dports ${fifteen}`, [t(1), t(29)], [t(2), t(30), u(1)]),
  v4("-p tcp -m multiport --dports 1:10,5:20,21", [t(1), t(15), t(21)], [t(22)]),
  v4("-m conntrack ! --ctstate NEW,SNAT", [t(1, { flags: ["rst"] })], [t(1)]),
  v4("-m conntrack --ctstate NEW,DNAT", [t(1), u(1)], [t(1, { flags: ["rst"] })], { others: [answer(u(1)), u(1)] }),
  v4("-m conntrack ! --ctstate NEW,DNAT", [t(9, { flags: ["rst"] })], [u(1), u(2)], {
    before: { "nat PREROUTING": ["-p udp -m udp --dport 2 -j DNAT --to-destination :99"] },
    others: [u(1), answer(u(1)), u(1)],
  }),
  v4("-m conntrack --ctstatus NONE,EXPECTED", [], [], { others: [u(1), answer(u(1)), u(1), t(1, { flags: ["rst"] })] }),
  v4("-m conntrack ! --ctstatus NONE", [], [], { others: [u(1), answer(u(1)), u(1), t(1, { flags: ["rst"] })] }),
  v4("-m conntrack --ctstatus SEEN_REPLY,ASSURED", [], [u(1)], { others: [u(1), answer(u(1)), u(1), u(1), u(1)] }),
  v4("-m conntrack --ctdir REPLY", [], [u(1)], { others: [answer(u(1)), u(1)] }),
  v4("-m conntrack ! --ctreplsrc 203.0.113.0/24", [u(1)], []),
  v4("-m conntrack --ctrepldst 203.0.113.7 ! --ctproto tcp", [u(1), ping()], [t(1)]),
  v4("-m conntrack ! --ctorigsrcport 40000:40001", [u(1, { sourcePort: 5 })], [u(1)], { others: [ping(), raw(47, [0, 0, 8, 0])] }),
  v4("-m conntrack --ctorigdstport 1:2048", [u(1)], [u(3000)], { others: [ping(), raw(47, [0, 0, 8, 0])] }),
  v4("-m conntrack --ctstate NEW --ctproto udp --ctorigsrc 203.0.113.7 --ctdir ORIGINAL --ctreplsrcport 5", [u(5)], [u(6), t(5)]),
  v6("-m conntrack --ctorigsrc 2001:db8:2::/64", [u(1)], [u(1, { from: "2001:db8:3::7" })]),
  v6("-m conntrack ! --ctorigsrc 2001:db8:2::/64", [u(1, { from: "2001:db8:3::7" })], [u(1)], { others: [t(2, { flags: ["rst"] })] }),
  v6("-m conntrack --ctstate RELATED,ESTABLISHED", [], [u(1), t(1)]),
  v4("-m state ! --state NEW,INVALID", [], [u(1), t(1, { flags: ["rst"] })]),
  v4("-m hashlimit --hashlimit-above 1kb/s --hashlimit-burst 2kb --hashlimit-mode srcip --hashlimit-name bytes", [], [], {
    approximate: true,
    others: times(6, u(1, { payload: new Uint8Array(900) })),
  }),
  v4("-m hashlimit --hashlimit-upto 2/min --hashlimit-burst 1 --hashlimit-mode dstport --hashlimit-name port", [u(1), u(2)], [u(1), u(2)]),
  v4("-m hashlimit --hashlimit-upto 2/min --hashlimit-burst 1 --hashlimit-name all", [u(1)], [u(2), u(2, { from: "203.0.113.9" })]),
  v4(
    "-m hashlimit --hashlimit-upto 2/min --hashlimit-burst 1 --hashlimit-mode srcip,srcport,dstip,dstport --hashlimit-name every",
    [u(1), u(2)],
    [u(1), t(1)],
  ),
  v4("-m limit --limit 10/min --limit-burst 2", times(2, u(1)), times(2, u(1))),
  v4("-m limit --limit 1000/sec --limit-burst 100", times(4, u(1)), [], { approximate: true }),
  v4("-m limit", times(5, u(1)), times(2, u(1))),
  v4("-m mark ! --mark 0x0/0x0", [], [t(1)]),
  v4("-m mark --mark 0x0/0x0", [t(1)], []),
  v4("-m mark --mark 0x5/0x1", [], [t(1)]),
  v4("-m mark ! --mark 0x5/0x1", [t(1)], []),
  v4("-m connmark --mark 0x0", [t(1)], [], { others: [t(1, { flags: ["rst"] })] }),
  v4("-m tos --tos Maximize-Throughput", [t(1, { tos: 8 }), t(1, { tos: 0xc8 })], [t(1, { tos: 9 })]),
  v4("-m ttl --ttl-gt 254", [], [t(1, { ttl: 255 })]),
  v4("-m ttl --ttl-lt 1", [], [t(1, { ttl: 1 })], { local: true }),
  v4("-m ttl --ttl-gt 255", [], [t(1, { ttl: 255 })]),
  v4("-m length --length 0:65535", [t(1)], []),
  v4("-m length ! --length 0:65535", [], [t(1)]),
  v4("-m length --length 40", [t(1)], [u(1)]),
  v4('-m u32 --u32 "12=0xcb007107"', [t(1)], [t(1, { from: "203.0.113.8" })]),
  v4('-m u32 --u32 "12>>8&0xff=113:114,200"', [t(1)], [t(1, { from: "203.0.112.8" })]),
  v4('-m u32 ! --u32 "12=0xcb007107&&6&0xff=6"', [u(1), t(1, { from: "203.0.113.8" })], [t(1)]),
  v4(
    '-m u32 --u32 "60=0x61626364"',
    [u(1, { payload: bytes(`${"x".repeat(32)}abcd`) })],
    [u(1, { payload: bytes(`${"x".repeat(32)}abc`) }), u(1)],
  ),
  v4(
    '-m u32 ! --u32 "60=0x61626364"',
    [u(1, { payload: bytes(`${"x".repeat(32)}abc`) }), u(1)],
    [u(1, { payload: bytes(`${"x".repeat(32)}abcd`) })],
  ),
  v6('-m u32 --u32 "6&0xff=64"', [], [], { others: [t(1), t(1, { ttl: 5 })] }),
  v4(
    '-m string --hex-string "|6162|c" --algo kmp --from 28 --to 31 --icase',
    [u(1, { payload: bytes("aBCd") })],
    [u(1, { payload: bytes("aXCd") }), u(1, { payload: bytes("ab") })],
  ),
  v4(
    '-m string ! --string "abc" --algo kmp --from 28 --to 31',
    [u(1, { payload: bytes("aXCd") }), u(1, { payload: bytes("ab") })],
    [u(1, { payload: bytes("abcd") })],
  ),
  v4("-m time --utc --weekdays Sun --timestart 00:00 --timestop 00:00:01", [], [], { approximate: true, others: [t(1)] }),
  v4(`-m time --monthdays ${today}`, [t(1)], [], { approximate: true }),
  v4(`-m time ! --monthdays ${today}`, [], [t(1)], { approximate: true }),
  v4(`-m time --monthdays ${anotherDay}`, [], [t(1)], { approximate: true }),
  v4("-m rpfilter", [t(1)], [by("eth1", t(1))], { chain: "mangle PREROUTING" }),
  v4("-m rpfilter --accept-local --invert", [by("eth1", t(1))], [t(1)], {
    chain: "raw PREROUTING",
    others: [t(1, { from: "192.0.2.1" }), t(1, { from: "192.0.2.255" })],
  }),
  v4("-m addrtype --src-type LOCAL,UNICAST", [t(1)], []),
  v4("-m addrtype ! --src-type LOCAL ! --dst-type LOCAL", [t(1)], []),
  v4("-m addrtype --dst-type UNICAST --limit-iface-out", [t(1)], []),
  v4("-m addrtype --src-type UNICAST --limit-iface-in", [], [], { local: true, others: [t(1), by("eth1", t(1))] }),
  v4("-p tcp -m tcp --dport 80 -m recent --set --name exercised -m limit --limit 1/hour --limit-burst 1", [t(80)], [t(80), u(80)]),
  v4(
    '-p 6 -m tcp --sport 40000 -m comment --comment "x" -m mark --mark 0x0 -m ttl --ttl-eq 63 -m length --length 40',
    [t(1)],
    [t(1, { ttl: 5 })],
  ),
];

/** The control connection of FTP up to the server's answer to PASV, then the data connection that it announces. */
function ftpSession(serverPort: number, dataPort: number, dataSourcePort: number): readonly Probe[] {
  const control = { sourcePort: 41_000 + (serverPort % 1000) };
  const fromServer =
    (options: TcpOptions): Probe =>
    (to) => ({ interface: "eth1", packet: tcp(to, client, control.sourcePort, { ...options, sourcePort: serverPort }) });
  const passive = (to: string): Uint8Array =>
    bytes(`227 Entering Passive Mode (${to.replaceAll(".", ",")},${dataPort >> 8},${dataPort & 0xff}).\r\n`);
  return [
    t(serverPort, { ...control, sequence: 100 }),
    fromServer({ flags: ["syn", "ack"], sequence: 500, acknowledgement: 101 }),
    t(serverPort, { ...control, flags: ["ack"], sequence: 101, acknowledgement: 501 }),
    // The helper believes a line only where one before it ended.
    fromServer({ flags: ["psh", "ack"], sequence: 501, acknowledgement: 101, payload: bytes("220 ready\r\n") }),
    t(serverPort, { ...control, flags: ["psh", "ack"], sequence: 101, acknowledgement: 512, payload: bytes("PASV\r\n") }),
    (to) => ({
      interface: "eth1",
      packet: tcp(to, client, control.sourcePort, {
        sourcePort: serverPort,
        flags: ["psh", "ack"],
        sequence: 512,
        acknowledgement: 107,
        payload: passive(to),
      }),
    }),
    t(dataPort, { sourcePort: dataSourcePort }),
    t(dataPort + 1, { sourcePort: dataSourcePort }),
  ];
}

const helperCases: readonly Case[] = [
  {
    ...v4("CT --helper ftp, then RELATED", [], []),
    others: ftpSession(21, 1025, 42_000),
    dropped: [6],
    rules: {
      "raw PREROUTING": ["-p tcp -m tcp --dport 21 -j CT --helper ftp"],
      "filter FORWARD": ["-p tcp -m tcp --dport 1024: -m conntrack --ctstate RELATED -j DROP"],
    },
  },
  {
    ...v4("CT --helper ftp, then -m helper", [], []),
    others: ftpSession(2121, 1025, 42_001),
    dropped: [6],
    rules: { "raw PREROUTING": ["-p tcp -m tcp --dport 2121 -j CT --helper ftp"], "filter FORWARD": ["-m helper --helper ftp -j DROP"] },
  },
  {
    ...v4("CT --helper ftp, then ! -m helper", [], []),
    others: ftpSession(2122, 1025, 42_002),
    dropped: [7],
    rules: {
      "raw PREROUTING": ["-p tcp -m tcp --dport 2122 -j CT --helper ftp"],
      "filter FORWARD": ["-p tcp -m tcp --dport 1024:1100 -m helper ! --helper ftp -j DROP"],
    },
  },
  {
    ...v4("no helper", [], []),
    others: ftpSession(2123, 1025, 42_003),
    dropped: [],
    rules: { "filter FORWARD": ["-p tcp -m tcp --dport 1024:1100 -m conntrack --ctstate RELATED -j DROP"] },
  },
];

const furtherTargets: readonly Case[] = [
  ...helperCases,
  {
    ...v4("ECN --ecn-tcp-remove", [t(1, { flags: ["syn", "ece", "cwr"] }), t(2, { flags: ["syn"] })], [u(1)]),
    rules: {
      "mangle PREROUTING": ["-p tcp -j ECN --ecn-tcp-remove"],
      "filter FORWARD": ["-p tcp -m ecn ! --ecn-tcp-ece -m ecn ! --ecn-tcp-cwr -j DROP"],
    },
  },
  {
    ...v4(
      "TCPOPTSTRIP, then the options that are left",
      [t(1, { options: Uint8Array.of(4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0) })],
      [t(1), t(1, { options: Uint8Array.of(3, 3, 7) })],
      { approximate: true },
    ),
    rules: {
      "mangle PREROUTING": ["-p tcp -j TCPOPTSTRIP --strip-options sack-permitted,wscale"],
      "filter FORWARD": ["-p tcp -m tcp ! --tcp-option 4 -m tcp ! --tcp-option 3 -m tcp --tcp-option 8 -j DROP"],
    },
  },
  mangle("-j CONNMARK --set-mark 0x1ff"),
  mangle("-j MARK --set-mark 0x0/0xf"),
  mangle(["-j MARK --set-xmark 0x10/0x0", "-j CONNMARK --set-xmark 0x10/0x0", "-j CONNMARK --save-mark --nfmask 0xf0 --ctmask 0x0f"]),
  mangle("-p tcp -m tcp --dport 1 -j MARK --set-mark 7", [t(1), t(2)]),
  mangle("-j TTL --ttl-dec 255", [t(1, { ttl: 255 }), t(1)]),
  mangle("-j DSCP --set-dscp 0", [t(1, { tos: 0xff })]),
  target("ipv4", "mangle FORWARD", "-j TTL --ttl-set 1", [t(1)]),
  target("ipv4", "mangle POSTROUTING", "-j DSCP --set-dscp-class AF41", [t(1)]),
  target("ipv6", "mangle POSTROUTING", "-j DSCP --set-dscp-class CS7", [t(1, { tos: 3 })]),
  target(
    "ipv6",
    "mangle FORWARD",
    ["-j MARK --set-mark 7", "-j TOS --set-tos Minimize-Cost", "-j TOS --or-tos 0x80"],
    [t(1, { tos: 0xff })],
  ),
  target("ipv6", "mangle PREROUTING", ["-j CONNMARK --set-mark 0x55", "-j CONNMARK --restore-mark --mask 0xf"], [t(1)]),
  target("ipv4", "nat PREROUTING", "-p tcp -j DNAT --to-destination 198.51.100.9:8080 --persistent", [t(80)]),
  target(
    "ipv4",
    "nat PREROUTING",
    [
      "-p tcp -m tcp --dport 80 -j RETURN",
      "-p tcp -j DNAT --to-destination 198.51.100.9",
      "-p udp -j ACCEPT",
      "-j DNAT --to-destination 198.51.100.8",
    ],
    [t(80), t(81), u(80), ping()],
  ),
  target("ipv4", "nat POSTROUTING", ["-p tcp -m tcp --dport 80 -j ACCEPT", "-j SNAT --to-source 198.51.100.98"], [t(80), t(81), u(80)]),
  target("ipv4", "nat PREROUTING", "-p udp -m udp --dport 53 -j REDIRECT --to-ports 5353", [u(53), u(54)], { local: true }),
  target("ipv6", "nat PREROUTING", "-p udp -m udp --dport 53 -j REDIRECT --to-ports 5353", [u(53), u(54)]),
  target("ipv6", "nat POSTROUTING", "-j NETMAP --to 2001:db8:1:5::/64", [t(80), u(9)]),
  target("ipv6", "nat PREROUTING", "-j DNAT --to-destination 2001:db8:1::9", [t(80), u(5), ping()]),
  target("ipv4", "filter FORWARD", "-m conntrack --ctstate NEW -j REJECT", rejectProbes),
  target("ipv4", "filter INPUT", "-j REJECT --reject-with icmp-port-unreachable", rejectProbes, { local: true }),
  target("ipv6", "filter INPUT", "-j REJECT", rejectProbes, { local: true }),
  target("ipv6", "filter FORWARD", ['-j LOG --log-prefix "a " --log-level 7 --log-uid', "-p udp -j DROP"], [t(1), u(1)]),
  target("ipv4", "security FORWARD", "-p udp -j DROP", [t(1), u(1)]),
  target("ipv4", "raw PREROUTING", "-p udp -j DROP", [t(1), u(1)]),
];

export const cases: readonly Case[] = [
  ...basics,
  ...headerMatches,
  ...ipv6Matches,
  ...segmentMatches,
  ...chainCases,
  ...stateMatches,
  ...outputMatches,
  ...furtherMatches,
  ...targetCases,
  ...furtherTargets,
];

/** Of 24 bytes of payload whose every pair is 80, in three fragments of 16 bytes and less: those behind the first seem to have ports. */
const misleading = { payload: Uint8Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? 0 : 80)), fragmentSize: 16 };
const first = { ...misleading, onlyFragment: 0 };
const later = { ...misleading, onlyFragment: 1 };

/** Where nothing tracks connections, rules see fragments as they come. */
export const untrackedCases: readonly Case[] = [
  v4("-f", [u(80, later), t(80, later)], [u(80, first), u(80)]),
  v4("! -f", [u(80, first), u(80)], [u(80, later), t(80, later)]),
  v4("-p udp", [u(80, later), u(80)], [t(80, later)]),
  v4("-p udp -m udp --dport 80", [u(80, first), u(80)], [u(80, later), u(81, first)]),
  v4("-p udp -m udp ! --dport 81", [u(80, first), u(80)], [u(80, later), u(81, first)]),
  v4("-p udp -m udp ! --dport 80:81", [u(82, first)], [u(80, later), u(81, first)]),
  v4("-p tcp -m tcp --dport 80", [t(80)], [t(80, later), t(81, later)]),
  v4("-p tcp -m tcp ! --syn", [t(80, { flags: ["ack"] })], [t(80, later)]),
  v4("-p udp -m multiport --ports 80,81", [u(80, first), u(1, { sourcePort: 81 })], [u(80, later)]),
  v4("-p udp -m multiport ! --dports 81,82", [u(80, first)], [u(80, later), u(82)]),
  v4("-p icmp -m icmp --icmp-type 8", [ping(first), ping()], [ping(later)]),
  v4("-p icmp -m icmp ! --icmp-type 9", [ping(first), ping()], [ping(later)]),
  v4("-p icmp -m icmp --icmp-type any", [ping(first), ping()], [], { others: [ping(later)] }),
  v4("-m length --length 36", [u(80, later)], [u(80)]),
  v4("-m ttl --ttl-lt 64 -f", [u(80, later)], [u(80)]),
  v4('-m u32 --u32 "4&0x1fff=1:0x1fff"', [u(80, later)], [u(80, first)]),
  v4("-m statistic --mode nth --every 2 --packet 0", [], [], { others: [u(80, first), u(80, later), u(80, first), u(80, later)] }),
  v6("-m frag --fragfirst", [u(80, first)], [u(80, later), u(80)]),
  v6("-m frag --fraglast", [u(80, later)], [u(80, first)]),
  v6("-m frag --fragmore", [u(80, first)], [u(80, later)]),
  v6("-m frag", [u(80, first), u(80, later)], [u(80)]),
  v6("-m frag ! --fragid 4000000000", [u(80, first), u(80, later)], [u(80)]),
  v6("-m ipv6header --header frag --soft", [u(80, first), u(80, later)], [u(80)]),
  v6(
    "-m ah --ahspi 500",
    [t(1, { extensionHeaders: [authentication(500, 4)] })],
    [t(1, { extensionHeaders: [authentication(501, 4)] }), t(1)],
  ),
  v6("-m hbh", [t(1, { extensionHeaders: [hopByHop] })], [t(1)]),
  v6("-p tcp", [t(1, { extensionHeaders: [hopByHop, destinationOptions] })], [u(1)]),
  v6("-p udp", [u(80, first), u(80)], [], { others: [u(80, later)] }),
  v6("-p udp -m udp --dport 80", [u(80, first), u(80)], [u(80, later)]),
  v6("-p udp -m udp ! --dport 81", [u(80, first), u(80)], [u(80, later)]),
  v6("-p tcp -m tcp --dport 80", [t(80)], [t(80, later)]),
  v6("-p icmpv6 -m icmp6 --icmpv6-type 128", [ping(first)], [ping(later)]),
  v6("-p icmpv6 -m icmp6 ! --icmpv6-type 129", [ping(first)], [ping(later)]),
  mangle("-j MARK --set-mark 5", [u(80, first), u(80, later)]),
  mangle("-p udp -m udp --dport 80 -j TTL --ttl-set 9", [u(80, first), u(80, later)]),
  target("ipv4", "filter FORWARD", "-j REJECT", [u(80, first), u(80, later), t(80)]),
  target("ipv6", "filter FORWARD", "-j REJECT", [u(80, first), u(80, later), t(80)]),
];
