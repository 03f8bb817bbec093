import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { expect, it } from "vitest";
import { renderJson } from "../../../src/review/formats/json.js";
import { readCases } from "../../corpus/cases.js";
import { dump, review } from "../dumps.js";
import { reviewRulesets } from "../../../src/review/review.js";

const valid = new Ajv({ allErrors: true, strict: true }).compile(
  JSON.parse(readFileSync(new URL("../../../docs/review.schema.json", import.meta.url), "utf8")) as object,
);

function faults(text: string): unknown {
  return valid(JSON.parse(text)) ? [] : valid.errors;
}

it("is what the schema says, for every ruleset of the corpus", { timeout: 120_000 }, () => {
  for (const { name, sources, options } of readCases()) {
    expect([name, faults(renderJson(reviewRulesets({ new: sources, options, tool: { name: "test", version: "test" } })))]).toEqual([
      name,
      [],
    ]);
  }
});

it("is what the schema says with a change, suppressions and a counterexample in it", () => {
  const ssh = (seconds: number): string =>
    dump(
      "-A INPUT -p tcp --dport 22 -m recent --set --name ssh --rsource",
      "# ipt2nft-recent: allow-file recent-limit-form wanted",
      `-A INPUT -p tcp --dport 22 -m recent --update --seconds ${seconds} --hitcount 4 --name ssh --rsource -j DROP`,
    );
  const report = review(ssh(10), ssh(60), { options: { recent: "limit" }, search: { schedules: 500 } });
  expect(report.changes).not.toEqual([]);
  expect(report.findings.filter(({ suppressed, timeline }) => suppressed && timeline)).not.toEqual([]);
  expect(faults(renderJson(report))).toEqual([]);
});

it("has no character that a terminal would take for an order", () => {
  expect(renderJson(review(dump('-A INPUT -m comment --comment "\u009b31m \u202e" -j DROP')))).not.toMatch(/[\u0080-\u009f\u202e]/);
});
