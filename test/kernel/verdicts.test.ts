/**
 * Whole rulesets: packets made for every rule, through iptables and through our script, verdict by verdict, with marks,
 * addresses, ports, TTL, TOS and the way of rejecting, and the counters of all rules.
 *
 * Here every fourth machine of the corpus (another seed takes others) and one row of random rulesets. For a campaign:
 * `VERDICT_MINUTES=45 VERDICT_SEED=1000 npx vitest run test/kernel/verdicts`; with `VERDICT_CORPUS=all` every dump of the corpus.
 */

import { beforeAll, expect, it } from "vitest";

import type { Family } from "../../src/index.js";
import { seededRandom, type Random } from "../../src/random.js";
import { renderText } from "../../src/verify/report/text.js";
import { verify, type VerifyInput, type VerifyReport } from "../../src/verify/verify.js";
import { readCases } from "../corpus/cases.js";
import { rulesetOfBits, rulesetOfLists, wholeRuleset } from "./derive-ruleset.js";
import { describeOnKernel } from "./requirements.js";

const seed = Number(process.env["VERDICT_SEED"] ?? 1);
const minutes = Number(process.env["VERDICT_MINUTES"] ?? 0);
const everyGroup = ["machine", "match", "target", "idiom", "recent", "syntax", "ipset"];
const all = process.env["VERDICT_CORPUS"] === "all";
const groups = all ? everyGroup : ["machine"];

/** A single look at each ruleset, or a long one. */
const extent = minutes > 0 ? { packets: 4000, budget: 40 } : { packets: 600, budget: 1 };

interface Subject extends VerifyInput {
  readonly name: string;
}

function corpusSubjects(): Subject[] {
  return readCases()
    .filter(({ group, sources }) => groups.includes(group) && sources.every(({ file }) => file !== "rules.sh"))
    .filter((_, index) => all || minutes > 0 || index % 7 === seed % 7)
    .map(({ name, sources, options }) => ({ name, sources, options, seed, leaveOut: "approximated", ...extent }));
}

const kinds: readonly (readonly [name: string, make: (random: Random, family: Family) => string])[] = [
  ["bits", rulesetOfBits],
  ["whole", (random, family) => wholeRuleset(random, family, 20 + Math.floor(random() * 180))],
  ["lists", rulesetOfLists],
];

/** The random ruleset of a number: the kinds in turns, a third of each in IPv6. */
function randomSubject(number: number): Subject {
  const family = Math.floor(number / kinds.length) % 3 === 2 ? "ipv6" : "ipv4";
  const [kind, make] = kinds[number % kinds.length]!;
  const sources = [{ file: "rules", text: make(seededRandom(number), family), family }] as const;
  // Rules that are approximated differ, as their warnings say; what is called exact must not.
  return { name: `random ${kind} ${number}`, sources, seed: number, leaveOut: "approximated", ...extent };
}

const figures = {
  rulesets: 0,
  rules: 0,
  hit: 0,
  unreachable: 0,
  "left out": 0,
  packets: 0,
  accepted: 0,
  forwarded: 0,
  sent: 0,
  rejected: 0,
  dropped: 0,
  lost: 0,
  unconfirmed: 0,
  differing: 0,
  counters: 0,
  "counters differing": 0,
};

function count({ coverage, leftOut, packets, verdicts, unconfirmed, differing, counters }: VerifyReport): void {
  figures.rulesets += 1;
  figures.rules += coverage.rules;
  figures.hit += coverage.hit;
  figures.unreachable += coverage.missed.filter(({ unreachable }) => unreachable).length;
  figures["left out"] += leftOut.length;
  figures.packets += packets;
  figures.unconfirmed += unconfirmed;
  figures.differing += differing;
  figures.counters += counters.compared;
  figures["counters differing"] += counters.differing.length;
  for (const verdict of ["accepted", "forwarded", "sent", "rejected", "dropped", "lost"] as const) figures[verdict] += verdicts[verdict];
}

/** One text for each ruleset that differs. */
async function differencesOf(subjects: readonly Subject[], enough: () => boolean = () => false): Promise<string[]> {
  const found: string[] = [];
  const waiting = [...subjects];
  const work = async (): Promise<void> => {
    for (let subject = waiting.shift(); subject !== undefined && !enough(); subject = waiting.shift()) {
      const report = await verify(subject);
      count(report);
      if (!report.equal)
        found.push(`${subject.name}: ${renderText(report)}\n${report.loaded.dumps.ipv4 ?? ""}${report.loaded.dumps.ipv6 ?? ""}`);
    }
  };
  // One ruleset's packets are found while the other's are played.
  await Promise.all([work(), work()]);
  return found;
}

describeOnKernel("verdicts of whole rulesets", () => {
  beforeAll(() => () => {
    console.log(
      Object.entries(figures)
        .map(([name, value]) => `${value} ${name}`)
        .join(", "),
    );
  });

  // Once more where the kernel of a busy machine sent no ICMP error: that shows in some runs, and in none of the same packets later.
  it(`of the corpus (${groups.join(", ")})`, { timeout: 3_600_000, retry: 1 }, async () => {
    expect(await differencesOf(corpusSubjects())).toEqual([]);
  });

  it(`of random rulesets from seed ${seed} on`, { timeout: (minutes + 10) * 60_000, retry: minutes > 0 ? 0 : 1 }, async () => {
    const end = Date.now() + minutes * 60_000;
    const numbers = Array.from({ length: minutes > 0 ? 10_000 : 3 }, (_, index) => seed + index);
    expect(await differencesOf(numbers.map(randomSubject), () => minutes > 0 && Date.now() > end)).toEqual([]);
  });
});
