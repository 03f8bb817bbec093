import { expect, it } from "vitest";

import { readCases, readExpected } from "../corpus/cases.js";
import { loadAllTwice } from "../../src/verify/load.js";
import { describeOnKernel } from "./requirements.js";

const scripts = readCases().flatMap((one) => {
  const { script } = readExpected(one);
  return script === undefined ? [] : [{ name: one.name, script }];
});

describeOnKernel("the kernel and the corpus", () => {
  it(`loads each of ${scripts.length} expected scripts twice, and the second time changes nothing`, async () => {
    const results = await loadAllTwice(scripts.map(({ script }) => script));
    results.forEach(({ loaded, messages, first, second }, index) => {
      const { name } = scripts[index]!;
      expect([name, messages, loaded]).toEqual([name, "", true]);
      expect([name, second]).toEqual([name, first]);
    });
  });
});
