import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { effectOf } from "../src/diagnostic.js";
import { corpusDirectory, readCases, readExpected, run, type Case } from "./corpus/cases.js";

/** `UPDATE_CORPUS=1 npm test` writes what is instead of comparing with what should be. */
const update = (process.env["UPDATE_CORPUS"] ?? "") !== "";
if (update && (process.env["CI"] ?? "") !== "") throw new Error("the expected files are not rewritten where CI is set");

const cases = readCases();

function writeExpected(one: Case): void {
  const { script, diagnostics } = run(one);
  writeFileSync(join(one.directory, "expected.diagnostics"), diagnostics);
  if (script === undefined) rmSync(join(one.directory, "expected.nft"), { force: true });
  else writeFileSync(join(one.directory, "expected.nft"), script);
}

describe("corpus", () => {
  it(`has its cases in ${corpusDirectory}`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(40);
  });

  it.each(cases.map((one) => [one.name, one] as const))("%s", (_, one) => {
    if (update) writeExpected(one);
    const expected = readExpected(one);
    const actual = run(one);
    expect(actual.diagnostics).toBe(expected.diagnostics);
    expect(actual.script).toBe(expected.script);
  });

  it("refuses what stands in invalid/ and translates everything else", () => {
    for (const one of cases) {
      const { translation } = run(one);
      expect([one.name, translation.outcome === "invalid"]).toEqual([one.name, one.group === "invalid"]);
    }
  });

  it("says something about every rule that is not in the script", () => {
    for (const one of cases) {
      const { translation, script } = run(one);
      // A rule that asks a set in no file is written all the same, and a comment is with the set.
      const refused = translation.diagnostics.filter(({ code }) => effectOf(code) === "refused" && code !== "ipset-missing");
      for (const { span } of refused) expect([one.name, script]).toEqual([one.name, expect.stringContaining(`line ${span.line} is not translated`)]);
    }
  });
});
