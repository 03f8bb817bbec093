import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseByGrammar } from "../../grammar/line-grammar.js";
import { parsePlainLine } from "../../grammar/plain-lines.js";

/** Whether the line is a plain one, and then read as by the grammar. */
function isPlain(line: string): boolean {
  const plain = parsePlainLine(line, 7);
  if (plain) expect(plain, line).toEqual(parseByGrammar(line, 7));
  return plain !== undefined;
}

it("reads the lines of all dumps of the corpus as the grammar, and nearly all of them", () => {
  const dumps = readdirSync("corpus", { recursive: true, encoding: "utf8" }).filter((name) => /\.v[46]$/.test(name));
  const lines = new Set(dumps.flatMap((name) => readFileSync(join("corpus", name), "utf8").split(/\r?\n/)));
  lines.delete("");
  let plain = 0;
  for (const line of [...lines].filter((_, index) => index % 7 === 0)) plain += isPlain(line) ? 1 : 0;
  expect(plain).toBeGreaterThan((lines.size / 7) * 0.9);
});

it("reads any line as the grammar", () => {
  const first = fc.constantFrom("-A", "-", "[1:2] -A", "[0:0] -A", "[01:0] -A", "[1:2]-A", "[1:] -A", ":", "*", "#", "COMMIT", "x", '"');
  const piece = fc.constantFrom(
    ...[" ", " ", " ", "  ", "\t", "INPUT", "ACCEPT", "-", "-j", '"', '"a b"', '""', "\\", "[1:2]", "[a:b]", "[", "]", "'", "#", "*", ":"],
    ...["ä", "\ud800", "\0", "\x7f", "~", "!", "99999999999999999999", "[9999999999999999999:1]"],
  );
  const line = fc.tuple(first, fc.array(piece, { maxLength: 12 })).map(([start, pieces]) => start + pieces.join(""));
  let plain = 0;
  fc.assert(
    fc.property(line, (text) => {
      plain += isPlain(text) ? 1 : 0;
    }),
    { numRuns: 5_000 },
  );
  expect(plain).toBeGreaterThan(500);
});

it.each([
  ["-A INPUT", true],
  ['[3:4] -A INPUT -m comment --comment "a b" -j ACCEPT', true],
  ['-A INPUT -m comment --comment "a \\" b"', false],
  ['-A INPUT -m comment --comment a"b"', false],
  ['-A INPUT -m comment --comment "a"b', false],
  ["-A INPUT ", false],
  [":INPUT ACCEPT [1:2]", true],
  [":[1:2] ACCEPT", false],
  ["*filter", true],
  ["*filter x", false],
  ["COMMIT", true],
  ["COMMIT ", false],
  [`-A ${"x".repeat(1_021)}`, false],
  [`-A${" x".repeat(251)}`, false],
])("%s", (line, expected) => {
  expect(isPlain(line)).toBe(expected);
});
