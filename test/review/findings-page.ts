/** The page docs/findings.md: every code with what it means and what to do. */

import { catalogue, effectOf, type DiagnosticCode } from "../../src/diagnostic.js";
import { describeCode } from "../../src/review/formats/describe.js";
import { makeLink } from "../../src/playground/link.js";
import { emptyState } from "../../src/playground/state.js";
import { dump } from "./dumps.js";
import { reviewCatalogue, type CatalogueEntry } from "../../src/review/catalogue.js";

/** From this page on: there is no address that all the world knows. */
const playground = "../playground/index.html";

const severities = { invalid: "error", refused: "warning", approximated: "warning", noted: "note" } as const;

export function findingsPage(): string {
  const own = Object.entries(reviewCatalogue as Record<string, CatalogueEntry>);
  const translators = Object.entries(catalogue) as [DiagnosticCode, { readonly title: string }][];
  return [
    "# Findings",
    "",
    "What `ipt2nft-recent review` says, by code. A comment above a rule allows a finding, one anywhere in the file allows it there; a reason has to follow:",
    "",
    "    # ipt2nft-recent: allow CODE reason",
    "    # ipt2nft-recent: allow-file CODE,CODE reason",
    "",
    "Each example can be tried in the playground, a page that `npm run build:playground` makes.",
    "",
    "## Of the review",
    "",
    ...own.flatMap(([code, entry]) => section(code, entry)),
    "## Of the translator",
    "",
    ...translators.flatMap(([code, { title }]) =>
      section(code, { severity: severities[effectOf(code)], title, explanation: describeCode(code).explanation }),
    ),
  ].join("\n");
}

function linkTo(rules: string): string {
  const text = rules.startsWith("iptables ") ? `${rules}\n` : dump(rules);
  return makeLink({ ...emptyState, texts: { ...emptyState.texts, rules: text }, view: "review" });
}

function section(code: string, { severity, title, explanation, example }: CatalogueEntry): string[] {
  const block = (rules: string): string[] => rules.split("\n").map((line) => `    ${line}`);
  return [
    `### ${code}`,
    "",
    `${severity}: ${title}.`,
    "",
    explanation,
    "",
    ...(example
      ? [
          "Instead of",
          "",
          ...block(example.bad),
          "",
          "write",
          "",
          ...block(example.good),
          "",
          `[In the playground](${playground}${linkTo(example.bad)})`,
          "",
        ]
      : []),
  ];
}
