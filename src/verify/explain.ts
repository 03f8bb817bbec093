/** Looks into differences: the fewest packets that show one, and the rules that the packet matched on either side. */

import type { IptablesRule } from "../iptables/ast.js";
import { differs, type Tolerance } from "./compare.js";
import { iptablesCounts, nftCounts } from "./counters.js";
import { plainDifference, type Difference, type DifferenceGroup, type RuleName, type TimelineEntry } from "./differences.js";
import { describeFate, type Outcome, type Report } from "./fate.js";
import { describePacket, type Frame } from "./frame.js";
import type { ReplayError, ReplayInput } from "./lab.js";
import type { Plan } from "./plan.js";

export interface Means {
  readonly plan: Plan;
  readonly tolerance: Tolerance;
  /** Ways that are looked into; the others are told as they were seen. */
  readonly most: number;
  readonly late: () => boolean;
  readonly replay: (inputs: readonly ReplayInput[]) => Promise<(Report | ReplayError)[]>;
}

const nearPackets = 12;
/** Packets of a row that a report shows. */
const shownPackets = 40;

export async function explain(groups: readonly DifferenceGroup[], means: Means): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const [index, group] of groups.entries()) {
    differences.push(index < means.most && !means.late() ? await explainOne(group, means) : asSeen(group, means.tolerance));
  }
  return differences;
}

function asSeen(group: DifferenceGroup, tolerance: Tolerance): Difference {
  const { outcome, input, report } = group.first;
  const until = input.frames.indexOf(outcome.frame);
  const outcomes = report.outcomes.slice(0, until + 1);
  return plainDifference(group, input.frames.slice(0, until + 1), timelineOf(outcomes, tolerance));
}

/** Alone, with those that came just before or from the same host, with all before: the first that differs again. */
async function explainOne(group: DifferenceGroup, means: Means): Promise<Difference> {
  const {
    outcome: { frame },
    input,
  } = group.first;
  const before = [...input.frames].sort((a, b) => a.at - b.at);
  const until = before.slice(0, before.indexOf(frame) + 1);
  const rows = [[frame], until.slice(-nearPackets), until.filter((other) => sameHosts(other, frame)), until];
  const reports = await means.replay(rows.map((frames) => ({ ...input, frames })));
  const chosen = rows.findIndex((_, index) => {
    const report = reports[index]!;
    return "outcomes" in report && differs(report.outcomes.at(-1)!, means.tolerance);
  });
  if (chosen < 0) return asSeen(group, means.tolerance);
  const frames = rows[chosen]!;
  const report = reports[chosen] as Report;
  const [without] = frames.length > 1 ? await means.replay([{ ...input, frames: frames.slice(0, -1) }]) : [undefined];
  const rules = without === undefined || "outcomes" in without ? matchedByLast(report, without, means.plan) : undefined;
  const plain = plainDifference(
    { ...group, first: { ...group.first, outcome: report.outcomes.at(-1)! } },
    frames,
    timelineOf(report.outcomes, means.tolerance),
  );
  if (rules === undefined) return plain;
  const announced = announcedBy(rules.matched, means.plan);
  return { ...plain, rules: rules.names, ...(announced !== undefined && { announced }) };
}

function sameHosts({ packet, own }: Frame, { packet: other }: Frame): boolean {
  return own === true || [packet.source, packet.destination].some((address) => [other.source, other.destination].includes(address));
}

function timelineOf(outcomes: readonly Outcome[], tolerance: Tolerance): TimelineEntry[] {
  const start = outcomes[0]?.frame.at ?? 0;
  return outcomes.slice(-shownPackets).map((outcome) => ({
    at: outcome.frame.at - start,
    packet: describePacket(outcome.frame.packet),
    iptables: describeFate(outcome.iptables),
    nft: describeFate(outcome.nft),
    differs: differs(outcome, tolerance),
  }));
}

/** Rules whose counters stand higher with the last packet than without it. */
function matchedByLast(
  report: Report,
  without: Report | undefined,
  { rulesets, counted }: Plan,
): { readonly names: NonNullable<Difference["rules"]>; readonly matched: readonly IptablesRule[] } {
  const more = (now: ReadonlyMap<IptablesRule, number>, then: ReadonlyMap<IptablesRule, number> | undefined): IptablesRule[] =>
    [...now].filter(([rule, count]) => count > (then?.get(rule) ?? 0)).map(([rule]) => rule);
  const iptables = more(iptablesCounts(report.after.dump, rulesets), without && iptablesCounts(without.after.dump, rulesets));
  if (!counted) return { names: { iptables: iptables.map(nameOf) }, matched: iptables };
  const nft = more(nftCounts(report.after.ruleset, rulesets).count, without && nftCounts(without.after.ruleset, rulesets).count);
  return { names: { iptables: iptables.map(nameOf), nft: nft.map(nameOf) }, matched: [...iptables, ...nft] };
}

const nameOf = ({ span, text }: IptablesRule): RuleName => ({ file: span.file, line: span.line, rule: text });

function announcedBy(rules: readonly IptablesRule[], { announced }: Plan): string | undefined {
  const found = announced.find(({ span }) => rules.some((rule) => rule.span.file === span.file && rule.span.line === span.line));
  return found && `${found.code}: ${found.message}`;
}
