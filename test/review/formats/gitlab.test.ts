import { expect, it } from "vitest";
import { renderGitlab } from "../../../src/review/formats/gitlab.js";
import { finding, hostileReport, invisible, report, sampleReport, spanAt } from "./sample-report.js";

it("writes an issue for each finding that is not suppressed", () => {
  expect(JSON.parse(renderGitlab(sampleReport))).toEqual([
    {
      type: "issue",
      check_name: "recent-window-shortened",
      description: 'list "SSH" lets 18 attempts a minute through, it was 3',
      content: { body: "put the window back to 60 s" },
      categories: ["Security"],
      severity: "critical",
      fingerprint: "1111111111111111",
      location: { path: "rules.v4", lines: { begin: 7, end: 7 } },
    },
    expect.objectContaining({
      check_name: "untranslatable-match",
      severity: "major",
      location: { path: "rules.v4", lines: { begin: 14, end: 14 } },
    }),
    expect.objectContaining({ check_name: "recent-list-size", severity: "info" }),
  ]);
  expect(renderGitlab(report())).toBe("[]\n");
});

it("never gives two issues the same fingerprint, of which GitLab would show one", () => {
  const issues = JSON.parse(renderGitlab(report({ findings: [finding(), finding({ message: "another" }), finding()] }))) as {
    fingerprint: string;
  }[];
  expect(issues.map(({ fingerprint }) => fingerprint)).toEqual(["0123456789abcdef", "0123456789abcdef-2", "0123456789abcdef-3"]);
});

it("gives the path from the top of the repository", () => {
  const path = (file: string): unknown =>
    (JSON.parse(renderGitlab(report({ findings: [finding({ span: spanAt(1, 1, 1, file) })] }))) as { location: { path: string } }[])[0]!
      .location.path;
  expect(["./fw/rules.v4", ".//rules.v4", "fw\\rules.v4", "<stdin>"].map(path)).toEqual([
    "fw/rules.v4",
    "rules.v4",
    "fw/rules.v4",
    "<stdin>",
  ]);
});

it("shows nothing without a visible form", () => {
  const text = renderGitlab(hostileReport);
  expect(JSON.parse(text)).toHaveLength(3);
  expect(text).not.toMatch(invisible);
});
