/** `--origins` on the kernel: every script of the corpus loads with it, and the listing shows where rules come from. */

import { expect, it } from "vitest";

import { translate } from "../../src/index.js";
import { loadAllTwice } from "../../src/verify/load.js";
import { readCases } from "../corpus/cases.js";
import { describeOnKernel } from "./requirements.js";

describeOnKernel("--origins", () => {
  it("loads for the cases of the corpus, with a comment on every rule that comes of one", { timeout: 900_000 }, async () => {
    const whole = process.env["CORPUS_LOADS"] === "all";
    const chosen = readCases().filter((_, index) => whole || index % 3 === 1);
    const cases = chosen.flatMap(({ name, sources, options }) => {
      const plain = translate(sources, options);
      const told = translate(sources, { ...options, origins: true });
      return plain.script === undefined || told.script === undefined ? [] : [{ name, plain: plain.script, told: told.script }];
    });
    const comments = cases.map(({ told }) => told.match(/ comment "[^"]*"$/gm)?.length ?? 0);
    console.log(`${cases.length} scripts, ${comments.reduce((sum, count) => sum + count, 0)} comments`);
    const plain = await loadAllTwice(cases.map((one) => one.plain));
    const told = await loadAllTwice(cases.map((one) => one.told));
    told.forEach(({ loaded, messages, first, second }, index) => {
      const { name } = cases[index]!;
      // Some want what this kernel or nft lacks, with and without.
      expect([name, loaded, messages === ""]).toEqual([name, plain[index]!.loaded, plain[index]!.messages === ""]);
      expect([name, second]).toEqual([name, first]);
      if (loaded) expect([name, first.match(/ comment "[^"]*"$/gm)?.length ?? 0]).toEqual([name, comments[index]]);
    });
    expect(told.filter(({ loaded }) => loaded).length).toBeGreaterThan(whole ? 300 : 100);
  });
});
