import { describe, expect, it } from "vitest";

import { parseScript } from "../../src/shell/parse-script.js";
import type { Command, CommandList, ShellWord, WordPart } from "../../src/shell/syntax.js";

const commands = (list: CommandList): Command[] =>
  list.flatMap(({ first, rest }) => [first, ...rest.map(({ pipeline }) => pipeline)].flatMap((pipeline) => [...pipeline.commands]));
const textOf = (part: WordPart): string => ("written" in part ? part.written : part.text);
const wordText = ({ parts }: ShellWord): string => parts.map(textOf).join("");
const words = (text: string): string[][] =>
  commands(parseScript(text).list).map((command) => (command.kind === "simple" ? command.words.map(wordText) : [command.kind]));

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
    ["A=1 B=$c d", [["d"]]],
    ["! time a", [["a"]]],
    ["a $b ${c:-d e}x $(f; g) `h` {1,2} *", [["a", "$b", "${c:-d e}x", "$(f; g)", "`h`", "{1,2}", "*"]]],
    ["if a; then b; elif c; then d; else e; fi >f; g", [["if"], ["g"]]],
    ["case $a in b|c) d ;; (e) f; esac", [["case"]]],
    ["for a in b c; do d; done; for e do f; done", [["for"], ["for"]]],
    ["f() { a; }; function g { b; }", [["function"], ["function"]]],
    ["(a; b); ((1+2)); [[ a == b* ]]", [["subshell"], ["test"], ["test"]]],
  ])("%j", (text, expected) => {
    const { fault } = parseScript(text);
    expect(fault).toBeUndefined();
    expect(words(text)).toEqual(expected);
  });

  it.each([
    ["a 'b", 2, "a quote is opened and never closed"],
    ['a\nb "c\nd', 4, "a quote is opened and never closed"],
    ["a; if b; then c", 3, 'the "if" that begins here has no "fi"'],
    ["a; fi", 3, '"fi" belongs to nothing before it'],
    ["for a in b; do\ndone", 15, "a command is missing here"],
    ["a $(b", 2, 'the "$(" is never closed'],
    ["a ${b", 2, 'the "${" is never closed'],
    ["a )", 2, '")" belongs to nothing before it'],
    ["a <(b)", 2, "a command in the place of a file"],
  ])("%j cannot be read", (text, offset, message) => {
    expect(parseScript(text).fault).toMatchObject({ message, place: { offset } });
  });

  it("are read before a fault all the same", () => {
    expect(words("a b\nc 'd")).toEqual([["a", "b"]]);
  });

  it("of documents stand with their line", () => {
    const [command] = commands(parseScript("a <<-END 2>b\n\tc $d\n\tEND\n").list);
    expect(command?.redirections[0]?.document).toMatchObject({ line: 2 });
    expect(command?.redirections[0]?.document?.parts.map(textOf)).toEqual(["c ", "$d", "\n"]);
  });

  it.each([
    ["parentheses", "(".repeat(100_000)],
    ["substitutions", "a $(".repeat(100_000)],
    ["conditions", "if ".repeat(100_000)],
    ["lists", "a && ".repeat(200_000) + "a"],
    ["quotes", '"'.repeat(200_001)],
    ["backquotes", "a `b \\`c ".repeat(20_000)],
    ["braces", "${a:-".repeat(100_000)],
    ["arithmetic", "$((".repeat(100_000)],
    ["functions", "a() ".repeat(100_000)],
  ])("of very many %s need no stack", (_, text) => {
    const { list, fault } = parseScript(text);
    expect(list.length > 0 || fault !== undefined).toBe(true);
  });
});
