/** The commonest uses of `-m recent`: the same packets through iptables and through our script, verdict by verdict. */

import { beforeAll, describe, expect, it } from "vitest";

import { translate, type Family } from "../../src/index.js";
import { describeDifferences, type Fate, type Report } from "../../src/verify/fate.js";
import { replayAll, ReplayError, type ReplayInput } from "../../src/verify/lab.js";
import { notUnpacked, otherVersions, rootOf } from "./other-nft.js";
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

function inputFor(idiom: Idiom, translated: string, nftRoot?: string): ReplayInput {
  return {
    dumps: { [idiom.family]: idiom.dump },
    script: scriptFor(translated, idiom.family),
    frames: framesOf(idiom, seed),
    ...(nftRoot !== undefined && { nftRoot }),
  };
}

/** What became of each idiom, and of the slips. */
interface Played {
  readonly reports: readonly (Report | ReplayError)[];
  readonly slipReports: readonly (Report | ReplayError)[];
}

async function play(title: string, someSlips: typeof slips, nftRoot?: string): Promise<Played> {
  const inputs = [
    ...idioms.map((idiom) => inputFor(idiom, idiom.dump, nftRoot)),
    ...someSlips.map(([, idiom, slip]) => inputFor(idiom, slip(idiom.dump), nftRoot)),
  ];
  const all = await replayAll(inputs);
  // On a machine so busy that packets went out late, the schedule's distance from ties was lost: play those again.
  const doubtful = all.flatMap((report, index) =>
    index < idioms.length && !(report instanceof ReplayError) && report.differing.length > 0 && report.lateness > tieMargin ? [index] : [],
  );
  (await replayAll(doubtful.map((index) => inputs[index]!))).forEach((report, position) => {
    all[doubtful[position]!] = report;
  });
  const reports = all.slice(0, idioms.length);
  const complete = reports.filter((report): report is Report => !(report instanceof ReplayError));
  const outcomes = complete.flatMap((report) => report.outcomes);
  console.log(
    [
      `${title}: ${complete.length} of ${idioms.length} idioms played (seed ${seed}): ${outcomes.length} packets,`,
      `${outcomes.filter(({ iptables }) => !passed(iptables)).length} blocked by iptables,`,
      `${doubtful.length} idioms played twice,`,
      `${complete.reduce((sum, report) => sum + report.differing.length, 0)} differing;`,
      `at most ${(Math.max(...complete.map(({ lateness }) => lateness)) * 1000).toFixed(0)} ms late,`,
      `${(Math.max(...complete.map(({ skew }) => skew)) * 1000).toFixed(2)} ms between the two sides`,
    ].join(" "),
  );
  return { reports, slipReports: all.slice(idioms.length) };
}

function expectEqual(report: Report | ReplayError): void {
  if (report instanceof ReplayError) throw report;
  expect(describeDifferences(report)).toBe(`0 of ${report.outcomes.length} packets differ`);
  // A schedule that is never blocked, or always, would show nothing. Affinity shows in the address instead.
  expect(report.outcomes.some(({ iptables }) => passed(iptables))).toBe(true);
  expect(
    new Set(report.outcomes.map(({ iptables }) => `${iptables.verdict} ${iptables.sighting?.destination ?? ""}`)).size,
  ).toBeGreaterThan(1);
}

describeOnKernel("recent idioms on the kernel", () => {
  let played: Played = { reports: [], slipReports: [] };

  beforeAll(async () => {
    played = await play("this machine's nft", slips);
  }, 120_000);

  it.each(idioms.map(({ name }, index) => ({ name, index })))("$name", ({ index }) => {
    expectEqual(played.reports[index]!);
  });

  it.each(slips.map(([name], index) => ({ name, index })))("would see $name", ({ index }) => {
    const report = played.slipReports[index]!;
    if (report instanceof ReplayError) throw report;
    expect(report.differing).not.toEqual([]);
  });
});

/** The newest of those that are unpacked. */
const version = "1.1.3";
const title = `recent idioms in nft ${version}`;
if (otherVersions.includes(version)) {
  describeOnKernel(title, () => {
    let played: Played = { reports: [], slipReports: [] };

    beforeAll(async () => {
      played = await play(`nft ${version}`, [], rootOf(version));
    }, 120_000);

    it.each(idioms.map(({ name }, index) => ({ name, index })))("$name", ({ index }) => {
      expectEqual(played.reports[index]!);
    });
  });
} else describe.skip(`${title} (skipped: ${notUnpacked})`, () => it("is there", () => undefined));
