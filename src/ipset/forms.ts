/**
 * A set of ipset as sets of nft. Most become one; a type with ports becomes up to three, since ICMP messages and protocols
 * without ports have keys of another make, and `nomatch`, wildcards and additions by rules may need one more.
 *
 * ipset asks the most specific network first and stops at the first that has the packet. nft takes no two intervals that
 * overlap: networks within networks are written as the stretches of addresses that match in the end.
 */

import type { Family } from "../iptables/ast.js";
import {
  binary,
  concatenation,
  hex,
  match,
  meta,
  number,
  payload,
  range,
  string,
  type Expression,
  type NftSet,
  type SetElement,
  type Statement,
} from "../nft/ast.js";
import { addressBits, addressInterval, addressLiteral, maskedField, prefixMask } from "../extensions/values/address.js";
import { firstFragmentOnly } from "../extensions/values/fragment.js";
import { protocolExpression } from "../extensions/values/protocols.js";
import { commentText, cutToBytes } from "../extensions/values/text.js";
import type { AddressPart, Ipset, IpsetElement, PortPart } from "./ast.js";
import { messageProtocol, protocolsWithPorts } from "./element.js";
import { regionsOf } from "./regions.js";

export type Direction = "src" | "dst";

/** What rules do to a set. */
export interface Usage {
  readonly added: boolean;
  readonly deleted: boolean;
}

/** How a form reads the port of a packet: by protocol and port, by ICMP message, by protocol alone, or by port alone. */
type PortForm = "ports" | "message" | "portless" | "plain";

/** One nft set, and how a packet's key in it is read. */
export interface Form {
  /** Of the nft set; tells the forms of a set apart. */
  readonly wish: string;
  readonly set: Omit<NftSet, "name">;
  readonly port: PortForm | undefined;
  /** Rules may add to it. */
  readonly dynamic: boolean;
  /** It is empty, for elements that are added at run time and kept; those of the file have a set of their own. */
  readonly ofRunTime?: true;
  /** Parts of the key, of which some need a statement in front. */
  key(directions: readonly Direction[], protocol: number | undefined): Expression;
  /** What is to be asked before the key can be looked up. */
  guards(directions: readonly Direction[], protocol: number | undefined, reassembles: boolean): readonly Statement[];
  /** Every packet has all parts of the key. */
  readonly alwaysLoads: boolean;
}

export interface Forms {
  readonly forms: readonly Form[];
  /** How the nft sets differ from the ipset; whole phrases. */
  readonly differences: readonly string[];
  /** What was changed without a difference in verdicts. */
  readonly notes: readonly string[];
}

export interface FormOptions {
  readonly family: Family;
  readonly usage: Usage;
  readonly counters: boolean;
  /** What sets hold at run time is kept when the script is loaded again. */
  readonly keepSets: boolean;
}

const cache = new WeakMap<Ipset, Map<string, Forms>>();

/** The nft sets of a set of one family; those with `nomatch` elements only if `exceptions` is said. */
export function formsOf(set: Ipset, options: FormOptions, exceptions = false): Forms {
  let known = cache.get(set);
  if (!known) cache.set(set, (known = new Map<string, Forms>()));
  const id = JSON.stringify([options.family, options.usage, options.counters, options.keepSets, exceptions]);
  let forms = known.get(id);
  if (!forms) known.set(id, (forms = new FormBuilder(set, options, exceptions).build()));
  return forms;
}

/** Elements of a set that share one form. */
interface Part {
  readonly port: PortForm | undefined;
  readonly wildcard?: string;
  readonly withoutHardware?: boolean;
  readonly elements: readonly IpsetElement[];
}

class FormBuilder {
  private readonly differences = new Set<string>();
  private readonly notes = new Set<string>();
  private readonly isModified: boolean;
  /** Masks of the parts that are networks, where all networks of the set are of one length. */
  private readonly uniformMasks: readonly (bigint | undefined)[] | undefined;

  constructor(
    private readonly source: Ipset,
    private readonly options: FormOptions,
    private readonly exceptions: boolean,
  ) {
    this.isModified = options.usage.added || options.usage.deleted;
    this.uniformMasks = this.findUniformMasks();
  }

  build(): Forms {
    const parts = this.divide();
    const dynamic = this.isModified && this.uniformMasks !== undefined && !this.exceptions;
    const forms = parts.flatMap((part) => this.kept(this.form(part, dynamic)));
    if (this.isModified && this.uniformMasks === undefined && !this.exceptions) forms.push(...this.additions());
    return { forms, differences: [...this.differences], notes: [...this.notes] };
  }

  /**
   * nft takes no two intervals that overlap: what the file holds today might not load beside what was added at run time, or by an older
   * file. `auto-merge` would make one of them, but not in nft 0.9.8, and what the file holds no longer would stay. So each has a set.
   */
  private kept(form: Form): Form[] {
    const { flags, elements = [] } = form.set;
    if (!this.options.keepSets || !flags.includes("interval") || elements.length === 0) return [form];
    return [
      { ...form, wish: `from_file_${form.wish}` },
      { ...form, ofRunTime: true, set: { ...form.set, elements: [] } },
    ];
  }

  private get dimensions(): readonly string[] {
    return this.source.type.dimensions;
  }

  /** ipset gives a network that a rule adds the greatest prefix length in the set; deleting works likewise. */
  private findUniformMasks(): readonly (bigint | undefined)[] | undefined {
    const { type, elements } = this.source;
    const { family } = this.options;
    const lengths = type.dimensions.map(() => new Set<number>());
    for (const { parts, nomatch } of elements.values()) {
      if (nomatch) return undefined;
      parts.forEach((part, index) => {
        if (part.kind === "address") lengths[index]!.add(part.prefixLength);
        if (part.kind === "interface" && part.wildcard) lengths[index]!.add(1).add(2);
      });
    }
    if (lengths.some(({ size }, index) => size > 1 && (type.dimensions[index] === "net" || type.dimensions[index] === "iface")))
      return undefined;
    return lengths.map((known, index) =>
      this.maskOf(index, type.dimensions[index] === "net" ? Math.max(...known, 0) || addressBits[family] : undefined),
    );
  }

  private maskOf(index: number, length: number | undefined): bigint | undefined {
    const dimension = this.dimensions[index];
    if (dimension === "net" && length !== undefined && length < addressBits[this.options.family])
      return prefixMask(length, this.options.family);
    if (dimension !== "ip") return undefined;
    return this.source.mask;
  }

  /** Elements by the form they need; a form that only rules fill has none. */
  private divide(): Part[] {
    const parts = new Map<string, { port: PortForm | undefined; wildcard?: string; withoutHardware?: boolean; elements: IpsetElement[] }>();
    const portAt = this.dimensions.indexOf("port");
    const open = (port: PortForm | undefined, wildcard?: string, withoutHardware?: boolean): IpsetElement[] => {
      const id = JSON.stringify([port, wildcard, withoutHardware]);
      let part = parts.get(id);
      if (!part)
        parts.set(
          id,
          (part = { port, elements: [], ...(wildcard !== undefined && { wildcard }), ...(withoutHardware && { withoutHardware }) }),
        );
      return part.elements;
    };
    const hasPort = portAt >= 0;
    const plain = this.source.type.method === "bitmap" && hasPort;
    for (const element of this.source.elements.values()) {
      const port = element.parts[portAt];
      const device = element.parts.find((part) => part.kind === "interface");
      const hardware = element.parts.find((part) => part.kind === "hardware");
      if (device?.physical) {
        this.differences.add(
          'elements with "physdev:" are left out: a rule of iptables asks for the interface, not for the port of a bridge',
        );
        continue;
      }
      if (device && !isInterfaceName(device.name)) {
        this.differences.add(`the element of interface ${JSON.stringify(device.name)} is left out: nft cannot hold its name`);
        continue;
      }
      const withoutHardware = hardware !== undefined && hardware.address === undefined;
      if (withoutHardware) {
        this.differences.add("elements without a hardware address match every one: ipset binds them to that of the first packet");
      }
      const form = port?.kind === "port" ? this.portForm(port) : undefined;
      open(form, device?.wildcard ? device.name : undefined, withoutHardware || undefined).push(element);
    }
    if (this.isModified && !this.exceptions && this.uniformMasks !== undefined) {
      for (const form of plain ? (["plain"] as const) : hasPort ? (["ports", "message", "portless"] as const) : [undefined]) open(form);
    }
    if (parts.size === 0) open(plain ? "plain" : hasPort ? "ports" : undefined);
    return [...parts.values()];
  }

  private portForm({ protocol }: PortPart): PortForm {
    if (protocol === undefined) return "plain";
    if (protocolsWithPorts.includes(protocol)) return "ports";
    return protocol === messageProtocol[this.options.family] ? "message" : "portless";
  }

  /** Where networks are of several lengths: a set beside the others for what rules add, with the greatest length. */
  private additions(): Form[] {
    const hasPort = this.dimensions.includes("port");
    const { family } = this.options;
    const greatest = this.dimensions.map((dimension, index) => {
      if (dimension !== "net") return this.maskOf(index, undefined);
      let length = 0;
      for (const { parts } of this.source.elements.values()) {
        const part = parts[index];
        if (part?.kind === "address") length = Math.max(length, part.prefixLength);
      }
      return this.maskOf(index, length || addressBits[family]);
    });
    if ([...this.source.elements.values()].some(({ nomatch }) => nomatch)) {
      this.differences.add('what rules add also matches where an element with "nomatch" would keep it from matching');
    }
    return (hasPort ? (["ports", "message", "portless"] as const) : [undefined]).map((port) =>
      this.makeForm({ port, elements: [] }, "added", true, greatest, []),
    );
  }

  private form(part: Part, dynamic: boolean): Form {
    const masks = dynamic
      ? this.uniformMasks!
      : this.dimensions.map((dimension, index) =>
          dimension === "ip" && this.source.type.method !== "bitmap" ? this.maskOf(index, undefined) : undefined,
        );
    const elements = dynamic ? part.elements.map((element) => this.single(element, part)) : this.compacted(part);
    return this.makeForm(part, "", dynamic, masks, elements);
  }

  private makeForm(
    part: Part,
    prefix: string,
    dynamic: boolean,
    masks: readonly (bigint | undefined)[],
    elements: readonly SetElement[],
  ): Form {
    const { source, options } = this;
    const { family } = options;
    const interval = !dynamic && (this.dimensions.includes("net") || source.type.method === "bitmap");
    const permanent = [...source.elements.values()].some(({ timeout }) => timeout === undefined);
    const portPrefix = part.port === "message" || part.port === "portless" ? `${part.port}_` : "";
    const kind = (this.exceptions ? "nomatch_" : prefix === "" ? "" : `${prefix}_`) + portPrefix + (part.withoutHardware ? "address_" : "");
    // No name holds a zero, so that no two sets can wish for the same; an underscore takes its place.
    const device = part.wildcard === undefined ? "" : `on\u0000${part.wildcard}\u0000`;
    const flags: NftSet["flags"][number][] = [
      ...(interval ? ["interval" as const] : []),
      ...(dynamic ? ["dynamic" as const] : []),
      ...(source.timeout !== undefined ? ["timeout" as const] : []),
    ];
    const counter = source.counters && options.counters;
    const dimensions = this.dimensions;
    const header = family === "ipv4" ? "ip" : "ip6";
    const field = (index: number, directions: readonly Direction[]): Expression =>
      maskedTo(payload(header, directions[index] === "dst" ? "daddr" : "saddr"), masks[index], family);
    const key = (directions: readonly Direction[], protocol: number | undefined): Expression => {
      const keys = dimensions.flatMap((dimension, index): Expression[] => {
        const isSource = directions[index] !== "dst";
        switch (dimension) {
          case "ip":
          case "net":
            return [field(index, directions)];
          case "port": {
            const port = payload(
              part.port === "plain" && protocol === 6 ? "tcp" : part.port === "plain" && protocol === 17 ? "udp" : "th",
              isSource ? "sport" : "dport",
            );
            if (part.port === "plain") return [port];
            if (part.port === "portless") return [meta("l4proto")];
            if (part.port === "ports") return [meta("l4proto"), port];
            const icmp = family === "ipv4" ? "icmp" : "icmpv6";
            return [payload(icmp, "type"), payload(icmp, "code")];
          }
          case "iface":
            return part.wildcard === undefined ? [meta(isSource ? "iifname" : "oifname")] : [];
          case "mac":
            return part.withoutHardware ? [] : [payload("ether", isSource ? "saddr" : "daddr")];
          case "mark":
            return [source.markmask === 0xffffffff ? meta("mark") : binary(meta("mark"), "&", hex(source.markmask))];
          default:
            return [];
        }
      });
      return keys.length === 1 ? keys[0]! : concatenation(...keys);
    };
    const guards = (directions: readonly Direction[], protocol: number | undefined, reassembles: boolean): readonly Statement[] => {
      const statements: Statement[] = [];
      const at = dimensions.indexOf("iface");
      if (part.wildcard !== undefined)
        statements.push(match(meta(directions[at] === "dst" ? "oifname" : "iifname"), string(`${part.wildcard}*`)));
      if (part.port === "plain" && protocol === undefined) {
        statements.push(match(meta("l4proto"), { kind: "anonymous-set", elements: [protocolExpression(6), protocolExpression(17)] }));
      }
      if (part.port === "portless" && dynamic && protocol === undefined) {
        const others = [...protocolsWithPorts, messageProtocol[family]].sort((a, b) => a - b).map((one) => protocolExpression(one));
        statements.push(match(meta("l4proto"), { kind: "anonymous-set", elements: others }, true));
      }
      if (part.port === "ports" && dynamic && protocol === undefined) {
        statements.push(
          match(meta("l4proto"), { kind: "anonymous-set", elements: protocolsWithPorts.map((one) => protocolExpression(one)) }),
        );
      }
      if (part.port !== undefined && part.port !== "portless" && !reassembles) statements.push(firstFragmentOnly(family));
      return statements;
    };
    return {
      wish: `${kind}${device}ipset\u0000${source.name}`,
      port: part.port,
      dynamic,
      set: {
        type: this.types(part),
        flags,
        ...(dynamic && { size: source.maxelem }),
        ...(source.timeout !== undefined && source.timeout > 0 && !permanent && { timeout: source.timeout * 1000 }),
        ...(counter && { counter }),
        elements,
      },
      key,
      guards,
      alwaysLoads: (part.port === undefined || part.port === "portless") && !dimensions.includes("iface") && !dimensions.includes("mac"),
    };
  }

  private types(part: Part): readonly string[] {
    const { family } = this.options;
    return this.dimensions.flatMap((dimension): readonly string[] => {
      switch (dimension) {
        case "ip":
        case "net":
          return [family === "ipv4" ? "ipv4_addr" : "ipv6_addr"];
        case "port":
          if (part.port === "plain") return ["inet_service"];
          if (part.port === "portless") return ["inet_proto"];
          if (part.port === "ports") return ["inet_proto", "inet_service"];
          return family === "ipv4" ? ["icmp_type", "icmp_code"] : ["icmpv6_type", "icmpv6_code"];
        case "iface":
          return part.wildcard === undefined ? ["ifname"] : [];
        case "mac":
          return part.withoutHardware ? [] : ["ether_addr"];
        case "mark":
          return ["mark"];
        default:
          return [];
      }
    });
  }

  // -------------------------------------------------------------------------------------------------- elements

  private single(element: IpsetElement, part: Part): SetElement {
    const addresses = element.parts.map((one) => (one.kind === "address" ? addressLiteral(one.from, this.options.family) : undefined));
    return this.element(element, part, addresses, element.timeout, true);
  }

  /** An element with its addresses in the places of the address parts. */
  private element(
    element: IpsetElement,
    part: Part,
    addresses: readonly (Expression | undefined)[],
    timeout: number | undefined,
    counts: boolean,
  ): SetElement {
    const keys = element.parts.flatMap((one, index): Expression[] => {
      switch (one.kind) {
        case "address":
          return [addresses[index]!];
        case "port":
          if (part.port === "plain") return [addresses[index] ?? number(one.port)];
          if (part.port === "portless") return [protocolExpression(one.protocol ?? 0)];
          if (part.port === "ports") return [protocolExpression(one.protocol ?? 0), number(one.port)];
          return [number(one.port >> 8), number(one.port & 0xff)];
        case "interface":
          return part.wildcard === undefined ? [string(one.name)] : [];
        case "hardware":
          return one.address === undefined ? [] : [{ kind: "address", address: formatHardware(one.address) }];
        case "mark":
          return [hex(one.mark)];
        case "member":
          return [];
      }
    });
    const comment = element.comment === undefined ? undefined : this.comment(element.comment);
    return {
      kind: "element",
      key: keys.length === 1 ? keys[0]! : concatenation(...keys),
      ...(this.source.counters &&
        this.options.counters && {
          counter: { kind: "counter", packets: counts ? element.packets : 0n, bytes: counts ? element.bytes : 0n },
        }),
      ...(timeout !== undefined && { timeout: timeout * 1000 }),
      ...(comment !== undefined && { comment }),
    };
  }

  private comment(text: string): string {
    const changed = cutToBytes(commentText(text), 128);
    if (changed !== text) this.notes.add("comments of its elements are changed where nft cannot hold them (128 bytes, no double quote)");
    return changed;
  }

  /** Elements of an interval set, or as they are where no address is a network. */
  private compacted(part: Part): SetElement[] {
    const networks = this.dimensions.flatMap((dimension, index) => (dimension === "net" ? [index] : []));
    if (networks.length > 0) return this.disjoint(part, networks);
    if (this.exceptions) return [];
    if (this.source.type.method === "bitmap" && this.dimensions.length === 1) return this.runs(part);
    return part.elements.map((element) => this.single(element, part));
  }

  /** Neighbouring addresses or ports of a bitmap as ranges. */
  private runs(part: Part): SetElement[] {
    const bounds = ({ parts: [first] }: IpsetElement): readonly [bigint, bigint] =>
      first?.kind === "address" ? [first.from, first.to] : first?.kind === "port" ? [BigInt(first.port), BigInt(first.port)] : [0n, 0n];
    const sorted = [...part.elements].sort((a, b) => (bounds(a)[0] < bounds(b)[0] ? -1 : 1));
    const runs: { from: bigint; to: bigint; element: IpsetElement }[] = [];
    for (const element of sorted) {
      const [from, to] = bounds(element);
      const last = runs.at(-1);
      const joins =
        last !== undefined &&
        last.to + 1n === from &&
        !this.source.counters &&
        last.element.timeout === element.timeout &&
        last.element.comment === element.comment;
      if (joins) last.to = to;
      else runs.push({ from, to, element });
    }
    return runs.map(({ from, to, element }) =>
      this.element(element, part, [this.intervalOf(from, to, part.port === "plain")], element.timeout, true),
    );
  }

  private intervalOf(from: bigint, to: bigint, isPort: boolean): Expression {
    if (isPort) return from === to ? number(from) : range(number(from), number(to));
    return addressInterval(from, to, this.options.family);
  }

  /** Networks within networks as intervals that do not overlap, for each combination of the other parts. */
  private disjoint(part: Part, networks: readonly number[]): SetElement[] {
    if (this.source.type.name === "hash:net,iface") return this.disjointByInterface(part);
    const groups = new Map<string, IpsetElement[]>();
    for (const element of part.elements) {
      const others = JSON.stringify(
        element.parts.map((one, index) => {
          if (networks.includes(index)) return undefined;
          switch (one.kind) {
            case "address":
              return String(one.from);
            case "port":
              return [one.protocol, one.port];
            case "interface":
              return one.name;
            default:
              return undefined;
          }
        }),
      );
      const group = groups.get(others);
      if (group) group.push(element);
      else groups.set(others, [element]);
    }
    const [first = 0, second] = networks;
    return [...groups.values()].flatMap((group) =>
      second === undefined ? this.disjointIn(group, part, first, []) : this.disjointInTwo(group, part, first, second),
    );
  }

  /**
   * ipset ends its search at the first network that holds the address, whatever the interface there is: an element for eth0
   * hides the wider networks of eth1, and so does one that is left out here (measured; the reason is `multi` in the kernel's
   * ip_set_hash_gen.h).
   */
  private disjointByInterface(part: Part): SetElement[] {
    const own = new Set(part.elements);
    const byNetwork = new Map<string, { from: bigint; to: bigint; element: IpsetElement[] }>();
    for (const element of this.source.elements.values()) {
      const { from, to } = addressAt(element, 0);
      const id = `${from}-${to}`;
      const known = byNetwork.get(id);
      if (known) known.element.push(element);
      else byNetwork.set(id, { from, to, element: [element] });
    }
    const runs = new Map<IpsetElement, { from: bigint; to: bigint }[]>();
    for (const {
      from,
      to,
      around: [nearest = [], ...outer],
    } of regionsOf([...byNetwork.values()])) {
      if (nearest.some(({ timeout }) => timeout !== undefined) && outer.length > 0) {
        this.differences.add("where all elements of a network run out before a network around it, nft goes on as if they had not");
      }
      if (
        nearest.some((element) => element.nomatch) &&
        nearest.some((element) => element.parts.some((one) => one.kind === "interface" && one.wildcard))
      ) {
        this.differences.add(
          'of elements of one network, one with "nomatch" and one with a wildcard, ipset asks the one added first, nft both',
        );
      }
      for (const element of nearest) {
        if (!own.has(element) || element.nomatch !== this.exceptions) continue;
        const known = runs.get(element);
        const last = known?.at(-1);
        if (last !== undefined && last.to + 1n === from) last.to = to;
        else if (known) known.push({ from, to });
        else runs.set(element, [{ from, to }]);
      }
    }
    return part.elements.flatMap((element) =>
      (runs.get(element) ?? []).map(({ from, to }, index) =>
        this.element(element, part, [this.intervalOf(from, to, false)], element.timeout, index === 0),
      ),
    );
  }

  /** Regions of the first network, and in each those of the second: ipset tries all second networks under each first one. */
  private disjointInTwo(group: readonly IpsetElement[], part: Part, first: number, second: number): SetElement[] {
    const byFirst = new Map<string, { from: bigint; to: bigint; element: IpsetElement[] }>();
    for (const element of group) {
      const { from, to } = addressAt(element, first);
      const id = `${from}-${to}`;
      const known = byFirst.get(id);
      if (known) known.element.push(element);
      else byFirst.set(id, { from, to, element: [element] });
    }
    return regionsOf([...byFirst.values()]).flatMap(({ from, to, around }) => {
      const ranks = new Map(around.flatMap((elements, rank) => elements.map((element) => [element, rank] as const)));
      const fixed: (Expression | undefined)[] = [];
      fixed[first] = this.intervalOf(from, to, false);
      return this.disjointIn(around.flat(), part, second, fixed, ranks);
    });
  }

  private disjointIn(
    group: readonly IpsetElement[],
    part: Part,
    at: number,
    fixed: readonly (Expression | undefined)[],
    ranks?: ReadonlyMap<IpsetElement, number>,
  ): SetElement[] {
    const networks = group.map((element) => ({ from: addressAt(element, at).from, to: addressAt(element, at).to, element }));
    const runs: { from: bigint; to: bigint; root: number; element: IpsetElement; timeout: number | undefined }[] = [];
    for (const { from, to, around, root } of regionsOf(networks)) {
      const ordered = ranks ? [...around].sort((a, b) => ranks.get(a)! - ranks.get(b)!) : around;
      const decided = this.decide(ordered);
      if (!decided) continue;
      const { element, timeout } = decided;
      const last = runs.at(-1);
      const joins =
        last !== undefined &&
        last.to + 1n === from &&
        last.root === root &&
        last.timeout === timeout &&
        last.element.comment === element.comment &&
        (!this.source.counters || last.element === element);
      if (joins) last.to = to;
      else runs.push({ from, to, root, element, timeout });
    }
    const counted = new Set<IpsetElement>();
    return runs.map(({ from, to, element, timeout }) => {
      const addresses = element.parts.map((one, index) =>
        index === at
          ? this.intervalOf(from, to, false)
          : (fixed[index] ?? (one.kind === "address" ? addressLiteral(one.from, this.options.family) : undefined)),
      );
      const counts = !counted.has(element);
      counted.add(element);
      return this.element(element, part, addresses, timeout, counts);
    });
  }

  /** The element that decides, the most specific first, and until when packets match (undefined: for ever). */
  private decide(around: readonly IpsetElement[]): { element: IpsetElement; timeout: number | undefined } | undefined {
    const wanted = ({ nomatch }: IpsetElement): boolean => nomatch === this.exceptions;
    const [element, ...outer] = around;
    if (!element) return undefined;
    if (!wanted(element)) {
      if (element.timeout !== undefined && outer.some((other) => wanted(other) && outlives(other.timeout, element.timeout))) {
        this.differences.add('where an element with "nomatch" runs out before the network around it, nft goes on as if it had not');
      }
      return undefined;
    }
    let until = element.timeout;
    for (const [index, other] of outer.entries()) {
      if (until === undefined) break;
      if (!outlives(other.timeout, until)) continue;
      if (wanted(other)) until = other.timeout;
      else {
        const later = outer.slice(index + 1).some((one) => wanted(one) && outlives(one.timeout, other.timeout));
        if (later)
          this.differences.add('where an element with "nomatch" runs out before the network around it, nft goes on as if it had not');
        break;
      }
    }
    return { element, timeout: until };
  }
}

function outlives(one: number | undefined, other: number | undefined): boolean {
  return other !== undefined && (one === undefined || one > other);
}

function addressAt(element: IpsetElement, index: number): AddressPart {
  const part = element.parts[index];
  return part?.kind === "address" ? part : { kind: "address", from: 0n, to: 0n, prefixLength: 0 };
}

function maskedTo(field: Expression, mask: bigint | undefined, family: Family): Expression {
  return mask === undefined ? field : maskedField(field, { mask, family });
}

/** What nft takes in quotes and gives no meaning of its own. */
function isInterfaceName(name: string): boolean {
  return /^[A-Za-z0-9_.:@~!%^=,;()[\]{}<>?|&#'/+-]+$/.test(name);
}

function formatHardware(address: bigint): string {
  return Array.from({ length: 6 }, (_, index) => ((address >> BigInt(8 * (5 - index))) & 0xffn).toString(16).padStart(2, "0")).join(":");
}
