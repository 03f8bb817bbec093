/**
 * Plays packets made for a ruleset through iptables and through nft, each in namespaces of its own, and compares what becomes
 * of every packet.
 */

import { tracksConnections } from "../extensions/described.js";
import { recentUsesOf } from "../extensions/matches/recent.js";
import type { Family, IptablesRule } from "../iptables/ast.js";
import type { NftScript } from "../nft/ast.js";
import type { Source, TranslateOptions } from "../translate.js";
import { differs, ownTcpPorts, toleranceFor, type Tolerance } from "./compare.js";
import { iptablesCounts, nftCounts } from "./counters.js";
import { coverageOf, type Coverage } from "./coverage.js";
import { derive, type Batch } from "./derive/derive.js";
import { interfacesFor } from "./derive/net.js";
import type { Obstacle } from "./derive/solve.js";
import { groupDifferences, type Difference, type FoundDifference } from "./differences.js";
import { explain } from "./explain.js";
import type { Report, Verdict } from "./fate.js";
import type { Interface } from "./frame.js";
import { replayAll, ReplayError, type ReplayInput } from "./lab.js";
import { plan, rulesOf, type LeaveOut, type LeftOut, type Plan } from "./plan.js";
import { seededRandom } from "../random.js";
import { rhythms } from "./rhythms.js";
import { listsOf, tied, type ListsOf } from "./ties.js";
import { findTools, Unable } from "./tools.js";

export { type LeaveOut, type LeftOut } from "./plan.js";
export { Unable } from "./tools.js";
export type { Difference } from "./differences.js";
export type { Coverage, MissedRule } from "./coverage.js";

export interface VerifyInput {
  /** Dumps of one machine. */
  readonly sources: readonly Source[];
  /** A script from elsewhere; the translation of the sources unless given. */
  readonly script?: string;
  /** How the sources are translated. */
  readonly options?: TranslateOptions;
  /** About the most packets; 4000 unless told. */
  readonly packets?: number;
  /** Another seed makes other packets; 1 unless told. */
  readonly seed?: number;
  /** Seconds after which nothing new is begun; 60 unless told. */
  readonly budget?: number;
  /** Windows as they are; unless told, long ones are made short in both firewalls alike. */
  readonly realTime?: boolean;
  /** Rules that are left out of both firewalls; `nothing` unless told. */
  readonly leaveOut?: LeaveOut;
  /** Ways of differing that are looked into, which takes some seconds each; 4 unless told. */
  readonly explained?: number;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
  /** Spoils our script before it is played, for tests that must see it. */
  readonly spoil?: (script: NftScript) => NftScript;
}

export interface Progress {
  readonly stage: "reading" | "finding packets" | "playing" | "playing again" | "looking into differences";
  /** Those whose fates are known, and those that are on their way. */
  readonly packets: number;
  readonly playing: number;
  /** Seconds from the start. */
  readonly seconds: number;
}

export interface CounterDifference {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly iptables: number;
  readonly nft: number;
}

export interface Announcement {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  readonly message: string;
}

export interface VerifyReport {
  /** No packet's fate and no rule's counter differed in two runs. */
  readonly equal: boolean;
  readonly packets: number;
  /** By what iptables did. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Seen in two runs. */
  readonly differing: number;
  /** Ways in which packets differ, each with the first packet that does. */
  readonly differences: readonly Difference[];
  /** Packets that differed in one of two runs: noise of this machine. */
  readonly unconfirmed: number;
  readonly counters: { readonly compared: number; readonly differing: readonly CounterDifference[]; readonly unconfirmed: number };
  readonly coverage: Coverage;
  readonly leftOut: readonly LeftOut[];
  /** Differences that the translation announces, whether or not a packet shows them. */
  readonly announced: readonly Announcement[];
  /** What else a reader must know of how it was played. */
  readonly notes: readonly string[];
  /** The script is a translation by this program. */
  readonly ownScript: boolean;
  readonly runs: number;
  readonly seconds: number;
  /** The latest that a packet was, in seconds. */
  readonly lateness: number;
  /** What was loaded on either side. */
  readonly loaded: Pick<ReplayInput, "dumps" | "script" | "ipsets">;
}

/** Pairs of namespaces that play at once: more would make packets late. */
const width = 3;
const defaults = { packets: 4000, seed: 1, budget: 60, explained: 4 };
/** Rounds in which packets are looked for again, for rules that were not hit. */
const rounds = 3;
/** Milliseconds for finding packets, however small the budget is. */
const leastSearch = 10_000;
/** Seconds beyond the budget for finding out what a difference needs. */
const explanation = 15;

/** Throws `InvalidInput` for what is no ruleset or script, `Unable` where this machine cannot, or the signal's reason. */
export async function verify(input: VerifyInput): Promise<VerifyReport> {
  return new Verification(input).run();
}

/** A batch that was played. */
interface Played {
  readonly input: ReplayInput;
  readonly report: Report;
}

class Verification {
  private readonly start = Date.now();
  private readonly budget: number;
  private readonly seed: number;
  private played: Played[] = [];
  private readonly found: FoundDifference[] = [];
  private readonly hits = new Map<IptablesRule, number>();
  private readonly counterDifferences = new Map<IptablesRule, CounterDifference>();
  /** Rules that do nothing but take a host off a list. */
  private removers: ReadonlySet<IptablesRule> = new Set();
  /** Those of them that count otherwise. */
  private readonly forgetful = new Set<IptablesRule>();
  private readonly verdicts: Record<Verdict, number> = { accepted: 0, forwarded: 0, sent: 0, rejected: 0, dropped: 0, lost: 0 };
  private unconfirmed = 0;
  private unconfirmedCounters = 0;
  private lateness = 0;
  private runs = 0;
  /** Batches that the budget had no time for. */
  private unplayed = 0;
  private obstacles: ReadonlyMap<IptablesRule, Obstacle> = new Map();
  private plan!: Plan;
  private lists: ListsOf = {};
  private interfaces: readonly Interface[] = [];
  private tolerance!: Tolerance;

  constructor(private readonly input: VerifyInput) {
    this.budget = (input.budget ?? defaults.budget) * 1000;
    this.seed = input.seed ?? defaults.seed;
  }

  async run(): Promise<VerifyReport> {
    const { sources, script, options = {}, leaveOut = "nothing", realTime = false, spoil, signal } = this.input;
    this.tell("reading");
    this.plan = await plan(
      { sources, ...(script !== undefined && { script }), options, leaveOut, realTime, ...(spoil && { spoil }) },
      findTools,
      signal,
    );
    const { rulesets, dumps, sets } = this.plan;
    this.interfaces = interfacesFor(rulesets, sets);
    this.lists = listsOf(rulesets);
    this.removers = new Set(rulesOf(rulesets).flatMap((one) => (onlyRemoves(one) ? [one.rule] : [])));
    const conntrack = rulesets.some(({ tables }) => tables.some(({ name }) => name === "nat")) || rulesOf(rulesets).some(tracks);
    this.tolerance = toleranceFor(rulesets, conntrack);
    const inputFor = (batch: Batch): ReplayInput => ({
      dumps,
      script: this.plan.script,
      frames: batch.frames,
      interfaces: this.interfaces,
      prepare: batch.prepare,
      conntrack,
      variant: findTools().variant,
      ...(this.plan.ipsets !== undefined && { ipsets: this.plan.ipsets }),
    });

    this.tell("finding packets");
    const windows = rhythms({
      rulesets,
      interfaces: this.interfaces,
      sets,
      random: seededRandom(this.seed + 7),
      seconds: this.rhythmSeconds(),
      late: () => this.searchedLong(0.2),
    });
    await this.play(alternating(this.search(undefined, 0), windows).map(inputFor));
    for (let round = 1; round < rounds && !this.late(); round += 1) {
      const missed = new Set(
        rulesOf(rulesets)
          .map(({ rule }) => rule)
          .filter((rule) => (this.hits.get(rule) ?? 0) === 0),
      );
      if (missed.size === 0) break;
      const again = this.search(missed, round);
      if (again.length === 0) break;
      await this.play(again.map(inputFor));
    }
    return this.report();
  }

  // ------------------------------------------------------------------------------------------------- packets

  private search(wanted: ReadonlySet<IptablesRule> | undefined, round: number): readonly Batch[] {
    const { packets = defaults.packets } = this.input;
    const { rulesets, sets } = this.plan;
    const { batches, obstacles } = derive({
      rulesets,
      interfaces: this.interfaces,
      sets,
      random: seededRandom(this.seed + 100 * round),
      packets: wanted ? Math.ceil(packets / 4) : packets,
      late: () => this.searchedLong(wanted ? 1 : 0.5),
      ...(wanted && { wanted, extra: 0 }),
    });
    if (!wanted) this.obstacles = obstacles;
    return batches;
  }

  /** Long enough for every window that was made short; in real time, as far as the budget allows. */
  private rhythmSeconds(): number {
    return this.input.realTime ? this.budget / 1000 : 10;
  }

  /** Whether the budget, and `grace` seconds more, are used up. */
  private late(grace = 0): boolean {
    return Date.now() - this.start > this.budget + grace * 1000;
  }

  /** Whether a share of the budget is used up, which is to leave time for playing; a small budget is no reason to play nothing. */
  private searchedLong(share: number): boolean {
    return Date.now() - this.start > Math.max(leastSearch, this.budget * share);
  }

  // ------------------------------------------------------------------------------------------------- playing

  private async play(inputs: readonly ReplayInput[]): Promise<void> {
    for (let next = 0; next < inputs.length; next += width) {
      if (next > 0 && this.late()) {
        this.unplayed += inputs.length - next;
        break;
      }
      const some = inputs.slice(next, next + width);
      this.tell("playing", some);
      const reports = await this.replay(some);
      const results = reports.map((report, index): Played => ({ input: some[index]!, report }));
      const doubtful = results.filter((one) => this.differing(one.report).length > 0 || this.countersOf(one.report).differing.size > 0);
      for (const one of results) this.take(one);
      if (doubtful.length > 0) await this.playAgain(doubtful);
    }
  }

  private async replay(inputs: readonly ReplayInput[]): Promise<Report[]> {
    const reports = await replayAll(inputs, this.input.signal);
    this.runs += reports.length;
    return reports.map((report) => {
      if (report instanceof ReplayError) throw new Unable(`the laboratory failed: ${report.message}`);
      return report;
    });
  }

  private take(played: Played): void {
    const { report } = played;
    this.played.push(played);
    this.lateness = Math.max(this.lateness, report.lateness);
    for (const { iptables } of report.outcomes) this.verdicts[iptables.verdict] += 1;
    for (const [rule, count] of iptablesCounts(report.after.dump, this.plan.rulesets))
      this.hits.set(rule, (this.hits.get(rule) ?? 0) + count);
  }

  /** What differs once may be noise: a packet that came late, one of the kernel's own. What differs twice is not. */
  private async playAgain(doubtful: readonly Played[]): Promise<void> {
    this.tell(
      "playing again",
      doubtful.map(({ input }) => input),
    );
    const again = await this.replay(doubtful.map(({ input }) => input));
    for (const [index, first] of doubtful.entries()) await this.confirm(first, again[index]!);
  }

  private async confirm(first: Played, second: Report): Promise<void> {
    const before = new Set(this.differing(first.report).map(({ frame }) => frame));
    const [ties, tiesAgain] = [tied(first.report, this.lists), tied(second, this.lists)];
    const confirmed = this.differing(second).filter(({ frame }) => before.has(frame) && !(ties.has(frame) && tiesAgain.has(frame)));
    this.unconfirmed += before.size - confirmed.length;
    this.found.push(...confirmed.map((outcome) => ({ outcome, input: first.input, report: second })));

    const counted = this.countersOf(first.report).differing;
    const differing = new Map([...counted].filter(([rule]) => !this.removers.has(rule) && ties.size + tiesAgain.size === 0));
    keepRepeated(differing, this.countersOf(second).differing);
    // A packet of the kernel's own, which is counted and not looked at, may be early or late more than once.
    for (let more = 0; more < 2 && differing.size > 0 && confirmed.length === 0; more += 1) {
      const [report] = await this.replay([first.input]);
      keepRepeated(differing, this.countersOf(report!).differing);
    }
    for (const [rule, one] of differing) this.counterDifferences.set(rule, one);
    for (const rule of counted.keys()) if (this.removers.has(rule)) this.forgetful.add(rule);
    this.unconfirmedCounters += [...counted.keys()].filter((rule) => !this.removers.has(rule) && !differing.has(rule)).length;
  }

  private differing(report: Report): Report["outcomes"] {
    const sockets = ownTcpPorts(report.outcomes.map(({ frame }) => frame));
    return report.outcomes.filter((outcome) => differs(outcome, this.tolerance, sockets));
  }

  private countersOf(report: Report): { readonly compared: number; readonly differing: ReadonlyMap<IptablesRule, CounterDifference> } {
    const { rulesets, counted } = this.plan;
    const differing = new Map<IptablesRule, CounterDifference>();
    if (!counted) return { compared: 0, differing };
    const iptables = byLine(iptablesCounts(report.after.dump, rulesets));
    const nft = nftCounts(report.after.ruleset, rulesets);
    for (const [rule, count] of nft.count) {
      const other = nft.shared.get(rule);
      const expected = (iptables.get(lineOf(rule)) ?? 0) + (other ? (iptables.get(lineOf(other)) ?? 0) : 0);
      if (expected !== count)
        differing.set(rule, { file: rule.span.file, line: rule.span.line, rule: rule.text, iptables: expected, nft: count });
    }
    return { compared: nft.count.size, differing };
  }

  // --------------------------------------------------------------------------------------------------- report

  private async report(): Promise<VerifyReport> {
    if (this.found.length > 0) this.tell("looking into differences");
    const differences = await explain(groupDifferences(this.found), {
      plan: this.plan,
      tolerance: this.tolerance,
      most: this.input.explained ?? defaults.explained,
      late: () => this.late(explanation),
      replay: (inputs) => replayAll(inputs, this.input.signal),
    });
    const compared = this.played[0] ? this.countersOf(this.played[0].report).compared : 0;
    return {
      equal: this.found.length === 0 && this.counterDifferences.size === 0,
      packets: this.packets(),
      verdicts: this.verdicts,
      differing: this.found.length,
      differences,
      unconfirmed: this.unconfirmed,
      counters: { compared, differing: [...this.counterDifferences.values()], unconfirmed: this.unconfirmedCounters },
      coverage: coverageOf(this.plan.rulesets, this.hits, this.obstacles, this.unplayed > 0),
      leftOut: this.plan.leftOut,
      announced: this.plan.announced.map(({ span, code, message }) => ({ file: span.file, line: span.line, code, message })),
      notes: [
        ...this.plan.notes,
        ...this.unplayedNotes(),
        ...[...this.forgetful].map(
          ({ span }) =>
            `${span.file}:${span.line} counts hosts whose window has passed under iptables and not under nft; it only takes hosts off ` +
            "a list, so no verdict changes",
        ),
      ],
      ownScript: this.plan.counted,
      runs: this.runs,
      seconds: (Date.now() - this.start) / 1000,
      lateness: this.lateness,
      loaded: { dumps: this.plan.dumps, script: this.plan.script, ...(this.plan.ipsets !== undefined && { ipsets: this.plan.ipsets }) },
    };
  }

  private unplayedNotes(): string[] {
    const all = this.unplayed + this.played.length;
    return this.unplayed === 0
      ? []
      : [
          `the budget of ${this.budget / 1000} s ended with ${this.unplayed} of ${all} batches of packets not played: --budget gives ` +
            "more time",
        ];
  }

  private packets(): number {
    return this.played.reduce((sum, { report }) => sum + report.outcomes.length, 0);
  }

  private tell(stage: Progress["stage"], inputs: readonly ReplayInput[] = []): void {
    const playing = inputs.reduce((sum, { frames }) => sum + frames.length, 0);
    this.input.progress?.({ stage, packets: this.packets(), playing, seconds: (Date.now() - this.start) / 1000 });
  }
}

/** Leaves the differences that are there again, in the same direction. */
function keepRepeated(differing: Map<IptablesRule, CounterDifference>, again: ReadonlyMap<IptablesRule, CounterDifference>): void {
  for (const [rule, { iptables, nft }] of differing) {
    const other = again.get(rule);
    if (other === undefined || Math.sign(iptables - nft) !== Math.sign(other.iptables - other.nft)) differing.delete(rule);
  }
}

const lineOf = ({ span }: IptablesRule): string => `${span.file}:${span.line}`;

/** A line with several addresses stands for several rules. */
function byLine(counts: ReadonlyMap<IptablesRule, number>): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [rule, count] of counts) sums.set(lineOf(rule), (sums.get(lineOf(rule)) ?? 0) + count);
  return sums;
}

interface OfFamily {
  readonly rule: IptablesRule;
  readonly family: Family;
}

/** An nft set has forgotten hosts whose window has passed, so there is nothing to take off. */
function onlyRemoves({ rule, family }: OfFamily): boolean {
  return rule.target === undefined && recentUsesOf(rule, family).some(({ operation }) => operation === "remove");
}

const tracks = ({ rule, family }: OfFamily): boolean => tracksConnections(rule, family);

/** Two of the first for each of the others, so that neither waits for the other's end. */
function alternating(batches: readonly Batch[], windows: readonly Batch[]): Batch[] {
  const mixed: Batch[] = [];
  for (let index = 0; index * 2 < batches.length || index < windows.length; index += 1) {
    mixed.push(...windows.slice(index, index + 1), ...batches.slice(2 * index, 2 * index + 2));
  }
  return mixed;
}
