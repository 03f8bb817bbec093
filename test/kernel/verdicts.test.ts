/**
 * Whole rulesets: packets derived from every rule, through iptables and through our script, verdict by verdict, with marks,
 * addresses, ports, TTL, TOS and the way of rejecting.
 *
 * Here the machines of the corpus and one row of random rulesets. For a campaign:
 * `VERDICT_MINUTES=45 VERDICT_SEED=1000 npx vitest run test/kernel/verdicts`; with `VERDICT_CORPUS=all` every dump of the corpus.
 */

import { beforeAll, expect, it } from "vitest";

import type { Family } from "../../src/index.js";
import { readCases } from "../corpus/cases.js";
import { rulesetOfBits, rulesetOfLists, wholeRuleset } from "./derive-ruleset.js";
import { prepareTrial, reduce, runTrials, type Result, type TrialInput } from "./derive-trial.js";
import { describeDifferences, ReplayError } from "./lab.js";
import { describeOnKernel } from "./requirements.js";
import { seededRandom, type Random } from "./schedule.js";

const seed = Number(process.env["VERDICT_SEED"] ?? 1);
const minutes = Number(process.env["VERDICT_MINUTES"] ?? 0);
const groups = process.env["VERDICT_CORPUS"] === "all" ? ["machine", "match", "target", "idiom"] : ["machine"];
const width = 4;
const packets = minutes > 0 ? 2000 : 500;

function corpusInputs(): TrialInput[] {
  return readCases().filter(({ group }) => groups.includes(group)).flatMap(({ name, sources }) => sources.map(({ file, text }) => (
    { name: `${name}/${file}`, family: file.endsWith("6") ? "ipv6" as const : "ipv4" as const, dump: text, seed, count: packets })));
}

const kinds: readonly (readonly [name: string, make: (random: Random, family: Family) => string])[] = [
  ["bits", rulesetOfBits],
  ["whole", (random, family) => wholeRuleset(random, family, 20 + Math.floor(random() * 180))],
  ["lists", rulesetOfLists],
];

/** The random ruleset of a number: the kinds in turns, a third of each in IPv6. */
function randomInput(number: number): TrialInput {
  const family = Math.floor(number / kinds.length) % 3 === 2 ? "ipv6" : "ipv4";
  const random = seededRandom(number);
  const [kind, make] = kinds[number % kinds.length]!;
  const dump = make(random, family);
  // Rules that are approximated differ, as their warnings say; what is called exact must not.
  return { name: `random ${kind} ${number}`, family, dump, seed: number, count: packets, exactOnly: true };
}

const figures = { rulesets: 0, rules: 0, matched: 0, "rules left out": 0, packets: 0, accepted: 0, forwarded: 0, rejected: 0, dropped: 0, lost: 0, unconfirmed: 0, differing: 0 };

function count(result: Result): void {
  const { trial, verdicts } = result;
  figures.rulesets += 1;
  figures.rules += trial.rules;
  figures.matched += result.matched;
  figures["rules left out"] += trial.removed.length;
  figures.packets += result.packets;
  figures.unconfirmed += result.unconfirmed;
  figures.differing += result.differing.length;
  for (const verdict of ["accepted", "forwarded", "rejected", "dropped", "lost"] as const) figures[verdict] += verdicts[verdict] ?? 0;
}

/** What differs, as small as it gets in the time there is; one text for each ruleset that does. */
async function differencesOf(inputs: readonly TrialInput[]): Promise<string[]> {
  const found: string[] = [];
  for (let start = 0; start < inputs.length; start += width) {
    const trials = await Promise.all(inputs.slice(start, start + width).map(prepareTrial));
    for (const [index, result] of (await runTrials(trials)).entries()) {
      const { name } = trials[index]!.input;
      if (result instanceof ReplayError) {
        found.push(`${name}: ${result.message}\n${trials[index]!.dump}`);
        continue;
      }
      count(result);
      if (result.differing.length === 0) continue;
      const small = minutes > 0 ? await reduce(result, Date.now() + 60_000) : { dump: trials[index]!.dump, result };
      found.push(`${name}: ${describeDifferences({ ...small.result.report, differing: small.result.differing }, 3)}\n${small.dump}`);
    }
  }
  return found;
}

describeOnKernel("verdicts of whole rulesets", () => {
  beforeAll(() => () => {
    console.log(Object.entries(figures).map(([name, value]) => `${value} ${name}`).join(", "));
  });

  it(`of the corpus (${groups.join(", ")})`, { timeout: 1_200_000 }, async () => {
    expect(await differencesOf(corpusInputs())).toEqual([]);
  });

  it(`of random rulesets from seed ${seed} on`, { timeout: (minutes + 10) * 60_000 }, async () => {
    const end = Date.now() + minutes * 60_000;
    const found: string[] = [];
    for (let next = seed; next === seed || Date.now() < end; next += width) {
      found.push(...await differencesOf(Array.from({ length: width }, (_, index) => randomInput(next + index))));
    }
    expect(found).toEqual([]);
  });
});
