/** A trial: one ruleset under iptables and under our script, with packets derived from it, verdict by verdict. */

import { effectOf, translate, type Diagnostic, type Family } from "../../src/index.js";
import { derive, surroundingsOf } from "./derive.js";
import { describeFate, replayAll, ReplayError, type Fate, type Frame, type Outcome, type ReplayInput, type Report } from "./lab.js";
import { runInNamespace, withFiles } from "./namespace.js";
import { seededRandom } from "./schedule.js";
import { join } from "node:path";

export interface TrialInput {
  readonly name: string;
  readonly family: Family;
  readonly dump: string;
  readonly seed: number;
  /** About how many packets. */
  readonly count: number;
  /** Leave out rules that are only approximated, too. */
  readonly exactOnly?: boolean;
}

export interface Trial {
  readonly input: TrialInput;
  /** Without the lines that cannot be compared. */
  readonly dump: string;
  readonly script: string;
  readonly replay: ReplayInput;
  readonly rules: number;
  /** Lines that were taken out, each with its reason. */
  readonly removed: readonly string[];
}

export class TrialError extends Error {}

// ------------------------------------------------------------------------------------------------------ the ruleset

/** Rules that decide by chance or by circumstances, as no two runs of the same packets do alike. */
const undecidable = /--mode random|-m cpu|-j NFQUEUE|-j QUEUE|-j SYNPROXY|-j TEE|-j TRACE|-m time/u;

function withoutLines(dump: string, lines: ReadonlySet<number>): string {
  return dump.split("\n").map((line, index) => (lines.has(index + 1) ? "" : line)).join("\n");
}

/** Windows of recent become 1, 2 and 4 seconds in the order of their lengths; rates get so slow that only the burst counts. */
export function scaled(dump: string): string {
  const windows = [...new Set([...dump.matchAll(/--seconds (\d+)/gu)].map(([, seconds]) => Number(seconds)))].sort((a, b) => a - b);
  return dump
    .replaceAll(/--seconds (\d+)/gu, (_, seconds: string) => `--seconds ${[1, 2][windows.indexOf(Number(seconds))] ?? 4}`)
    .replaceAll(/(--(?:limit|hashlimit-upto|hashlimit-above|hashlimit) )(\d+)\/(?:s|m)\w*/gu, "$1$2/hour");
}

const restoreCommand: Readonly<Record<Family, string>> = { ipv4: "iptables-legacy-restore", ipv6: "ip6tables-legacy-restore" };

/** Numbers of the lines that iptables does not load on this kernel. */
async function unloadableLines(dump: string, family: Family): Promise<ReadonlySet<number>> {
  const script = `cd "$(dirname "$0")"
${restoreCommand[family]} <dump 2>/dev/null && exit 0
table= number=0
: >skeleton
while IFS= read -r line; do [[ $line == -* ]] || printf '%s\\n' "$line"; done <dump >skeleton
${restoreCommand[family]} <skeleton || exit 1
while IFS= read -r line; do
  number=$((number + 1))
  case "$line" in
    \\**) table=$line;;
    -*|\\[*) printf '%s\\n%s\\nCOMMIT\\n' "$table" "$line" | ${restoreCommand[family]} --noflush 2>/dev/null || echo $number;;
  esac
done <dump
`;
  return withFiles({ dump: dump.endsWith("\n") ? dump : `${dump}\n`, "check.sh": script }, async (directory) => {
    const { status, stdout, stderr } = await runInNamespace(join(directory, "check.sh"), 120);
    if (status !== 0) throw new TrialError(`iptables loads not even the chains: ${stderr}`);
    return new Set(stdout.split("\n").filter((line) => line !== "").map(Number));
  });
}

// --------------------------------------------------------------------------------------------------------- the trial

export async function prepareTrial(input: TrialInput): Promise<Trial> {
  const { family } = input;
  let dump = scaled(input.dump).replaceAll("\r", "");
  const removed: string[] = [];
  const remove = (lines: ReadonlySet<number>, reason: (line: number) => string): void => {
    const texts = dump.split("\n");
    for (const line of lines) if (texts[line - 1] !== "") removed.push(`${texts[line - 1]!}   # ${reason(line)}`);
    dump = withoutLines(dump, lines);
  };
  remove(new Set(dump.split("\n").flatMap((line, index) => (undecidable.test(line) ? [index + 1] : []))), () => "not decidable");
  remove(await unloadableLines(dump, family), () => "iptables does not load it here");
  let result = translate(dump, { family });
  for (let round = 0; round < 4; round += 1) {
    if (result.script === undefined) throw new TrialError(`not a ruleset: ${result.diagnostics.filter(({ severity }) => severity === "error").map(({ message, span }) => `${span.line}: ${message}`).join("; ")}`);
    const unwanted = result.diagnostics.filter(({ code }) => effectOf(code) === "refused" || (input.exactOnly === true && effectOf(code) === "approximated"));
    if (unwanted.length === 0) break;
    const byLine = new Map(unwanted.map((one: Diagnostic) => [one.span.line, one.message]));
    remove(new Set(byLine.keys()), (line) => byLine.get(line) ?? "");
    result = translate(dump, { family });
  }
  return { ...trialOf(input, dump), removed };
}

/** The trial of a dump that both sides load. */
export function trialOf(input: TrialInput, dump: string, frames?: readonly Frame[], like?: ReplayInput): Trial {
  const { family, seed } = input;
  const { script, iptables } = translate(dump, { family });
  if (script === undefined) throw new TrialError("not a ruleset");
  const ruleset = iptables.find((one) => one.family === family) ?? { family, tables: [] };
  const windows = /--seconds/u.test(dump);
  // Half of the rulesets that do not ask for connections get none, and with it fragments as they come.
  const conntrack = like?.conntrack ?? (/conntrack|state|connmark|CONNMARK|nat$|connlimit|connbytes|CT |NOTRACK|helper|socket|cluster|connlabel/mu.test(dump) || seed % 2 === 0);
  const { interfaces, prepare } = like === undefined ? surroundingsOf([ruleset]) : { interfaces: like.interfaces!, prepare: like.prepare! };
  const random = seededRandom(seed + 1);
  const count = windows ? Math.min(input.count, 600) : input.count;
  const groups = frames === undefined ? derive({ ruleset, interfaces, random, count, fewSenders: /-m recent|hashlimit/u.test(dump) && random() < 0.7, fewHosts: dump.includes("-m recent") }) : [];
  return {
    input, dump, script,
    replay: { dumps: { [family]: dump }, script, interfaces, prepare, conntrack, frames: frames ?? (windows ? inClusters(groups) : inARow(groups)) },
    rules: ruleset.tables.reduce((sum, { chains }) => sum + chains.reduce((inner, { rules }) => inner + rules.length, 0), 0),
    removed: [],
  };
}

/** Seconds between two packets. */
const spacing = 0.0004;

function inARow(groups: readonly (readonly Frame[])[]): Frame[] {
  return groups.flat().map((frame, index) => ({ ...frame, at: index * spacing }));
}

/**
 * Three short bursts: no two packets are just 1, 2 or 4 seconds from each other, where both sides may be right, or up to
 * 0.38 s more, by which a host that floods may be released later.
 */
function inClusters(groups: readonly (readonly Frame[])[]): Frame[] {
  const clusters = 3;
  const size = Math.ceil(groups.length / clusters);
  return Array.from({ length: clusters }, (_, cluster) => {
    const frames = groups.slice(cluster * size, (cluster + 1) * size).flat();
    return frames.map((frame, index) => ({ ...frame, at: cluster * 1.46 + (index * 0.07) / Math.max(frames.length, 1) }));
  }).flat();
}

// ----------------------------------------------------------------------------------------------------- the comparison

export interface Result {
  readonly trial: Trial;
  readonly report: Report;
  readonly differing: readonly Outcome[];
  /** Differences seen in one of two runs. */
  readonly unconfirmed: number;
  readonly packets: number;
  /** Packets that reached neither side. */
  readonly lost: number;
  /** Rules that at least one packet matched. */
  readonly matched: number;
  readonly verdicts: Readonly<Record<string, number>>;
}

/** A port out of a range, or in the place of one that is taken, is drawn by lot. */
const drawsPorts = /^\*nat/mu;
/** Even the port that was there can be drawn. */
const drawsAnyPort = /--random|--to-ports \d+-|:\d+-\d+/u;

/** What a SYN without the option means, and what TCPMSS writes into it; nft leaves it out, which is noted. */
const assumedSegments: readonly (number | undefined)[] = [536, 1220];

interface Tolerance { readonly ports: false | "changed" | "any"; readonly segments: boolean; readonly conntrack: boolean }

function differs({ iptables, nft, frame }: Outcome, { ports, segments, conntrack }: Tolerance): boolean {
  if (iptables.verdict === "lost" && nft.verdict === "lost") return false;
  const { transport } = frame.packet;
  const original = "sourcePort" in transport ? transport : undefined;
  // Whether the host puts the fragments together, and answers, is not the firewall's doing where it does not do so itself.
  const silent = !conntrack && frame.packet.fragmentSize !== undefined && frame.packet.source.includes(":");
  // Several fragments under one number: which of them the sighting shows is chance.
  const several = !conntrack && frame.packet.fragmentSize !== undefined && frame.packet.onlyFragment === undefined;
  const comparable = (fate: Fate, other: Fate): string => {
    if (several) return fate.verdict;
    const { reply, sighting, ...rest } = fate;
    const answered = silent || reply === undefined ? rest : { ...rest, reply };
    if (sighting === undefined) return describeFate(answered);
    const { sourcePort, destinationPort, maximumSegment, ...fields } = sighting;
    const port = (value: number | undefined, before: number | undefined): number =>
      (ports === "any" ? -1 : ports === "changed" && value !== before ? -1 : value ?? 0);
    const assumed = segments && other.sighting?.maximumSegment === undefined && assumedSegments.includes(maximumSegment);
    return describeFate({ ...answered, sighting: {
      ...fields, sourcePort: port(sourcePort, original?.sourcePort), destinationPort: port(destinationPort, original?.destinationPort),
      ...(assumed || maximumSegment === undefined ? {} : { maximumSegment }),
    } });
  };
  return comparable(iptables, nft) !== comparable(nft, iptables);
}

export function judge(trial: Trial, report: Report): Result {
  const tolerance = { ports: drawsAnyPort.test(trial.dump) ? "any" as const : drawsPorts.test(trial.dump) && "changed" as const, segments: trial.dump.includes("TCPMSS"), conntrack: trial.replay.conntrack ?? true };
  const verdicts: Record<string, number> = {};
  for (const { iptables } of report.outcomes) verdicts[iptables.verdict] = (verdicts[iptables.verdict] ?? 0) + 1;
  return {
    trial, report, verdicts,
    differing: report.outcomes.filter((outcome) => differs(outcome, tolerance)),
    unconfirmed: 0,
    packets: report.outcomes.length,
    lost: verdicts["lost"] ?? 0,
    matched: [...report.after.dump.matchAll(/^\[(\d+):\d+\] -A/gmu)].filter(([, count]) => count !== "0").length,
  };
}

/** Seconds by which packets may be late before the distance of the bursts from the windows' lengths is used up. */
const allowedLateness = 0.03;

/**
 * Plays the trials; one with differences is played again, and only those count that are there again: a packet that came late,
 * or one of the kernel's own that drew a number of ours, does not differ twice. The others are in `unconfirmed`.
 */
export async function runTrials(trials: readonly Trial[]): Promise<(Result | ReplayError)[]> {
  const play = async (some: readonly Trial[]): Promise<(Result | ReplayError)[]> =>
    (await replayAll(some.map(({ replay }) => replay))).map((report, index) => (report instanceof ReplayError ? report : judge(some[index]!, report)));
  const results = await play(trials);
  const doubtful = results.flatMap((result, index) => (!(result instanceof ReplayError) && result.differing.length > 0 ? [index] : []));
  (await play(doubtful.map((index) => trials[index]!))).forEach((again, position) => {
    const first = results[doubtful[position]!]!;
    if (again instanceof ReplayError || first instanceof ReplayError) return;
    const before = new Set(first.differing.map(({ frame }) => frame));
    const windows = /--seconds/u.test(again.trial.dump);
    const onTime = !windows || Math.min(again.report.lateness, first.report.lateness) < allowedLateness;
    const confirmed = onTime ? again.differing.filter(({ frame }) => before.has(frame)) : [];
    results[doubtful[position]!] = { ...again, differing: confirmed, unconfirmed: first.differing.length - confirmed.length };
  });
  return results;
}

// ------------------------------------------------------------------------------------------------------ the reduction

/** The smallest ruleset and row of packets found that still differ, by leaving out ever smaller pieces. */
export async function reduce(result: Result, deadline: number): Promise<{ readonly dump: string; readonly result: Result }> {
  let best = result;
  let dump = result.trial.dump;
  const attempt = async (text: string, frames: readonly Frame[]): Promise<Result | undefined> => {
    if (Date.now() > deadline) return undefined;
    try {
      const [found] = await runTrials([trialOf(result.trial.input, text, frames, result.trial.replay)]);
      return found instanceof ReplayError || found === undefined || found.differing.length === 0 ? undefined : found;
    } catch {
      return undefined;
    }
  };
  // What the first difference needs is among the packets before it.
  const first = result.report.outcomes.indexOf(result.differing[0]!);
  let frames: readonly Frame[] = result.trial.replay.frames;
  const near = frames.slice(Math.max(0, first - 5), first + 1);
  const until = frames.slice(0, first + 1);
  for (const some of [[frames[first]!], near, until]) {
    const found = await attempt(dump, some);
    if (found === undefined) continue;
    [best, frames] = [found, some];
    break;
  }
  const isRule = (line: string): boolean => line.startsWith("-");
  const shrink = async <Item>(items: readonly Item[], test: (rest: readonly Item[]) => Promise<Result | undefined>): Promise<readonly Item[]> => {
    let rest = items;
    for (let size = Math.ceil(rest.length / 2); size >= 1 && Date.now() < deadline; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let start = 0; start < rest.length && rest.length > 1;) {
        const without = [...rest.slice(0, start), ...rest.slice(start + size)];
        const found = without.length === 0 ? undefined : await test(without);
        if (found === undefined) start += size;
        else [best, rest] = [found, without];
      }
    }
    return rest;
  };
  const rules = dump.split("\n").map((line, index) => ({ line, index })).filter(({ line }) => isRule(line));
  const lines = dump.split("\n");
  const textOf = (kept: readonly { readonly index: number }[]): string => {
    const set = new Set(kept.map(({ index }) => index));
    return lines.filter((line, index) => !isRule(line) || set.has(index)).join("\n");
  };
  const kept = await shrink(rules, (rest) => attempt(textOf(rest), frames));
  dump = textOf(kept);
  if (frames.length > 1) frames = await shrink(frames, (rest) => attempt(dump, rest));
  return { dump, result: best };
}
