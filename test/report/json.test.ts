import { describe, expect, it } from "vitest";
import { diagnostic } from "../../src/diagnostic.js";
import { renderJson } from "../../src/report/json.js";

describe("renderJson", () => {
  it("is one stable document", () => {
    const span = { file: "rules.v4", line: 3, column: 10, length: 8 };
    expect(
      renderJson({
        outcome: "refused",
        rules: { exact: 1, approximated: 0, refused: 1 },
        diagnostics: [diagnostic("unknown-match", span, 'match "geoip" is not known', "use a set")],
        messages: [],
      }),
    ).toBe(`{
  "version": 1,
  "outcome": "refused",
  "rules": {
    "exact": 1,
    "approximated": 0,
    "refused": 1
  },
  "diagnostics": [
    {
      "file": "rules.v4",
      "line": 3,
      "column": 10,
      "endColumn": 18,
      "severity": "warning",
      "code": "unknown-match",
      "effect": "refused",
      "message": "match \\"geoip\\" is not known",
      "help": "use a set"
    }
  ],
  "messages": []
}
`);
  });

  it("gives back any text, and shows no control character to a terminal", () => {
    const message = '\x1b[31m\x9b \u202e \u{e0001} \ud800 \n " é 日';
    const text = renderJson({ outcome: "failed", diagnostics: [], messages: [{ severity: "error", message }] });
    expect(text).not.toMatch(/[^\P{C}\n]/u);
    expect(JSON.parse(text)).toEqual({ version: 1, outcome: "failed", diagnostics: [], messages: [{ severity: "error", message }] });
  });
});
