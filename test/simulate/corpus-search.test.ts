/** The lists of the whole corpus, searched with a small budget: what is found has been announced by the translator. */

import { afterAll, expect, test } from "vitest";

import { searchLists } from "../../src/simulate/search.js";
import { readCases, run } from "../corpus/cases.js";

const figures = {
  lists: 0,
  searched: 0,
  "of which nothing is translated": 0,
  "not searched": 0,
  "announced differences": 0,
  schedules: 0,
  packets: 0,
};
afterAll(() =>
  console.log(
    Object.entries(figures)
      .map(([name, value]) => `${value} ${name}`)
      .join(", "),
  ),
);

const cases = readCases().filter(({ group }) => ["machine", "idiom", "recent", "syntax", "script", "ipset", "match"].includes(group));

/** Tells of differences that nobody announced, and of lists that should have been searched. */
function surprisesOf(one: (typeof cases)[number]): string[] {
  return searchLists(run(one).translation, {
    schedules: 400,
    milliseconds: 5000,
    now: () => performance.now(),
    translated: one.options,
  }).flatMap(({ list, family, result, counterexample, announced }) => {
    figures.lists += 1;
    if (result.kind === "not-searched") {
      if (result.reason === "none of its rules is translated") {
        figures["of which nothing is translated"] += 1;
        return [];
      }
      figures["not searched"] += 1;
      return [`${one.name} ${family} ${list}: ${result.reason}`];
    }
    figures.searched += 1;
    figures.schedules += result.effort.schedules;
    figures.packets += result.effort.packets;
    if (!counterexample) return [];
    if (announced.length === 0) return [`${one.name} ${family} ${list}: ${JSON.stringify(counterexample.events)}`];
    figures["announced differences"] += 1;
    return [];
  });
}

test.each(cases.map((one) => [one.name, one] as const))("%s", (_, one) => {
  expect(surprisesOf(one)).toEqual([]);
});
