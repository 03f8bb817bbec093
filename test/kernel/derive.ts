/**
 * Packets out of a ruleset: for every rule some that reach it and match, and some that miss it by one field.
 *
 * Nothing here decides what a packet's verdict is: the kernel does. A packet that an earlier rule takes, or whose wishes
 * contradict each other, costs coverage and no correctness.
 */

import type { AddressMask, ExtensionUse, Family, IptablesChain, IptablesRule, IptablesRuleset, IptablesTable, OptionUse } from "../../src/iptables/ast.js";
import type { Frame, Interface } from "./lab.js";
import { parseAddress, serialize, type Packet, type TcpFlag, type Transport } from "./packet.js";
import type { Random } from "./schedule.js";

// --------------------------------------------------------------------------------------------------------- the net

/** The firewall's surroundings, made so that the ruleset's interfaces and addresses exist. */
export interface Surroundings {
  readonly interfaces: readonly Interface[];
  /** Routes of both namespaces, as shell lines. */
  readonly prepare: string;
}

const subnets: readonly (readonly [ipv4: string, ipv6: string])[] = [
  ["192.0.2", "2001:db8"], ["198.51.100", "2001:db8:1"], ["203.0.113", "2001:db8:2"],
  ["198.51.101", "2001:db8:3"], ["198.51.102", "2001:db8:4"], ["198.51.103", "2001:db8:5"],
];

/** Sequence numbers do not matter, and no answer is held back for coming too soon after the others. */
const settings = [
  "sysctl -eqw net.netfilter.nf_conntrack_tcp_be_liberal=1 || true",
  "sysctl -eqw net.ipv4.icmp_msgs_per_sec=1000000 net.ipv4.icmp_msgs_burst=1000000 || true",
  "sysctl -eqw net.ipv6.icmp.ratemask=255 || true",
];

const wholeMask: Readonly<Record<Family, bigint>> = { ipv4: (1n << 32n) - 1n, ipv6: (1n << 128n) - 1n };

export function surroundingsOf(rulesets: readonly IptablesRuleset[]): Surroundings {
  const names: string[] = [];
  const add = (use: OptionUse<string> | undefined): void => {
    const name = use?.value.replace(/\+$/u, "0") ?? "";
    if (/^[a-zA-Z][\w.-]{0,13}$/u.test(name) && name !== "lo" && !names.includes(name) && names.length < subnets.length) names.push(name);
  };
  const routes: string[] = [];
  const locals: Record<Family, Set<string>> = { ipv4: new Set(), ipv6: new Set() };
  for (const { family, tables } of rulesets) {
    for (const rule of tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules))) {
      add(rule.inInterface);
      add(rule.outInterface);
    }
    for (const table of tables) {
      for (const { hook, rule } of placesOf(table)) {
        const wish = rule.destination;
        if (wish === undefined || wish.inverted || wish.value.mask === 0n || !isOrdinary(wish.value)) continue;
        if (hook === "INPUT" && locals[family].size < 12) {
          const host = wish.value.mask === wholeMask[family] ? wish.value.address : wish.value.address | (~wish.value.mask & 9n & wholeMask[family]);
          locals[family].add(formatAddress(host, family));
        }
      }
    }
  }
  for (const fallback of ["eth0", "eth1"]) if (names.length < 2 && !names.includes(fallback)) names.push(fallback);
  const interfaces = names.map((name, index): Interface => {
    const [ipv4, ipv6] = subnets[index]!;
    const extra = index === 0 ? [...[...locals.ipv4].map((address) => `${address}/32`), ...[...locals.ipv6].map((address) => `${address}/128`)] : [];
    // Neither an address twice nor that of another interface.
    const own = extra.filter((text) => !subnets.some((both) => toNumber(text.split("/")[0]!) === toNumber(text.includes(":") ? `${both[1]}::1` : `${both[0]}.1`)));
    return { name, addresses: [`${ipv4}.1/24`, `${ipv6}::1/64`, ...own] };
  });
  for (const { family, tables } of rulesets) {
    for (const { rule } of tables.flatMap((table) => placesOf(table))) {
      const { destination, outInterface } = rule;
      if (!destination || destination.inverted || !outInterface || outInterface.inverted || !isOrdinary(destination.value)) continue;
      const length = prefixLengthOf(destination.value);
      const device = interfaces.find(({ name }) => interfaceMatches(name, outInterface.value))?.name;
      if (length === undefined || length === 0 || device === undefined || routes.length > 40) continue;
      routes.push(`ip ${family === "ipv4" ? "-4" : "-6"} route replace ${formatAddress(destination.value.address, family)}/${length} dev ${device} 2>/dev/null || true`);
    }
  }
  return { interfaces, prepare: [...new Set(routes), ...settings].join("\n") };
}

/** Neither unspecified, loopback, multicast nor broadcast. */
function isOrdinary({ address, family }: AddressMask): boolean {
  if (family === "ipv6") return address >> 120n !== 0xffn && address > 1n && address >> 118n !== 0x3fan;
  const first = address >> 24n;
  return first !== 0n && first !== 127n && first < 224n;
}

function prefixLengthOf({ mask, family }: AddressMask): number | undefined {
  const bits = mask.toString(2).padStart(family === "ipv4" ? 32 : 128, "0");
  return /^1*0*$/u.test(bits) ? bits.replaceAll("0", "").length : undefined;
}

function interfaceMatches(name: string, wish: string): boolean {
  return wish.endsWith("+") ? name.startsWith(wish.slice(0, -1)) : name === wish;
}

export function formatAddress(address: bigint, family: Family): string {
  if (family === "ipv4") return [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 0xffn)).join(".");
  return Array.from({ length: 8 }, (_, index) => ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(":");
}

function toNumber(address: string): bigint {
  return parseAddress(address).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

// ------------------------------------------------------------------------------------------------------- the rules

/** A rule as it is reached from a built-in chain: the rules on the way jump to it. */
interface Place { readonly hook: string; readonly way: readonly IptablesRule[]; readonly rule: IptablesRule }

/** Each rule once for each built-in chain it can be reached from, by the shortest way. */
function placesOf(table: IptablesTable): Place[] {
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const places: Place[] = [];
  for (const start of table.chains.filter(({ policy }) => policy !== undefined)) {
    const seen = new Set([start.name]);
    let queue: { readonly chain: IptablesChain; readonly way: readonly IptablesRule[] }[] = [{ chain: start, way: [] }];
    while (queue.length > 0) {
      const next: typeof queue = [];
      for (const { chain, way } of queue) {
        for (const rule of chain.rules) {
          places.push({ hook: start.name, way, rule });
          const target = rule.target?.kind === "chain" ? chains.get(rule.target.chain) : undefined;
          if (target === undefined || seen.has(target.name)) continue;
          seen.add(target.name);
          next.push({ chain: target, way: [...way, rule] });
        }
      }
      queue = next;
    }
  }
  return places;
}

// ------------------------------------------------------------------------------------------------------ the packets

type State = "new" | "established" | "reply" | "related" | "invalid";

interface Draft {
  source: bigint;
  destination: bigint;
  inInterface: string;
  outInterface: string | undefined;
  protocol: number;
  sourcePort: number;
  destinationPort: number;
  flags: number;
  tcpOptions: number[];
  icmpType: number;
  icmpCode: number;
  ttl: number;
  tos: number;
  /** Of the whole packet, in bytes; the headers decide if they are longer. */
  length: number;
  fragmented: boolean;
  /** SPI of AH and ESP, verification tag of SCTP and the like: the first bytes after the IP header. */
  head: { readonly protocol: number; readonly bytes: readonly number[] } | undefined;
  extensionHeaders: (readonly [number, Uint8Array])[];
  ipOptions: number[] | undefined;
  hardwareSource: string | undefined;
  state: State;
}

const flagNames: readonly TcpFlag[] = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"];
const flagBit = (name: string): number => 1 << flagNames.findIndex((flag) => flag === name);

export interface Derivation {
  readonly ruleset: IptablesRuleset;
  readonly interfaces: readonly Interface[];
  readonly random: Random;
  /** About how many frames are wanted. */
  readonly count: number;
  /** Packets come from few senders again and again; for lists. */
  readonly fewSenders?: boolean;
  /** So few hosts that xt_recent, which holds a hundred of them, forgets none. */
  readonly fewHosts?: boolean;
}

/** The frames, in order and without times, grouped: what must stay together stands in one group. */
export function derive(input: Derivation): Frame[][] {
  return new Deriver(input).frames();
}

const hash = (values: readonly bigint[]): bigint[] => [...new Set(values)];

class Deriver {
  private readonly family: Family;
  private readonly random: Random;
  private readonly places: Place[];
  /** Ways to packets that carry a mark. */
  private readonly markers: Place[];
  private readonly sources: bigint[];
  private readonly destinations: bigint[];
  private readonly locals: bigint[];
  private readonly ports: number[];
  private nextPort: number;

  constructor(private readonly input: Derivation) {
    const { ruleset, random, interfaces } = input;
    this.family = ruleset.family;
    this.random = random;
    this.places = ruleset.tables.flatMap((table) => placesOf(table));
    this.markers = this.places.filter(({ rule, hook }) =>
      rule.target?.kind === "extension" && ["MARK", "CONNMARK"].includes(rule.target.extension) && hook !== "OUTPUT");
    const rules = this.places.map(({ rule }) => rule);
    const inside = ({ value }: OptionUse<AddressMask>): bigint[] => [this.within(value), value.address | (~value.mask & wholeMask[this.family])];
    const clients = Array.from({ length: input.fewSenders === true ? 3 : 12 }, (_, index) => this.hostOf(index % interfaces.length, 20 + index));
    this.sources = hash([...clients, ...rules.flatMap(({ source }) => (source ? inside(source) : []))]).slice(0, 400);
    this.destinations = hash([...interfaces.map((_, index) => this.hostOf(index, 10)), ...rules.flatMap(({ destination }) => (destination ? inside(destination) : []))]).slice(0, 400);
    this.locals = interfaces.flatMap(({ addresses }) => addresses.map((text) => text.split("/")[0]!)
      .filter((text) => text.includes(":") === (this.family === "ipv6")).map(toNumber));
    this.ports = [1, 22, 53, 80, 65_535];
    for (const use of rules.flatMap(({ matches }) => matches)) {
      for (const name of ["source-port", "destination-port"]) {
        const value = use.options[name]?.value;
        if (value !== undefined) for (const range of rangesIn(value)) this.ports.push(range.from, range.to, Math.min(range.to + 1, 65_535), Math.max(range.from - 1, 0));
      }
    }
    this.nextPort = 20_000 + Math.floor(random() * 10_000);
  }

  frames(): Frame[][] {
    const groups: Frame[][] = [];
    let total = 0;
    const add = (group: Frame[]): void => {
      groups.push(group);
      total += group.length;
    };
    // Half for the rules, in turns so that a large ruleset does not leave its end out; the rest at random.
    const share = this.input.count * 0.7;
    const order = shuffled(this.places, this.random);
    while (order.length > 0 && total < share) {
      for (const place of order) {
        if (total >= share) break;
        add(this.realize(this.matching(place), place.hook));
        add(this.realize(this.missing(place), place.hook));
      }
    }
    while (total < this.input.count) add(this.realize(this.anything(this.chance(0.5) ? "INPUT" : "FORWARD"), "FORWARD"));
    return shuffled(groups, this.random);
  }

  // ------------------------------------------------------------------------------------------------- choosing

  private chance(probability: number): boolean {
    return this.random() < probability;
  }

  private number(from: number, to: number): number {
    return from + Math.floor(this.random() * (to - from + 1));
  }

  private pick<Value>(values: readonly Value[]): Value {
    return values[Math.floor(this.random() * values.length)]!;
  }

  /** A host's address behind an interface. */
  private hostOf(interfaceIndex: number, host: number): bigint {
    const address = this.input.interfaces[interfaceIndex]!.addresses.find((text) => text.includes(":") === (this.family === "ipv6"))!;
    return toNumber(address.split("/")[0]!) + BigInt(host - 1);
  }

  private within({ address, mask }: AddressMask): bigint {
    const hostBits = ~mask & wholeMask[this.family];
    if (this.input.fewHosts === true) return address | (BigInt(this.number(1, 3)) & hostBits);
    const host = this.chance(0.3) ? hostBits : this.chance(0.3) ? 0n : BigInt(Math.floor(this.random() * 0xffffffff));
    return address | (host & hostBits);
  }

  /** A number in the range or just outside of it. */
  private fromRange({ from, to }: NumberRange, inside: boolean, maximum: number): number {
    if (inside) return this.chance(0.4) ? from : this.chance(0.5) ? Math.min(to, maximum) : this.number(from, Math.min(to, maximum));
    const outside = [from - 1, to + 1, 0, maximum].filter((value) => value >= 0 && value <= maximum && (value < from || value > to));
    return outside.length === 0 ? from : this.pick(outside);
  }

  private masked({ value, mask }: { readonly value: number; readonly mask: number }, holds: boolean, bits: number): number {
    const all = 2 ** bits - 1;
    const free = Math.floor(this.random() * (all + 1));
    const good = ((free & ~mask) | (value & mask)) >>> 0;
    if (holds) return good & all;
    const set = Array.from({ length: bits }, (_, bit) => bit).filter((bit) => (mask >>> bit) & 1);
    return set.length === 0 ? good & all : ((good ^ (1 << this.pick(set))) >>> 0) & all;
  }

  private anything(hook: string): Draft {
    const interfaces = this.input.interfaces;
    const ipv6 = this.family === "ipv6";
    const from = this.number(0, interfaces.length - 1);
    const local = hook === "INPUT" || hook === "OUTPUT" || (hook === "PREROUTING" && this.chance(0.5));
    const protocol = this.pick([6, 6, 6, 17, 17, ipv6 ? 58 : 1, ipv6 ? 58 : 1, this.pick([0, 1, 2, 33, 41, 47, 50, 51, 58, 89, 108, 132, 136, 253])]);
    const icmp = ipv6 ? this.pick([128, 128, 129, 1, 3, 133, 135, 200]) : this.pick([8, 8, 0, 3, 11, 13, 17, 40]);
    return {
      source: this.pick(this.sources),
      destination: this.pick(local ? this.locals : this.destinations),
      inInterface: interfaces[from]!.name,
      outInterface: undefined,
      protocol: protocol === 0 || (ipv6 && [0, 50, 51].includes(protocol)) ? 6 : protocol,
      sourcePort: this.chance(0.25) ? this.pick(this.ports) : this.freshPort(),
      destinationPort: this.chance(0.8) ? this.pick(this.ports) : this.number(0, 65_535),
      flags: this.pick([2, 2, 2, 2, 16, 18, 4, 20, 1, 0, 41, 63, 3, 6, 24, 0xc2, this.number(0, 255)]),
      tcpOptions: this.pick([[], [2, 4, 5, 0xb4], [1, 3, 3, 7], [2, 4, 2, 0, 4, 2, 1, 1], [8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1], [5, 2, 1, 1]]),
      icmpType: icmp,
      icmpCode: icmp === 3 || icmp === 1 || this.chance(0.1) ? this.number(0, 4) : 0,
      ttl: this.chance(0.5) ? 64 : this.pick([2, 3, 5, 128, 200, 254, 255]),
      tos: this.chance(0.5) ? 0 : this.pick([0x10, 0x08, 0x04, 0x02, 0xb8, 0x28, 1, 2, 3, this.number(0, 255)]),
      length: this.chance(0.6) ? 0 : this.pick([60, 64, 84, 100, 300, 576, 1000, 1280, 1400]),
      fragmented: this.chance(0.03),
      head: undefined,
      extensionHeaders: ipv6 && this.chance(0.05) ? [this.pick(someHeaders)] : [],
      ipOptions: !ipv6 && this.chance(0.02) ? [1, 1, 1, 0] : undefined,
      hardwareSource: undefined,
      state: this.pick(["new", "new", "new", "new", "established", "reply", "related"]),
    };
  }

  /** Each packet is a connection of its own unless it is to belong to another's. */
  private freshPort(): number {
    this.nextPort = this.nextPort >= 60_000 ? 20_000 : this.nextPort + 1;
    return this.nextPort;
  }

  private matching(place: Place): Draft {
    const draft = this.anything(place.hook);
    this.satisfyPlace(draft, place);
    return draft;
  }

  private missing(place: Place): Draft {
    const draft = this.anything(place.hook);
    const { rule } = place;
    for (const step of place.way) this.satisfyRule(draft, step, undefined);
    const conditions = [
      ...(["source", "destination", "inInterface", "outInterface", "protocol", "fragment"] as const).filter((name) => rule[name] !== undefined),
      ...rule.matches.flatMap((use) => Object.values(use.options)),
    ];
    this.satisfyRule(draft, rule, conditions.length === 0 ? undefined : this.pick(conditions));
    return draft;
  }

  private satisfyPlace(draft: Draft, place: Place): void {
    for (const step of place.way) this.satisfyRule(draft, step, undefined);
    this.satisfyRule(draft, place.rule, undefined);
  }

  // ----------------------------------------------------------------------------------------------- satisfying

  /** Sets the draft's fields so that the rule matches, but for the condition `missed`. */
  private satisfyRule(draft: Draft, rule: IptablesRule, missed: unknown): void {
    // A mark comes from another rule, whose wishes go first: those of this rule prevail.
    if (this.markers.length > 0 && rule.matches.some(({ extension }) => extension === "mark" || extension === "connmark")) {
      const marker = this.pick(this.markers);
      if (marker.rule !== rule && !marker.rule.matches.some(({ extension }) => extension === "mark" || extension === "connmark")) this.satisfyPlace(draft, marker);
    }
    const { source, destination, protocol, inInterface, outInterface, fragment } = rule;
    if (source) draft.source = this.addressFor(source, missed !== "source", draft.source);
    if (destination) draft.destination = this.addressFor(destination, missed !== "destination", draft.destination);
    if (inInterface) draft.inInterface = this.interfaceFor(inInterface, missed !== "inInterface") ?? draft.inInterface;
    if (outInterface) {
      draft.outInterface = this.interfaceFor(outInterface, missed !== "outInterface");
      const index = this.input.interfaces.findIndex(({ name }) => name === draft.outInterface);
      if (index >= 0 && !destination) draft.destination = this.hostOf(index, this.number(2, 250));
    }
    if (protocol && protocol.value !== 0) {
      const wanted = !protocol.inverted === (missed !== "protocol");
      if (wanted) draft.protocol = protocol.value;
      else if (draft.protocol === protocol.value) draft.protocol = protocol.value === 6 ? 17 : 6;
    }
    if (fragment) draft.fragmented = !fragment.inverted === (missed !== "fragment");
    for (const use of rule.matches) this.satisfyMatch(draft, use, missed);
  }

  private addressFor({ value, inverted }: OptionUse<AddressMask>, wanted: boolean, before: bigint): bigint {
    if (wanted !== inverted) {
      const local = this.locals.filter((address) => (address & value.mask) === value.address);
      if ((before & value.mask) === value.address) return before;
      return local.length > 0 && this.chance(0.3) ? this.pick(local) : this.within(value);
    }
    if ((before & value.mask) !== value.address && this.chance(0.5)) return before;
    const bits = value.mask.toString(2).replace(/^0*/u, "").length === 0 ? [] : Array.from({ length: this.family === "ipv4" ? 32 : 128 }, (_, bit) => BigInt(bit)).filter((bit) => (value.mask >> bit) & 1n);
    return bits.length === 0 ? before : this.within(value) ^ (1n << (this.chance(0.6) ? bits[0]! : this.pick(bits.slice(0, 20))));
  }

  private interfaceFor({ value, inverted }: OptionUse<string>, wanted: boolean): string | undefined {
    const fitting = this.input.interfaces.filter(({ name }) => interfaceMatches(name, value) === (wanted !== inverted));
    return fitting.length === 0 ? undefined : this.pick(fitting).name;
  }

  private satisfyMatch(draft: Draft, use: ExtensionUse, missed: unknown): void {
    const option = (name: string): { readonly value: unknown; readonly holds: boolean; readonly text: string } | undefined => {
      const found = use.options[name];
      return found && { value: found.value, holds: found.inverted === (found === missed), text: found.text };
    };
    const range = (name: string, maximum: number, set: (value: number) => void): void => {
      const found = option(name);
      const ranges = found ? rangesIn(found.value) : [];
      if (found && ranges.length > 0) set(this.fromRange(this.pick(ranges), found.holds, maximum));
    };
    switch (use.extension) {
      case "tcp": case "udp": case "sctp": case "dccp": case "udplite": {
        range("source-port", 65_535, (value) => { draft.sourcePort = value; });
        range("destination-port", 65_535, (value) => { draft.destinationPort = value; });
        const flags = option("tcp-flags");
        const syn = option("syn");
        const test = flags ? flags.value as { readonly mask: readonly string[]; readonly set: readonly string[] } : syn ? { mask: ["fin", "syn", "rst", "ack"], set: ["syn"] } : undefined;
        if (test) {
          const bits = (names: readonly string[]): number => names.reduce((sum, name) => sum | flagBit(name), 0);
          draft.flags = this.masked({ value: bits(test.set), mask: bits(test.mask) }, (flags ?? syn)!.holds, 8);
          if (draft.state !== "new" && (draft.flags & 0x12) === 2) draft.state = "new";
        }
        const tcpOption = option("tcp-option");
        if (tcpOption) {
          const kind = tcpOption.value as number;
          draft.tcpOptions = tcpOption.holds ? this.pick([[kind, 4, 1, 2], [1, 1, kind, 2], [2, 4, 5, 0xb4, kind, 4, 0, 0]]) : this.pick([[], [2, 4, 5, 0xb4], [3, 3, 7, 1]]);
        }
        const chunks = option("chunk-types");
        if (chunks) draft.head = undefined;
        break;
      }
      case "multiport":
        for (const name of ["source-ports", "destination-ports", "ports"]) {
          range(name, 65_535, (value) => {
            if (name === "source-ports" || (name === "ports" && this.chance(0.5))) draft.sourcePort = value;
            else draft.destinationPort = value;
          });
        }
        break;
      case "icmp": case "icmp6": {
        const type = option("icmp-type") ?? option("icmpv6-type");
        const wish = type?.value as { readonly type?: number; readonly code?: number } | undefined;
        if (type && wish?.type !== undefined) {
          draft.icmpType = wish.type;
          draft.icmpCode = wish.code ?? draft.icmpCode;
          if (!type.holds) {
            if (wish.code !== undefined && this.chance(0.5)) draft.icmpCode = (wish.code + 1) & 0xff;
            else draft.icmpType = (wish.type + 1) & 0xff;
          }
        }
        break;
      }
      case "iprange":
        for (const [name, field] of [["src-range", "source"], ["dst-range", "destination"]] as const) {
          const found = option(name);
          const ends = found?.text.split("-").map(toNumberOrZero);
          if (!found || !ends) continue;
          const [from = 0n, to = from] = ends;
          const inside = this.pick([from, to, from + (to - from) / 2n]);
          const outside = this.pick([from - 1n, to + 1n]);
          draft[field] = (found.holds ? inside : outside) & wholeMask[this.family];
        }
        break;
      case "length": range("length", 1500, (value) => { draft.length = value; draft.fragmented = false; }); break;
      case "ttl": case "hl":
        for (const [suffix, from, to] of [["eq", 0, 0], ["set", 0, 0], ["lt", -255, -1], ["gt", 1, 255]] as const) {
          const found = option(`${use.extension}-${suffix}`);
          if (!found) continue;
          const value = found.value as number;
          draft.ttl = Math.max(1, this.fromRange({ from: Math.max(0, value + from), to: Math.min(255, value + to) }, found.holds, 255));
        }
        break;
      case "tos": { const found = option("tos"); if (found) draft.tos = this.masked(found.value as { value: number; mask: number }, found.holds, 8); break; }
      case "dscp": {
        const found = option("dscp") ?? option("dscp-class");
        if (found) draft.tos = this.masked({ value: (found.value as number) << 2, mask: 0xfc }, found.holds, 8);
        break;
      }
      case "ecn": {
        const codepoint = option("ecn-ip-ect");
        if (codepoint) draft.tos = this.masked({ value: codepoint.value as number, mask: 3 }, codepoint.holds, 8);
        for (const [name, bit] of [["ecn-tcp-ece", 0x40], ["ecn-tcp-cwr", 0x80]] as const) {
          const found = option(name);
          if (found) draft.flags = found.holds ? draft.flags | bit : draft.flags & ~bit;
        }
        break;
      }
      case "tcpmss":
        range("mss", 65_535, (value) => { draft.tcpOptions = [2, 4, value >> 8, value & 0xff]; });
        draft.flags |= 2;
        break;
      case "mac": { const found = option("mac-source"); if (found) draft.hardwareSource = found.holds ? found.text.toLowerCase() : "02:00:00:00:00:fe"; break; }
      case "state": case "conntrack": {
        const found = option("state") ?? option("ctstate");
        if (found) {
          const { states } = found.value as { readonly states: readonly string[] };
          const wanted = ["invalid", "new", "established", "related"].filter((state) => states.includes(state) === found.holds);
          const state = wanted.length === 0 ? "new" : this.pick(wanted);
          draft.state = state === "established" && this.chance(0.5) ? "reply" : state as State;
          if (state === "new" && draft.protocol === 6) draft.flags = this.chance(0.8) ? 2 : draft.flags;
        }
        const direction = option("ctdir");
        if (direction) draft.state = (direction.value === "reply") === direction.holds ? "reply" : this.pick(["new", "established"]);
        const proto = option("ctproto");
        if (proto && proto.holds) draft.protocol = (proto.value as number) || draft.protocol;
        for (const [name, field] of [["ctorigsrc", "source"], ["ctorigdst", "destination"], ["ctreplsrc", "destination"], ["ctrepldst", "source"]] as const) {
          const uses = use.options[name] as OptionUse<AddressMask> | undefined;
          if (uses) draft[field] = this.addressFor(uses, uses !== missed, draft[field]);
        }
        range("ctorigsrcport", 65_535, (value) => { draft.sourcePort = value; });
        range("ctorigdstport", 65_535, (value) => { draft.destinationPort = value; });
        range("ctreplsrcport", 65_535, (value) => { draft.destinationPort = value; });
        range("ctrepldstport", 65_535, (value) => { draft.sourcePort = value; });
        break;
      }
      case "ah": range("ahspi", 0xffffffff, (value) => { draft.head = { protocol: 51, bytes: [59, 4, 0, 0, ...bigEndian(value), ...new Array<number>(16).fill(0)] }; }); break;
      case "esp": range("espspi", 0xffffffff, (value) => { draft.head = { protocol: 50, bytes: [...bigEndian(value), 0, 0, 0, 1, 0, 0, 0, 0] }; }); break;
      case "addrtype": {
        const found = option("dst-type");
        if (found) {
          const local = String(found.text).toUpperCase().includes("LOCAL") === found.holds;
          draft.destination = this.pick(local ? this.locals : this.destinations);
        }
        break;
      }
      case "frag": case "ipv6header": case "hbh": case "dst": case "rt": case "mh":
        if (this.chance(0.7)) draft.extensionHeaders = this.chance(0.2) ? [this.pick(someHeaders), this.pick(someHeaders)] : [this.pick(someHeaders)];
        if (use.extension === "frag" && this.chance(0.6)) draft.fragmented = true;
        if (use.extension === "mh" || (use.extension === "ipv6header" && this.chance(0.1))) draft.protocol = this.chance(0.9) ? 135 : 59;
        range("mh-type", 255, (value) => { draft.protocol = 135; draft.head = { protocol: 135, bytes: [59, 0, value, 0, 0, 0, 0, 0] }; });
        break;
      case "u32":
        // Its tests go anywhere: packets of all sorts, rather than ones made for it.
        draft.ttl = this.pick([1, 2, 64, 128, 255]);
        draft.length = this.pick([0, 0, 100, 256, 300]);
        break;
      default:
    }
  }

  // ------------------------------------------------------------------------------------------------ realizing

  private realize(draft: Draft, hook: string): Frame[] {
    // The host's own packets are its answers.
    const wish = hook === "OUTPUT" ? this.asQuestion(draft) : draft;
    const packet = this.packetOf(wish);
    const frame = this.frameOf(wish, packet);
    if (packet.transport.kind === "other" && packet.transport.number !== 47 && wish.state === "related") return [frame];
    switch (wish.state) {
      case "new": return [frame];
      case "invalid": {
        if (wish.protocol === 6) return [this.frameOf(wish, { ...packet, transport: { ...packet.transport, flags: this.pick([[], ["syn", "fin"], ["syn", "rst"], ["fin", "psh", "urg"]]) } as Transport })];
        return [frame];
      }
      case "established":
        return [this.frameOf(wish, opening(packet)), this.reverseFrame(wish, answer(packet)), frame];
      case "reply":
        return [this.reverseFrame(wish, opening(reversed(packet))), this.frameOf(wish, followUp(packet))];
      case "related": {
        const first = opening(packet);
        if (first.transport.kind === "icmp" || this.family === "ipv6" && first.extensionHeaders !== undefined) return [frame];
        const inner = serialize(reversed(first), 1)[0]!.subarray(0, this.family === "ipv4" ? 28 : 48);
        const error: Packet = {
          source: packet.source, destination: packet.destination, payload: inner, ttl: packet.ttl ?? 64, tos: packet.tos ?? 0,
          transport: { kind: "icmp", type: this.family === "ipv4" ? this.pick([3, 11]) : this.pick([1, 3]), code: this.number(0, 1), rest: 0 },
        };
        return [this.reverseFrame(wish, opening(reversed(first))), this.frameOf(wish, first), this.frameOf(wish, error)];
      }
    }
  }

  private asQuestion(draft: Draft): Draft {
    const icmp = draft.protocol === 1 || draft.protocol === 58;
    const interfaceName = draft.outInterface ?? draft.inInterface;
    const local = this.locals.includes(draft.source) ? draft.source : this.pick(this.locals);
    return {
      ...draft, source: draft.destination, destination: local, sourcePort: draft.destinationPort, destinationPort: draft.sourcePort,
      inInterface: interfaceName, outInterface: undefined,
      icmpType: icmp ? (this.family === "ipv6" ? 128 : 8) : draft.icmpType, icmpCode: icmp ? 0 : draft.icmpCode,
      flags: this.chance(0.7) ? 2 : draft.flags,
    };
  }

  private frameOf(draft: Draft, packet: Packet): Frame {
    return { at: 0, packet, interface: draft.inInterface, ...(draft.hardwareSource === undefined ? {} : { hardwareSource: draft.hardwareSource }) };
  }

  /** From the other side: by the interface the packet would leave by, or by its own if it is for the host. */
  private reverseFrame(draft: Draft, packet: Packet): Frame {
    const out = draft.outInterface ?? this.interfaceTowards(draft.destination) ?? draft.inInterface;
    return { at: 0, packet, interface: out };
  }

  private interfaceTowards(address: bigint): string | undefined {
    const bits = this.family === "ipv4" ? 8n : 64n;
    return this.input.interfaces.find((_, index) => this.hostOf(index, 1) >> bits === address >> bits)?.name;
  }

  private packetOf(draft: Draft): Packet {
    const { family } = this;
    // A fragment inside of a fragment is malformed.
    if (draft.fragmented) draft.extensionHeaders = draft.extensionHeaders.filter(([number]) => number !== 44);
    const transport = this.transportOf(draft);
    const headerLength = (family === "ipv4" ? 20 + Math.ceil((draft.ipOptions?.length ?? 0) / 4) * 4 : 40 + draft.extensionHeaders.reduce((sum, [, bytes]) => sum + bytes.length + 1, 0))
      + (transport.kind === "tcp" ? 20 + Math.ceil(draft.tcpOptions.length / 4) * 4 : transport.kind === "other" ? 0 : 8);
    const head = transport.kind === "other" ? Uint8Array.from(draft.head?.protocol === draft.protocol ? draft.head.bytes : this.headFor(draft)) : new Uint8Array(transport.kind === "udp" ? 4 : 0);
    const length = Math.max(draft.length === 0 ? 0 : Math.min(draft.length, 1500) - headerLength, head.length);
    const payload = new Uint8Array(draft.fragmented ? Math.max(length, 120) : length);
    payload.set(head.subarray(0, payload.length));
    // An SCTP chunk of no length is malformed: let the first one reach to the end.
    if (draft.protocol === 132 && payload.length >= 16) new DataView(payload.buffer).setUint16(14, payload.length - 12);
    return {
      source: formatAddress(draft.source, family), destination: formatAddress(draft.destination, family),
      transport, payload, ttl: draft.ttl, tos: draft.tos,
      // One alone shows what becomes of it; of several, any that passes hides the fate of the others.
      ...(draft.fragmented ? { fragmentSize: this.pick([64, 80]), ...(this.chance(0.6) ? { onlyFragment: this.number(0, 1) } : {}) } : {}),
      ...(draft.ipOptions === undefined || family === "ipv6" ? {} : { ipOptions: Uint8Array.from(draft.ipOptions) }),
      ...(family === "ipv4" || draft.extensionHeaders.length === 0 ? {} : { extensionHeaders: draft.extensionHeaders }),
    };
  }

  private transportOf(draft: Draft): Transport {
    const { sourcePort, destinationPort, protocol } = draft;
    switch (protocol) {
      case 6: return {
        kind: "tcp", sourcePort, destinationPort, flags: flagNames.filter((_, bit) => (draft.flags >> bit) & 1),
        ...(draft.tcpOptions.length === 0 ? {} : { options: Uint8Array.from(draft.tcpOptions) }),
      };
      case 17: return { kind: "udp", sourcePort, destinationPort };
      case 1: case 58:
        if ((protocol === 1) === (this.family === "ipv4")) return { kind: "icmp", type: draft.icmpType, code: draft.icmpCode, rest: (this.freshPort() << 16 | this.number(1, 0x7fff)) >>> 0 };
        return { kind: "other", number: protocol };
      default: return { kind: "other", number: protocol };
    }
  }

  /** Ports where the protocol has them, and enough bytes to be one of its packets. */
  private headFor({ protocol, sourcePort, destinationPort }: Draft): number[] {
    const ports = [sourcePort >> 8, sourcePort & 0xff, destinationPort >> 8, destinationPort & 0xff];
    switch (protocol) {
      // A common header and an INIT chunk; no checksum, which nobody verifies before the rules.
      case 132: return [...ports, 0, 0, 0, 0, 0, 0, 0, 0, this.pick([1, 1, 0, 3, 14]), 0, 0, 20, 0, 0, 0, 1, 0, 0, 16, 0, 0, 1, 0, 1, 0, 0, 0, 1];
      // A generic header of five words and the service code.
      case 33: return [...ports, 5, 0, 0, 0, (this.pick([0, 1, 2, 3, 7]) << 1) | 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
      case 136: return [...ports, 0, 8, 0, 0];
      case 51: return [59, 4, 0, 0, 0, 0, 1, this.number(0, 255), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
      case 50: return [0, 0, 1, this.number(0, 255), 0, 0, 0, 1, 0, 0, 0, 0];
      // A mobility header that is not the last is malformed.
      case 135: return [59, 0, this.number(0, 9), 0, 0, 0, 0, 0];
      case 108: return [59, 0, 0, this.number(1, 9), 0, 0, 0, 0];
      default: return [0, 0, 8, 0, 0, 0, 0, 0];
    }
  }
}

/** Hop-by-hop, destination options, routing type 2, and a fragment header of a packet that is whole. */
const someHeaders: readonly (readonly [number, Uint8Array])[] = [
  [0, Uint8Array.of(0, 1, 4, 0, 0, 0, 0)],
  [60, Uint8Array.of(0, 1, 4, 0, 0, 0, 0)],
  [60, Uint8Array.of(1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
  [43, Uint8Array.of(0, 253, 0, 0, 0, 0, 0)],
  [44, Uint8Array.of(0, 0, 0, 0, 0, 0, 7)],
];

interface NumberRange { readonly from: number; readonly to: number }

function rangesIn(value: unknown): NumberRange[] {
  if (typeof value === "number") return [{ from: value, to: value }];
  if (Array.isArray(value)) return value.flatMap(rangesIn);
  if (typeof value === "object" && value !== null) {
    if ("from" in value && "to" in value) return [{ from: Number(value.from), to: Number(value.to) }];
    if ("ranges" in value) return rangesIn(value.ranges);
    if ("ports" in value) return rangesIn(value.ports);
  }
  return [];
}

function toNumberOrZero(text: string): bigint {
  try {
    return toNumber(text);
  } catch {
    return 0n;
  }
}

function bigEndian(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** The packet as the first of its connection. */
function opening(packet: Packet): Packet {
  const { transport, extensionHeaders: _, fragmentSize: __, onlyFragment: ___, ...others } = packet;
  return transport.kind === "tcp" ? { ...others, transport: { ...transport, flags: ["syn"] } } : { ...others, transport };
}

/** The packet as a later one of its connection. */
function followUp(packet: Packet): Packet {
  const { transport } = packet;
  if (transport.kind === "tcp") return transport.flags.includes("ack") ? packet : { ...packet, transport: { ...transport, flags: [...transport.flags.filter((flag) => flag !== "syn"), "ack"] } };
  if (transport.kind === "icmp") return { ...packet, transport: { ...transport, type: transport.type === 8 ? 0 : transport.type === 128 ? 129 : transport.type } };
  return packet;
}

function answer(packet: Packet): Packet {
  const back = reversed(opening(packet));
  if (back.transport.kind === "tcp") return { ...back, transport: { ...back.transport, flags: ["syn", "ack"] } };
  if (back.transport.kind === "icmp") return followUp(back);
  return back;
}

function reversed(packet: Packet): Packet {
  const { transport } = packet;
  const turned = "sourcePort" in transport ? { ...transport, sourcePort: transport.destinationPort, destinationPort: transport.sourcePort } : transport;
  return { ...packet, source: packet.destination, destination: packet.source, transport: turned };
}

export function shuffled<Value>(values: readonly Value[], random: Random): Value[] {
  const result = [...values];
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [result[index], result[other]] = [result[other]!, result[index]!];
  }
  return result;
}
