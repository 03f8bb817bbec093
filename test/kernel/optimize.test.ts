/**
 * Optimised scripts on the kernel, beside iptables: verdict by verdict, and the counters of every line, which are sums over elements.
 * Here everything is merged that may be, whatever it is worth: small rulesets show the same faults as large ones.
 *
 * `OPTIMISE_SEED=7 OPTIMISE_KERNEL=50 npx vitest run --project kernel test/kernel/optimize` for other rulesets, and more.
 */

import fc from "fast-check";
import { expect, it } from "vitest";

import type { Family } from "../../src/iptables/ast.js";
import type { NftScript } from "../../src/nft/ast.js";
import { emit } from "../../src/nft/emit.js";
import { optimise } from "../../src/optimise/optimise.js";
import { translate } from "../../src/translate.js";
import { numberCounters } from "../../src/verify/counters.js";
import { renderText } from "../../src/verify/report/text.js";
import { verify, type VerifyInput } from "../../src/verify/verify.js";
import { readCases } from "../corpus/cases.js";
import { always } from "../optimise/equality.js";
import { temptingDump, temptingRules, temptingSources, temptingTranslations, translationDump } from "../optimise/tempting.js";
import { notUnpacked, otherVersions, refusedBy, type Tried } from "./other-nft.js";
import { describeOnKernel } from "./requirements.js";

const seed = Number(process.env["OPTIMISE_SEED"] ?? 1);
const count = Number(process.env["OPTIMISE_KERNEL"] ?? 2);

let merged = 0;

function mergedScript(script: NftScript): NftScript {
  const tables = script.tables.map((table) => {
    const optimised = optimise(table, always);
    merged += optimised.merges.length;
    return optimised.table;
  });
  return numberCounters({ ...script, tables });
}

async function differencesOf(subjects: readonly (VerifyInput & { readonly name: string })[]): Promise<string[]> {
  const found: string[] = [];
  const waiting = [...subjects];
  const work = async (): Promise<void> => {
    for (let subject = waiting.shift(); subject !== undefined; subject = waiting.shift()) {
      const report = await verify({ ...subject, spoil: mergedScript, leaveOut: "approximated", packets: 500, budget: 1, seed });
      if (!report.equal) found.push(`${subject.name}: ${renderText(report)}\n${report.loaded.script}`);
    }
  };
  // One ruleset's packets are found while the other's are played.
  await Promise.all([work(), work()]);
  return found;
}

/** Every third is of IPv6. */
function temptingDumps(numRuns: number): { readonly text: string; readonly family: Family }[] {
  const familyOf = (index: number): Family => (index % 3 === 1 ? "ipv6" : "ipv4");
  const half = { seed, numRuns: Math.ceil(numRuns / 2) };
  const translations = [
    ...fc.sample(temptingTranslations, half).map((rules) => ({ rules, chain: "PREROUTING" as const })),
    ...fc.sample(temptingSources, half).map((rules) => ({ rules, chain: "POSTROUTING" as const })),
  ];
  return [
    ...fc.sample(temptingRules, { seed, numRuns }).map((rules, index) => ({
      text: temptingDump(rules, familyOf(index)),
      family: familyOf(index),
    })),
    ...translations.map(({ rules, chain }, index) => ({
      text: translationDump(rules, chain, familyOf(index)),
      family: familyOf(index),
    })),
  ];
}

/** Scripts of tempting rulesets for a version of nft, with counters and without, and with sets that stay. */
function scriptsFor(targetNft: string | undefined): Tried[] {
  return temptingDumps(4).flatMap(({ text, family }, index) =>
    [
      { counters: true, keepSets: false },
      { counters: false, keepSets: false },
      { counters: index % 2 === 0, keepSets: true },
    ].map(({ counters, keepSets }): Tried => {
      const options = { family, counters, keepSets, ...(targetNft !== undefined && { targetNft }) };
      const { nft } = translate(text, options);
      const tables = nft!.tables.map((table) => optimise(table, { ...always, keepSets, targetNft }).table);
      return { name: `tempting ${index} ${JSON.stringify(options)}`, script: emit({ ...nft!, tables }) };
    }),
  );
}

describeOnKernel("optimised scripts", () => {
  it("load twice", { timeout: 300_000 }, async () => {
    expect(await refusedBy(undefined, scriptsFor(undefined))).toEqual([]);
  });

  it.skipIf(otherVersions.length === 0).each([...otherVersions])(
    `load twice in nft %s${otherVersions.length === 0 ? ` (${notUnpacked})` : ""}`,
    { timeout: 300_000 },
    async (version) => {
      expect(await refusedBy(version, scriptsFor(version))).toEqual([]);
    },
  );

  it("decide and count as the rules of the corpus", { timeout: 600_000 }, async () => {
    const machines = readCases().filter(({ group, sources }) => group === "machine" && sources.every(({ file }) => file !== "rules.sh"));
    const chosen = machines.filter((_, index) => count > 10 || index % 38 === (seed + 7) % 38);
    const maps = readCases().filter(({ name }) => ["optimize/marks", "optimize/redirected-ports", "optimize/shared-tests"].includes(name));
    expect(maps).toHaveLength(3);
    expect(await differencesOf([...chosen, ...maps])).toEqual([]);
  });

  it("decide and count as rulesets that tempt to wrong merges", { timeout: 3_600_000 }, async () => {
    const subjects = temptingDumps(count).map((source, index) => ({
      name: `tempting ${index}`,
      sources: [{ file: "rules", ...source }],
    }));
    merged = 0;
    expect(await differencesOf(subjects)).toEqual([]);
    expect(merged).toBeGreaterThan(0);
  });
});
