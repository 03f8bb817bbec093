/** Set files and scripts of any content: either errors and no script, or a script that keeps its promises. */

import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { effectOf } from "../../src/diagnostic.js";
import { readCases } from "../corpus/cases.js";
import { translate, type Source, type TranslateOptions } from "../../src/translate.js";

const cases = readCases().filter(
  ({ group, name }) => group === "ipset" || group === "script" || name.startsWith("invalid/script") || name.startsWith("invalid/ipset"),
);
const setFiles = cases.flatMap(({ options }) => options.ipsets?.map(({ text }) => text) ?? []);
const scripts = cases
  .filter(({ sources }) => sources[0]?.file === "rules.sh")
  .map(({ directory }) => readFileSync(join(directory, "rules.sh"), "utf8"));
const dumps = cases.filter(({ sources }) => sources[0]?.file === "rules.v4").map(({ sources }) => sources[0]!.text);

const pieces = [
  "'",
  '"',
  "\\",
  "\n",
  " ",
  "$",
  "`",
  ",",
  "-",
  "/",
  ":",
  "#",
  ";",
  "&&",
  "||",
  "(",
  "{",
  "0",
  "4294967296",
  "nomatch",
  "timeout 0",
  "wildcard",
  "\u0000",
  "\u2028",
  "é",
  "2001:db8::1",
  "192.0.2.0/24",
  "src,dst",
  "!",
  "-m set --match-set office src",
  "add office 0.0.0.0/0",
  "create office hash:ip,port",
  "tcp:",
  "icmp:3/1",
  "\t",
  "-t nat",
];

/** A text with pieces put in, taken out and exchanged. */
const mutated = (texts: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom(...texts), fc.array(fc.tuple(fc.nat(), fc.nat(12), fc.constantFrom("", ...pieces)), { maxLength: 6 }))
    .map(([text, changes]) =>
      changes.reduce((now, [at, length, piece]) => {
        const start = at % (now.length + 1);
        return now.slice(0, start) + piece + now.slice(start + length);
      }, text),
    );

function check(sources: readonly Source[], options: TranslateOptions): void {
  const { script, diagnostics } = translate(sources, options);
  const invalid = diagnostics.some(({ code }) => effectOf(code) === "invalid");
  expect(script === undefined).toBe(invalid);
  const texts = new Map([...sources, ...(options.ipsets ?? [])].map(({ file, text }) => [file, text.split("\n")]));
  for (const { span } of diagnostics) {
    const lines = texts.get(span.file)!;
    expect(span.line >= 1 && span.line <= lines.length && span.column >= 1 && span.column <= lines[span.line - 1]!.length + 1).toBe(true);
  }
  // What a string or comment could not hold would end it, and the rest would be nft.
  for (const line of script?.split("\n") ?? []) expect(line).not.toMatch(/[\0-\x08\x0b-\x1f\x7f\u0085\u2028\u2029]/);
}

describe("sets and scripts of any content", () => {
  it("mutated set files", () => {
    fc.assert(
      fc.property(fc.constantFrom(...dumps), mutated(setFiles), (text, sets) => {
        check([{ file: "rules.v4", text }], { ipsets: [{ file: "sets.ipset", text: sets }] });
      }),
      { numRuns: 1_000 },
    );
  });

  it("mutated scripts", () => {
    fc.assert(
      fc.property(mutated(scripts), (text) => check([{ file: "rules.sh", text: `iptables -F\n${text}` }], {})),
      { numRuns: 1_000 },
    );
  });
});
