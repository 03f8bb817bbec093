/** One packet out of a set, in words: the shortest traffic that shows an effect. */

import { printable } from "../../diagnostic.js";
import { formatAddress } from "../../extensions/values/address.js";
import { hasPorts, protocolName } from "../../extensions/values/protocols.js";
import type { Family } from "../../iptables/ast.js";
import type { PathName } from "../flow/side.js";
import { addressesOf, statesOf, type Box } from "./box.js";
import type { Intervals } from "./intervals.js";
import type { InterfaceSet } from "./interfaces.js";

/** Addresses of documentation (RFC 5737, RFC 3849), for packets of which no rule says more. */
const usual: Readonly<Record<Family, { readonly source: bigint; readonly destination: bigint }>> = {
  ipv4: { source: 0xc000_0207n, destination: 0xc633_6401n },
  ipv6: { source: (0x2001_0db8n << 96n) | 7n, destination: (0x2001_0db8n << 96n) | 1n },
};

/** "TCP 192.0.2.7:40000 to 198.51.100.1:23, in by eth0, state NEW". */
export function exampleOf(box: Box, family: Family, path: PathName): string {
  const protocol = numberIn(box.protocol, [6, 17, family === "ipv4" ? 1 : 58, 47]);
  const ports = hasPorts(protocol);
  const end = (address: bigint, port: number): string => {
    const text = formatAddress(address, family);
    return ports ? `${family === "ipv6" ? `[${text}]` : text}:${port}` : text;
  };
  const source = end(addressIn(box.source, usual[family].source, family), numberIn(box.sourcePort, [40000]));
  const destination = end(addressIn(box.destination, usual[family].destination, family), numberIn(box.destinationPort, [9, 40001]));
  const states = box.state === undefined ? undefined : statesOf(box.state);
  const state = states && !states.includes("new") ? states[0] : "new";
  const icmp = box.icmp?.[0] ? ` type ${Number(box.icmp[0][0]) >> 8} code ${Number(box.icmp[0][0]) & 255}` : "";
  const parts = [
    `${(protocolName(protocol) ?? `protocol ${protocol}`).toUpperCase()}${icmp} ${source} to ${destination}`,
    ...(path === "OUTPUT" ? [] : [`in by ${interfaceIn(box.inInterface)}`]),
    ...(path === "INPUT" || !box.outInterface ? [] : [`out by ${interfaceIn(box.outInterface)}`]),
    ...(state === undefined ? [] : [`state ${state.toUpperCase()}`]),
    ...history(box),
  ];
  return parts.join(", ");
}

/** What must have happened before, for the answers that the packet needs. */
function history({ tests }: Box): string[] {
  return [...(tests?.values() ?? [])].flatMap(({ holds, question }) => {
    if (!holds || question?.asks.kind !== "recent" || question.version === "new") return [];
    const { side, hits, seconds, list } = question.asks;
    if (hits < 1) return [];
    const host = side === "saddr" ? "source" : "destination";
    const window = seconds === undefined ? "" : ` within ${seconds} s`;
    return [`after ${hits} hit${hits === 1 ? "" : "s"} of the same ${host} on list "${printable(list)}"${window}`];
  });
}

function numberIn(set: Intervals | undefined, preferred: readonly number[]): number {
  if (!set?.[0]) return preferred[0]!;
  const contained = preferred.find((one) => set.some(([from, to]) => BigInt(one) >= from && BigInt(one) <= to));
  return contained ?? Number(set[0][0]);
}

function addressIn(set: Intervals | undefined, preferred: bigint, family: Family): bigint {
  if (!set?.[0]) return preferred;
  const ranges = set.map((range) => addressesOf(range, family));
  const others = family === "ipv4" ? [0xc633_6407n, 0xcb00_7107n, 0x0a00_0007n] : [preferred + (1n << 64n)];
  const fitting = [preferred, ...others].find((one) => ranges.some(([from, to]) => one >= from && one <= to));
  if (fitting !== undefined) return fitting;
  const [from, to] = ranges[0]!;
  return to > from ? from + 1n : from;
}

function interfaceIn(set: InterfaceSet | undefined): string {
  if (!set) return "eth0";
  const name = set.pattern === "+" ? (["eth0", "eth1", "wan0", "lan0"].find((one) => !set.without.includes(one)) ?? "other0") : set.pattern;
  return printable(name.endsWith("+") ? `${name.slice(0, -1)}0` : name);
}
