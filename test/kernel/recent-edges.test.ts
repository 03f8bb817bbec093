/**
 * Twenty hits in one second, by hosts that keep as close to the limit as they may, or go just over it: a full window for every host, all
 * the time, on the largest ring for the shortest time. As a campaign, of so many rounds:
 * `EDGES_ROUNDS=40 npx vitest run --project kernel test/kernel/recent-edges`.
 */

import { expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { seededRandom, type Random } from "../../src/random.js";
import { describeDifferences, type Outcome, type Report } from "../../src/verify/fate.js";
import type { Frame } from "../../src/verify/frame.js";
import { replayAll, ReplayError, type ReplayInput } from "../../src/verify/lab.js";
import { describeOnKernel } from "./requirements.js";

const campaign = process.env["EDGES_ROUNDS"];
const rounds = Number(campaign ?? 1);
const seed = Number(process.env["EDGES_SEED"] ?? 1);
const duration = campaign === undefined ? 4 : 10;

const [hits, seconds] = [20, 1];
const check = `--seconds ${seconds} --hitcount ${hits} --name a -j DROP`;
const elsewhere = "-A INPUT -p tcp --dport 99 -j ACCEPT";
const shapes: Readonly<Record<string, { readonly rules: readonly string[]; readonly passes: number }>> = {
  "set, update": { rules: ["-A INPUT -m recent --set --name a", `-A INPUT -m recent --update ${check}`], passes: hits - 1 },
  "update, set": { rules: [`-A INPUT -m recent --update ${check}`, "-A INPUT -m recent --set --name a"], passes: hits },
  "rcheck, set": { rules: [`-A INPUT -m recent --rcheck ${check}`, "-A INPUT -m recent --set --name a"], passes: hits },
  "set, update apart": {
    rules: ["-A INPUT -m recent --set --name a", elsewhere, `-A INPUT -m recent --update ${check}`],
    passes: hits - 1,
  },
};

/** The smallest distance from a tie that a rhythm keeps, in seconds: what comes later than that shows nothing. */
const margin = 0.03;

interface Group {
  /** Seconds from the beginning of the group before it. */
  readonly after: number;
  readonly count: number;
  readonly spacing: number;
}

/** Of `passes` hits in a window; what lies between two groups is never near the length of the window where that matters. */
const rhythms: readonly ((passes: number, random: Random) => Group)[] = [
  // As much as is allowed, and no more; the second is nearer than a busy machine keeps to.
  (passes) => ({ after: seconds + 0.06, count: passes, spacing: 0.002 }),
  (passes) => ({ after: seconds + margin, count: passes, spacing: 0.0005 }),
  (passes) => ({ after: (seconds + 0.06) / passes, count: 1, spacing: 0 }),
  // One too many in each window.
  (passes) => ({ after: seconds - 0.06, count: passes, spacing: 0.0005 }),
  (passes, random) => ({ after: seconds * (1.1 + random()), count: passes + Math.floor(4 * random()) - 1, spacing: 0.001 }),
  (passes) => ({ after: 2 * seconds + 0.1, count: 2 * passes, spacing: 0.004 }),
];

function momentsOf(rhythm: (typeof rhythms)[number], passes: number, random: Random): number[] {
  const moments: number[] = [];
  for (let start = 0.5 * random(); start < duration; ) {
    const { after, count, spacing } = rhythm(passes, random);
    for (let index = 0; index < count; index++) moments.push(start + index * spacing);
    start += after;
  }
  return moments;
}

/** `hosts` of each rhythm. */
function framesOf(passes: number, hosts: number, random: Random): Frame[] {
  return rhythms.flatMap((rhythm, kind) =>
    Array.from({ length: hosts }, (_, host) =>
      momentsOf(rhythm, passes, random).map(
        (at, index): Frame => ({
          at,
          packet: {
            source: `10.0.${kind}.${host + 1}`,
            destination: "192.0.2.1",
            transport: { kind: "udp", sourcePort: 1000 + index, destinationPort: 53 },
          },
        }),
      ),
    ).flat(),
  );
}

function inputFor(shape: string, hosts: number, random: Random): ReplayInput {
  const { rules, passes } = shapes[shape]!;
  const dump = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT DROP [0:0]", ...rules, "COMMIT", ""].join("\n");
  const { script } = translate(dump, { family: "ipv4", recent: "exact" });
  return { dumps: { ipv4: dump }, script: script!, frames: framesOf(passes, hosts, random), conntrack: false };
}

const told = ({ frame: { at, packet }, iptables, nft, arrival }: Outcome): string =>
  `${packet.source} at ${at.toFixed(4)} (${arrival?.toFixed(4)}): ${iptables.verdict} ${nft.verdict}`;

async function play(input: ReplayInput): Promise<Report> {
  for (let tries = 1; ; tries++) {
    const [report] = await replayAll([input]);
    if (report === undefined || report instanceof ReplayError) throw report ?? new Error("no report");
    const { outcomes, differing, lateness } = report;
    if (campaign !== undefined || differing.length > 0)
      console.log(
        `${outcomes.length} packets, ${outcomes.filter(({ iptables }) => iptables.verdict === "dropped").length} stopped, ` +
          `${differing.length} differ, at most ${(lateness * 1000).toFixed(0)} ms late ${differing.slice(0, 5).map(told).join("; ")}`,
      );
    if (differing.length === 0 || lateness < margin || tries === 3) return report;
  }
}

describeOnKernel("twenty hits in a second", () => {
  it.concurrent.each(Object.keys(shapes))("%s", { timeout: 300_000 * rounds }, async (shape) => {
    for (let round = 0; round < rounds; round++) {
      // One host of each rhythm, and several.
      for (const hosts of campaign === undefined ? [1] : [1, 8]) {
        const report = await play(inputFor(shape, hosts, seededRandom(1000 * seed + round)));
        expect(report.differing, describeDifferences(report)).toEqual([]);
      }
    }
  });
});
