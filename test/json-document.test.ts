import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonFault, readJson } from "../src/json-document.js";

function faultOf(text: string): JsonFault | undefined {
  try {
    readJson(text);
    return undefined;
  } catch (error) {
    if (error instanceof JsonFault) return error;
    throw error;
  }
}

describe("readJson", () => {
  it("knows where members, elements and values stand", () => {
    const { place, members } = readJson('\n{ "a": 1,\r\n  "b": [\n    true,\n    { "c": null }] }');
    expect(place).toEqual({ line: 2, column: 1 });
    expect(members!.map((member) => [member.name, member.place, member.content.place])).toEqual([
      ["a", { line: 2, column: 3 }, { line: 2, column: 8 }],
      ["b", { line: 3, column: 3 }, { line: 3, column: 8 }],
    ]);
    const elements = members![1]!.content.elements!;
    expect(elements.map((element) => [element.value, element.place])).toEqual([
      [true, { line: 4, column: 5 }],
      [{ c: null }, { line: 5, column: 5 }],
    ]);
    expect(elements[0]).toMatchObject({ members: undefined, elements: undefined });
  });

  it("keeps a name that is written twice", () => {
    expect(readJson('{"a": 1, "a": 2}').members!.map(({ content }) => content.value)).toEqual([1, 2]);
  });

  it("reads past a byte order mark", () => {
    expect(readJson("\ufeff[1]")).toMatchObject({ value: [1], place: { line: 1, column: 2 } });
  });

  it.each([
    ["[1,\n]", 2, 1, "a value is expected here, not ]"],
    ['{"a": 1', 1, 8, '"}" is expected here, not the end of the file'],
    ["[1 2]", 1, 4, '"," or the closing bracket is expected here, not 2'],
    ["[\n1", 2, 2, '"]" is expected here, not the end of the file'],
    ["[1] // why", 1, 5, "JSON has no comments"],
    ['["\t"]', 1, 2, "this string has a control character, which must be written as an escape"],
    ['["a\n"]', 1, 2, "this string is not closed"],
    ['["\\u12x4"]', 1, 2, "this string has a wrong escape"],
    ["[1.]", 1, 2, "this number has no end"],
    [`[${"x".repeat(100)}]`, 1, 2, `this is not JSON: ${"x".repeat(40)}…`],
    ["", 1, 1, "a value is expected here, not the end of the file"],
    ["[".repeat(200_000), 1, 1, "lists or objects are nested too deep"],
  ])("refuses %j", (text, line, column, message) => {
    expect(faultOf(text)).toMatchObject({ place: { line, column }, message });
  });

  it("takes what JSON.parse takes, and nothing else", () => {
    const pieces = fc.constantFrom(
      ..."{}[]:,\"\\ \t\n\r\ufeff\u00a0\u2028/*-+.0123eEtruefalsnx'".split(""),
      "true",
      "null",
      '"a"',
      "1e9",
      "-0",
    );
    const mutated = fc
      .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(3), fc.string({ unit: pieces, maxLength: 3 }))
      .map(([json, at, cut, put]) => {
        const index = at % (json.length + 1);
        return json.slice(0, index) + put + json.slice(index + cut);
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ unit: pieces, maxLength: 12 })), (text) => {
        let parsed: string | undefined;
        try {
          parsed = JSON.stringify(JSON.parse(text.replace(/^\ufeff/, "")));
        } catch {
          parsed = undefined;
        }
        const fault = faultOf(text);
        expect(fault === undefined).toBe(parsed !== undefined);
        if (fault === undefined) expect(JSON.stringify(readJson(text).value)).toBe(parsed);
      }),
      { numRuns: 3_000 },
    );
  });
});
