/** The top of the page: the verdict, the lists in words, the changes, what opens and what closes. */

import type { Change, Effect, ListReview, ReviewInput, ReviewReport } from "../../report.js";
import { element, type Child, type Markup } from "./element.js";
import { plainPlace, type RuleLinks } from "./rule-links.js";
import { changedText, ruleText } from "./rule-text.js";
import { timelineFigure } from "./timeline.js";
import { directionWords, familyWords } from "./words.js";

const roleWords: Readonly<Record<ReviewInput["role"], string>> = { old: "before", new: "after", script: "script" };

/** The banner with the verdict in one sentence. */
export function banner({ verdict, headline, inputs }: ReviewReport): Markup {
  const single = !inputs.some(({ role }) => role !== "new");
  return element(
    "header",
    { class: `banner ${verdict}` },
    element("p", { class: "kind" }, "Firewall review"),
    element("h1", {}, headline),
    element(
      "dl",
      { class: "inputs" },
      inputs.map(({ role, file, ref }) =>
        element(
          "div",
          {},
          element("dt", {}, single ? "rules" : roleWords[role]),
          element("dd", {}, element("code", {}, file), ref !== undefined && [" at ", element("code", {}, ref)]),
        ),
      ),
    ),
  );
}

/** A section with its heading; nothing where there is nothing to say. */
export function section(id: string, title: string, ...children: readonly Child[]): Markup {
  return element("section", { id, "aria-labelledby": `${id}-title` }, element("h2", { id: `${id}-title` }, title), children);
}

/** Each recent list in a sentence. */
export function listCards(lists: readonly ListReview[], links: RuleLinks): Markup {
  return element(
    "ul",
    { class: "cards" },
    lists.map(({ name, sentence, status, change, direction, form, rules }) =>
      element(
        "li",
        { class: `card ${direction ?? ""}` },
        element("p", { class: "card-head" }, element("code", {}, name), status !== "unchanged" && badge(status)),
        element("p", {}, sentence),
        change !== undefined &&
          element(
            "p",
            { class: "change" },
            element("strong", {}, "Change: "),
            change,
            direction !== undefined && element("span", { class: `direction ${direction}` }, directionWords[direction]),
          ),
        element("p", { class: "small" }, "In nft: ", form),
        rules.length > 0 &&
          element(
            "p",
            { class: "small places" },
            "Rules: ",
            rules.map((span) => [status === "removed" ? plainPlace(span) : links.to(span), " "]),
          ),
      ),
    ),
  );
}

/** Each change with the rule before and after. */
export function changeList(changes: readonly Change[], links: RuleLinks): Markup {
  return element(
    "ol",
    { class: "cards" },
    changes.map(({ kind, table, chain, family, before, after, meaning, direction }) =>
      element(
        "li",
        { class: `card ${direction}` },
        element(
          "p",
          { class: "card-head" },
          badge(kind),
          element("code", {}, `${table} ${chain}`),
          element("span", { class: "small" }, familyWords[family]),
          element("span", { class: `direction ${direction}` }, directionWords[direction]),
        ),
        element("p", {}, meaning),
        (before ?? after) && beforeAndAfter(before, after, links),
      ),
    ),
  );
}

function beforeAndAfter(before: Change["before"], after: Change["after"], links: RuleLinks): Markup {
  const text =
    before && after ? changedText(before.text, after.text) : { before: ruleText(before?.text ?? ""), after: ruleText(after?.text ?? "") };
  return element(
    "dl",
    { class: "before-after" },
    before &&
      element("div", {}, element("dt", {}, "before, ", plainPlace(before.span)), element("dd", {}, element("code", {}, text.before))),
    after && element("div", {}, element("dt", {}, "after, ", links.to(after.span)), element("dd", {}, element("code", {}, text.after))),
  );
}

/** Traffic that gets through now, or no more. */
export function effectList(effects: readonly Effect[], kind: "opens" | "closes", links: RuleLinks): Markup {
  return element(
    "ul",
    { class: `effects ${kind}` },
    effects.map(({ sentence, span, example, timeline }) =>
      element(
        "li",
        {},
        sentence,
        " ",
        links.to(span),
        example !== undefined && element("p", { class: "small" }, `for example: ${example}`),
        timeline && timelineFigure(timeline),
      ),
    ),
  );
}

function badge(text: string): Markup {
  return element("span", { class: "badge" }, text);
}
