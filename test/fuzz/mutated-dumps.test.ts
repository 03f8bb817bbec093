import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { anyDump, builtIn, deepJumps, mutatedDump, pieces, places, recentEverywhere, thrownTogether, type Dump } from "./hostile-dumps.js";
import { brokenPromises, tagged } from "./promises.js";

/** `FUZZ_RUNS=20000 FUZZ_SEED=7 npx vitest run test/fuzz` looks longer, elsewhere. */
const runs = Number(process.env["FUZZ_RUNS"] ?? 400);
const seed = Number(process.env["FUZZ_SEED"] ?? 20240229);

function holds(dump: Dump): void {
  expect(brokenPromises(dump).broken).toEqual([]);
}

describe("whatever comes in", () => {
  it.each([
    ["mutated dumps of the corpus", mutatedDump], ["matches and targets thrown together", thrownTogether],
    ["lists of recent used in every way", recentEverywhere], ["deep jumps", deepJumps],
  ])("%s: an error, or a script that holds nothing but what we mean", { timeout: 600_000 }, (_, dumps) => {
    fc.assert(fc.property(dumps, holds), { seed, numRuns: runs });
  });

  it("loses no rule in silence", { timeout: 600_000 }, () => {
    fc.assert(fc.property(fc.oneof(thrownTogether, recentEverywhere, deepJumps).map(tagged), holds), { seed, numRuns: runs });
  });

  it("gives the same bytes for the same input", () => {
    fc.assert(fc.property(anyDump, (dump) => {
      expect(brokenPromises(dump).translation?.script).toBe(brokenPromises(dump).translation?.script);
    }), { seed, numRuns: runs / 4 });
  });

  it("does not throw on text that is no dump at all", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 300 }).map((bytes) => new TextDecoder("utf-8").decode(bytes))), (text) => {
      holds({ sources: [{ file: "rules.v4", text }], options: {} });
      holds({ sources: [{ file: "rules.v4", text: `*filter\n${text}\nCOMMIT\n` }], options: {} });
    }), { seed, numRuns: runs });
  });
});

describe("every match and every target of the corpus in every chain of every table", () => {
  const protocols = ["", "-p tcp", "-p udp", "-p icmp"];
  it.each(places)("$table $chain", ({ table, chain }) => {
    for (const family of ["v4", "v6"] as const) {
      const bodies = [
        ...pieces[family].matches.map((match) => `${match} -j ACCEPT`),
        ...pieces[family].targets.flatMap((target) => protocols.map((protocol) => `${protocol} ${target}`)),
      ];
      for (const body of bodies) {
        const text = `*${table}\n${builtIn[table]!.map((name) => `:${name} ACCEPT\n`).join("")}-A ${chain} -m comment --comment "tag 1" ${body}\nCOMMIT\n`;
        const { broken } = brokenPromises({ sources: [{ file: `rules.${family}`, text, family: family === "v4" ? "ipv4" : "ipv6" }], options: {} });
        expect([body, broken]).toEqual([body, []]);
      }
    }
  });
});
