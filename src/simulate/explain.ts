/** Says in words what happened in a schedule. */

import { formatAddress } from "../extensions/values/address.js";
import { hasPorts, protocolName } from "../extensions/values/protocols.js";
import type { Family } from "../iptables/ast.js";
import type { NftMachine } from "./nft-machine.js";
import {
  icmpTypeOf,
  millisecondsPerTick,
  sameOutcome,
  tcpFlagBits,
  tcpFlagsOf,
  usualTcpFlags,
  type Outcome,
  type Packet,
} from "./packet.js";
import type { Timeline, TimelineEvent } from "./timeline.js";
import type { XtModel } from "./xt-model.js";

/** Plays the packets through both models, from empty lists on, and tells what each does and why. */
export function timelineOf(
  title: string,
  packets: readonly Packet[],
  lists: readonly string[],
  xtables: XtModel,
  nft: NftMachine,
): Timeline {
  xtables.reset();
  nft.reset();
  const start = packets[0]?.time ?? 0;
  const { family } = xtables.ruleset;
  const events = packets.map((packet): TimelineEvent => {
    const memory = [stampsOf(packet, lists, xtables, family), elementsOf(packet, lists, xtables, nft)].join("; ");
    const [expected, found] = [xtables.send(packet), nft.send(packet)];
    const rule = xtables.decidedBy;
    const because = rule ? `; iptables: line ${rule.span.line}` : "";
    const difference = sameOutcome(expected, found) ? "" : otherDifference(expected, found, family);
    return {
      at: secondsOf(packet.time - start),
      host: formatAddress(packet.source, family),
      packet: describePacket(packet, family),
      iptables: expected.verdict,
      nft: found.verdict,
      why: `${memory}${because}${difference}`,
    };
  });
  return { title, events };
}

/** Seconds of so many ticks. */
export function secondsOf(ticks: number): number {
  return (ticks * millisecondsPerTick) / 1000;
}

/** The addresses under which the lists may know a packet's host. */
function keysOf(packet: Packet, list: string, xtables: XtModel): bigint[] {
  return [...new Set([packet.source, packet.destination].map((address) => xtables.lists.key(list, address)))];
}

/** What the lists hold of a packet's host, in words. */
export function stampsOf(packet: Packet, lists: readonly string[], xtables: XtModel, family: Family): string {
  const parts = lists.flatMap((list) =>
    keysOf(packet, list, xtables).flatMap((key) => {
      const stamps = xtables.stamps(list, key);
      if (!stamps) return [];
      const ages = stamps.map((stamp) => `${secondsOf(packet.time - stamp)}`);
      const shown = ages.length > 12 ? [`${ages.length - 12} more`, ...ages.slice(-12)] : ages;
      return [`${formatAddress(key, family)} on ${list}, seen ${shown.join(", ")} s ago`];
    }),
  );
  return parts.length === 0 ? "on no list" : parts.join(", ");
}

function elementsOf(packet: Packet, lists: readonly string[], xtables: XtModel, nft: NftMachine): string {
  const keys = new Set(lists.flatMap((list) => keysOf(packet, list, xtables)));
  const sets = new Set([...keys].flatMap((key) => nft.setsWith(key, packet.time)));
  return sets.size === 0 ? "in no set" : `in ${[...sets].join(", ")}`;
}

/** Where the verdict is the same and something else is not. */
function otherDifference(expected: Outcome, found: Outcome, family: Family): string {
  if (expected.verdict !== found.verdict) return "";
  const words = ({ logs, mark, sentTo, sentFrom }: Outcome): string =>
    [
      logs.length === 0 ? "logs nothing" : `logs ${logs.map((log) => JSON.stringify(log)).join(", ")}`,
      ...(mark === undefined ? [] : [`mark 0x${mark.toString(16)}`]),
      ...(sentTo ? [`sent to ${formatAddress(sentTo.address, family)} port ${sentTo.port}`] : []),
      ...(sentFrom ? [`sent from ${formatAddress(sentFrom.address, family)} port ${sentFrom.port}`] : []),
    ].join(", ");
  return `; iptables ${words(expected)}, nft ${words(found)}`;
}

/** `tcp 192.0.2.1:40000 to 198.51.100.1:22, in by eth0`. */
export function describePacket(packet: Packet, family: Family): string {
  const {
    protocol,
    source,
    destination,
    sourcePort,
    destinationPort,
    path,
    inInterface,
    outInterface,
    state = "new",
    mark = 0,
    facts = new Set(),
  } = packet;
  const address = (value: bigint, port: number): string => {
    const text = formatAddress(value, family);
    if (!hasPorts(protocol)) return text;
    return family === "ipv6" ? `[${text}]:${port}` : `${text}:${port}`;
  };
  const isIcmp = protocol === 1 || protocol === 58;
  const flags = Object.entries(tcpFlagBits)
    .filter(([, bit]) => (tcpFlagsOf(packet) & bit) !== 0)
    .map(([name]) => name);
  return [
    `${protocolName(protocol) ?? `protocol ${protocol}`}${isIcmp ? ` type ${icmpTypeOf(packet)}` : ""} ${address(source, sourcePort)} ` +
      `to ${address(destination, destinationPort)}`,
    ...(protocol === 6 && tcpFlagsOf(packet) !== usualTcpFlags(state) ? [`flags ${flags.join(" ") || "none"}`] : []),
    ...(state === "new" ? [] : [state]),
    ...(packet.ttl === 64 ? [] : [`TTL ${packet.ttl}`]),
    path === "input" ? `in by ${inInterface}` : path === "output" ? `out by ${outInterface}` : `from ${inInterface} to ${outInterface}`,
    ...(mark === 0 ? [] : [`mark 0x${mark.toString(16)}`]),
    ...(packet.connectionMark ? [`connection mark 0x${packet.connectionMark.toString(16)}`] : []),
    ...(packet.length === undefined ? [] : [`${packet.length} bytes`]),
    ...[...facts].map((fact) => `where ${fact}`),
  ].join(", ");
}
