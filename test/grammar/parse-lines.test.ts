import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { parseLines } from "../../grammar/parse-lines.js";
import { LineParser } from "../../grammar/parser.js";
import { lexerDefinition } from "../../grammar/tokens.js";
import type { Line } from "../../grammar/syntax.js";
import { Lexer } from "chevrotain";

function parse(text: string): Line[] {
  return [...parseLines(text)];
}

function words(text: string): string[] {
  const [line] = parse(text);
  if (line?.kind !== "command") throw new Error(`not a command: ${JSON.stringify(line)}`);
  return line.words.map((word) => word.text);
}

function errors(text: string): unknown[] {
  return parse(text).flatMap((line) => (line.kind === "error" ? [[line.code, line.line, line.column, line.length]] : []));
}

test("the grammar passes chevrotain's own checks", () => {
  expect(() => new LineParser({ skipValidations: false })).not.toThrow();
  const { lexerDefinitionErrors } = new Lexer(lexerDefinition, { positionTracking: "onlyOffset" });
  expect(lexerDefinitionErrors).toEqual([]);
});

describe("words are split as by iptables-restore", () => {
  test.each([
    ["a  b\tc ", ["a", "b", "c"]],
    ["a\\b\\\\c", ["a\\b\\\\c"]],
    ['"a b"', ["a b"]],
    ['a"b c"', ["ab c"]],
    ['"a"b', ["a", "b"]],
    ['a"b"c"d"', ["ab", "cd"]],
    ['"a\\b\\"c\\\\d"', ['ab"c\\d']],
    ['""', [""]],
    ['"" ""', ["", ""]],
    ['x ""', ["x", ""]],
    ['-m comment --comment "it\'s"', ["-m", "comment", "--comment", "it's"]],
    ["-s [2001:db8::1] # x * :", ["-s", "[2001:db8::1]", "#", "x", "*", ":"]],
    ['"ä\u2028"', ["ä\u2028"]],
  ])("%j", (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  test("with their places as written", () => {
    const [line] = parse('[1:2] -A  "a\\"b"c');
    expect(line).toEqual({
      kind: "command",
      line: 1,
      text: '-A  "a\\"b"c',
      counters: { packets: 1n, bytes: 2n },
      words: [
        { text: "-A", column: 7, length: 2, quoted: false },
        { text: 'a"b', column: 11, length: 6, quoted: true },
        { text: "c", column: 17, length: 1, quoted: false },
      ],
    });
  });
});

describe("lines", () => {
  test("of every kind", () => {
    const lines = parse("# hello\n\n*filter\n:INPUT ACCEPT [1:2]\n:mine - \n-A INPUT\nCOMMIT\n");
    expect(lines.map((line) => line.kind)).toEqual(["comment", "blank", "table", "chain", "chain", "command", "commit"]);
    expect(lines[2]).toEqual({ kind: "table", line: 3, name: { text: "filter", column: 2, length: 6, quoted: false } });
    expect(lines[3]).toMatchObject({
      name: { text: "INPUT" },
      policy: { text: "ACCEPT", column: 8 },
      counters: { packets: 1n, bytes: 2n },
    });
    expect(lines[4]).toMatchObject({ name: { text: "mine" }, policy: { text: "-" }, counters: undefined });
  });

  test("with CR LF, blanks around, a byte order mark and no end of the last one", () => {
    const lines = parse("\ufeff  *filter \r\n : INPUT  DROP\r\n  -A INPUT \t\r\n \r\n COMMIT ");
    expect(lines.map((line) => line.kind)).toEqual(["table", "chain", "command", "blank", "commit"]);
    expect(lines[2]).toMatchObject({ text: "-A INPUT" });
  });

  test("a comment stands in the first column only", () => {
    expect(words(" # x")).toEqual(["#", "x"]);
  });

  test("counters need no blank behind them", () => {
    expect(words("[0:0]-A INPUT")).toEqual(["-A", "INPUT"]);
  });

  test("names behind those that count are ignored", () => {
    expect(errors("*filter junk\n:INPUT ACCEPT [1:2] junk [3:4]")).toEqual([]);
  });

  test("COMMIT is a line of its own", () => {
    expect(parse("COMMIT x")[0]?.kind).toBe("command");
    expect(parse("COMMITTED")[0]?.kind).toBe("command");
  });

  test("an empty text has none", () => {
    expect(parse("")).toEqual([]);
  });
});

describe("errors", () => {
  test.each([
    ['-A INPUT --comment "a b', "unclosed-quote", 20, 4],
    ['-A "a\\"', "unclosed-quote", 4, 4],
    ['x"\\', "unclosed-quote", 2, 2],
    ["-A IN\u0000PUT", "invalid-character", 6, 1],
    ["-A\rINPUT", "invalid-character", 3, 1],
    ["*", "malformed-line", 1, 1],
    [":INPUT", "malformed-line", 6, 1],
    [":INPUT ACCEPT junk", "invalid-counters", 15, 4],
    ["[1:2 -A INPUT", "invalid-counters", 1, 13],
    ["[a:b] -A INPUT", "invalid-counters", 1, 5],
    ["[18446744073709551616:0] -A INPUT", "invalid-counters", 1, 24],
    [`-A ${"x".repeat(1024)}`, "line-too-long", 4, 1024],
    [`-A ${"ä".repeat(512)}`, "line-too-long", 4, 512],
    [`-A${" x".repeat(5200)}`, "line-too-long", 1, 10402],
  ])("%#: %s", (text, code, column, length) => {
    expect(errors(text)).toEqual([[code, 1, column, length]]);
  });

  test("the longest line and word, and the most words, are read", () => {
    expect(errors(`-A ${"x".repeat(1023)}`)).toEqual([]);
    expect(errors(`-A${` ${"x".repeat(1000)}`.repeat(10)}${" ".repeat(227)}`)).toEqual([]);
    expect(errors(`-A${` ${"x".repeat(1000)}`.repeat(10)}${" ".repeat(228)}`)).not.toEqual([]);
    expect(errors(`-A${" x".repeat(250)}`)).toEqual([]);
    expect(errors(`-A${" x".repeat(251)}`)).not.toEqual([]);
  });

  test("a broken line leaves its neighbours alone", () => {
    const lines = parse('*filter\n"\n-A INPUT\n\u0001\nCOMMIT\n');
    expect(lines.map((line) => line.kind)).toEqual(["table", "error", "command", "error", "commit"]);
  });

  test("control characters in comments do no harm", () => {
    expect(parse("# \u001b[1m")[0]?.kind).toBe("comment");
  });
});

test("any text is parsed, line by line", () => {
  const piece = fc.constantFrom(
    "*",
    ":",
    "#",
    "COMMIT",
    "-A",
    " ",
    "\t",
    '"',
    "\\",
    "\n",
    "\r\n",
    "[1:2]",
    "[",
    "]",
    "ä",
    "😀",
    "\ud800",
    "x",
    "\0",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((pieces) => pieces.join("")),
      ),
      (text) => {
        const lines = parse(text);
        expect(lines.map((line) => line.line)).toEqual(lines.map((_, index) => index + 1));
      },
    ),
  );
});
