import fc from "fast-check";
import { expect, it } from "vitest";
import { parseTranslateWords } from "../../../../src/cli/commands/translate/options.js";
import { parsePlainWords } from "../../../../src/cli/commands/translate/plain-words.js";

it("means what commander says, whatever the words are", () => {
  const word = fc.constantFrom("a", "b.v4", "c d", "", "-", "--", "-o", "-ofile", "--output", "--verbose", "--json", "/x/y", "review");
  let plain = 0;
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (words) => {
      const parsed = parsePlainWords(words);
      if (parsed === undefined) return;
      plain++;
      expect(parsed).toEqual(parseTranslateWords(words));
    }),
    { numRuns: 1_000 },
  );
  expect(plain).toBeGreaterThan(100);
});

it.each([
  [[], true],
  [["rules.v4", "rules.v6"], true],
  [["rules.v4", "-o", "rules.nft"], true],
  [["-o", "rules.nft", "rules.v4"], true],
  [["-o", "a", "-o", "b"], false],
  [["-o"], false],
  [["-"], false],
  [["rules.v4", "rules.v4"], false],
  [["--verbose"], false],
])("%j", (words, expected) => {
  expect(parsePlainWords(words) !== undefined).toBe(expected);
});
