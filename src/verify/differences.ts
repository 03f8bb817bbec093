/** Packets that differ, gathered by the way in which they do. */

import type { Family } from "../iptables/ast.js";
import { describeFate, type Fate, type Outcome, type Report } from "./fate.js";
import { describePacket, type Frame } from "./frame.js";
import type { ReplayInput } from "./lab.js";
import { familyOf } from "./packet.js";

export interface FoundDifference {
  readonly outcome: Outcome;
  readonly input: ReplayInput;
  readonly report: Report;
}

/** A rule as a reader finds it again. */
export interface RuleName {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

/** One packet of the shortest row found that shows a difference. */
export interface TimelineEntry {
  /** Seconds from the first packet of the row. */
  readonly at: number;
  readonly packet: string;
  readonly iptables: string;
  readonly nft: string;
  readonly differs: boolean;
}

export interface Difference {
  readonly family: Family;
  readonly packet: string;
  readonly iptables: string;
  readonly nft: string;
  /** Packets that differ in this way, this one included. */
  readonly count: number;
  /** The last packets up to this one; all that are needed to see it. */
  readonly timeline: readonly TimelineEntry[];
  /** Rules that this packet matched; those of nft are known of our own scripts only. */
  readonly rules?: { readonly iptables: readonly RuleName[]; readonly nft?: readonly RuleName[] };
  /** A diagnostic of the translation says so. */
  readonly announced?: string;
  /** What plays it again. */
  readonly replay: Pick<ReplayInput, "interfaces" | "prepare" | "conntrack"> & { readonly frames: readonly Frame[] };
}

export interface DifferenceGroup {
  readonly first: FoundDifference;
  readonly count: number;
}

/** By verdict, reply and the fields that differ. */
export function groupDifferences(found: readonly FoundDifference[]): DifferenceGroup[] {
  const groups = new Map<string, DifferenceGroup>();
  for (const one of found) {
    const key = wayOf(one.outcome);
    const known = groups.get(key);
    groups.set(key, known ? { ...known, count: known.count + 1 } : { first: one, count: 1 });
  }
  return [...groups.values()];
}

function wayOf({ iptables, nft, frame }: Outcome): string {
  const fields = [...new Set([...Object.keys(iptables.sighting ?? {}), ...Object.keys(nft.sighting ?? {})])].sort();
  const different = fields.filter((name) => fieldOf(iptables, name) !== fieldOf(nft, name));
  return [
    familyOf(frame.packet),
    iptables.verdict,
    iptables.reply,
    nft.verdict,
    nft.reply,
    iptables.hook === nft.hook,
    ...(iptables.verdict === nft.verdict ? different : []),
  ].join(" ");
}

function fieldOf({ sighting }: Fate, name: string): unknown {
  return (sighting as Readonly<Record<string, unknown>> | undefined)?.[name];
}

/** The difference as it was seen, before anything more is known of it. */
export function plainDifference(
  { first: { outcome, input }, count }: DifferenceGroup,
  frames: readonly Frame[],
  timeline: readonly TimelineEntry[],
): Difference {
  const { frame, iptables, nft } = outcome;
  return {
    family: familyOf(frame.packet),
    packet: describePacket(frame.packet),
    iptables: describeFate(iptables),
    nft: describeFate(nft),
    count,
    timeline,
    replay: {
      frames,
      ...(input.interfaces && { interfaces: input.interfaces }),
      ...(input.prepare !== undefined && { prepare: input.prepare }),
      ...(input.conntrack !== undefined && { conntrack: input.conntrack }),
    },
  };
}
