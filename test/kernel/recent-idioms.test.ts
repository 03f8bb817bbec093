/** The commonest uses of `-m recent`: the same packets through iptables and through our script, verdict by verdict. */

import { beforeAll, expect, it } from "vitest";

import { translate, type Family } from "../../src/index.js";
import { describeDifferences, type Fate, type Report } from "../../src/verify/fate.js";
import { replayAll, ReplayError, type ReplayInput } from "../../src/verify/lab.js";
import { framesOf, idioms, type Idiom } from "./recent-idioms.js";
import { describeOnKernel } from "./requirements.js";
import { tieMargin } from "../../src/verify/rhythm.js";

/** Another one plays other packets: `RECENT_SEED=7 npx vitest run test/kernel/recent-idioms`. */
const seed = Number(process.env["RECENT_SEED"] ?? 1);

/** Slips a translation could make; played like the others to show that they would be seen. */
const slips: readonly (readonly [name: string, idiom: Idiom, slip: (dump: string) => string])[] = [
  ["a hit count of one too many", idioms[0]!, (dump) => dump.replace("--hitcount 4", "--hitcount 5")],
  ["a window a second too long", idioms[0]!, (dump) => dump.replace("--seconds 2", "--seconds 3")],
  ["set and check exchanged", idioms[0]!, (dump) => dump.replace(/(-A .*--set.*\n)(-A .*--update.*\n)/u, "$2$1")],
  ["a check that does not renew the stay", idioms[1]!, (dump) => dump.replace("--update", "--rcheck")],
];

const passed = ({ verdict }: Fate): boolean => verdict === "accepted" || verdict === "forwarded";

function scriptFor(dump: string, family: Family): string {
  const { script, diagnostics } = translate(dump, { family });
  // Without a script both sides would get the dump, and agree.
  if (script === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return script;
}

function inputFor(idiom: Idiom, translated: string): ReplayInput {
  return { dumps: { [idiom.family]: idiom.dump }, script: scriptFor(translated, idiom.family), frames: framesOf(idiom, seed) };
}

describeOnKernel("recent idioms on the kernel", () => {
  let reports: readonly (Report | ReplayError)[] = [];
  let slipReports: readonly (Report | ReplayError)[] = [];

  beforeAll(async () => {
    const inputs = [
      ...idioms.map((idiom) => inputFor(idiom, idiom.dump)),
      ...slips.map(([, idiom, slip]) => inputFor(idiom, slip(idiom.dump))),
    ];
    const all = await replayAll(inputs);
    // On a machine so busy that packets went out late, the schedule's distance from ties was lost: play those again.
    const doubtful = all.flatMap((report, index) =>
      index < idioms.length && !(report instanceof ReplayError) && report.differing.length > 0 && report.lateness > tieMargin
        ? [index]
        : [],
    );
    (await replayAll(doubtful.map((index) => inputs[index]!))).forEach((report, position) => {
      all[doubtful[position]!] = report;
    });
    reports = all.slice(0, idioms.length);
    slipReports = all.slice(idioms.length);
    const complete = reports.filter((report): report is Report => !(report instanceof ReplayError));
    const outcomes = complete.flatMap((report) => report.outcomes);
    console.log(
      [
        `${complete.length} of ${idioms.length} idioms played (seed ${seed}): ${outcomes.length} packets,`,
        `${outcomes.filter(({ iptables }) => !passed(iptables)).length} blocked by iptables,`,
        `${doubtful.length} idioms played twice,`,
        `${complete.reduce((sum, report) => sum + report.differing.length, 0)} differing;`,
        `at most ${(Math.max(...complete.map(({ lateness }) => lateness)) * 1000).toFixed(0)} ms late,`,
        `${(Math.max(...complete.map(({ skew }) => skew)) * 1000).toFixed(2)} ms between the two sides`,
      ].join(" "),
    );
  }, 120_000);

  it.each(idioms.map(({ name }, index) => ({ name, index })))("$name", ({ index }) => {
    const report = reports[index]!;
    if (report instanceof ReplayError) throw report;
    expect(describeDifferences(report)).toBe(`0 of ${report.outcomes.length} packets differ`);
    // A schedule that is never blocked, or always, would show nothing. Affinity shows in the address instead.
    expect(report.outcomes.some(({ iptables }) => passed(iptables))).toBe(true);
    expect(
      new Set(report.outcomes.map(({ iptables }) => `${iptables.verdict} ${iptables.sighting?.destination ?? ""}`)).size,
    ).toBeGreaterThan(1);
  });

  it.each(slips.map(([name], index) => ({ name, index })))("would see $name", ({ index }) => {
    const report = slipReports[index]!;
    if (report instanceof ReplayError) throw report;
    expect(report.differing).not.toEqual([]);
  });
});
