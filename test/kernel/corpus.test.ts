import { expect, it } from "vitest";

import type { KernelPartName } from "../../src/nft/kernel-parts.js";
import { kernelPartsOf } from "../../src/nft/requirements.js";
import { translate } from "../../src/translate.js";
import { lackingParts } from "../../src/verify/kernel-parts.js";
import { readCases, readExpected, type Case } from "../corpus/cases.js";
import { loadAllTwice } from "../../src/verify/load.js";
import { describeOnKernel } from "./requirements.js";

const cases = readCases().filter((one) => readExpected(one).script !== undefined);

/** The script that is expected, or one without what this kernel lacks. */
function scriptFor(one: Case, lacking: ReadonlySet<KernelPartName>): string {
  const needed = translate(one.sources, one.options).nft!.tables.flatMap(kernelPartsOf);
  return needed.some((part) => lacking.has(part))
    ? translate(one.sources, { ...one.options, without: [...lacking] }).script!
    : readExpected(one).script!;
}

describeOnKernel("the kernel and the corpus", () => {
  it(`loads each of ${cases.length} expected scripts twice, and the second time changes nothing`, async () => {
    const lacking = await lackingParts();
    const scripts = cases.map((one) => ({ name: one.name, script: scriptFor(one, lacking) }));
    const results = await loadAllTwice(scripts.map(({ script }) => script));
    results.forEach(({ loaded, messages, first, second }, index) => {
      const { name } = scripts[index]!;
      expect([name, messages, loaded]).toEqual([name, "", true]);
      expect([name, second]).toEqual([name, first]);
    });
  });
});
