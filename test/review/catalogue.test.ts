import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readLink } from "../../src/playground/link.js";
import { reviewCatalogue, type CatalogueEntry } from "../../src/review/catalogue.js";
import { reviewRulesets } from "../../src/review/review.js";
import { dump } from "./dumps.js";
import { findingsPage } from "./findings-page.js";

const entries: [string, CatalogueEntry][] = Object.entries(reviewCatalogue);

function codesIn(rules: string): Set<string> {
  const text = rules.startsWith("iptables ") ? rules : dump(rules);
  return new Set(
    reviewRulesets({ new: [{ file: "rules", text }], tool: { name: "test", version: "test" } }).findings.map(({ code }) => code),
  );
}

describe("reviewCatalogue", () => {
  it.each(entries.flatMap(([code, { example }]) => (example ? [[code, example] as const] : [])))(
    "shows %s by an example, and how to do without it",
    (code, { bad, good }) => {
      expect(codesIn(bad)).toContain(code);
      expect(codesIn(good)).not.toContain(code);
    },
  );

  it("says everything in whole sentences under a title that is none", () => {
    for (const [code, { title, explanation }] of entries) {
      expect([code, title]).toEqual([code, expect.stringMatching(/^\S[^.]*$/)]);
      expect([code, explanation]).toEqual([code, expect.stringMatching(/^[A-Z].*\.$/)]);
    }
  });

  it("links each example to the playground", () => {
    const linked = [...findingsPage().matchAll(/\]\(\.\.\/playground\/index\.html(#[^)]*)\)/g)].map(([, fragment]) => readLink(fragment!));
    const examples = entries.flatMap(([, { example }]) => (example ? [example.bad] : []));
    expect(
      linked.map(({ view, texts }, index) => [view, examples[index]!.split("\n").filter((line) => !texts.rules.includes(line))]),
    ).toEqual(examples.map(() => ["review", []]));
  });

  it("is in docs/findings.md as it stands", () => {
    const file = fileURLToPath(new URL("../../docs/findings.md", import.meta.url));
    if (process.env["UPDATE_CORPUS"] && !process.env["CI"]) writeFileSync(file, findingsPage());
    expect(readFileSync(file, "utf8")).toBe(findingsPage());
  });
});
