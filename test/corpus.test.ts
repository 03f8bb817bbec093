/** Our own corpus; `npm run -s corpus` shows the same, and `npm run -s corpus -- --update` rewrites what is expected. */

import { describe, expect, it } from "vitest";

import { runCase } from "../src/corpus/run-case.js";
import { effectOf } from "../src/diagnostic.js";
import { translate } from "../src/translate.js";
import { corpusDirectory, readCases, run } from "./corpus/cases.js";

const cases = readCases();

describe("corpus", () => {
  it(`has its cases in ${corpusDirectory}`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(40);
  });

  it.each(cases.map((one) => [one.name, one] as const))("%s", (_, { files, texts }) => {
    const { problems } = runCase(files, texts, translate);
    expect(problems.map(({ message, detail }) => `${message}\n${detail}`).join("\n")).toBe("");
  });

  it("refuses what stands in invalid/ and translates everything else, but for scripts of which a shell has to say what they do", () => {
    for (const one of cases) {
      if (one.group === "script" && one.texts.script === undefined) continue;
      const { translation } = run(one);
      expect([one.name, translation.outcome === "invalid"]).toEqual([one.name, one.group === "invalid"]);
    }
  });

  it("says something about every rule that is not in the script", () => {
    for (const one of cases) {
      const { translation, script } = run(one);
      // A rule that asks a set in no file is written all the same, and a comment is with the set.
      const refused = translation.diagnostics.filter(({ code }) => effectOf(code) === "refused" && code !== "ipset-missing");
      const rules = translation.iptables.flatMap(({ tables }) => tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules)));
      for (const { span, code } of refused) {
        const rule = rules.find((other) => other.span.file === span.file && other.span.line === span.line);
        expect([one.name, script]).toEqual([one.name, expect.stringContaining(`# not translated [${code}]: `)]);
        // The place of a command that goes over several lines is not where its rule begins.
        if (rule && !span.file.endsWith(".sh"))
          expect([one.name, script]).toEqual([one.name, expect.stringContaining(`#     ${rule.text}\n`)]);
      }
    }
  });
});
