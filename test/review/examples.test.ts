import { usualFailOn } from "../../src/review/fail-on.js";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatNames, renderReview, type FormatName } from "../../src/cli/commands/review/formats.js";
import { reviewRulesets } from "../../src/review/review.js";
import { translate } from "../../src/translate.js";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));
const read = (...path: string[]): string => readFileSync(join(examples, ...path), "utf8");

/** `UPDATE_CORPUS=1` writes what the program makes now; never where CI is set. */
const updates = Boolean(process.env["UPDATE_CORPUS"]) && !process.env["CI"];

const fileNames: Readonly<Record<FormatName, string>> = {
  text: "review.txt",
  markdown: "review.md",
  github: "annotations.txt",
  sarif: "review.sarif",
  gitlab: "gl-code-quality.json",
  junit: "junit.xml",
  json: "review.json",
  html: "review.html",
};

const wanted = {
  harmless: { verdict: "safe", changes: 0 },
  loosened: { verdict: "look", changes: 6 },
  broken: { verdict: "not-equivalent", changes: 4 },
} as const;

describe.each(Object.keys(wanted) as (keyof typeof wanted)[])("examples/changes/%s", (name) => {
  const source = (text: string) => [{ file: "rules.v4", text }];
  const report = reviewRulesets({
    old: source(read("repository", "rules.v4")),
    oldRef: "main",
    new: source(read("changes", name, "rules.v4")),
    search: { schedules: 1_000 },
    tool: { name: "ipt2nft-recent", version: "example" },
  });

  it("gets its verdict", () => {
    expect({ verdict: report.verdict, changes: report.changes.length }).toEqual(wanted[name]);
  });

  it.each(formatNames)("has its report as %s", (format) => {
    const file = join(examples, "reviews", name, fileNames[format]);
    const rendered = renderReview(report, format, { color: false, width: undefined, failOn: usualFailOn });
    if (updates) {
      mkdirSync(join(file, ".."), { recursive: true });
      writeFileSync(file, rendered);
    }
    expect(existsSync(file) ? readFileSync(file, "utf8") : "(no such file)").toBe(rendered);
  });
});

it("has beside its rules the script made from them", () => {
  const { script } = translate([{ file: "rules.v4", text: read("repository", "rules.v4") }]);
  if (updates) writeFileSync(join(examples, "repository", "rules.nft"), script!);
  expect(read("repository", "rules.nft")).toBe(script);
});
