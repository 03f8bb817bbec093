/**
 * One self-contained page: it asks nothing of any network, and its content security policy lets run the one script that is
 * part of this program and nothing else.
 */

import type { ReviewReport } from "../report.js";
import { asset, documentText, element, type Child } from "./html/element.js";
import { findingList } from "./html/finding-list.js";
import { banner, changeList, effectList, listCards, section } from "./html/overview.js";
import script from "./html/page/page.js?raw";
import baseStyle from "../../page-style/base.css?raw";
import pageStyle from "./html/page/page.css?raw";
import { toldLists, untouchedLists } from "./list-order.js";
import { RuleLinks } from "./html/rule-links.js";
import { filterControls, ruleRows } from "./html/rule-rows.js";
import { scriptDiff } from "./html/script-diff.js";

const style = baseStyle + pageStyle;

export interface HtmlOptions {
  /** SHA-256 of the text as UTF-8, in base64: the policy names the script and the style sheet by it. */
  readonly sha256: (text: string) => string;
}

interface Section {
  readonly id: string;
  readonly title: string;
  /** How many things it lists. */
  readonly size?: number;
  /** Whether the page has it; where it lists something unless told. */
  readonly present?: boolean;
  readonly content: () => Child;
}

/** From this number of rules and findings on, what is off the screen is not laid out before it is scrolled to. */
const manyItems = 300;

/** Renders the page in the order a reviewer reads: what the change does first, what was there before it last. */
export function renderHtml(report: ReviewReport, { sha256 }: HtmlOptions): string {
  const links = new RuleLinks(report.rows);
  const { changes, opens, closes, alters, unjudged, findings, rows, scriptDiff: scriptDifference } = report;
  const [told, untouched] = [toldLists(report), untouchedLists(report)];
  const open = findings.filter(({ suppressed, unchanged }) => !suppressed && !unchanged);
  const sections: readonly Section[] = [
    { id: "opens", title: "What opens", size: opens.length, content: () => effectList(opens, "opens", links) },
    { id: "unjudged", title: "What was not judged", size: unjudged.length, content: () => effectList(unjudged, "opens", links) },
    { id: "closes", title: "What closes", size: closes.length, content: () => effectList(closes, "closes", links) },
    { id: "alters", title: "What is altered", size: alters.length, content: () => effectList(alters, "closes", links) },
    { id: "changes", title: "Changes", size: changes.length, content: () => changeList(changes, links) },
    { id: "lists", title: "Recent lists", size: told.length, content: () => listCards(told, links) },
    { id: "findings", title: "Findings", size: open.length, present: findings.length > 0, content: () => findingList(findings, links) },
    { id: "untouched-lists", title: "Lists as they were", size: untouched.length, content: () => listCards(untouched, links) },
    { id: "rules", title: "Rules side by side", size: rows.length, content: () => [filterControls(rows), ruleRows(rows, findings)] },
    { id: "script", title: "Difference of the script", present: scriptDifference !== "", content: () => scriptDiff(scriptDifference) },
  ];
  const present = sections.filter(({ size = 0, present: isPresent = size > 0 }) => isPresent);
  const policy =
    `default-src 'none'; script-src 'sha256-${sha256(script)}'; style-src 'sha256-${sha256(style)}'; base-uri 'none'; ` +
    "form-action 'none'";
  return documentText(
    element(
      "html",
      { lang: "en" },
      element(
        "head",
        {},
        element("meta", { charset: "utf-8" }),
        element("meta", { "http-equiv": "Content-Security-Policy", content: policy }),
        element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
        element("meta", { name: "color-scheme", content: "light dark" }),
        element("meta", { name: "referrer", content: "no-referrer" }),
        element("title", {}, `${report.headline} – firewall review`),
        asset("style", style),
      ),
      element(
        "body",
        {},
        element("a", { class: "skip", href: "#main" }, "Skip to the review"),
        banner(report),
        element(
          "nav",
          { "aria-label": "Sections" },
          element(
            "ul",
            {},
            present.map(({ id, title, size }) =>
              element(
                "li",
                {},
                element("a", { href: `#${id}` }, title, size !== undefined && [" ", element("span", { class: "size" }, size)]),
              ),
            ),
          ),
        ),
        element(
          "main",
          { id: "main", class: rows.length + findings.length > manyItems && "many", tabindex: -1 },
          present.map(({ id, title, content }) => section(id, title, content())),
        ),
        element("footer", {}, `${report.tool.name} ${report.tool.version}`),
        asset("script", script),
      ),
    ),
  );
}
