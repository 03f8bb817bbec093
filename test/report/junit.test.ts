import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { renderJunit } from "../../src/report/junit.js";

describe("renderJunit", () => {
  it("counts every case once, by the worst in it", () => {
    const failure = { kind: "failure", message: "differs", type: "script", text: "-a\n+b" } as const;
    const error = { kind: "error", message: "fails", type: "crash", text: "" } as const;
    expect(
      renderJunit({
        name: "corpus",
        suites: [
          {
            name: "web",
            cases: [
              { name: "a", time: 0.25 },
              { name: "b", file: "web/b.v4", line: 3, time: 1, problems: [failure, error] },
            ],
          },
          {
            name: "mail",
            cases: [
              { name: "c", className: "other", problems: [failure] },
              { name: "d", skipped: "no kernel", output: "1 rule" },
            ],
          },
        ],
      }),
    ).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="corpus" tests="4" failures="1" errors="1" skipped="1" time="1.250">
  <testsuite name="web" tests="2" failures="0" errors="1" skipped="0" time="1.250">
    <testcase name="a" classname="web" time="0.250"/>
    <testcase name="b" classname="web" file="web/b.v4" line="3" time="1.000">
      <failure message="differs" type="script">-a
+b</failure>
      <error message="fails" type="crash"></error>
    </testcase>
  </testsuite>
  <testsuite name="mail" tests="2" failures="1" errors="0" skipped="1" time="0.000">
    <testcase name="c" classname="other" time="0.000">
      <failure message="differs" type="script">-a
+b</failure>
    </testcase>
    <testcase name="d" classname="mail" time="0.000">
      <skipped message="no kernel"/>
      <system-out>1 rule</system-out>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  it("lets no text out of its place, and holds characters that XML cannot", () => {
    const hostile = `"/><x>&amp;]]>\n\t\x00\x1b[2J\ufffe\uffff\ud800\u202e\u0085é日`;
    const document = renderJunit({
      name: hostile,
      suites: [
        { name: hostile, cases: [{ name: hostile, problems: [{ kind: "failure", message: hostile, type: hostile, text: hostile }] }] },
      ],
    });
    const shown = "/&gt;&lt;x&gt;&amp;amp;]]&gt;";
    const escapes = "\\x00\\x1b[2J\\u{fffe}\\u{ffff}\\u{d800}\\u{202e}\\x85é日";
    expect(document).toContain(`<testsuite name="&quot;${shown}&#10;&#9;${escapes}"`);
    expect(document).toContain(`>"${shown}\n\t${escapes}</failure>`);
    expect(document.match(/<[a-z/?]/g)).toHaveLength(9);
    const parser = new SaxesParser();
    const texts: string[] = [];
    parser.on("error", (error) => {
      throw error;
    });
    parser.on("text", (text) => {
      texts.push(text);
    });
    parser.write(document).close();
    expect(texts).toContain(`"/><x>&amp;]]>\n\t${escapes}`);
  });
});
