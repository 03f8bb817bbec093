/**
 * The review against the kernel: what the kernel decides otherwise after a change is never called safe, and never gets the other
 * direction. A thousand pairs: `REVIEW_PAIRS=1000 REVIEW_SEED=7 REVIEW_VIOLATIONS=found npx vitest run --project kernel
 * test/kernel/review-soundness`; the last one writes each contradiction into files.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

import { seededRandom } from "../../src/random.js";
import { describeOnKernel } from "./requirements.js";
import { describeViolation, judge, pairsAtRandom, summary, writeViolations } from "./review-soundness/campaign.js";
import { observe, type Kind } from "./review-soundness/observe.js";
import type { Pair } from "./review-soundness/pair.js";

const count = Number(process.env["REVIEW_PAIRS"] ?? 12);
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
  it("packets show what changes by hand do", { timeout: 180_000 }, async () => {
    const random = seededRandom(1);
    const seen: string[] = [];
    for (let next = 0; next < fixed.length; next += 4) {
      const some = fixed.slice(next, next + 4);
      const found = await observe(
        some.map(([old, changed]) => pairOfFiles(old, changed)),
        random,
      );
      for (const [index, [, changed, kinds]] of some.entries()) {
        const differences = found[index]!.differences;
        seen.push(`${changed}: ${kinds.filter((kind) => differences.some((one) => one.kind === kind)).join(", ")}`);
      }
    }
    expect(seen).toEqual(fixed.map(([, changed, kinds]) => `${changed}: ${kinds.join(", ")}`));
  });

  it("never contradicts the kernel about changes by hand", { timeout: 180_000 }, async () => {
    const campaign = await judge(
      fixed.map(([old, changed]) => pairOfFiles(old, changed)),
      1,
    );
    if (folder !== undefined) writeViolations(join(folder, "by-hand"), campaign);
    expect(campaign.violations.map(describeViolation).join("\n")).toBe("");
    expect(campaign.played).toBe(fixed.length);
  });

  it(`never contradicts the kernel about ${count} changes at random (seed ${seed})`, { timeout: 60_000 + count * 20_000 }, async () => {
    const campaign = await judge(await pairsAtRandom(count, seed), seed, (sofar) => {
      if (folder !== undefined) writeViolations(folder, sofar);
    });
    console.log(summary(campaign));
    expect(campaign.violations.map(describeViolation).join("\n")).toBe("");
    expect(campaign.played).toBeGreaterThan(count / 2);
  });
});
