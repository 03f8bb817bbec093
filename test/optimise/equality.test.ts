/**
 * The optimised table beside the plain one, as models: equal verdicts, marks, log lines, and counters of every line.
 *
 * `OPTIMISE_RULESETS=100000 npx vitest run --project unit test/optimise/equality` for a campaign.
 */

import fc from "fast-check";
import { expect, it } from "vitest";

import { disagreement, scriptOf, tables } from "./equality.js";
import { drawnPackets, temptingDump, temptingRules } from "./tempting.js";

const rulesets = Number(process.env["OPTIMISE_RULESETS"] ?? 100);

it("decides, marks, logs and counts as the plain table", { timeout: 3_600_000 }, () => {
  let merged = 0;
  fc.assert(
    fc.property(temptingRules, drawnPackets, (rules, schedule) => {
      const { plain, optimised, merges } = tables(temptingDump(rules));
      merged += merges;
      expect(disagreement(plain, optimised, schedule), scriptOf(optimised)).toBe("");
    }),
    { numRuns: rulesets },
  );
  expect(merged).toBeGreaterThan(rulesets / 4);
});
