import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

import { matches, targets } from "../src/extensions/registry.js";
import { isOlder, oldestNft } from "../src/nft/versions.js";
import { requirements } from "../src/nft/requirements.js";
import { matchSamples, targetSamples } from "./coverage/samples.js";
import { renderCoverage } from "./coverage/table.js";
import { allTrials, judge, translateTrial } from "./coverage/verdicts.js";

it.each([["match", matches, matchSamples], ["target", targets, targetSamples]] as const)("has a sample for every option of every %s", (_, extensions, samples) => {
  const available = extensions.filter(({ unavailable }) => !unavailable);
  for (const { name, options } of available) {
    const options_ = Object.keys(options);
    const sampled = Object.keys(samples[name] ?? {});
    expect([name, sampled.filter((option) => option !== "").sort()]).toEqual([name, options_.sort()]);
    // What needs no option is tried without.
    if (options_.length === 0) expect(sampled).toEqual([""]);
  }
  expect(Object.keys(samples).sort()).toEqual(available.map(({ name }) => name).sort());
});

it("has samples that iptables would load, each with the option it stands for", () => {
  for (const trial of allTrials()) {
    const { outcome, reasons } = judge(trial);
    expect([trial.text, trial.family, reasons, outcome]).not.toEqual([trial.text, trial.family, reasons, "invalid"]);
    if (trial.kind === "rule" || trial.option === "") continue;
    const rule = translateTrial(trial).iptables[0]!.tables[0]!.chains[0]!.rules[0]!;
    const uses = trial.kind === "match" ? rule.matches : rule.target?.kind === "extension" ? [rule.target] : [];
    const option = uses.find(({ extension }) => extension === trial.extension)?.options[trial.option];
    expect([trial.text, trial.option, option?.inverted]).toEqual([trial.text, trial.option, trial.inverted]);
  }
});

it("makes scripts for an older nft that hold nothing it cannot load", () => {
  for (const targetNft of [oldestNft, "0.9.3", "0.9.8", "1.0.0", "1.0.2"]) {
    for (const trial of allTrials()) {
      const { nft } = translateTrial(trial, { targetNft });
      const needed = requirements(nft!).nft;
      expect([trial.text, targetNft, needed, isOlder(targetNft, needed)]).toEqual([trial.text, targetNft, needed, false]);
    }
  }
});

it("is current in docs/coverage.md (`npm run coverage` writes it anew)", () => {
  expect(readFileSync(new URL("../docs/coverage.md", import.meta.url), "utf8")).toBe(renderCoverage());
});
