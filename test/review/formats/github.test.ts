import { expect, it } from "vitest";
import { renderGithub } from "../../../src/review/formats/github.js";
import { readCommand } from "./runner.js";
import { finding, hostileReport, invisible, report, sampleReport, spanAt } from "./sample-report.js";

function commands(text: string): ReturnType<typeof readCommand>[] {
  return text
    .trimEnd()
    .split("\n")
    .map(readCommand)
    .filter((command) => command !== undefined);
}

it("writes the headline and an annotation for each finding that is not suppressed", () => {
  expect(renderGithub(sampleReport)).toBe(
    [
      "- Look at 3 things before merging: 1 error, 2 warnings, and traffic that opens.",
      '::error file=rules.v4,line=7,endLine=7,col=52,endColumn=64,title=recent-window-shortened::list "SSH" lets 18 attempts a minute through, it was 3%0Ahelp: put the window back to 60 s',
      '::warning file=rules.v4,line=14,endLine=14,col=10,endColumn=30,title=untranslatable-match::match "geoip" cannot be translated: without the rule the firewall is more open%0Ahelp: load the ranges into a named set',
      "::notice file=rules.v4,line=6,endLine=6,col=1,endColumn=61,title=recent-list-size::xt_recent forgets all but the last 100 hosts",
      "",
    ].join("\n"),
  );
});

it("names no file for standard input, and no column for a rule of several lines", () => {
  expect(commands(renderGithub(report({ findings: [finding({ span: spanAt(3, 1, 5, "<stdin>") })] })))[0]!.properties).toEqual({
    title: "untranslatable-match",
  });
  const span = { ...spanAt(3, 1, 5, "./fw/a,b:c.v4"), endLine: 4 };
  expect(commands(renderGithub(report({ findings: [finding({ span })] })))[0]!.properties).toEqual({
    file: "fw/a,b:c.v4",
    line: "3",
    endLine: "4",
    col: "1",
    title: "untranslatable-match",
  });
});

it.each([
  [10, 10, 0],
  [11, 10, 2],
  [25, 10, 16],
])("of %i warnings the runner keeps all it gets, and the log names the others", (number, annotated, logged) => {
  const findings = Array.from({ length: number }, (_, index) =>
    finding({ span: spanAt(index + 1, 1, 2), message: `warning ${index + 1}` }),
  );
  const text = renderGithub(report({ findings }));
  const warnings = commands(text).filter((command) => command!.name === "warning");
  expect(warnings).toHaveLength(annotated);
  expect(text.split("\n").filter((line) => /^- rules\.v4:/.test(line))).toHaveLength(logged);
  for (const { message } of findings) expect(text).toMatch(new RegExp(`${message}( \\[|\\n)`));
  if (logged > 0) expect(warnings.at(-1)!.data).toBe(`${logged} more warnings stand in the log of this step`);
});

it("lets no text of the input start a command", () => {
  const text = renderGithub({ ...hostileReport, findings: Array.from({ length: 40 }, () => hostileReport.findings).flat() });
  expect(new Set(commands(text).map((command) => command!.name))).toEqual(new Set(["error", "warning", "notice", "group", "endgroup"]));
  expect(commands(text)).toHaveLength(10 + 10 + 10 + 2);
  expect(text).not.toMatch(invisible);
  for (const command of commands(text))
    expect(Object.keys(command!.properties).filter((name) => !/^(file|line|endLine|col|endColumn|title)$/.test(name))).toEqual([]);
});
