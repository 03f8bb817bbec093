/**
 * As many hits as the limit allows, and more, within a fraction of a second: what the kernel's hash chains bear of it. A model
 * in virtual time does not know these chains.
 */

import { expect, it } from "vitest";
import { translate } from "../../src/index.js";
import { describeDifferences, type Report } from "../../src/verify/fate.js";
import type { Frame } from "../../src/verify/frame.js";
import { replayAll, ReplayError } from "../../src/verify/lab.js";
import { describeOnKernel } from "./requirements.js";

const hitCounts = [20, 60, 61, 100];

const shapes: Readonly<Record<string, (check: string) => readonly string[]>> = {
  "set, update": (check) => ["--set --name a", `--update ${check}`],
  "update, set": (check) => [`--update ${check}`, "--set --name a"],
  "rcheck, set": (check) => [`--rcheck ${check}`, "--set --name a"],
};

function dumpFor(shape: string, hits: number): string {
  const rules = shapes[shape]!(`--seconds 20 --hitcount ${hits} --name a -j DROP`);
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    ":FORWARD ACCEPT [0:0]",
    ":OUTPUT DROP [0:0]",
    ...rules.map((rule) => `-A INPUT -p udp -m recent ${rule}`),
    "COMMIT",
    "",
  ].join("\n");
}

/** Twice as many as allowed, at half a millisecond. */
function burst(hits: number): Frame[] {
  return Array.from({ length: 2 * hits }, (_, index) => ({
    at: index * 0.0005,
    packet: { source: "192.0.2.77", destination: "192.0.2.1", transport: { kind: "udp", sourcePort: 1000 + index, destinationPort: 53 } },
  }));
}

async function play(shape: string, hits: number): Promise<Report> {
  const dump = dumpFor(shape, hits);
  const { script } = translate(dump, { family: "ipv4", recent: "exact" });
  const [report] = await replayAll([{ dumps: { ipv4: dump }, script: script!, frames: burst(hits) }]);
  if (report === undefined || report instanceof ReplayError) throw report ?? new Error("no report");
  return report;
}

const cases = Object.keys(shapes).flatMap((shape) => hitCounts.map((hits) => ({ shape, hits })));

describeOnKernel("bursts", () => {
  it.each(cases)("$shape, $hits hits", async ({ shape, hits }) => {
    let report = await play(shape, hits);
    // A busy machine may lose a frame; what differs twice was not lost.
    if (report.differing.length > 0) report = await play(shape, hits);
    expect(report.differing, describeDifferences(report)).toEqual([]);
    const accepted = report.outcomes.filter(({ iptables }) => iptables.verdict === "accepted").length;
    expect(Math.abs(accepted - hits), `${accepted} packets accepted`).toBeLessThanOrEqual(1);
  });
});
