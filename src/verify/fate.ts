/** What became of each packet on either side, told from what the observers saw. */

import type { Family } from "../iptables/ast.js";
import { describePacket, type Frame } from "./frame.js";
import { observedHooks, resetKey, type Observations, type ObservedHook, type Sighting } from "./observer.js";
import { familyOf, icmpRest, tcpNumbers, type Packet } from "./packet.js";

/** `sent`: a packet of the firewall's own that left. */
export type Verdict = "accepted" | "forwarded" | "sent" | "rejected" | "dropped" | "lost";

/** What became of one packet. */
export interface Fate {
  /** `lost`: it never reached the namespace, which says something about the laboratory and nothing about the firewall. */
  readonly verdict: Verdict;
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

/** `due` says when a packet was to be sent, in seconds from the first. */
export function compare(
  frames: readonly Frame[],
  iptables: Record<Family, Observations>,
  nft: Record<Family, Observations>,
  due: (index: number) => number,
  after: Report["after"],
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
    const fates = { iptables: fateOf(frame, index + 1, iptables[family]), nft: fateOf(frame, index + 1, nft[family]) };
    const differs = fates.iptables.verdict === "lost" || describeFate(fates.iptables) !== describeFate(fates.nft);
    const here = arrivals(iptables, index);
    const there = arrivals(nft, index);
    if (here === undefined) return { frame, ...fates, differs };
    const arrival = Number(here - first) / 1e9;
    const delay = arrival - due(index);
    earliest = Math.min(earliest, delay);
    latest = Math.max(latest, delay);
    if (there !== undefined) skew = Math.max(skew, Math.abs(Number(there - here)) / 1e9);
    return { frame, ...fates, differs, arrival };
  });
  return {
    outcomes,
    differing: outcomes.filter(({ differs }) => differs),
    lateness: outcomes.length === 0 ? 0 : latest - earliest,
    skew,
    after,
  };
}

/** The fate of a packet of the firewall's own. */
function fateOfOwn({ transport, source }: Packet, seen: Observations): Fate {
  const port = "sourcePort" in transport ? transport.sourcePort : 0;
  const reset = [...seen.resets].some((key) => key.startsWith(`${source} ${port} `));
  const error = seen.own.errors.get(port);
  const reply = error !== undefined ? `icmp ${error}` : reset ? "tcp reset" : undefined;
  const answered = reply === undefined ? {} : { reply };
  for (const [hook, verdict] of [
    ["input", "accepted"],
    ["postrouting", "sent"],
  ] as const) {
    const sighting = seen.own.sightings[hook].get(port);
    if (sighting !== undefined) return { verdict, ...answered, hook, sighting };
  }
  if (!seen.own.arrived.has(port)) return { verdict: "lost", ...answered };
  return { verdict: reply === undefined ? "dropped" : "rejected", ...answered };
}

function fateOf(frame: Frame, number: number, seen: Observations): Fate {
  const { packet } = frame;
  if (frame.own) return fateOfOwn(packet, seen);
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
    return echo && seen.echoReplies.has(icmpRest(transport, number)) ? "echo reply" : undefined;
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
  const entries = Object.entries(sighting ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${String(value)}`);
  return [verdict, ...(reply === undefined ? [] : [`(${reply})`]), ...(hook === undefined ? [] : [`at ${hook}`]), ...entries].join(" ");
}

/** The first few differences as text for a failing test. */
export function describeDifferences(report: Report, most = 10): string {
  const lines = report.differing
    .slice(0, most)
    .map(
      ({ frame, iptables, nft, arrival }) =>
        `${frame.at.toFixed(3)} s (arrived ${arrival?.toFixed(4) ?? "never"}) ${describePacket(frame.packet)}\n` +
        `    iptables: ${describeFate(iptables)}\n    nft:      ${describeFate(nft)}`,
    );
  return [`${report.differing.length} of ${report.outcomes.length} packets differ`, ...lines].join("\n");
}
