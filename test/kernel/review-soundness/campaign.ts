/** Pairs in numbers: plays them, asks the review, and gathers where the two contradict each other. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { seededRandom } from "../../../src/random.js";
import { baseAtRandom } from "./bases.js";
import { pairOf } from "./changes.js";
import { alarms, contradiction, describePair, reviewOf, type Said } from "./judgement.js";
import { observe, type Observation } from "./observe.js";
import type { Pair } from "./pair.js";

export interface Violation {
  readonly why: string;
  readonly said: Said;
  readonly observation: Observation;
}

export interface Judged {
  readonly observation: Observation;
  readonly said: Said;
}

export interface Campaign {
  readonly judged: readonly Judged[];
  /** Why a pair could not be played: a side did not load, for example. */
  readonly unplayed: readonly string[];
  /** Of those that the kernel decides alike. */
  readonly alike: number;
  /** Those of them that the review says to open or close. */
  readonly alarms: readonly Judged[];
  readonly violations: readonly Violation[];
}

/** As many pairs at random, of a seed. */
export async function pairsAtRandom(count: number, seed: number): Promise<Pair[]> {
  const random = seededRandom(seed);
  const pairs: Pair[] = [];
  while (pairs.length < count) {
    const base = await baseAtRandom(random, pairs.length);
    if (base) pairs.push(pairOf(base, random));
  }
  return pairs;
}

/** Pairs at once. A late packet is no matter: it comes late to both sides. */
const width = Number(process.env["REVIEW_WIDTH"] ?? 8);

/** Told after each pair of what there is so far. */
export async function judge(pairs: readonly Pair[], seed: number, told: (campaign: Campaign) => void = () => undefined): Promise<Campaign> {
  const judged: Judged[] = [];
  const unplayed: string[] = [];
  let next = 0;
  const workThrough = async (): Promise<void> => {
    while (next < pairs.length) {
      const index = next++;
      const observation = await observe(pairs[index]!, seededRandom(seed * 10_000 + index));
      if (typeof observation === "string") unplayed.push(`${pairs[index]!.name}: ${observation}`);
      else judged.push({ observation, said: reviewOf(observation.pair) });
      told(resultOf(judged, unplayed));
    }
  };
  await Promise.all(Array.from({ length: width }, workThrough));
  return resultOf(judged, unplayed);
}

function resultOf(judged: readonly Judged[], unplayed: readonly string[]): Campaign {
  const alike = judged.filter(({ observation }) => observation.differences.length === 0);
  return {
    judged,
    unplayed,
    alike: alike.length,
    alarms: alike.filter(({ said }) => alarms(said)),
    violations: judged.flatMap(({ observation, said }) => {
      const why = contradiction(said, observation);
      return why === undefined ? [] : [{ why, said, observation }];
    }),
  };
}

export function summary({ judged, unplayed, alike, alarms: called, violations }: Campaign): string {
  const packets = judged.reduce((sum, { observation }) => sum + observation.packets, 0);
  return (
    `${judged.length} pairs played with ${packets} packets, ${unplayed.length} not loaded; ${alike} decided alike, ` +
    `of which ${called.length} are said to open or close; ${violations.length} contradictions`
  );
}

/** The rulesets' difference, some packets with both fates, and what the review said. */
export function describeViolation({ why, said, observation: { pair, differences } }: Violation): string {
  const kinds = (["opens", "closes", "other"] as const).map(
    (kind) => `${kind} ${differences.filter((difference) => difference.kind === kind).length}`,
  );
  const shown = (["opens", "closes", "other"] as const).flatMap((kind) =>
    differences.filter((difference) => difference.kind === kind).slice(0, 3),
  );
  return describePair(pair, why, said, [
    `packets that differ: ${kinds.join(", ")}`,
    ...shown.map(
      ({ kind, at, packet, old: before, new: after }) => `  ${kind}: ${at.toFixed(3)} s ${packet}\n    old: ${before}\n    new: ${after}`,
    ),
  ]);
}

/** Each violation, and each alarm about what the kernel decides alike, in files of its own, to be worked through. */
export function writeViolations(directory: string, campaign: Campaign): void {
  const alarmed = campaign.alarms.map((one): Violation => ({ why: "the kernel decides alike", ...one }));
  const write = (folder: string, found: readonly Violation[]): string[] =>
    found.map((one, index) => {
      const { pair } = one.observation;
      const title = join(folder, `${String(index + 1).padStart(3, "0")}-${pair.name.replaceAll(/[^\w]+/gu, "-")}`);
      const suffix = pair.family === "ipv4" ? "v4" : "v6";
      mkdirSync(join(directory, title), { recursive: true });
      for (const name of ["old", "new"] as const) {
        writeFileSync(join(directory, title, `${name}.${suffix}`), `${pair[name].text.trimEnd()}\n`);
        if (pair[name].ipset !== "") writeFileSync(join(directory, title, `${name}.ipset`), `${pair[name].ipset.trimEnd()}\n`);
      }
      writeFileSync(join(directory, title, "said.txt"), describeViolation(one));
      return `- ${title}: ${one.why}`;
    });
  mkdirSync(directory, { recursive: true });
  const titles = [...write("contradictions", campaign.violations), ...write("alarms", alarmed)];
  writeFileSync(
    join(directory, "SUMMARY.md"),
    `${summary(campaign)}\n\n${titles.join("\n")}\n\nNot played:\n${campaign.unplayed.join("\n")}\n`,
  );
}
