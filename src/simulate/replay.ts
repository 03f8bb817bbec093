/** Plays the user's own traffic through both models. */

import type { Family } from "../iptables/ast.js";
import { families } from "../iptables/family.js";
import type { Translation } from "../translate.js";
import { cutRules } from "./cut.js";
import { formatAddress } from "../extensions/values/address.js";
import { describePacket, secondsOf, timelineOf } from "./explain.js";
import { modelsOf, tableOf, type Models } from "./models.js";
import { NotModelled, sameOutcome, type Packet } from "./packet.js";
import type { SearchOptions } from "./search.js";
import { shrink } from "./shrink.js";
import type { Timeline, TimelineEvent } from "./timeline.js";
import type { Traffic } from "./traffic.js";
import { XtModel } from "./xt-model.js";

export interface FamilyReplay {
  readonly family: Family;
  /** Packets, and how many of them each side lets through. */
  readonly sent: number;
  readonly passed: { readonly iptables: number; readonly nft: number };
  readonly differing: number;
  /** Of these, the packets that a list would decide like the script if it remembered more than 100 hosts. */
  readonly forgotten: number;
  /** Rules that the script has not, or only in part, and that were left out on both sides. */
  readonly leftOut: number;
  /** Each packet in its order; where it was asked for. */
  readonly packets?: readonly PlayedPacket[];
  /** The first difference, with no more packets before it than it takes. */
  readonly first?: Timeline;
  /** Why nothing was played; lower case, no full stop. */
  readonly notPlayed?: string;
}

/** One packet of the traffic and what both made of it. */
export interface PlayedPacket extends Pick<TimelineEvent, "at" | "host" | "iptables" | "nft"> {
  /** In words: `tcp 192.0.2.1:40000 to 198.51.100.1:22, new, in by eth0`. */
  readonly packet: string;
  /** The line of the rule by which iptables decides; absent where the policy does. */
  readonly line?: number;
}

export interface ReplayOptions {
  /** Tell of each packet; false unless told. */
  readonly perPacket?: boolean;
  /** Is told again and again how many packets of how many were played. */
  readonly progress?: (sent: number, all: number) => void;
}

/** Packets between two words of how far it is. */
const progressEvery = 1_000;

/** One result for each family that the traffic has. */
export function replayTraffic(
  { iptables, nft, diagnostics }: Translation,
  traffic: Traffic,
  translated: SearchOptions["translated"] = {},
  more: ReplayOptions = {},
): FamilyReplay[] {
  return families.flatMap((family): FamilyReplay[] => {
    const packets = traffic.packets.filter((one) => one.family === family).map(({ packet }) => packet);
    if (packets.length === 0) return [];
    const ruleset = iptables.find((one) => one.family === family);
    const table = ruleset && nft && tableOf(ruleset, nft.tables);
    const nothing = { family, sent: packets.length, passed: { iptables: 0, nft: 0 }, differing: 0, forgotten: 0, leftOut: 0 };
    if (!ruleset || !table) return [{ ...nothing, notPlayed: "the input has no rules of this family" }];
    try {
      // iptables as it is: it remembers 100 hosts; and one that forgets nobody.
      const options = { ...translated, cut: cutRules(ruleset, diagnostics) };
      const models = modelsOf(ruleset, table, { ...options, listSize: 100 });
      return [
        {
          family,
          ...replay(packets, models, new XtModel(ruleset, { ...options, listSize: Infinity }), more),
          leftOut: models.xtables.refused.size,
        },
      ];
    } catch (error) {
      if (error instanceof NotModelled) return [{ ...nothing, notPlayed: `the models do not know ${error.message}` }];
      throw error;
    }
  });
}

function replay(
  packets: readonly Packet[],
  { xtables, nft }: Models,
  mindful: XtModel,
  { perPacket = false, progress }: ReplayOptions,
): Omit<FamilyReplay, "family" | "leftOut"> {
  for (const model of [xtables, nft, mindful]) model.reset();
  const passed = { iptables: 0, nft: 0 };
  let [differing, forgotten] = [0, 0];
  let first: number | undefined;
  let firstForgotten: number | undefined;
  const played: PlayedPacket[] = [];
  const start = packets[0]?.time ?? 0;
  const { family } = xtables.ruleset;
  for (const [index, packet] of packets.entries()) {
    if (index % progressEvery === 0) progress?.(index, packets.length);
    const [expected, found, remembered] = [xtables.send(packet), nft.send(packet), mindful.send(packet)];
    if (perPacket) {
      const rule = xtables.decidedBy;
      played.push({
        at: secondsOf(packet.time - start),
        host: formatAddress(packet.source, family),
        packet: describePacket(packet, family),
        iptables: expected.verdict,
        nft: found.verdict,
        ...(rule && { line: rule.span.line }),
      });
    }
    if (expected.verdict === "accept") passed.iptables += 1;
    if (found.verdict === "accept") passed.nft += 1;
    if (sameOutcome(expected, found)) continue;
    differing += 1;
    if (sameOutcome(remembered, found)) {
      forgotten += 1;
      firstForgotten ??= index;
    } else {
      first ??= index;
    }
  }
  const end = first ?? firstForgotten;
  const shortest = first === undefined ? undefined : shrink(mindful, nft, packets.slice(0, first + 1));
  const shown = shortest ?? (end === undefined ? undefined : shrink(xtables, nft, packets.slice(0, end + 1)));
  const model = shortest ? mindful : xtables;
  return {
    sent: packets.length,
    passed,
    differing,
    forgotten,
    ...(perPacket && { packets: played }),
    ...(shown && { first: timelineOf("the first difference", shown, model.lists.names, model, nft) }),
  };
}
