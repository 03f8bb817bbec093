/** A table and what the optimiser makes of it, side by side as models. */

import type { Family } from "../../src/iptables/ast.js";
import type { NftScript, NftTable } from "../../src/nft/ast.js";
import { emit } from "../../src/nft/emit.js";
import { optimise, type OptimiseOptions } from "../../src/optimise/optimise.js";
import { NftMachine } from "../../src/simulate/nft-machine.js";
import type { Packet } from "../../src/simulate/packet.js";
import { translate } from "../../src/translate.js";
import { numberCounters } from "../../src/verify/counters.js";

/** Everything that may be merged is. */
export const always: OptimiseOptions = { keepSets: false, pays: () => true, sharingPays: () => true, fewest: 2 };

/** @param dumps of IPv4, or of both families in one table */
export function tables(
  dumps: readonly string[],
  families: readonly Family[] = ["ipv4"],
): { readonly plain: NftTable; readonly optimised: NftTable; readonly merges: number; readonly inBoxes: number; readonly shared: number } {
  const sources = dumps.map((text, index) => ({ file: `rules ${index}`, text, family: families[index]! }));
  const { nft } = translate(sources, { inet: dumps.length > 1 });
  const numbered = numberCounters(nft!);
  const { table, merges } = optimise(numbered.tables[0]!, always);
  return {
    plain: numbered.tables[0]!,
    optimised: numberCounters({ ...numbered, tables: [table] }).tables[0]!,
    merges: merges.length,
    shared: merges.filter(({ form }) => form === "shared tests").length,
    inBoxes: table.sets.filter(({ ofRules, type = [], flags }) => ofRules && type.length > 1 && flags.includes("interval")).length,
  };
}

/** Fails where they differ, with the optimised script; it is written only then, which takes as long as all the rest. */
export function expectAgreement(plain: NftTable, optimised: NftTable, schedule: readonly Packet[], family: Family = "ipv4"): void {
  const found = disagreement(plain, optimised, schedule, family);
  if (found !== "") throw new Error(`${found}\n${scriptOf(optimised)}`);
}

export function scriptOf(table: NftTable): string {
  const script: NftScript = { header: [], tables: [table], keepSets: false };
  return emit(script);
}

/** The first thing in which they differ; empty where they agree. */
export function disagreement(plain: NftTable, optimised: NftTable, schedule: readonly Packet[], family: Family = "ipv4"): string {
  const [expected, found] = [new NftMachine(plain, { family }), new NftMachine(optimised, { family })];
  for (const packet of schedule) {
    const [one, other] = [expected.send(packet), found.send(packet)].map((outcome) =>
      JSON.stringify(outcome, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value)),
    );
    if (one !== other) return `${one} but ${other}`;
  }
  const counts = (machine: NftMachine): string =>
    JSON.stringify(
      [...machine.counts]
        .filter(([number]) => number > 0n)
        .map(([number, count]) => `${number}: ${count}`)
        .sort(),
    );
  return counts(expected) === counts(found) ? "" : `${counts(expected)} but ${counts(found)}`;
}
