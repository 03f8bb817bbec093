/**
 * The laboratory: the same packets at the same moments into two namespaces, one with iptables and one with an nft script.
 *
 *                              ┌── eth0, eth1 … namespace "iptables": legacy restore, observer
 *     tcpreplay ── bridge ─────┤
 *                 (floods)     └── eth0, eth1 … namespace "nft": nft -f, observer
 *
 * The inner ends of both namespaces have the same hardware and IP addresses, so one frame sent reaches both within
 * microseconds of each other. Which interface takes a frame is decided by its hardware address: the bridge gives every
 * frame to all, and the others see a stranger's frame. What leaves the namespaces reaches the sender alone.
 */

import { join } from "node:path";
import { readFile } from "node:fs/promises";
import type { Writable } from "node:stream";

import type { Family } from "../../src/iptables/ast.js";
import { readyLine, runInNamespace, withFiles } from "./namespace.js";
import { listCommands, observedHooks, observerScript, readObservations, resetKey, type Observations, type ObservedHook, type Sighting } from "./observer.js";
import { familyOf, packetLimit, serialize, tcpNumbers, type Packet } from "./packet.js";
import { ethernetFrame, fileHeader, recordOf, type CapturedFrame } from "./pcap.js";

/** A network interface of the firewall under test. */
export interface Interface {
  readonly name: string;
  /** With prefix length. */
  readonly addresses: readonly string[];
}

/** The default route leaves by the first. */
export const defaultInterfaces: readonly Interface[] = [
  { name: "eth0", addresses: ["192.0.2.1/24", "2001:db8::1/64"] },
  { name: "eth1", addresses: ["198.51.100.1/24", "2001:db8:1::1/64"] },
];

/** A packet, when it is sent and where it comes in. */
export interface Frame {
  /** Seconds from the start. */
  readonly at: number;
  readonly packet: Packet;
  /** The first interface unless told. */
  readonly interface?: string;
  /** The hardware address it comes from; one and the same unless told. */
  readonly hardwareSource?: string;
}

export interface ReplayInput {
  /** What iptables-legacy-restore and ip6tables-legacy-restore load. */
  readonly dumps: Partial<Readonly<Record<Family, string>>>;
  /** What nft loads on the other side; absent, the dumps are loaded there too (a run that must show no difference). */
  readonly script?: string;
  readonly frames: readonly Frame[];
  readonly interfaces?: readonly Interface[];
  /** Connection tracking in both namespaces from the start (the default), or only if the rules ask for it. */
  readonly conntrack?: boolean;
  /** Further lines for both namespaces before the rules are loaded, such as `sysctl -qw net.ipv4.ip_forward=0`. */
  readonly prepare?: string;
}

/** What became of one packet. */
export interface Fate {
  /** `lost`: it never reached the namespace, which says something about the laboratory and nothing about the firewall. */
  readonly verdict: "accepted" | "forwarded" | "rejected" | "dropped" | "lost";
  /** What the firewall or the host behind it answered: `tcp reset`, `icmp 3/1`, `echo reply`. */
  readonly reply?: string;
  /** The last hook that let the packet through, and the packet as it was there. */
  readonly hook?: ObservedHook;
  readonly sighting?: Sighting;
}

export interface Outcome {
  readonly frame: Frame;
  readonly iptables: Fate;
  readonly nft: Fate;
  /** Also of a packet that was lost on both sides: it shows nothing. */
  readonly differs: boolean;
  /** Seconds from the first packet's arrival; absent if the packet was lost. */
  readonly arrival?: number;
}

export interface Report {
  /** In the order of the frames given. */
  readonly outcomes: readonly Outcome[];
  readonly differing: readonly Outcome[];
  /** The largest delay of a packet against its schedule, and the largest distance between its two arrivals, in seconds. */
  readonly lateness: number;
  readonly skew: number;
  /** `iptables-save -c` of both families and `nft list ruleset`, taken after the last packet. */
  readonly after: { readonly dump: string; readonly ruleset: string };
}

/** A ruleset that did not load, or a machine that could not play. */
export class ReplayError extends Error {}

/** Milliseconds that tcpreplay has for its own start before the first packet is due. */
const playerStart = 200;

/** Seconds allowed for everything but the packets themselves; ample, because other tests may load the machine. */
const allowance = 60;

/** Plays the frames and compares every packet's fate; throws `ReplayError` if a ruleset does not load. */
export function replay(input: ReplayInput): Promise<Report> {
  return replayWhen(input, () => Promise.resolve());
}

/**
 * Plays several inputs at once, each in namespaces of its own; none begins before all are set up, because setting up
 * would delay the others' packets. A ruleset that does not load is a `ReplayError` in its place.
 */
export async function replayAll(inputs: readonly ReplayInput[]): Promise<(Report | ReplayError)[]> {
  let waiting = inputs.length;
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return Promise.all(inputs.map(async (input) => {
    let arrived = false;
    const arrive = (): Promise<void> => {
      if (!arrived) waiting -= 1;
      arrived = true;
      if (waiting === 0) open();
      return gate;
    };
    try {
      return await replayWhen(input, arrive);
    } catch (error) {
      if (error instanceof ReplayError) return error;
      throw error;
    } finally {
      void arrive();
    }
  }));
}

/** `ready` is called when everything is set up; the first packet waits for what it returns. */
async function replayWhen(input: ReplayInput, ready: () => Promise<void>): Promise<Report> {
  const { frames, interfaces = defaultInterfaces, conntrack = true } = input;
  if (frames.length > packetLimit) throw new ReplayError(`${frames.length} packets: more than ${packetLimit} cannot be told apart`);
  const numbered = frames.map((frame, index) => ({ frame, number: index + 1 })).sort((a, b) => a.frame.at - b.frame.at);
  const start = numbered[0]?.frame.at ?? 0;
  const duration = (numbered.at(-1)?.frame.at ?? 0) - start;
  const capture = numbered.flatMap(({ frame, number }) => {
    const target = hardwareAddress(interfaceIndex(interfaces, frame.interface));
    return serialize(frame.packet, number).map((bytes) => ({ at: frame.at - start, bytes: ethernetFrame(target, frame.hardwareSource ?? senderAddress, bytes) }));
  });

  const files = {
    "observer.nft": observerScript(interfaces.map(({ name }) => name), conntrack),
    "script.nft": input.script ?? "",
    "dump.ipv4": input.dumps.ipv4 ?? "",
    "dump.ipv6": input.dumps.ipv6 ?? "",
    "prepare.sh": input.prepare ?? "",
    "lab.sh": labScript(interfaces, input),
  };
  return withFiles(files, async (directory) => {
    const { status, stdout, stderr } = await runInNamespace(join(directory, "lab.sh"), duration + allowance, (stream) => {
      void ready().then(() => setTimeout(() => play(capture, stream), playerStart));
    });
    if (status !== 0) throw new ReplayError(`${stderr.trim()}\n${stdout.trim()}`.trim());
    const read = (name: string): Promise<string> => readFile(join(directory, name), "utf8");
    const observe = async (side: string): Promise<Record<Family, Observations>> => ({
      ipv4: readObservations("ipv4", await read(`${side}.ipv4.json`), await read(`${side}.ipv4.times`)),
      ipv6: readObservations("ipv6", await read(`${side}.ipv6.json`), await read(`${side}.ipv6.times`)),
    });
    const after = { dump: await read("after.dump"), ruleset: await read("after.ruleset") };
    return compare(frames, await observe("iptables"), await observe("nft"), start, after);
  });
}

/**
 * Writes each frame when it is due, into a pipe from which tcpreplay sends whatever comes.
 * (Its own clock is no use: it sleeps too long by a quarter of a millisecond a packet, tenths of a second in the end.)
 */
function play(frames: readonly CapturedFrame[], stream: Writable): void {
  const start = performance.now();
  stream.write(fileHeader);
  let next = 0;
  const sendDue = (): void => {
    const now = (performance.now() - start) / 1000;
    while (next < frames.length && frames[next]!.at <= now) {
      stream.write(recordOf(frames[next]!));
      next += 1;
    }
    if (next === frames.length) stream.end();
    else setTimeout(sendDue, (frames[next]!.at - now) * 1000);
  };
  sendDue();
}

function compare(
  frames: readonly Frame[], iptables: Record<Family, Observations>, nft: Record<Family, Observations>, start: number, after: Report["after"],
): Report {
  const arrivals = (side: Record<Family, Observations>, index: number): bigint | undefined =>
    side[familyOf(frames[index]!.packet)].arrivals.get(index + 1);
  const all = frames.flatMap((_, index) => arrivals(iptables, index) ?? []);
  const first = all.reduce((least, time) => (time < least ? time : least), all[0] ?? 0n);

  let earliest = Infinity;
  let latest = -Infinity;
  let skew = 0;
  const outcomes = frames.map((frame, index): Outcome => {
    const family = familyOf(frame.packet);
    const fates = { iptables: fateOf(frame.packet, index + 1, iptables[family]), nft: fateOf(frame.packet, index + 1, nft[family]) };
    const differs = fates.iptables.verdict === "lost" || describeFate(fates.iptables) !== describeFate(fates.nft);
    const here = arrivals(iptables, index);
    const there = arrivals(nft, index);
    if (here === undefined) return { frame, ...fates, differs };
    const arrival = Number(here - first) / 1e9;
    const delay = arrival - (frame.at - start);
    earliest = Math.min(earliest, delay);
    latest = Math.max(latest, delay);
    if (there !== undefined) skew = Math.max(skew, Math.abs(Number(there - here)) / 1e9);
    return { frame, ...fates, differs, arrival };
  });
  return { outcomes, differing: outcomes.filter(({ differs }) => differs), lateness: outcomes.length === 0 ? 0 : latest - earliest, skew, after };
}

function fateOf(packet: Packet, number: number, seen: Observations): Fate {
  const reply = replyTo(packet, number, seen);
  const answered = reply === undefined ? {} : { reply };
  const hook = [...observedHooks].reverse().find((name) => seen.sightings[name].has(number));
  const sighting = hook === undefined ? undefined : seen.sightings[hook].get(number);
  if (hook !== undefined && sighting !== undefined && hook !== "forward") {
    return { verdict: hook === "input" ? "accepted" : "forwarded", ...answered, hook, sighting };
  }
  const last = hook !== undefined && sighting !== undefined ? { hook, sighting } : {};
  if (!seen.arrived.has(number)) return { verdict: "lost", ...answered, ...last };
  return { verdict: reply === undefined ? "dropped" : "rejected", ...answered, ...last };
}

function replyTo(packet: Packet, number: number, seen: Observations): string | undefined {
  const error = seen.errors.get(number);
  if (error !== undefined) return `icmp ${error}`;
  const { transport } = packet;
  if (transport.kind === "icmp") {
    const echo = transport.type === 8 || transport.type === 128;
    return echo && seen.echoReplies.has((transport.rest ?? number) & 0xffff) ? "echo reply" : undefined;
  }
  if (transport.kind !== "tcp") return undefined;
  const { sequence, acknowledgement } = tcpNumbers(transport, number);
  const acknowledged = transport.flags.includes("ack");
  const length = (packet.payload?.length ?? 0) + (transport.flags.includes("syn") ? 1 : 0) + (transport.flags.includes("fin") ? 1 : 0);
  // RFC 9293, section 3.5.2: a reset takes its number from the acknowledgement it answers, or else acknowledges the segment.
  const key = acknowledged
    ? resetKey(packet.source, transport.sourcePort, acknowledgement, 0)
    : resetKey(packet.source, transport.sourcePort, 0, sequence + length);
  return seen.resets.has(key) ? "tcp reset" : undefined;
}

/** One line that holds all that is compared. */
export function describeFate({ verdict, reply, hook, sighting }: Fate): string {
  const entries = Object.entries(sighting ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${String(value)}`);
  return [verdict, ...(reply === undefined ? [] : [`(${reply})`]), ...(hook === undefined ? [] : [`at ${hook}`]), ...entries].join(" ");
}

/** The first few differences as text for a failing test. */
export function describeDifferences(report: Report, most = 10): string {
  const lines = report.differing.slice(0, most).map(({ frame, iptables, nft, arrival }) =>
    `${frame.at.toFixed(3)} s (arrived ${arrival?.toFixed(4) ?? "never"}) ${describePacket(frame.packet)}\n` +
    `    iptables: ${describeFate(iptables)}\n    nft:      ${describeFate(nft)}`);
  return [`${report.differing.length} of ${report.outcomes.length} packets differ`, ...lines].join("\n");
}

function describePacket({ source, destination, transport }: Packet): string {
  switch (transport.kind) {
    case "tcp": return `tcp ${source}:${transport.sourcePort} → ${destination}:${transport.destinationPort} ${transport.flags.join(",")}`;
    case "udp": return `udp ${source}:${transport.sourcePort} → ${destination}:${transport.destinationPort}`;
    case "icmp": return `icmp ${transport.type}/${transport.code} ${source} → ${destination}`;
    case "other": return `protocol ${transport.number} ${source} → ${destination}`;
  }
}

// ------------------------------------------------------------------------------------------------- the shell side

const senderAddress = "02:00:00:00:00:fe";

function hardwareAddress(index: number): string {
  return `02:00:00:00:00:${(index + 1).toString(16).padStart(2, "0")}`;
}

function interfaceIndex(interfaces: readonly Interface[], name: string | undefined): number {
  const index = name === undefined ? 0 : interfaces.findIndex((candidate) => candidate.name === name);
  if (index < 0) throw new ReplayError(`no interface "${name ?? ""}"`);
  return index;
}

/** Without these the kernel answers only some rejected packets, or drops some before any rule sees them. */
const namespaceSettings = [
  "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
  "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
  "net.ipv4.conf.all.send_redirects=0", "net.ipv4.conf.default.send_redirects=0",
  "net.ipv4.icmp_ratelimit=0", "net.ipv4.icmp_ratemask=0", "net.ipv6.icmp.ratelimit=0",
  "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
  "net.ipv6.conf.default.router_solicitations=0", "net.ipv6.conf.default.autoconf=0", "net.ipv6.conf.default.accept_ra=0",
];

function labScript(interfaces: readonly Interface[], { dumps, script, prepare }: ReplayInput): string {
  const sides = ["iptables", "nft"];
  const restore = (side: string): string[] => [
    ...(dumps.ipv4 === undefined ? [] : [`inside ${side} iptables-legacy-restore <dump.ipv4`]),
    ...(dumps.ipv6 === undefined ? [] : [`inside ${side} ip6tables-legacy-restore <dump.ipv6`]),
  ];
  const ports = sides.flatMap((side) => interfaces.map(({ name, addresses }, index) => ({
    side, name, addresses, port: `${side}${index}`, hardware: hardwareAddress(index),
  })));
  return `set -eE
trap 'echo "failed: $BASH_COMMAND" >&2' ERR
cd "$(dirname "$0")"
exec 5<&0 </dev/null
inside() { nsenter --net="/run/netns/$1" "\${@:2}"; }

# The bridge and the sender, with no addresses of their own.
sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
ip link add bridge0 type bridge
ip link add sender0 address ${senderAddress} type veth peer name sender1
ip link set sender1 master bridge0
bridge link set dev sender1 learning off
ip link set sender0 up; ip link set sender1 up; ip link set bridge0 up
# The copies that a bridge floods share one buffer, and IPv6 reassembly gives up on such; writing to each parts them.
nft 'add table bridge copies; add chain bridge copies flooded { type filter hook postrouting priority 0; }; add rule bridge copies flooded ether saddr set ether saddr'
${sides.map((side) => `ip netns add ${side}
inside ${side} sysctl -qw ${namespaceSettings.join(" ")}
inside ${side} ip link set lo up`).join("\n")}
${ports.map(({ side, name, addresses, port, hardware }) => `ip link add ${port} type veth peer name ${name} address ${hardware} netns ${side}
ip link set ${port} master bridge0
bridge link set dev ${port} learning off isolated on
ip link set ${port} up
# Without ARP every host behind the interface is there at once, and nothing but the replayed packets is on the wire.
inside ${side} ip link set ${name} arp off addrgenmode none up
${addresses.map((address) => `inside ${side} ip address add ${address} dev ${name}${address.includes(":") ? " nodad" : ""}`).join("\n")}`).join("\n")}
${sides.map((side) => `inside ${side} ip route add default dev ${interfaces[0]!.name}
inside ${side} ip -6 route add default dev ${interfaces[0]!.name}
${prepare === undefined ? "" : `inside ${side} bash -e prepare.sh`}`).join("\n")}

${restore("iptables").join("\n")}
${script === undefined ? restore("nft").join("\n") : "inside nft nft -f script.nft"}
${sides.map((side) => `inside ${side} nft -f observer.nft`).join("\n")}

echo ${readyLine}
tcpreplay --quiet --topspeed --intf1=sender0 - <&5
sleep 0.05

inside iptables iptables-legacy-save -c >after.dump
inside iptables ip6tables-legacy-save -c >>after.dump
${sides.flatMap((side) => (["ipv4", "ipv6"] as const).map((family) => {
    const { sets, times } = listCommands(family);
    return `inside ${side} ${sets} >${side}.${family}.json\ninside ${side} ${times} >${side}.${family}.times`;
  })).join("\n")}
inside nft nft list ruleset >after.ruleset
`;
}
