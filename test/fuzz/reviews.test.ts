import { usualFailOn } from "../../src/review/fail-on.js";
import { createHash } from "node:crypto";
import { Ajv } from "ajv";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatNames, renderReview } from "../../src/cli/commands/review/formats.js";
import { reviewRulesets } from "../../src/review/review.js";
import { anyDump, hostileTexts, mutatedDump } from "./hostile-dumps.js";

/** `FUZZ_RUNS=20000 FUZZ_SEED=7 npx vitest run test/fuzz/reviews.test.ts` looks longer, elsewhere. */
const numRuns = Number(process.env["FUZZ_RUNS"] ?? 50);
const seed = Number(process.env["FUZZ_SEED"] ?? 20240229);
const tool = { name: "ipt2nft-recent", version: "test" };
const valid = new Ajv({ strict: true }).compile(
  JSON.parse(readFileSync(new URL("../../docs/review.schema.json", import.meta.url), "utf8")) as object,
);

describe("whatever is reviewed", () => {
  it("gives a report in every format, by the schema, without orders to a terminal", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(anyDump, anyDump, fc.boolean(), (current, old, alone) => {
        const report = reviewRulesets({ new: current.sources, ...(!alone && { old: old.sources }), options: current.options, tool });
        expect(valid(JSON.parse(JSON.stringify(report))) ? [] : valid.errors).toEqual([]);
        for (const format of formatNames) {
          const text = renderReview(report, format, { color: false, width: undefined, failOn: usualFailOn });
          if (format === "text" || format === "markdown" || format === "github")
            expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
        }
      }),
      { seed, numRuns },
    );
  });

  it("is no change against itself", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(mutatedDump, ({ sources, options }) => {
        const { changes, opens, closes, scriptDiff, lists } = reviewRulesets({ new: sources, old: sources, options, tool });
        expect({ changes, opens, closes, scriptDiff, changed: lists.filter(({ status }) => status !== "unchanged") }).toEqual({
          changes: [],
          opens: [],
          closes: [],
          scriptDiff: "",
          changed: [],
        });
      }),
      { seed, numRuns },
    );
  });

  it("has a fingerprint for each finding that no other has", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(anyDump, ({ sources, options }) => {
        const prints = reviewRulesets({ new: sources, options, tool }).findings.map(({ fingerprint }) => fingerprint);
        expect(new Set(prints).size).toBe(prints.length);
      }),
      { seed, numRuns },
    );
  });

  it.each(hostileTexts.map((text) => [createHash("sha256").update(text).digest("hex").slice(0, 8), text]))(
    "puts the hostile text %s into no markup",
    (_, text) => {
      const dump = `*filter\n:INPUT DROP [0:0]\n-A INPUT -m comment --comment "${text.replace(/["\\\n\r]/g, "")}" -m unheard -j DROP\nCOMMIT\n`;
      const html = renderReview(reviewRulesets({ new: [{ file: text, text: dump }], tool }), "html", {
        color: false,
        width: undefined,
        failOn: usualFailOn,
      });
      expect(html.match(/<script\b/g)).toHaveLength(1);
      expect(html).not.toMatch(/<(?:img|iframe|object|embed|link|base)\b/);
    },
  );
});
