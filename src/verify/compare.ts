/** What counts as a difference between the fates of a packet: all that the firewalls decide, nothing that the kernel draws by lot. */

import { effectsOf } from "../extensions/described.js";
import type { Effect } from "../extensions/facts.js";
import { tcpmssTarget } from "../extensions/targets/tcpmss.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import { describeFate, type Fate, type Outcome } from "./fate.js";
import type { Frame } from "./frame.js";
import { rulesOf } from "./plan.js";

/** What the rulesets leave to chance or to circumstances. */
export interface Tolerance {
  /** Ports that address translation writes: compared, or only where they stayed as they were, or not at all. */
  readonly ports: "all" | "kept" | "none";
  /** A SYN without the option: iptables' TCPMSS writes a value into what it assumes, nft leaves the option out; a note says so. */
  readonly segments: boolean;
  readonly conntrack: boolean;
}

/**
 * Ports of sockets that the firewall opened for TCP. What it says to a segment for one of them depends on the moment at which
 * the socket is closed, and so does what connection tracking makes of it.
 */
export function ownTcpPorts(frames: readonly Frame[]): ReadonlySet<number> {
  return new Set(frames.flatMap(({ own, packet: { transport } }) => (own && transport.kind === "tcp" ? [transport.sourcePort] : [])));
}

/** A port out of a range, or in the place of one that is taken, is drawn by lot; so is any port where it is asked for. */
export function toleranceFor(rulesets: readonly IptablesRuleset[], conntrack: boolean): Tolerance {
  const translates = rulesets.some(({ tables }) => tables.some(({ name }) => name === "nat"));
  const targets = rulesOf(rulesets).flatMap(({ rule: { target }, family }) =>
    target?.kind === "extension" ? [{ target, effects: effectsOf(target, family) }] : [],
  );
  const ports = targets.some(({ effects }) => effects.some(drawsPort)) ? "none" : translates ? "kept" : "all";
  return { ports, segments: targets.some(({ target }) => target.extension === tcpmssTarget.name), conntrack };
}

function drawsPort(effect: Effect): boolean {
  if (effect.kind !== "translate") return false;
  return effect.portByLot === true || (effect.port !== undefined && effect.port.from !== effect.port.to);
}

/** What TCPMSS takes a missing option for, and so writes at the most. */
const assumedSegment = { ipv4: 536, ipv6: 1220 };

export function differs(
  { iptables, nft, frame }: Outcome,
  { ports, segments, conntrack }: Tolerance,
  sockets: ReadonlySet<number> = new Set(),
): boolean {
  if (iptables.verdict === "lost" && nft.verdict === "lost") return false;
  const { transport, fragmentSize, onlyFragment, source } = frame.packet;
  const original = "sourcePort" in transport ? transport : undefined;
  // Whether the host puts the fragments together, and answers, is not the firewall's doing where it does not do so itself.
  const silent = !conntrack && fragmentSize !== undefined && source.includes(":");
  const forSocket = !frame.own && transport.kind === "tcp" && sockets.has(transport.destinationPort);
  // Several fragments under one number: which of them the sighting shows is chance.
  const several = !conntrack && fragmentSize !== undefined && onlyFragment === undefined;
  const port = (value: number | undefined, before: number | undefined): number =>
    ports === "none" || (ports === "kept" && value !== before) ? -1 : (value ?? 0);
  const comparable = (fate: Fate, other: Fate): string => {
    if (several) return fate.verdict;
    const { reply, sighting, ...rest } = fate;
    const answered = silent || forSocket || reply === undefined ? rest : { ...rest, reply };
    if (sighting === undefined) return describeFate(answered);
    const { sourcePort, destinationPort, maximumSegment, connectionState, ...fields } = sighting;
    const assumed =
      segments &&
      other.sighting?.maximumSegment === undefined &&
      maximumSegment !== undefined &&
      maximumSegment <= assumedSegment[source.includes(":") ? "ipv6" : "ipv4"];
    return describeFate({
      ...answered,
      sighting: {
        ...fields,
        sourcePort: port(sourcePort, original?.sourcePort),
        destinationPort: port(destinationPort, original?.destinationPort),
        ...(forSocket || connectionState === undefined ? {} : { connectionState }),
        ...(assumed || maximumSegment === undefined ? {} : { maximumSegment }),
      },
    });
  };
  return comparable(iptables, nft) !== comparable(nft, iptables);
}
