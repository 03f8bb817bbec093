/** Packets that may show what a change does: for the changed rules, for those that share a list, a mark or a set with them, and others. */

import { IpsetReader } from "../../../src/ipset/read-ipsets.js";
import type { Ipset } from "../../../src/ipset/ast.js";
import type { IptablesRule, IptablesRuleset } from "../../../src/iptables/ast.js";
import { shuffled, type Random } from "../../../src/random.js";
import { translate } from "../../../src/translate.js";
import { derive } from "../../../src/verify/derive/derive.js";
import { interfacesFor } from "../../../src/verify/derive/net.js";
import type { Frame, Interface } from "../../../src/verify/frame.js";
import type { Packet } from "../../../src/verify/packet.js";
import { rulesOf } from "../../../src/verify/plan.js";
import { rhythms } from "../../../src/verify/rhythms.js";
import { changedLines, type Pair } from "./pair.js";

export interface Playing {
  readonly frames: readonly Frame[];
  readonly interfaces: readonly Interface[];
  readonly prepare: string;
}

interface Side {
  readonly ruleset: IptablesRuleset;
  readonly sets: ReadonlyMap<string, Ipset>;
  readonly changed: readonly string[];
}

/** Packets for the changed rules and their relatives, for rules at random, and of rhythms; of each side. */
const most = { changed: 24, others: 14, random: 6, rhythms: 50 };
/** Rules that share something with the changed ones. */
const mostRelatives = 10;
const mostBursts = 2;
const mostHosts = 3;
const mostWelcome = 2;
/** Seconds after the packets of the change: within the shortest window, past it, and past the next. */
const visits = [0, 0.7, 1.4, 2.6];
/** Packets of a burst, at least and at most, and the seconds it takes: more than the hit counts and bursts of limits it is to show. */
const burst = { packets: 24, most: 130, seconds: 1.08 };
/** Seconds: windows of one and two are gone round. */
const rhythmSeconds = 4.2;
/** Milliseconds for one search: for changed rules, which must not be missed on a busy machine, and for others. */
const patience = { change: 350, others: 100 };

/** Undefined where a side is no ruleset. */
export function packetsFor(pair: Pair, random: Random): Playing | undefined {
  const changed = changedLines(pair);
  const sides = [sideOf(pair, "old", changed.old), sideOf(pair, "new", changed.new)].flatMap((side) => side ?? []);
  if (sides.length < 2) return undefined;
  const rulesets = sides.map(({ ruleset }) => ruleset);
  const interfaces = interfacesFor(rulesets, new Map(sides.flatMap(({ sets }) => [...sets])));
  const touched = topicsOf([...changed.old, ...changed.new]);
  const frames: Frame[] = [];
  const prepare: string[] = [];
  let at = 0;
  const bursts: Frame[][] = [];
  const add = (more: readonly Frame[]): void => {
    const start = more[0]?.at ?? 0;
    // Those that come from elsewhere have no moment of their own.
    frames.push(...more.map((frame, index) => ({ ...frame, at: at + Math.max(index * 0.002, frame.at - start) })));
    at = (frames.at(-1)?.at ?? at) + 0.004;
  };
  // The new one first: what it stops, the old one's packets have not yet used up.
  for (const { ruleset, sets, changed: lines } of [...sides].reverse()) {
    const rules = rulesOf([ruleset]).map(({ rule }) => rule);
    const own = rules.filter(({ text }) => lines.includes(text));
    const relatives = shuffled(
      rules.filter((rule) => !own.includes(rule) && isTouched(rule, touched)),
      random,
    ).slice(0, mostRelatives);
    const others = shuffled(rules, random).slice(0, most.others);
    const search = (wanted: readonly IptablesRule[], packets: number, extra = 0): readonly Frame[] => {
      const end = Date.now() + (wanted.some((rule) => own.includes(rule)) ? patience.change : patience.others);
      const { batches } = derive({
        rulesets: [ruleset],
        interfaces,
        sets,
        random,
        packets,
        extra,
        ...(wanted.length > 0 && { wanted: new Set(wanted) }),
        late: () => Date.now() > end,
      });
      prepare.push(...batches.map((batch) => batch.prepare));
      return batches[0]?.frames.slice(0, packets * 3) ?? [];
    };
    const found = [
      ...(own.length === 0 ? [] : search(own, most.changed)),
      ...(relatives.length === 0 ? [] : search(relatives, most.changed)),
    ];
    add(found);
    const welcome = welcomeOf(rules, Math.max(0, ...[...own, ...relatives].map((rule) => rules.indexOf(rule))), search, random);
    // What a list, a mark or a connection has made of a host shows in what it sends next.
    const hosts = hostsOf(found, random);
    for (const visit of visits) {
      const packets = hosts.flatMap((host) => welcome.map((frame) => from(host, frame, random)));
      frames.push(...packets.map((frame, index) => ({ ...frame, at: at + visit + index * 0.003 })));
    }
    add(found.filter(({ own: sent }) => !sent && random() < 0.4).map((frame) => mutated(frame, interfaces, random)));
    add(search(others, most.others, most.random));
    for (const rule of shuffled([...own, ...relatives.slice(0, 2)], random).slice(0, mostBursts)) {
      const few = search([rule], 3).filter(({ own: sent }) => !sent);
      const [host] = few.slice(-1);
      if (!host) continue;
      const kinds = [...few.slice(-3), ...welcome.slice(0, 1).map((frame) => from(host, frame, random))];
      bursts.push(repeated(kinds, burstFor([rule, ...relatives], kinds.length), random));
    }
  }
  for (const [index, one] of bursts.entries()) frames.push(...one.map((frame) => ({ ...frame, at: at + index * 0.005 + frame.at })));
  const side = sides[Math.floor(random() * 2)]!;
  const [rhythm] = rhythms({ rulesets: [side.ruleset], interfaces, sets: side.sets, random, seconds: rhythmSeconds });
  if (rhythm) {
    frames.push(...fewHosts(rhythm.frames, random));
    prepare.push(rhythm.prepare);
  }
  return { frames: frames.sort((a, b) => a.at - b.at), interfaces, prepare: prepare.join("\n") };
}

type Search = (wanted: readonly IptablesRule[], packets: number) => readonly Frame[];

/** Packets that some rules accept, one of each; the first rules behind the place of the change, since only these are asked after it. */
function welcomeOf(rules: readonly IptablesRule[], place: number, search: Search, random: Random): Frame[] {
  const fits = ({ text }: IptablesRule): boolean => / -j ACCEPT$/u.test(text) && !/ -i lo|ESTABLISHED/u.test(text);
  const behind = rules.slice(place + 1).filter(fits);
  const others = shuffled(rules.slice(0, place).filter(fits), random);
  return [...behind.slice(0, mostWelcome - 1), ...others]
    .slice(0, mostWelcome)
    .flatMap((rule) => search([rule], 2).find(({ own }) => !own) ?? []);
}

/** A packet of each of some hosts, and the same from their neighbours. */
function hostsOf(frames: readonly Frame[], random: Random): Frame[] {
  const byHost = new Map(frames.filter(({ own }) => !own).map((frame) => [frame.packet.source, frame]));
  return shuffled([...byHost.values()], random)
    .slice(0, mostHosts)
    .flatMap((frame) => [frame, { ...frame, packet: { ...frame.packet, source: neighbourOf(frame.packet.source) } }]);
}

const neighbourOf = (address: string): string => address.replace(/\d$/u, (digit) => String((Number(digit) + 1) % 6));

/** The packet as the host of another would send it. */
function from({ packet: { source }, interface: name }: Frame, frame: Frame, random: Random): Frame {
  const port = 30_000 + Math.floor(random() * 10_000);
  return { ...frame, at: 0, packet: withSourcePort({ ...frame.packet, source }, port), ...(name !== undefined && { interface: name }) };
}

function sideOf(pair: Pair, name: "old" | "new", changed: readonly string[]): Side | undefined {
  const { text, ipset } = pair[name];
  const file = "sets.ipset";
  const { iptables, outcome } = translate([{ file: name, family: pair.family, text }], { ipsets: [{ file, text: ipset }] });
  const reader = new IpsetReader();
  reader.readFile(file, ipset);
  return outcome === "invalid" || iptables[0] === undefined ? undefined : { ruleset: iptables[0], sets: reader.sets, changed };
}

/** What the lines touch that other rules ask about: lists, sets, marks, chains. */
function topicsOf(lines: readonly string[]): RegExp[] {
  const text = lines.join("\n");
  const names = (form: RegExp): string[] => [...text.matchAll(form)].map(([, name]) => name!.replaceAll(/[^\w-]/gu, "."));
  return [
    ...names(/--name (\S+)/gu).map((name) => new RegExp(`--name ${name}( |$)`, "u")),
    ...names(/(?:--match-set|^add) (\S+)/gmu).map((name) => new RegExp(`--match-set ${name} `, "u")),
    // The route to where a packet is translated to comes of the rules that ask for it.
    ...names(/--to-destination ([\d.]+)/gu).map((address) => new RegExp(`-d ${address}`, "u")),
    ...names(/-[jg] (\S+)/gu).map((name) => new RegExp(`^-A ${name} `, "u")),
    ...(/MARK|--mark/u.test(text) ? [/MARK|--mark/u] : []),
    ...(/NOTRACK|--notrack/u.test(text) ? [/ctstate|--state/u] : []),
  ];
}

const isTouched = ({ text }: IptablesRule, topics: readonly RegExp[]): boolean => topics.some((topic) => topic.test(text));

function mutated({ packet, ...frame }: Frame, interfaces: readonly Interface[], random: Random): Frame {
  const step = random() < 0.5 ? 1 : -1;
  const { transport } = packet;
  const ports = transport.kind === "tcp" || transport.kind === "udp" ? transport : undefined;
  switch (Math.floor(random() * 5)) {
    case 0:
      return { ...frame, packet, interface: interfaces[Math.floor(random() * interfaces.length)]!.name };
    case 1:
      return { ...frame, packet: { ...packet, ttl: Math.max(2, (packet.ttl ?? 64) + step) } };
    case 2:
      return ports
        ? { ...frame, packet: { ...packet, transport: { ...ports, destinationPort: (ports.destinationPort + step) & 0xffff } } }
        : { ...frame, packet };
    case 3:
      return transport.kind === "tcp"
        ? { ...frame, packet: { ...packet, transport: { ...transport, flags: random() < 0.5 ? ["ack"] : ["syn", "ack"] } } }
        : { ...frame, packet };
    default:
      return { ...frame, packet: { ...packet, source: neighbourOf(packet.source) } };
  }
}

/** Packets enough for the hit counts and bursts of these rules, if each of so many kinds of packets comes in turn. */
function burstFor(rules: readonly IptablesRule[], kinds: number): number {
  const counts = rules.flatMap(({ text }) =>
    [...text.matchAll(/--(?:hitcount|limit-burst|hashlimit-burst) (\d+)/gu)].map(([, count]) => Number(count)),
  );
  return Math.min(burst.most, Math.max(burst.packets, (Math.max(0, ...counts) + 3) * kinds));
}

/** The packets again and again, each time of a new connection. */
function repeated(frames: readonly Frame[], count: number, random: Random): Frame[] {
  const first = 40_000 + Math.floor(random() * 20_000);
  return Array.from({ length: count }, (_, index) => {
    const frame = frames[index % frames.length]!;
    return { ...frame, at: (index * burst.seconds) / count, packet: withSourcePort(frame.packet, first + index) };
  });
}

function withSourcePort(packet: Packet, sourcePort: number): Packet {
  const { transport } = packet;
  return transport.kind === "tcp" || transport.kind === "udp" ? { ...packet, transport: { ...transport, sourcePort } } : packet;
}

/** All packets of some hosts. */
function fewHosts(frames: readonly Frame[], random: Random): Frame[] {
  const chosen = new Set<string>();
  let count = 0;
  for (const host of shuffled([...new Set(frames.map(({ packet }) => packet.source))], random)) {
    const size = frames.filter(({ packet }) => packet.source === host).length;
    if (count > 0 && count + size > most.rhythms) continue;
    chosen.add(host);
    count += size;
  }
  return frames.filter(({ packet }) => chosen.has(packet.source));
}

/** What the firewall sends itself is known by its port: of packets with one port the first. */
export function withoutSharedPorts(frames: readonly Frame[]): Frame[] {
  const ports = new Set<number>();
  return frames.filter(({ own, packet: { transport } }) => {
    if (!own || !("sourcePort" in transport)) return true;
    if (ports.has(transport.sourcePort)) return false;
    ports.add(transport.sourcePort);
    return true;
  });
}
