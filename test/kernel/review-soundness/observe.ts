/** What a change does on the kernel: the same packets through the old and the new ruleset at the same moments, both under iptables. */

import type { Random } from "../../../src/random.js";
import { differs, ownTcpPorts, toleranceFor, type Tolerance } from "../../../src/verify/compare.js";
import { describeFate, type Fate, type Outcome, type Report } from "../../../src/verify/fate.js";
import { describePacket, type Frame } from "../../../src/verify/frame.js";
import { replay, ReplayError, type ReplayInput } from "../../../src/verify/lab.js";
import { translate } from "../../../src/translate.js";
import { scale } from "../../../src/verify/scale.js";
import { reportOf } from "./judgement.js";
import { packetsFor, withoutSharedPorts } from "./packets.js";
import { changedLines, type Pair } from "./pair.js";
import { toldPackets } from "./told.js";

/** `opens`: stopped by the old ruleset and passed by the new one; `other`: an address, a mark, a way out, or how it is refused. */
export type Kind = "opens" | "closes" | "other";

export interface Difference {
  readonly kind: Kind;
  readonly frame: Frame;
  readonly at: number;
  readonly packet: string;
  readonly old: string;
  readonly new: string;
}

export interface Observation {
  readonly pair: Pair;
  readonly packets: number;
  /** Of packets that met another fate in all runs, of which there are two or three. */
  readonly differences: readonly Difference[];
}

interface Play {
  readonly input: ReplayInput;
  readonly tolerance: Tolerance;
}

/** A text: why the pair cannot be played. */
export async function observe(pair: Pair, random: Random): Promise<Observation | string> {
  const play = playOf(pair, random);
  if (!play) return "no packets, or no ruleset";
  const report = await played(play);
  if (typeof report === "string") return report;
  let differences = differencesIn(play, report);
  // On a busy machine the kernel loses an ICMP error now and then, at times of one packet in two runs.
  for (let run = 2; run <= (differences.some(({ kind }) => kind !== "other") ? 2 : 3) && differences.length > 0; run++) {
    const next = await played(play);
    if (typeof next === "string") return next;
    const again = differing(play, next);
    differences = differences.filter(({ frame, kind }) => again.has(frame) && kindOf(again.get(frame)!) === kind);
  }
  return { pair, packets: play.input.frames.length, differences };
}

async function played({ input }: Play): Promise<Report | string> {
  try {
    return await replay(input);
  } catch (error) {
    if (error instanceof ReplayError) return error.message;
    throw error;
  }
}

function playOf(pair: Pair, random: Random): Play | undefined {
  const sources = [
    { file: "old", text: pair.old.text, family: pair.family },
    { file: "new", text: pair.new.text, family: pair.family },
  ];
  const rulesets = sources.flatMap((source) => translate([source]).iptables);
  const [old = "", changed = ""] = scale(sources, rulesets, "kept").sources.map(({ text }) => text);
  const short: Pair = { ...pair, old: { ...pair.old, text: old }, new: { ...pair.new, text: changed } };
  const playing = packetsFor(short, random);
  if (!playing || playing.frames.length === 0) return undefined;
  const { family } = pair;
  const counts = /--(?:limit|hashlimit|hitcount|connlimit)/u.test([...changedLines(short).old, ...changedLines(short).new].join("\n"));
  // On empty lists, as the review plays them: before the others.
  const told = toldPackets(reportOf(short, true), family, playing.interfaces, counts);
  const others = told.frames.length === 0 ? 0 : told.end + 0.05;
  const frames = withoutSharedPorts([...told.frames, ...playing.frames.map((frame) => ({ ...frame, at: frame.at + others }))]);
  const { interfaces } = told;
  const prepare = [playing.prepare, told.prepare].join("\n");
  return {
    tolerance: toleranceFor(rulesets, true),
    input: {
      dumps: { [family]: old },
      ipsets: pair.old.ipset,
      other: { dumps: { [family]: changed }, ipsets: pair.new.ipset },
      frames,
      interfaces,
      prepare,
    },
  };
}

function differencesIn(play: Play, report: Report): Difference[] {
  return [...differing(play, report)].map(([frame, outcome]) => ({
    kind: kindOf(outcome),
    frame,
    at: frame.at,
    packet: describe(frame),
    old: describeFate(outcome.iptables),
    new: describeFate(outcome.nft),
  }));
}

/** Packets with another fate. Ties with a window need no care: both sides get a packet within microseconds, and see the same age. */
function differing({ tolerance }: Play, report: Report): Map<Frame, Outcome> {
  const sockets = ownTcpPorts(report.outcomes.map(({ frame }) => frame));
  return new Map(
    report.outcomes
      .filter(({ iptables, nft }) => iptables.verdict !== "lost" && nft.verdict !== "lost")
      .filter((outcome) => differs(outcome, tolerance, sockets))
      .map((outcome) => [outcome.frame, outcome]),
  );
}

const passes = ({ verdict }: Fate): boolean => ["accepted", "forwarded", "sent"].includes(verdict);

/** The answer of a packet that passes is a packet, too. */
function kindOf({ iptables: old, nft: changed }: Outcome): Kind {
  if (passes(old) !== passes(changed)) return passes(changed) ? "opens" : "closes";
  // An ICMP error is no answer of a service.
  if ([old, changed].some(({ reply }) => reply?.startsWith("icmp"))) return "other";
  if (passes(old) && (old.reply === undefined) !== (changed.reply === undefined)) return old.reply === undefined ? "opens" : "closes";
  return "other";
}

function describe({ packet, own, interface: name }: Frame): string {
  return `${describePacket(packet)}${own ? " (its own)" : ` in by ${name ?? "the first interface"}`}${packet.ttl === undefined ? "" : `, TTL ${packet.ttl}`}`;
}
