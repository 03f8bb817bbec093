/** The search finds every wrong translation within its usual budget, and nothing in the right ones. */

import { describe, expect, test } from "vitest";

import { translate } from "../../src/index.js";
import { searchLists, type ListSearch } from "../../src/simulate/search.js";
import type { Translation } from "../../src/translate.js";
import { mutants, type Mutant } from "./mutants.js";
import { program } from "./programs.js";

/** Shapes of programs, and for each what no traffic tells from the right translation. */
const subjects: readonly {
  readonly shape: string;
  readonly seconds: number;
  readonly hits: number;
  readonly equivalent?: readonly string[];
}[] = [
  { shape: "set, update", seconds: 60, hits: 4 },
  { shape: "set, update", seconds: 1, hits: 10 },
  { shape: "set, update", seconds: 60, hits: 2 },
  { shape: "set, rcheck", seconds: 60, hits: 5 },
  { shape: "update, set", seconds: 60, hits: 4 },
  // A slot is written only when it has run out, and the two are the same.
  { shape: "rcheck, set", seconds: 30, hits: 8, equivalent: ["`add` instead of `update`"] },
  { shape: "set, update apart", seconds: 60, hits: 4 },
  { shape: "two windows", seconds: 60, hits: 3 },
  // Hosts that are on the list do not come to the rules that set it.
  { shape: "port-scan trap", seconds: 60, hits: 1, equivalent: ["`add` instead of `update`"] },
  { shape: "set, log update, drop update", seconds: 60, hits: 4 },
];

interface Case {
  readonly name: string;
  readonly translation: Translation;
  readonly mutant: Mutant;
}

function nameOf({ shape, seconds, hits }: (typeof subjects)[number]): string {
  return `${shape}, ${hits} in ${seconds} s`;
}

function translated({ shape, seconds, hits }: (typeof subjects)[number]): Translation {
  return translate(program(shape, seconds, hits).dump, { recent: "exact" });
}

/** The same translation with another table; `undefined` where the mutant changes nothing. */
function spoiled(translation: Translation, mutant: Mutant): Translation | undefined {
  const [table] = translation.nft!.tables;
  const wrong = mutant.apply(table!);
  return wrong && { ...translation, nft: { ...translation.nft!, tables: [wrong] } };
}

function cases(): Case[] {
  return subjects.flatMap((subject) => {
    const translation = translated(subject);
    return mutants
      .filter(({ name }) => !subject.equivalent?.includes(name))
      .flatMap((mutant) => {
        const wrong = spoiled(translation, mutant);
        return wrong ? [{ name: `${mutant.name}: ${nameOf(subject)}`, translation: wrong, mutant }] : [];
      });
  });
}

function found(searches: readonly ListSearch[]): boolean {
  return searches.some(({ counterexample }) => counterexample !== undefined);
}

test.each(subjects.map((subject) => [nameOf(subject), subject] as const))(
  "nothing is found in the right translation of %s",
  (_, subject) => {
    const searches = searchLists(translated(subject));
    expect(searches.map(({ result }) => result.kind)).toEqual(searches.map(() => "searched"));
    expect(found(searches)).toBe(false);
  },
);

describe("found", () => {
  test.each(cases().map((one) => [one.name, one] as const))("%s", (_, { translation }) => {
    expect(found(searchLists(translation))).toBe(true);
  });
});

test("every mutant spoils some program", () => {
  expect(mutants.filter((mutant) => !cases().some((one) => one.mutant === mutant)).map(({ name }) => name)).toEqual([]);
});
