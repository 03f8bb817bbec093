import { expect, it } from "vitest";

import { allTrials, judge, type Trial } from "../coverage/verdicts.js";
import { loadAllTwice } from "./load.js";
import { describeOnKernel } from "./requirements.js";

/** Samples in one file, each in a table of its own: loading takes as long as the kernel's commits. */
const samplesPerFile = 20;

const trials = new Map<string, Trial>();
for (const trial of allTrials()) {
  const { script } = judge(trial);
  // Most refused rules leave the same script but for the comment.
  if (script !== undefined) trials.set(script.replace(/^\t*#.*$/gm, ""), trial);
}

const files: { readonly names: string[]; script: string }[] = [];
[...trials.values()].forEach((trial, index) => {
  if (index % samplesPerFile === 0) files.push({ names: [], script: "" });
  const file = files.at(-1)!;
  file.names.push(`${trial.family} ${trial.text}`);
  file.script += judge(trial, { table: `sample_${index}` }).script;
});

/** The elements of an ipset grow older between the two loads. */
const withoutClock = (listing: string): string => listing.replace(/ expires \w+/g, "");

describeOnKernel("the kernel and the samples of the coverage table", () => {
  it(`loads the scripts of ${trials.size} samples twice, and the second time changes nothing`, async () => {
    const results = await loadAllTwice(files.map(({ script }) => script));
    files.forEach(({ names }, index) => {
      const { loaded, messages, first, second } = results[index]!;
      expect([names, messages, loaded]).toEqual([names, "", true]);
      expect([names, withoutClock(second)]).toEqual([names, withoutClock(first)]);
    });
  });
});
