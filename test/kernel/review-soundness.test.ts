/**
 * The review against the kernel: what the kernel decides otherwise after a change is never called safe, and never gets the other
 * direction. A thousand pairs: `REVIEW_PAIRS=1000 REVIEW_SEED=7 REVIEW_VIOLATIONS=found npx vitest run --project kernel-patient
 * test/kernel/review-soundness`; the last one writes each contradiction into files.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

import { describeOnKernel } from "./requirements.js";
import { describeViolation, judge, pairsAtRandom, summary, writeViolations } from "./review-soundness/campaign.js";
import type { Kind } from "./review-soundness/observe.js";
import type { Pair } from "./review-soundness/pair.js";

const count = Number(process.env["REVIEW_PAIRS"] ?? 60);
const seed = Number(process.env["REVIEW_SEED"] ?? 1);
const folder = process.env["REVIEW_VIOLATIONS"];

const directory = new URL("review-pairs/", import.meta.url).pathname;
const read = (name: string): string => readFileSync(join(directory, name), "utf8");

function pairOfFiles(old: string, changed: string): Pair {
  const ipset = old === "ban" ? "" : read("sets.ipset");
  return {
    name: `${old} → ${changed}`,
    family: "ipv4",
    old: { text: read(`${old}.v4`), ipset },
    new: { text: read(`${changed}.v4`), ipset },
  };
}

/** What the kernel must show of each, where packets can show it in a few seconds. */
const fixed: readonly (readonly [old: string, changed: string, seen: readonly Kind[]])[] = [
  ["ban", "ban-del", ["opens"]],
  ["ban", "ban-order", ["opens"]],
  ["ban", "ban-remove", ["opens"]],
  ["ban", "ban-logins", []],
  ["ban", "ban-loosesec", ["opens"]],
  ["ban", "ban-mask", ["closes"]],
  ["ban", "ban-nosec", ["closes"]],
  ["ban", "ban-out", ["opens"]],
  ["ban", "ban-ports", ["opens", "closes"]],
  ["ban", "ban-rcheck2update", ["closes"]],
  ["ban", "ban-rdest", ["closes"]],
  ["ban", "ban-limit", ["opens"]],
  ["ban", "ban-hl", []],
  ["ban", "ban-cl", []],
  ["mark", "mark-on-any-interface", ["opens"]],
  ["port-forward", "port-forward-added", ["opens"]],
];

describeOnKernel("the review on the kernel", () => {
  // Once more where a busy machine played the packets too late for a window of a second to show anything.
  it("changes by hand are seen on the kernel, and never contradicted", { timeout: 180_000, retry: 1 }, async () => {
    const pairs = fixed.map(([old, changed]) => pairOfFiles(old, changed));
    const campaign = await judge(pairs, 1);
    if (folder !== undefined) writeViolations(join(folder, "by-hand"), campaign);
    const seen = fixed.map(([, changed, kinds], index) => {
      const found = campaign.judged.find(({ observation }) => observation.pair === pairs[index])?.observation.differences ?? [];
      return `${changed}: ${kinds.filter((kind) => found.some((one) => one.kind === kind)).join(", ")}`;
    });
    expect(seen).toEqual(fixed.map(([, changed, kinds]) => `${changed}: ${kinds.join(", ")}`));
    expect(campaign.violations.map(describeViolation).join("\n")).toBe("");
  });

  it(`never contradicts the kernel about ${count} changes at random (seed ${seed})`, { timeout: 60_000 + count * 20_000 }, async () => {
    const campaign = await judge(await pairsAtRandom(count, seed), seed, (sofar) => {
      if (folder !== undefined) writeViolations(folder, sofar);
    });
    console.log(summary(campaign));
    expect(campaign.violations.map(describeViolation).join("\n")).toBe("");
    expect(campaign.judged.length).toBeGreaterThan(count / 2);
  });
});
