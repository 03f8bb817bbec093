/** Pairs in numbers: plays them, asks the review, and gathers where the two contradict each other. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createTwoFilesPatch } from "diff";

import { seededRandom } from "../../../src/random.js";
import { baseAtRandom } from "./bases.js";
import { pairOf } from "./changes.js";
import { alarms, contradiction, reviewOf, type Said } from "./judgement.js";
import { observe, width, type Observation } from "./observe.js";
import type { Pair } from "./pair.js";

export interface Violation {
  readonly why: string;
  readonly said: Said;
  readonly observation: Observation;
}

export interface Campaign {
  readonly played: number;
  readonly packets: number;
  /** A side did not load. */
  readonly unplayed: number;
  /** Decided alike by the kernel, and how many of them the review says to open or close. */
  readonly alike: number;
  readonly alarms: number;
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

/** Told after each few pairs of what there is so far. */
export async function judge(pairs: readonly Pair[], seed: number, told: (campaign: Campaign) => void = () => undefined): Promise<Campaign> {
  const random = seededRandom(seed + 1);
  const judged: Judged[] = [];
  for (let next = 0; next < pairs.length; next += width) {
    const observations = await observe(pairs.slice(next, next + width), random);
    judged.push(...observations.flatMap((observation) => (observation ? [{ observation, said: reviewOf(observation.pair) }] : [])));
    told(resultOf(judged, Math.min(pairs.length, next + width)));
  }
  return resultOf(judged, pairs.length);
}

interface Judged {
  readonly observation: Observation;
  readonly said: Said;
}

function resultOf(judged: readonly Judged[], pairs: number): Campaign {
  const observations = judged.map(({ observation }) => observation);
  const alike = judged.filter(({ observation }) => observation.differences.length === 0);
  return {
    played: observations.length,
    packets: observations.reduce((sum, { packets }) => sum + packets, 0),
    unplayed: pairs - observations.length,
    alike: alike.length,
    alarms: alike.filter(({ said }) => alarms(said)).length,
    violations: judged.flatMap(({ observation, said }) => {
      const why = contradiction(said, observation);
      return why === undefined ? [] : [{ why, said, observation }];
    }),
  };
}

export function summary({ played, packets, unplayed, alike, alarms: called, violations }: Campaign): string {
  return (
    `${played} pairs played with ${packets} packets, ${unplayed} not loaded; ${alike} decided alike, ` +
    `of which ${called} are said to open or close; ${violations.length} contradictions`
  );
}

/** The rulesets' difference, some packets with both fates, and what the review said. */
export function describeViolation({ why, said, observation: { pair, differences } }: Violation): string {
  const { old, new: changed } = pair;
  const diff = createTwoFilesPatch("old", "new", `${old.ipset}\n${old.text}`, `${changed.ipset}\n${changed.text}`, "", "", { context: 2 });
  const kinds = (["opens", "closes", "other"] as const).map(
    (kind) => `${kind} ${differences.filter((difference) => difference.kind === kind).length}`,
  );
  const shown = (["opens", "closes", "other"] as const).flatMap((kind) =>
    differences.filter((difference) => difference.kind === kind).slice(0, 3),
  );
  const list = (words: readonly string[]): string => (words.length === 0 ? " nothing" : words.map((word) => `\n    ${word}`).join(""));
  return [
    `${pair.name}: ${why}`,
    diff.replace(/^=+\n/u, "").trimEnd(),
    `packets that differ: ${kinds.join(", ")}`,
    ...shown.map(
      ({ kind, at, packet, old: before, new: after }) => `  ${kind}: ${at.toFixed(3)} s ${packet}\n    old: ${before}\n    new: ${after}`,
    ),
    `the review says: ${said.verdict}`,
    `  opens:${list(said.opens)}`,
    `  closes:${list(said.closes)}`,
    `  cannot tell:${list(said.unjudged)}`,
    "",
  ].join("\n");
}

/** Each violation in files of its own, to be worked through. */
export function writeViolations(directory: string, { violations, ...counts }: Campaign): void {
  const titles = violations.map((violation, index) => {
    const { pair } = violation.observation;
    const title = `${String(index + 1).padStart(3, "0")}-${pair.name.replaceAll(/[^\w]+/gu, "-")}`;
    const folder = join(directory, title);
    const suffix = pair.family === "ipv4" ? "v4" : "v6";
    mkdirSync(folder, { recursive: true });
    for (const name of ["old", "new"] as const) {
      writeFileSync(join(folder, `${name}.${suffix}`), `${pair[name].text.trimEnd()}\n`);
      if (pair[name].ipset !== "") writeFileSync(join(folder, `${name}.ipset`), `${pair[name].ipset.trimEnd()}\n`);
    }
    writeFileSync(join(folder, "violation.txt"), describeViolation(violation));
    return `- ${title}: ${violation.why}`;
  });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "SUMMARY.md"), `${summary({ violations, ...counts })}\n\n${titles.join("\n")}\n`);
}
