/** The findings, the worst first, each with the words it blames and the traffic that shows it. */

import type { Severity } from "../../../diagnostic.js";
import type { Finding } from "../../report.js";
import { describeCode } from "../describe.js";
import { columnBehind } from "../place.js";
import { element, type Child, type Markup } from "./element.js";
import { findingId, type RuleLinks } from "./rule-links.js";
import { ruleText } from "./rule-text.js";
import { timelineFigure } from "./timeline.js";
import { count, severityWords } from "./words.js";

/** Notes beyond this number are folded away. */
const shownNotes = 5;

interface Numbered {
  readonly finding: Finding;
  readonly index: number;
}

/** Errors, warnings and notes in groups of their own; the suppressed ones last, folded. */
export function findingList(findings: readonly Finding[], links: RuleLinks): Child {
  const numbered = findings.map((finding, index): Numbered => ({ finding, index }));
  const open = numbered.filter(({ finding }) => !finding.suppressed && !finding.unchanged);
  const before = numbered.filter(({ finding }) => !finding.suppressed && finding.unchanged);
  const suppressed = numbered.filter(({ finding }) => finding.suppressed);
  const items = (list: readonly Numbered[]): Markup =>
    element(
      "ol",
      { class: "findings" },
      list.map((one) => item(one, links)),
    );
  return [
    (["error", "warning", "note"] as const satisfies readonly Severity[]).map((severity) => {
      const group = open.filter(({ finding }) => finding.severity === severity);
      if (group.length === 0) return undefined;
      if (severity === "note" && group.length > shownNotes) return folded(count(group.length, "note"), items(group));
      return items(group);
    }),
    before.length > 0 && folded(`${before.length} that were there before the change`, items(before)),
    suppressed.length > 0 && folded(`${suppressed.length} suppressed`, items(suppressed)),
  ];
}

function folded(summary: string, list: Markup): Markup {
  return element("details", { class: "folded" }, element("summary", {}, summary), list);
}

function item({ finding, index }: Numbered, links: RuleLinks): Markup {
  const { code, severity, span, message, help, suppressed, timeline } = finding;
  return element(
    "li",
    { class: `finding ${severity}`, id: findingId(index), tabindex: -1 },
    element(
      "p",
      { class: "finding-head" },
      element("span", { class: `severity ${severity}` }, severityWords[severity]),
      links.to(span),
      element("code", { class: "code-name" }, code),
    ),
    element("p", { class: "message" }, message),
    excerpt(finding),
    help !== undefined && element("p", { class: "help" }, element("strong", {}, "Help: "), help),
    suppressed &&
      element(
        "p",
        { class: "small" },
        `Suppressed ${suppressed.by === "inline" ? "in the dump" : "by the baseline"}`,
        suppressed.reason !== undefined && `: ${suppressed.reason}`,
      ),
    timeline && timelineFigure(timeline),
    meaning(code),
  );
}

/** What the code stands for, for somebody who meets it for the first time. */
function meaning(code: string): Markup {
  const { title, explanation, example } = describeCode(code);
  return element(
    "details",
    { class: "meaning" },
    element("summary", {}, "What this means"),
    element("p", {}, `${code}: ${title}. ${explanation}`),
    example &&
      element(
        "dl",
        { class: "before-after" },
        element("div", {}, element("dt", {}, "instead of"), element("dd", {}, element("code", {}, ruleText(example.bad)))),
        element("div", {}, element("dt", {}, "write"), element("dd", {}, element("code", {}, ruleText(example.good)))),
      ),
  );
}

/** The line with the blamed words marked. */
function excerpt({ span, source }: Finding): Markup | undefined {
  if (source === undefined || source.trim() === "") return undefined;
  const end = columnBehind(span) ?? source.length + 1;
  return element(
    "pre",
    { class: "source" },
    element(
      "code",
      {},
      ruleText(source.slice(0, span.column - 1)),
      element("span", { class: "blamed" }, ruleText(source.slice(span.column - 1, end - 1))),
      ruleText(source.slice(end - 1)),
    ),
  );
}
