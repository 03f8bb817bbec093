import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { translate } from "../../src/translate.js";
import { anyDump, builtIn, deepJumps, mutatedDump, pieces, places, recentEverywhere, thrownTogether, type Dump } from "./hostile-dumps.js";
import { brokenPromises, tagged } from "./promises.js";

/** `FUZZ_RUNS=20000 FUZZ_SEED=7 npx vitest run test/fuzz` looks longer, elsewhere. */
const runs = Number(process.env["FUZZ_RUNS"] ?? 30);
const seed = Number(process.env["FUZZ_SEED"] ?? 20240229);

function holds(dump: Dump): void {
  expect(brokenPromises(dump).broken).toEqual([]);
}

describe("whatever comes in", () => {
  it.each([
    ["mutated dumps of the corpus", mutatedDump],
    ["matches and targets thrown together", thrownTogether],
    ["lists of recent used in every way", recentEverywhere],
    ["deep jumps", deepJumps],
  ])("%s: an error, or a script that holds nothing but what we mean", { timeout: 600_000 }, (_, dumps) => {
    fc.assert(fc.property(dumps, holds), { seed, numRuns: runs });
  });

  it("loses no rule in silence", { timeout: 600_000 }, () => {
    fc.assert(fc.property(fc.oneof(thrownTogether, recentEverywhere, deepJumps).map(tagged), holds), { seed, numRuns: runs });
  });

  it("gives the same bytes for the same input", () => {
    fc.assert(
      fc.property(anyDump, (dump) => {
        expect(brokenPromises(dump).translation?.script).toBe(brokenPromises(dump).translation?.script);
      }),
      { seed, numRuns: Math.ceil(runs / 4) },
    );
  });

  it("does not throw on text that is no dump at all", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.uint8Array({ maxLength: 300 }).map((bytes) => new TextDecoder("utf-8").decode(bytes)),
        ),
        (text) => {
          holds({ sources: [{ file: "rules.v4", text }], options: {} });
          holds({ sources: [{ file: "rules.v4", text: `*filter\n${text}\nCOMMIT\n` }], options: {} });
        },
      ),
      { seed, numRuns: runs },
    );
  });
});

describe("every match and every target of the corpus in every chain of every table", () => {
  const protocols = ["", "-p tcp", "-p udp", "-p icmp"];
  // A fifth of them in each chain unless more runs are asked for; the kernel gets all of them (test/kernel/fuzz.test.ts).
  const parts = process.env["FUZZ_RUNS"] === undefined ? 5 : 1;
  it.each(places.map((place, index) => ({ ...place, part: index % parts })))("$table $chain", ({ table, chain, part }) => {
    for (const family of ["v4", "v6"] as const) {
      const bodies = [
        ...pieces[family].matches.map((match) => `${match} -j ACCEPT`),
        ...pieces[family].targets.flatMap((target) => protocols.map((protocol) => `${protocol} ${target}`)),
      ];
      for (const body of bodies.filter((_, index) => index % parts === part)) {
        const text = `*${table}\n${builtIn[table]!.map((name) => `:${name} ACCEPT\n`).join("")}-A ${chain} -m comment --comment "tag 1" ${body}\nCOMMIT\n`;
        const { broken } = brokenPromises({
          sources: [{ file: `rules.${family}`, text, family: family === "v4" ? "ipv4" : "ipv6" }],
          options: {},
        });
        expect([body, broken]).toEqual([body, []]);
      }
    }
  });
});

describe("time grows with the input and not faster", () => {
  const text = (lines: readonly string[]): string => ["*filter", ":INPUT ACCEPT [0:0]", ...lines, "COMMIT", ""].join("\n");
  const many = (count: number, line: (index: number) => string): string[] => Array.from({ length: count }, (_, index) => line(index));
  const odd = (index: number): string => String.fromCodePoint(0x4e00 + (index % 5000), 0x4e00 + Math.floor(index / 5000));
  const inputs: readonly (readonly [string, (size: number) => string])[] = [
    ["chains whose names look alike in nft", (size) => text(many(size, (index) => `:${odd(index)} - [0:0]`))],
    ["lists whose names look alike in nft", (size) => text(many(size / 4, (index) => `-A INPUT -m recent --set --name ${odd(index)}`))],
    [
      "a chain of jumps that nothing reaches",
      (size) => text([...many(size, (index) => `:c${index} - [0:0]`), ...many(size - 1, (index) => `-A c${index} -j c${index + 1}`)]),
    ],
    [
      "rules of one list",
      (size) => text(many(size / 4, (index) => `-A INPUT -p tcp --dport ${index} -m recent --update --seconds 60 --name a -j DROP`)),
    ],
    [
      "rules that return behind a list",
      (size) => text(many(size / 16, (index) => `-A INPUT -m recent ! --update --seconds 60 --name n${index} -j RETURN`)),
    ],
    ["errors in every line", (size) => text(many(size, (index) => `-A INPUT --no-such-option ${index}`))],
    ["backslashes and quotes", (size) => text(many(size / 20, () => `-A INPUT -m comment --comment "${'\\\\\\"'.repeat(80)}"`))],
  ];
  it.each(inputs)("%s", { timeout: 120_000 }, (_, input) => {
    const time = (size: number): number => {
      const sources = [{ file: "rules.v4", text: input(size), family: "ipv4" as const }];
      const begin = process.cpuUsage();
      translate(sources);
      const { user, system } = process.cpuUsage(begin);
      return (user + system) / 1000;
    };
    time(400);
    // Eight times as much in at most 24 times the time, counted in processor time: square would be 64.
    expect(time(16_000)).toBeLessThan(24 * Math.max(time(2_000), 40));
  });
});
