/** The packets that the review itself shows for what it says, to be played with the others: whether an alarm is true is then seen. */

import { formatAddress, parseAddress } from "../../../src/extensions/values/address.js";
import { protocolName } from "../../../src/extensions/values/protocols.js";
import type { ReviewReport } from "../../../src/review/report.js";
import type { ChangeTimeline } from "../../../src/simulate/timeline.js";
import { tcpFlags, type TcpFlag } from "../../../src/extensions/values/tcp-flags.js";
import type { Family } from "../../../src/iptables/ast.js";
import { noNeeds, prepareScript, type Needs } from "../../../src/verify/derive/net.js";
import type { Frame, Interface } from "../../../src/verify/frame.js";
import type { Packet, Transport } from "../../../src/verify/packet.js";

export interface Told {
  readonly frames: readonly Frame[];
  readonly interfaces: readonly Interface[];
  readonly prepare: string;
  /** Seconds: when the last of them is over. */
  readonly end: number;
}

/** Of one report: more traffic in time would take too long to play. */
const most = { timelines: 4, examples: 12 };
/** Seconds of a timeline that are waited for, and between two of them. */
const patience = { timeline: 8, between: 2.2 };
/** How often a packet is sent that a limit may decide about, and within how many seconds. */
const burst = { packets: 40, seconds: 1 };

/** Told packets, each from its own moment; undefined for words that are no packet, or one that only a connection can send. */
interface Spoken {
  readonly packet: Packet;
  readonly path: "INPUT" | "FORWARD" | "OUTPUT";
  readonly inInterface?: string;
  readonly outInterface?: string;
}

/**
 * @param burstWanted whether something of the change counts packets that the review's one packet does not tell
 */
export function toldPackets(
  report: Pick<ReviewReport, "opens" | "closes">,
  family: Family,
  interfaces: readonly Interface[],
  burstWanted: boolean,
): Told {
  const effects = [...report.opens, ...report.closes];
  const surroundings = new Surroundings(family, interfaces);
  const frames: Frame[] = [];
  let at = 0;
  for (const { events } of effects.flatMap(({ timeline }) => timeline ?? []).slice(0, most.timelines)) {
    if (lengthOf(events) > patience.timeline) continue;
    const start = at;
    for (const event of events) {
      const spoken = event.packet === undefined ? undefined : packetOf(event.packet, family);
      if (!spoken) continue;
      frames.push(surroundings.frame(spoken, start + event.at));
      at = start + event.at;
    }
    at += patience.between;
  }
  const examples = effects.flatMap(({ example, sentence }) => {
    const spoken = example === undefined ? undefined : packetOf(example, family, sentence);
    return spoken ? [spoken] : [];
  });
  for (const [index, spoken] of examples.slice(0, most.examples).entries()) {
    const count = burstWanted && spoken.path !== "OUTPUT" ? burst.packets : 1;
    for (let number = 0; number < count; number += 1) {
      const moment = at + index * 0.003 + (number * burst.seconds) / burst.packets;
      frames.push(surroundings.frame(number === 0 ? spoken : { ...spoken, packet: fromPort(spoken.packet, 41_000 + number) }, moment));
    }
  }
  const end = frames.reduce((last, frame) => Math.max(last, frame.at), 0);
  return { frames, interfaces: surroundings.interfaces, prepare: surroundings.prepare(), end };
}

const lengthOf = (events: ChangeTimeline["events"]): number => events.at(-1)?.at ?? 0;

/** Interfaces, addresses and routes that told packets need beside those that are there. */
class Surroundings {
  readonly interfaces: Interface[];
  private readonly locals = new Set<bigint>();
  private readonly routes = new Map<bigint, string>();
  private ownPort = 20_000;

  constructor(
    private readonly family: Family,
    interfaces: readonly Interface[],
  ) {
    this.interfaces = [...interfaces];
  }

  frame({ packet, path, inInterface, outInterface }: Spoken, at: number): Frame {
    if (path === "OUTPUT") {
      this.locals.add(parseAddress(packet.source, this.family)!);
      if (outInterface !== undefined) this.routes.set(parseAddress(packet.destination, this.family)!, this.known(outInterface));
      // What the firewall sends itself is known by its port.
      return { at, packet: fromPort(packet, this.ownPort++), own: true };
    }
    const name = this.known(inInterface ?? this.interfaces[0]!.name);
    const destination = parseAddress(packet.destination, this.family)!;
    if (path === "INPUT") this.locals.add(destination);
    else this.routes.set(destination, this.known(outInterface ?? this.interfaces.find((one) => one.name !== name)?.name ?? name));
    return { at, packet, interface: name };
  }

  prepare(): string {
    const locals = this.interfaces.flatMap(({ addresses }) => addresses.map((text) => text.split("/")[0]!));
    const needs: Needs = {
      locals: new Set([...this.locals].filter((address) => !locals.includes(formatAddress(address, this.family)))),
      routes: this.routes,
    };
    const both: Record<Family, Needs> = { ipv4: noNeeds, ipv6: noNeeds };
    both[this.family] = needs;
    return prepareScript(both, this.interfaces);
  }

  private known(name: string): string {
    if (name === "lo" || this.interfaces.some((one) => one.name === name)) return name;
    const number = this.interfaces.length;
    this.interfaces.push({ name, addresses: [`10.250.${number}.1/24`, `fd00:250:${number}::1/64`] });
    return name;
  }
}

const allProtocols = Array.from({ length: 256 }, (_, number) => number);

const sentence = /^(?<protocol>.+?)(?: type (?<type>\d+)(?: code (?<code>\d+))?)? (?<source>\S+) to (?<destination>[^\s,]+)(?<rest>.*)$/u;

/** Reads both kinds of words: those of an example and those of a timeline. */
function packetOf(words: string, family: Family, about = ""): Spoken | undefined {
  const match = sentence.exec(words)?.groups;
  if (!match) return undefined;
  const { protocol, type, code, rest } = match;
  // What must have been before is in the timeline, and what only a connection can send cannot be sent alone.
  if (/after \d+ hit|established|related|, mark|where (?!fib daddr type local)/iu.test(rest!)) return undefined;
  const number = /^protocol (\d+)$/iu.exec(protocol!)?.[1] ?? allProtocols.find((one) => protocolName(one) === protocol!.toLowerCase());
  const source = endOf(match["source"]!);
  const destination = endOf(match["destination"]!);
  if (number === undefined || parseAddress(source.address, family) === undefined) return undefined;
  const flags = /flags ([\w ]+)/u.exec(rest!)?.[1];
  const ttl = /TTL (\d+)/u.exec(rest!)?.[1];
  const between = /from (\S+) to (\S+)/u.exec(rest!);
  const inInterface = /in by ([^\s,]+)/u.exec(rest!)?.[1] ?? between?.[1];
  const outInterface = /out by ([^\s,]+)/u.exec(rest!)?.[1] ?? between?.[2];
  const path = / to this machine/u.test(about)
    ? "INPUT"
    : inInterface === undefined
      ? "OUTPUT"
      : outInterface === undefined
        ? "INPUT"
        : "FORWARD";
  return {
    packet: {
      source: source.address,
      destination: destination.address,
      transport: transportOf(Number(number), source.port, destination.port, flags, Number(type ?? 8), Number(code ?? 0)),
      ...(ttl !== undefined && { ttl: Number(ttl) }),
    },
    path: / through this machine/u.test(about) ? "FORWARD" : path,
    ...(inInterface !== undefined && { inInterface }),
    ...(outInterface !== undefined && { outInterface }),
  };
}

function endOf(text: string): { readonly address: string; readonly port: number } {
  const match = /^\[(?<six>[^\]]+)\]:(?<sixPort>\d+)$|^(?<four>[\d.]+):(?<fourPort>\d+)$/u.exec(text)?.groups;
  return { address: match?.["six"] ?? match?.["four"] ?? text, port: Number(match?.["sixPort"] ?? match?.["fourPort"] ?? 0) };
}

function transportOf(
  number: number,
  sourcePort: number,
  destinationPort: number,
  flags: string | undefined,
  type: number,
  code: number,
): Transport {
  const named = (flags ?? "syn").split(" ").filter((flag): flag is TcpFlag => Object.hasOwn(tcpFlags, flag));
  if (number === 6) return { kind: "tcp", sourcePort, destinationPort, flags: named };
  if (number === 17) return { kind: "udp", sourcePort, destinationPort };
  if (number === 1 || number === 58) return { kind: "icmp", type, code };
  return { kind: "other", number };
}

/** The same packet of another connection: from another port, or a ping with another identifier. */
function fromPort(packet: Packet, sourcePort: number): Packet {
  const { transport } = packet;
  switch (transport.kind) {
    case "tcp":
    case "udp":
      return { ...packet, transport: { ...transport, sourcePort } };
    case "icmp":
      return { ...packet, transport: { ...transport, rest: ((sourcePort << 16) | 1) >>> 0 } };
    default:
      return packet;
  }
}
