import { describe, expect, it } from "vitest";

import { readCommands } from "../../src/shell/read-commands.js";

const words = (text: string): string[][] => [...readCommands(text)].map((command) => command.words.map((word) => word.text));

describe("words of a script", () => {
  it.each([
    ["a  b\tc", [["a", "b", "c"]]],
    ["a 'b  c' \"d e\" f\\ g", [["a", "b  c", "d e", "f g"]]],
    ["a b'c'\"d\"e", [["a", "bcde"]]],
    ['a "\\"\\\\\\$\\`\\x"', [["a", '"\\$`\\x']]],
    ["a '\\'", [["a", "\\"]]],
    ["a ''", [["a", ""]]],
    ["a \\\n  b", [["a", "b"]]],
    ["a b\\\nc", [["a", "bc"]]],
    ['a "b\\\nc"', [["a", "bc"]]],
    ["a # b", [["a"]]],
    ["a b#c", [["a", "b#c"]]],
    ["a; b && c || d | e & f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]],
    ["a >/dev/null 2>&1 b", [["a", "b"]]],
    ["a <<END\nb c\nEND\nd", [["a"], ["d"]]],
    ["a\r\nb\r\n", [["a"], ["b"]]],
    ["a 5 $", [["a", "5", "$"]]],
  ])("%j", (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each([
    ["a $b", "variable", "$b"],
    ["a ${b:-c}", "variable", "${b:-c}"],
    ['a "$1"', "variable", "$1"],
    ["a $(b c)", "substitution", "$(b c)"],
    ["a `b`", "substitution", "`b`"],
    ["a {1,2}", "pattern", "{1,2}"],
    ["a *", "pattern", "*"],
    ["a ~/b", "pattern", "~"],
    ["a 'b", "unclosed", "'"],
    ['a "b', "unclosed", '"'],
  ])("%j needs a shell", (text, kind, written) => {
    expect([...readCommands(text)].flatMap((command) => command.words.flatMap((word) => word.expansions))).toEqual([
      { kind, text: written, offset: expect.any(Number) },
    ]);
  });

  it("counts lines, and columns from the start of a command's first line", () => {
    const [, second] = [...readCommands("a\nb \\\n  c\n")];
    expect(second).toMatchObject({ line: 2, endLine: 3 });
    expect(second!.words.map(({ column }) => column)).toEqual([1, 7]);
  });
});
