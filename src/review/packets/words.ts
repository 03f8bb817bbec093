/** Sets of packets in plain words. */

import { packetStates, type PacketState } from "../../extensions/values/connection-state.js";
import { formatAddress, addressBits } from "../../extensions/values/address.js";
import { protocolName } from "../../extensions/values/protocols.js";
import { printable } from "../../diagnostic.js";
import type { Family } from "../../iptables/ast.js";
import type { Translation } from "../flow/state.js";
import { addressesOf, otherAddresses, statesOf, type Answer, type Box } from "./box.js";
import { complement, sizeOf, type Intervals, type Range } from "./intervals.js";
import type { InterfaceSet } from "./interfaces.js";

/** Ports that people know by a name. */
const serviceNames: Readonly<Record<number, string>> = {
  20: "FTP data",
  21: "FTP",
  22: "SSH",
  23: "Telnet",
  25: "SMTP",
  53: "DNS",
  69: "TFTP",
  80: "HTTP",
  110: "POP3",
  123: "NTP",
  143: "IMAP",
  161: "SNMP",
  389: "LDAP",
  443: "HTTPS",
  445: "SMB",
  465: "SMTPS",
  500: "IKE",
  514: "syslog",
  587: "mail submission",
  853: "DNS over TLS",
  873: "rsync",
  993: "IMAPS",
  995: "POP3S",
  1194: "OpenVPN",
  1433: "SQL Server",
  3128: "a proxy",
  3306: "MySQL",
  3389: "RDP",
  5060: "SIP",
  5432: "PostgreSQL",
  5666: "NRPE",
  5900: "VNC",
  6379: "Redis",
  8080: "HTTP, alternative",
  8443: "HTTPS, alternative",
  11211: "memcached",
  27017: "MongoDB",
  51820: "WireGuard",
};

/** The name of the service, where one port with a name is all there is. */
export function serviceOf({ destinationPort }: Box): string | undefined {
  const [only, another] = destinationPort ?? [];
  return only && !another && only[0] === only[1] ? serviceNames[Number(only[0])] : undefined;
}

const protocolTitles: Readonly<Record<string, string>> = {
  tcp: "TCP",
  udp: "UDP",
  icmp: "ICMP",
  icmpv6: "ICMPv6",
  "ipv6-icmp": "ICMPv6",
  esp: "ESP",
  ah: "AH",
  gre: "GRE",
  sctp: "SCTP",
  igmp: "IGMP",
};

const icmpTitles: Readonly<Record<Family, Readonly<Record<number, string>>>> = {
  ipv4: { 0: "ping replies", 3: "destination unreachable", 5: "redirects", 8: "ping", 11: "time exceeded", 12: "parameter problem" },
  ipv6: {
    1: "destination unreachable",
    2: "packet too big",
    3: "time exceeded",
    4: "parameter problem",
    128: "ping",
    129: "ping replies",
    133: "router solicitations",
    134: "router advertisements",
    135: "neighbour solicitations",
    136: "neighbour advertisements",
  },
};

const directions: Readonly<Record<string, string>> = {
  INPUT: "to this machine",
  FORWARD: "through this machine",
  OUTPUT: "from this machine",
  PREROUTING: "arriving at this machine",
  POSTROUTING: "leaving this machine",
};

/** @param chain the built-in chain the packets are in, which tells their direction; unknown if absent */
export function packetWords(box: Box, family: Family, chain?: string): string {
  const words = [
    subject(box, family),
    ...(box.sourcePort ? [`from ${portWords(box.sourcePort)}`] : []),
    ...(box.destinationPort ? [`to ${portWords(box.destinationPort)}${serviceWords(box)}`] : []),
    ...(box.destination ? [`for ${addressWords(box.destination, family)}`] : []),
    ...directionWords(box, chain),
    ...(box.source ? [`from ${addressWords(box.source, family)}`] : []),
    ...(box.inInterface && !isAllButLoopback(box.inInterface) ? [`coming in ${interfaceWords(box.inInterface)}`] : []),
    ...(box.outInterface ? [`going out ${interfaceWords(box.outInterface)}`] : []),
  ];
  if (!box.source && (chain === "INPUT" || chain === "PREROUTING")) words.push("from anywhere");
  const tests = testWords([...(box.tests?.values() ?? [])]);
  return [words.join(" "), ...tests].join(", ");
}

function directionWords({ destinationPort }: Box, chain: string | undefined): string[] {
  if (chain === "INPUT" && destinationPort) return ["of this machine"];
  const words = chain === undefined ? undefined : directions[chain];
  return words === undefined ? [] : [words];
}

/** Most rulesets let it through first, and nobody counts it. */
function isAllButLoopback({ pattern, without }: InterfaceSet): boolean {
  return pattern === "+" && without.length === 1 && without[0] === "lo";
}

/** Questions that read alike are told apart by whose they are. */
function testWords(answers: readonly Answer[]): string[] {
  return answers.map(({ holds, words, place, question }) => {
    const twins = answers.filter((other) => other.words === words);
    const versions = new Set(twins.filter((other) => other.place === place).map((other) => other.question?.version));
    const places = new Set(twins.map((other) => other.place));
    const whose = [
      ...(places.size > 1 && place !== undefined ? [`(the rule of ${place})`] : []),
      ...(versions.size > 1 && question?.version ? [`by the ${question.version} rules`] : []),
    ];
    return [holds ? "where" : "unless", printable(words), ...whose].join(" ");
  });
}

/** Which packets, before where they come from and go to: "new TCP connections". */
function subject(box: Box, family: Family): string {
  const protocol = protocolWords(box.protocol);
  const icmp = box.icmp ? icmpWords(box.icmp, family) : undefined;
  const kind = icmp === undefined ? protocol : `${protocol ?? "ICMP"} (${icmp})`;
  const states = box.state === undefined ? undefined : statesOf(box.state);
  const flagged = box.flags === undefined ? "" : " with certain flags";
  if (!states) return `${kind ?? "all packets"}${flagged}`;
  const only = (...wanted: readonly PacketState[]): boolean => states.every((state) => wanted.includes(state));
  if (only("established", "related")) {
    const which = states.length === 2 ? "" : states[0] === "established" ? " (ESTABLISHED only)" : " (RELATED only)";
    return `${kind ?? "packets"} of connections that are known${which}${flagged}`;
  }
  // Behind the usual rules for known connections: packets that are not tracked, and those of none, are not worth a word then.
  if (states.includes("new") && only("new", "untracked", "invalid") && (states.includes("untracked") || states.length === 1)) {
    if (kind === undefined) return `new connections${flagged}`;
    return kind === "TCP" ? `new TCP connections${flagged}` : `new ${kind}${flagged}`;
  }
  const inStates = (some: readonly PacketState[]): string => `in state ${some.map((state) => state.toUpperCase()).join(" or ")}`;
  const missing = packetStates.filter((state) => !states.includes(state));
  if (states.length > 2 && missing.length <= 2) {
    return `${kind ?? "all packets"}${flagged}${missing.length === 0 ? "" : ` but those ${inStates(missing)}`}`;
  }
  return `${kind ?? "packets"} ${inStates(states)}${flagged}`;
}

function protocolWords(protocol: Intervals | undefined): string | undefined {
  if (!protocol) return undefined;
  const numbers = numbersOf(protocol, 4);
  if (numbers) return list(numbers.map(protocolTitle), "and");
  const others = numbersOf(complement(protocol, 255n), 4);
  if (others?.length === 0) return undefined;
  return others ? `packets of any protocol but ${list(others.map(protocolTitle), "and")}` : "packets of some protocols";
}

function protocolTitle(number: number): string {
  const name = protocolName(number);
  return name === undefined ? `protocol ${number}` : (protocolTitles[name] ?? name);
}

function icmpWords(types: Intervals, family: Family): string {
  const names: string[] = [];
  for (const [from, to] of types) {
    const [type, code] = [Number(from) >> 8, Number(from) & 255];
    if (Number(to) >> 8 !== type || names.length === 4) return "some types";
    const title = icmpTitles[family][type] ?? `type ${type}`;
    names.push(from === to ? `${title}, code ${code}` : title);
  }
  return names.join(", ");
}

/** All numbers of a set, if they are at most so many. */
function numbersOf(set: Intervals, most: number): number[] | undefined {
  const found: number[] = [];
  for (const [from, to] of set) {
    if (to - from >= BigInt(most) - BigInt(found.length)) return undefined;
    for (let number = from; number <= to; number++) found.push(Number(number));
  }
  return found;
}

function portWords(ports: Intervals): string {
  const excluded = complement(ports, 65535n);
  if (ports.length > 1 && excluded.length < ports.length) return `any port but ${list(excluded.map(rangeText), "and")}`;
  const shown = ports.slice(0, 8).map(rangeText);
  const more = ports.length > 8 ? [`${ports.length - 8} more`] : [];
  const single = ports.length === 1 && ports[0]![0] === ports[0]![1];
  return `${single ? "port" : "ports"} ${list([...shown, ...more], "and")}`;
}

function serviceWords(box: Box): string {
  const service = serviceOf(box);
  return service === undefined ? "" : ` (${service})`;
}

const rangeText = ([from, to]: readonly [bigint, bigint]): string => (from === to ? String(from) : `${from}-${to}`);

function addressWords(addresses: Intervals, family: Family): string {
  const excluded = otherAddresses(addresses);
  const words = (ranges: Intervals): string =>
    list(
      [
        ...ranges.slice(0, mostRanges).map((range) => rangeWords(range, family)),
        ...(ranges.length > mostRanges ? [`${ranges.length - mostRanges} more`] : []),
      ],
      "and",
    );
  const isMost = excluded.length > 0 && addresses.length >= excluded.length && sizeOf(addresses) > sizeOf(excluded);
  return isMost ? `anywhere but ${words(excluded)}` : words(addresses);
}

/** Ranges that are named one by one. */
const mostRanges = 4;

function rangeWords(range: Range, family: Family): string {
  const [from, to] = addressesOf(range, family);
  if (from === to) return formatAddress(from, family);
  const count = to - from + 1n;
  // A power of two, at a multiple of itself: a network.
  if ((count & (count - 1n)) === 0n && from % count === 0n)
    return `${formatAddress(from, family)}/${addressBits[family] - (count.toString(2).length - 1)}`;
  return `${formatAddress(from, family)} to ${formatAddress(to, family)}`;
}

function interfaceWords({ pattern, without }: InterfaceSet): string {
  const name = (one: string): string => printable(one.endsWith("+") ? `${one.slice(0, -1)}*` : one);
  if (pattern !== "+") return `by ${name(pattern)}`;
  return `by any interface but ${list(without.map(name), "and")}`;
}

function list(words: readonly string[], conjunction: string): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}

/** Where a translation sends packets: "reaches 192.0.2.5 port 443". */
export function translationWords({ address, port, toMachine, text }: Translation, family: Family): string {
  const to = (from: string, last: string): string => (from === last ? from : `${from} to ${last}`);
  const parts = [
    ...(address ? [to(formatAddress(address.from, family), formatAddress(address.to, family))] : toMachine ? ["this machine"] : []),
    ...(port ? [`port ${to(String(port.from), String(port.to))}`] : []),
  ];
  return `reaches ${parts.length > 0 ? parts.join(" ") : printable(text)}`;
}
