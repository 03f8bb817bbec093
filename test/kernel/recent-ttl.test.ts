/**
 * `--rttl` with hosts that change their TTL: the same packets through iptables and through our script, verdict by verdict. A longer
 * run, as a campaign: `RECENT_TTL_VERDICTS=20000 npx vitest run --project kernel test/kernel/recent-ttl`.
 */

import { beforeAll, expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { describeDifferences, type Fate, type Report } from "../../src/verify/fate.js";
import { replayAll, ReplayError, type ReplayInput } from "../../src/verify/lab.js";
import { tieMargin } from "../../src/verify/rhythm.js";
import { framesOf, programs, type TtlProgram } from "./recent-ttl.js";
import { describeOnKernel } from "./requirements.js";

/** Another one plays other packets. */
const firstSeed = Number(process.env["RECENT_SEED"] ?? 1);
const wanted = Number(process.env["RECENT_TTL_VERDICTS"] ?? 0);
const mostRounds = 20;

const passed = ({ verdict }: Fate): boolean => verdict === "accepted" || verdict === "forwarded";

function inputFor({ family, dump, targetNft, ...program }: TtlProgram, seed: number, translated = dump): ReplayInput {
  const { script, diagnostics } = translate(translated, { family, ...(targetNft !== undefined && { targetNft }) });
  // Without a script both sides would get the dump, and agree.
  if (script === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return { dumps: { [family]: dump }, script, frames: framesOf({ family, dump, ...program }, seed) };
}

/** Without `--rttl` these would decide otherwise; played to show that it would be seen. One of each kind, for each costs as much again. */
const slips = programs.filter(({ name }) =>
  [
    "update above set",
    "update above set, with TTL 0",
    "accepted while not over the limit, by update",
    "ever seen, with a removal",
    "destinations",
    "INPUT and FORWARD",
    "a TTL that is changed between set and check",
    "IPv6, networks in INPUT and FORWARD",
  ].includes(name),
);

/** Plays everything at once; what was played on a machine too busy to keep the schedule's distance from ties, and differs, again. */
async function play(inputs: readonly ReplayInput[], retried: number): Promise<readonly (Report | ReplayError)[]> {
  const all = await replayAll(inputs);
  const doubtful = all.flatMap((report, index) =>
    index < retried && !(report instanceof ReplayError) && report.differing.length > 0 && report.lateness > tieMargin ? [index] : [],
  );
  const again = await replayAll(doubtful.map((index) => inputs[index]!));
  again.forEach((report, position) => (all[doubtful[position]!] = report));
  return all;
}

describeOnKernel("--rttl on the kernel", () => {
  const reports: (Report | ReplayError)[][] = programs.map(() => []);
  let slipReports: readonly (Report | ReplayError)[] = [];

  beforeAll(
    async () => {
      let played = 0;
      for (let round = 0; round === 0 || (played < wanted && round < mostRounds); round++) {
        const seed = firstSeed + round;
        const inputs = programs.map((program) => inputFor(program, seed));
        const careless = round === 0 ? slips.map((program) => inputFor(program, seed, program.dump.replaceAll(" --rttl", ""))) : [];
        const all = await play([...inputs, ...careless], inputs.length);
        inputs.forEach((_, index) => reports[index]!.push(all[index]!));
        if (round === 0) slipReports = all.slice(inputs.length);
        const complete = all.slice(0, inputs.length).filter((report): report is Report => !(report instanceof ReplayError));
        const outcomes = complete.flatMap((report) => report.outcomes);
        played += outcomes.length;
        console.log(
          [
            `seed ${seed}: ${complete.length} of ${programs.length} lists played: ${outcomes.length} packets,`,
            `${outcomes.filter(({ iptables }) => !passed(iptables)).length} blocked by iptables,`,
            `${complete.reduce((sum, report) => sum + report.differing.length, 0)} differing;`,
            `at most ${(Math.max(...complete.map(({ lateness }) => lateness)) * 1000).toFixed(0)} ms late`,
          ].join(" "),
        );
      }
    },
    120_000 + 60_000 * (wanted > 0 ? mostRounds : 0),
  );

  it.each(programs.map(({ name }, index) => ({ name, index })))("$name", ({ index }) => {
    for (const report of reports[index]!) {
      if (report instanceof ReplayError) throw report;
      expect(describeDifferences(report)).toBe(`0 of ${report.outcomes.length} packets differ`);
      // A schedule that is never blocked, or always, would show nothing.
      expect(new Set(report.outcomes.map(({ iptables }) => passed(iptables))).size).toBe(2);
    }
  });

  it.each(slips.map(({ name }, index) => ({ name, index })))("would see --rttl left out of: $name", ({ index }) => {
    const report = slipReports[index]!;
    if (report instanceof ReplayError) throw report;
    expect(report.differing).not.toEqual([]);
  });
});
