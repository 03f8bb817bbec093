/** What `-m set` asks of a packet: whether it is in an ipset, as far as its elements can be told as fields of a packet. */

import { parseHardwareAddress, formatHardwareAddress } from "./hardware.js";
import { prefixMask } from "../../extensions/values/address.js";
import type { ExtensionUse, Family, OptionUse } from "../../iptables/ast.js";
import type { Ipset, IpsetElement, Part } from "../../ipset/ast.js";
import { messageProtocol, protocolsWithPorts } from "../../ipset/element.js";
import type { SetUse } from "../../ipset/use.js";
import { senderAddress } from "../frame.js";
import type { Chooser } from "./chooser.js";
import type { Condition } from "./condition.js";
import { isIcmpError, tcpNumber, udpNumber, type Draft, type Fields } from "./draft.js";
import { wholeMask } from "./net.js";

/** By name, as `--ipset` gives them. */
export type Ipsets = ReadonlyMap<string, Ipset>;

/** What a set looks at. */
interface Asked extends Fields {
  readonly outInterface?: string | undefined;
  readonly mark?: number;
}

/** Packets made for one rule and set, each for another element. */
const mostVariety = 12;
/** The first of a network, the last, one between. */
const waysIn = 3;
/** Drafts tried until one is in the set, or out of it. */
const mostTries = 24;

/** Empty sets are no reason to guess: nothing is in them. A set that is in no file cannot be told. */
export function setConditions(use: ExtensionUse, family: Family, sets: Ipsets): Condition[] {
  const match = use.options["match-set"] as OptionUse<SetUse> | undefined;
  const label = "--match-set";
  const named = match && sets.get(match.value.set);
  if (match === undefined || named === undefined || countsElements(use)) return [{ label, kind: "closed", test: () => undefined }];
  const members = membersOf(named, sets).filter(
    (set) => set.type.dimensions.length <= match.value.directions.length && (set.family ?? family) === family,
  );
  const exceptions = use.options["return-nomatch"] !== undefined;
  const holds = (packet: Asked): boolean =>
    members.some((set) => {
      const found = elementOf(packet, set, match.value.directions, family);
      return found !== undefined && found.nomatch === exceptions;
    });
  const elements = members.flatMap((set) => [...set.elements.values()].map((element) => ({ set, element })));
  // Each packet for another element, or beside it; and when all have had theirs, at another of its ends.
  const turns = { inside: 0, outside: 0 };
  const make = (draft: Draft, wanted: boolean, chooser: Chooser): void => {
    if (holds(draft) === wanted) return;
    for (let attempt = 0; attempt < mostTries && elements.length > 0; attempt += 1) {
      const turn = turns[wanted ? "inside" : "outside"]++;
      const { set, element } = elements[turn % elements.length]!;
      const end = Math.floor(turn / elements.length);
      const other = { ...draft };
      for (const [index, part] of element.parts.entries())
        enter(other, part, match.value.directions[index]!, set, { family, chooser, end, inside: true });
      const index = chooser.number(0, element.parts.length - 1);
      // An element that is an exception is one way to be outside.
      if (!wanted && !(element.nomatch !== exceptions && chooser.chance(0.5)))
        enter(other, element.parts[index]!, match.value.directions[index]!, set, { family, chooser, end, inside: false });
      if (holds(other) !== wanted) continue;
      Object.assign(draft, other);
      return;
    }
  };
  const sides = [...new Set(members.flatMap((set) => addressSides(set, match.value)))];
  return [
    {
      label: match.inverted ? `! ${label}` : label,
      kind: "field",
      test: (view) => holds(view) !== match.inverted,
      make: (draft, wanted, chooser) => {
        make(draft, wanted !== match.inverted, chooser);
      },
      sides,
      variety: Math.min(mostVariety, waysIn * elements.length),
    },
  ];
}

/** `--packets-gt` and the like: nobody here counts. */
function countsElements({ options }: ExtensionUse): boolean {
  return Object.keys(options).some((name) => /^(?:packets|bytes)-/u.test(name));
}

function membersOf(set: Ipset, sets: Ipsets): Ipset[] {
  if (set.type.method !== "list") return [set];
  return [...set.elements.values()].flatMap(({ parts: [part] }) => (part?.kind === "member" ? (sets.get(part.set) ?? []) : []));
}

function addressSides({ type }: Ipset, { directions }: SetUse): ("source" | "destination")[] {
  return type.dimensions.flatMap((dimension, index) =>
    dimension === "ip" || dimension === "net" ? [directions[index] === "dst" ? ("destination" as const) : ("source" as const)] : [],
  );
}

/** The element that decides: ipset asks for the most specific network first, of the first part before the others. */
function elementOf(packet: Asked, set: Ipset, directions: SetUse["directions"], family: Family): IpsetElement | undefined {
  let best: IpsetElement | undefined;
  for (const element of candidatesFor(packet, set, directions, family)) {
    if (!element.parts.every((part, index) => isIn(packet, part, directions[index]!, set, family))) continue;
    if (best === undefined || isMoreSpecific(element, best)) best = element;
  }
  return best;
}

/** Elements by their first address and its prefix length, for sets of many thousands. */
type Index = ReadonlyMap<number, ReadonlyMap<bigint, readonly IpsetElement[]>>;
const indices = new WeakMap<Ipset, Index>();

function indexOf(set: Ipset): Index {
  const known = indices.get(set);
  if (known) return known;
  const index = new Map<number, Map<bigint, IpsetElement[]>>();
  for (const element of set.elements.values()) {
    const [part] = element.parts;
    if (part?.kind !== "address") continue;
    const ofLength = index.get(part.prefixLength) ?? new Map<bigint, IpsetElement[]>();
    index.set(part.prefixLength, ofLength.set(part.from, [...(ofLength.get(part.from) ?? []), element]));
  }
  indices.set(set, index);
  return index;
}

/** The elements whose first part may hold the packet. */
function candidatesFor(packet: Asked, set: Ipset, [direction]: SetUse["directions"], family: Family): Iterable<IpsetElement> {
  if (!["ip", "net"].includes(set.type.dimensions[0]!)) return set.elements.values();
  const address = (direction === "src" ? packet.source : packet.destination) & (set.mask ?? wholeMask[family]);
  return [...indexOf(set)].flatMap(([length, elements]) => elements.get(address & prefixMask(length, family)) ?? []);
}

function isMoreSpecific({ parts }: IpsetElement, other: IpsetElement): boolean {
  for (const [index, part] of parts.entries()) {
    const against = other.parts[index];
    if (part.kind !== "address" || against?.kind !== "address" || part.prefixLength === against.prefixLength) continue;
    return part.prefixLength > against.prefixLength;
  }
  return false;
}

function isIn(packet: Asked, part: Part, direction: SetUse["directions"][number], set: Ipset, family: Family): boolean {
  const source = direction === "src";
  switch (part.kind) {
    case "address": {
      const address = source ? packet.source : packet.destination;
      const masked = address & (set.mask ?? wholeMask[family]);
      return masked >= part.from && masked <= part.to;
    }
    case "port":
      return (
        portOf(packet, source, part.protocol === undefined, family) === part.port && [undefined, packet.protocol].includes(part.protocol)
      );
    case "interface": {
      if (part.physical) return false;
      const name = (source ? packet.inInterface : packet.outInterface) ?? "";
      return part.wildcard ? name.startsWith(part.name) : name === part.name;
    }
    case "hardware":
      // What a socket of the firewall sends has none.
      return (
        part.address === undefined ||
        (source && packet.inInterface !== "" && parseHardwareAddress(packet.hardwareSource ?? senderAddress) === part.address)
      );
    case "mark":
      return ((packet.mark ?? 0) & set.markmask) >>> 0 === part.mark;
    case "member":
      return false;
  }
}

/** What ipset takes for the port; undefined for a packet that a set of ports never holds. */
function portOf(packet: Asked, source: boolean, plain: boolean, family: Family): number | undefined {
  if (packet.fragmented) return undefined;
  const { protocol, sourcePort, destinationPort, icmpType, icmpCode } = packet;
  if (plain ? protocol === tcpNumber || protocol === udpNumber : protocolsWithPorts.includes(protocol))
    return source ? sourcePort : destinationPort;
  if (plain) return undefined;
  return protocol === messageProtocol[family] ? icmpType * 256 + icmpCode : 0;
}

/** Changes what the part looks at to be in it, or just outside. */
function enter(
  draft: Draft,
  part: Part,
  direction: SetUse["directions"][number],
  set: Ipset,
  { family, chooser, inside, end }: { readonly family: Family; readonly chooser: Chooser; readonly inside: boolean; readonly end: number },
): void {
  const source = direction === "src";
  switch (part.kind) {
    case "address": {
      const { from, to } = part;
      // Under a mask that is a prefix, the address stands for a network.
      const last = to | (~(set.mask ?? wholeMask[family]) & wholeMask[family]);
      const some = from + BigInt(chooser.number(0, Number(last - from < 9n ? last - from : 9n)));
      const address = inside ? [from, last, some][end % waysIn]! : [from - 1n, last + 1n][end % 2]!;
      draft[source ? "source" : "destination"] = address & wholeMask[family];
      return;
    }
    case "port": {
      draft.fragmented = false;
      const known =
        part.protocol ?? ([tcpNumber, udpNumber].includes(draft.protocol) ? draft.protocol : chooser.pick([tcpNumber, udpNumber]));
      draft.protocol = known;
      const port = inside ? part.port : part.port + (part.port === 0 || end % 2 === 1 ? 1 : -1);
      if (protocolsWithPorts.includes(known)) draft[source ? "sourcePort" : "destinationPort"] = port & 0xffff;
      else if (known === messageProtocol[family]) {
        Object.assign(draft, { icmpType: (port >> 8) & 0xff, icmpCode: port & 0xff });
        if (isIcmpError(draft.icmpType, family) && draft.state === "new") draft.state = "related";
      } else if (!inside) draft.protocol = chooser.pick([tcpNumber, udpNumber]);
      return;
    }
    case "interface": {
      const side = source ? "inInterface" : "outInterface";
      const fits = (name: string): boolean => (part.wildcard ? name.startsWith(part.name) : name === part.name) === inside;
      const fitting = chooser.net.interfaces.map(({ name }) => name).filter(fits);
      if (fitting.length > 0) draft[side] = chooser.pick(fitting);
      return;
    }
    case "hardware":
      if (part.address !== undefined) draft.hardwareSource = formatHardwareAddress(inside ? part.address : part.address ^ 1n);
      return;
    case "mark":
    case "member":
  }
}
