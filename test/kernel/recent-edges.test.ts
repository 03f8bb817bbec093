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
const duration = campaign === undefined ? 6 : 10;

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
  (passes) => ({ after: seconds + 0.03, count: passes, spacing: 0.0005 }),
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

function inputFor(shape: string, hosts: number, random: Random, sameTwice: boolean): ReplayInput {
  const { rules, passes } = shapes[shape]!;
  const dump = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT DROP [0:0]", ...rules, "COMMIT", ""].join("\n");
  const { script } = translate(dump, { family: "ipv4", recent: "exact" });
  return {
    dumps: { ipv4: dump },
    frames: framesOf(passes, hosts, random),
    conntrack: false,
    ...(sameTwice ? { other: { dumps: { ipv4: dump } } } : { script: script! }),
  };
}

const told = ({ frame: { at, packet }, iptables, nft, arrival }: Outcome): string =>
  `${packet.source} at ${at.toFixed(4)} (${arrival?.toFixed(4)}): ${iptables.verdict} ${nft.verdict}`;

describeOnKernel("twenty hits in a second", () => {
  it.each(Object.keys(shapes))("%s", { timeout: 60_000 * rounds }, async (shape) => {
    for (let round = 0; round < rounds; round++) {
      const random = (): Random => seededRandom(1000 * seed + round);
      // One host of each rhythm, and several; where a verdict differs, xt_recent beside itself shows whether the machine was too late.
      const inputs = [1, ...(campaign === undefined ? [] : [8])].map((hosts) => inputFor(shape, hosts, random(), false));
      for (const input of inputs) {
        const [report] = await replayAll([input]);
        if (report === undefined || report instanceof ReplayError) throw report ?? new Error("no report");
        const { outcomes, differing, lateness, skew } = report;
        if (campaign !== undefined || differing.length > 0)
          console.log(
            `${shape}, round ${round}: ${outcomes.length} packets, ${stopped(report)} stopped, ${differing.length} differ; ` +
              `${(lateness * 1000).toFixed(1)} ms late, ${(skew * 1000).toFixed(2)} ms apart\n${differing.slice(0, 20).map(told).join("\n")}`,
          );
        if (campaign === undefined) expect(differing, describeDifferences(report)).toEqual([]);
      }
    }
  });
});

const stopped = ({ outcomes }: Report): number => outcomes.filter(({ iptables }) => iptables.verdict === "dropped").length;
