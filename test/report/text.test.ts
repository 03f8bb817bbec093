import { seededRandom } from "../../src/random.js";
import { describe, expect, it } from "vitest";
import { diagnostic, type Span } from "../../src/diagnostic.js";
import { renderInvalidSummary, renderSummary, renderText } from "../../src/report/text.js";

const file = "edge.rules";
const plain = { color: false };

function spanOf(text: string, blamed: string): Span {
  const at = text.indexOf(blamed);
  const before = text.slice(0, at).split("\n");
  return { file, line: before.length, column: before.at(-1)!.length + 1, length: blamed.length };
}

function render(text: string, blamed: string, options: Parameters<typeof renderText>[2] = plain): string {
  return renderText([diagnostic("untranslatable-match", spanOf(text, blamed), "no equivalent")], [{ file, text }], options);
}

describe("renderText", () => {
  it("says nothing about nothing", () => {
    expect(renderText([], [], plain)).toBe("");
  });

  it("shows place, severity, message, code, the line, carets and help", () => {
    const text = "*filter\n-A INPUT -m geoip --src-cc CN -j DROP\nCOMMIT\n";
    const found = diagnostic(
      "untranslatable-match",
      spanOf(text, "-m geoip --src-cc CN"),
      'match "geoip" has no nft equivalent',
      "load the ranges into a named set and match on it",
    );
    expect(renderText([found], [{ file, text }], plain)).toBe(
      'edge.rules:2:10: warning: match "geoip" has no nft equivalent [untranslatable-match]\n' +
        "  -A INPUT -m geoip --src-cc CN -j DROP\n" +
        "           ^^^^^^^^^^^^^^^^^^^^\n" +
        "  help: load the ranges into a named set and match on it\n",
    );
  });

  it("takes the last line without a newline, and CRLF", () => {
    expect(render("*filter\r\n-A INPUT -j NOWHERE", "NOWHERE")).toContain("\n  -A INPUT -j NOWHERE\n              ^^^^^^^\n");
    expect(render("*filter\r\nCOMMIT\r\n", "*filter")).toContain("\n  *filter\n  ^^^^^^^\n");
  });

  it("shows no line where there is none", () => {
    const at = (line: number, name = file): string =>
      renderText(
        [diagnostic("missing-commit", { file: name, line, column: 1, length: 0 }, "no COMMIT")],
        [{ file, text: "*filter\n\n" }],
        plain,
      );
    expect(at(2)).toBe("edge.rules:2:1: error: no COMMIT [missing-commit]\n");
    expect(at(9)).toBe("edge.rules:9:1: error: no COMMIT [missing-commit]\n");
    expect(at(1, "other.rules")).toBe("other.rules:1:1: error: no COMMIT [missing-commit]\n");
  });

  it("puts one caret behind the line when what is missing should stand there", () => {
    const text = "-A INPUT --dport";
    const found = diagnostic("missing-argument", { file, line: 1, column: text.length + 1, length: 0 }, "missing");
    expect(renderText([found], [{ file, text }], plain)).toContain("\n  -A INPUT --dport\n                  ^\n");
  });

  it("keeps the caret in its place behind tabs and wide characters", () => {
    expect(render("\t-A INPUT\t-j X", "-j")).toContain("\n          -A INPUT        -j X\n                          ^^\n");
    expect(render("-m comment --comment 日本 -j X", "-j")).toContain("日本 -j X\n                            ^^\n");
    expect(render("--comment e\u0301 -j X", "-j")).toContain("\n              ^^\n");
    expect(render("--comment 日本 -j X", "日本")).toContain("\n            ^^^^\n");
  });

  it("lets no control character through, from the line, the message, the help or the file name", () => {
    const text = "--comment \x1b]0;owned\x07\u202e -j X";
    const found = diagnostic("invalid-character", { file: "\x1b[2Jx", line: 1, column: 11, length: 1 }, "bad \x9b0m\r\nline", "use \x00");
    const out = renderText([found], [{ file: "\x1b[2Jx", text }], plain);
    expect(out).not.toMatch(/[^\P{C}\n]/u);
    expect(out).toContain("\\x1b]0;owned\\x07\\u{202e} -j X\n            ^^^^\n");
    expect(out).toContain("bad \\x9b0m\\x0d\\x0aline");
  });

  it("shows a window of an over-long line, with the caret under the blamed stretch", () => {
    const text = `-A INPUT ${"-m comment --comment abcdefghij ".repeat(400)}-j NOWHERE ${"x ".repeat(5000)}`;
    const [, line = "", carets = ""] = render(text, "NOWHERE", { color: false, width: 80 }).split("\n");
    expect(line.length).toBeLessThanOrEqual(80);
    expect(line).toMatch(/^ {2}….*-j NOWHERE .*…$/);
    expect(line.slice(carets.indexOf("^"), carets.length)).toBe("NOWHERE");
  });

  it("needs no time for a line of ten megabytes", () => {
    const text = "x".repeat(10_000_000);
    const diagnostics = Array.from({ length: 1000 }, (_, index) =>
      diagnostic("line-too-long", { file, line: 1, column: 1 + index * 10_000, length: 10_000_000 }, "too long"),
    );
    const start = performance.now();
    expect(renderText(diagnostics, [{ file, text }], { ...plain, eachPlace: true }).length).toBeLessThan(1000 * 500);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("colours nothing but what it adds", () => {
    const text = "-A INPUT -j NOWHERE";
    const colored = render(text, "NOWHERE", { color: true });
    expect(colored).toContain("\x1b[");
    expect(colored.replaceAll(/\x1b\[[0-9;]*m/g, "")).toBe(render(text, "NOWHERE"));
    expect(colored).toContain(`\n  ${text}\n`);
  });
});

describe("summary lines", () => {
  it("count rules and errors", () => {
    expect(renderSummary({ exact: 10, approximated: 1, refused: 2 })).toBe("13 rules: 10 exact, 1 approximated, 2 refused\n");
    expect(renderSummary({ exact: 0, approximated: 0, refused: 1 })).toBe("1 rule: 0 exact, 0 approximated, 1 refused\n");
    const span = { file, line: 1, column: 1, length: 1 };
    expect(renderInvalidSummary([diagnostic("no-table", span, ""), diagnostic("family-assumed", span, "")])).toBe(
      "1 error: nothing was translated\n",
    );
  });
});

describe("long lines", () => {
  const told = (text: string, column: number, length: number, width: number): string =>
    renderText(
      [{ code: "text-changed", severity: "note", message: "m", span: { file: "f", line: 1, column, length } }],
      [{ file: "f", text: `${text}\n` }],
      { color: false, width },
    );

  it("are cut alike whether or not all of their characters are ASCII", () => {
    const random = seededRandom(5);
    for (let round = 0; round < 500; round++) {
      const line = Array.from({ length: Math.floor(random() * 400) }, () => "eeee  -,"[Math.floor(random() * 8)]).join("");
      const [column, length, width] = [1 + Math.floor(random() * 420), Math.floor(random() * 50), 42 + Math.floor(random() * 200)];
      expect(told(line.replaceAll("e", "é"), column, length, width).replaceAll("é", "e")).toBe(told(line, column, length, width));
    }
  });

  it.each(["-A x ", "漢\u202eé\t", "     "])("of %j are shown for thousands of diagnostics", (unit) => {
    const spans = Array.from({ length: 3000 }, (_, index) => ({ file: "f", line: 1, column: 1 + 19 * index, length: 9 }));
    const diagnostics = spans.map((span) => ({ code: "text-changed" as const, severity: "note" as const, message: "m", span }));
    const begin = performance.now();
    const text = renderText(diagnostics, [{ file: "f", text: `${unit.repeat(12_000)}x\n` }], { color: false, eachPlace: true });
    expect(text.split("\n")).toHaveLength(3 * 3000 + 1);
    // Some 0.1 to 0.4 s.
    expect(performance.now() - begin).toBeLessThan(3000);
  });
});
