/** Every rule beside its nft, chain by chain, with the controls that filter them. */

import type { Severity } from "../../../diagnostic.js";
import type { Finding, Row } from "../../report.js";
import { element, type Child, type Markup } from "./element.js";
import { ruleText } from "./rule-text.js";
import { findingId, rowId } from "./rule-links.js";
import { count, familyWords, severityWords } from "./words.js";

/** Rules of one chain that stand behind each other. */
interface Chain {
  readonly family: Row["family"];
  readonly table: string;
  readonly chain: string;
  readonly rows: { readonly row: Row; readonly index: number }[];
}

/** Lines of nft shown of one rule; the rest is folded away. A window of hits takes some hundred. */
const shownLines = 8;

/** The controls; they are hidden until the page's script, without which they do nothing, shows them. */
export function filterControls(rows: readonly Row[]): Markup {
  const chains = chainsOf(rows);
  const tables = [...new Set(chains.map(({ family, table }) => `${family} ${table}`))];
  return element(
    "div",
    { class: "controls", id: "controls", role: "search", "aria-label": "Rules", hidden: true },
    field(
      "search",
      "Search",
      element("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false", "aria-describedby": "shown" }),
    ),
    field(
      "severity",
      "Show",
      select("severity", [
        ["", "all rules"],
        ["note warning error", "rules with findings"],
        ["warning error", "warnings and errors"],
        ["error", "errors only"],
      ]),
    ),
    field(
      "chain",
      "Chain",
      select("chain", [
        ["", "all chains"],
        ...tables.map((table) => [`table ${table}`, `table ${tableWords(table)}`] as const),
        ...[...new Set(chains.map(chainKey))].map(
          (key) =>
            [`chain ${key}`, key.split(" ").slice(1).join(" ") + (tablesOfBothFamilies(tables) ? ` (${familyOf(key)})` : "")] as const,
        ),
      ]),
    ),
    rows.some(({ change }) => change !== undefined) &&
      element("label", { class: "check" }, element("input", { type: "checkbox", id: "changed" }), " changed only"),
    element("button", { type: "button", id: "reset" }, "Reset"),
    element("p", { id: "shown", role: "status" }, count(rows.length, "rule")),
  );
}

function field(id: string, label: string, control: Markup): Markup {
  return element("div", { class: "field" }, element("label", { for: id }, label), control);
}

function select(id: string, options: readonly (readonly [value: string, text: string])[]): Markup {
  return element(
    "select",
    { id },
    options.map(([value, text]) => element("option", { value }, text)),
  );
}

function tableWords(key: string): string {
  const [family, table] = key.split(" ");
  return `${table} (${familyWords[family as Row["family"]]})`;
}

function familyOf(key: string): string {
  return familyWords[key.split(" ")[0] as Row["family"]];
}

function tablesOfBothFamilies(tables: readonly string[]): boolean {
  return new Set(tables.map(familyOf)).size > 1;
}

/** Chain names have no blanks. */
function chainKey({ family, table, chain }: Pick<Chain, "family" | "table" | "chain">): string {
  return `${family} ${table} ${chain}`;
}

/** Rows in the order of the dump, under a heading for each chain. */
export function ruleRows(rows: readonly Row[], findings: readonly Finding[]): Child {
  return chainsOf(rows).map((chain, index) => {
    const id = `chain-${index + 1}`;
    return element(
      "section",
      { class: "chain", "data-table": `${chain.family} ${chain.table}`, "data-chain": chainKey(chain), "aria-labelledby": id },
      element(
        "h3",
        { id },
        element("code", {}, `${chain.table} ${chain.chain}`),
        " ",
        element("span", { class: "small" }, familyWords[chain.family]),
      ),
      element(
        "ol",
        { class: "rows" },
        chain.rows.map(({ row, index: number }) => ruleRow(row, number, findings)),
      ),
    );
  });
}

function chainsOf(rows: readonly Row[]): Chain[] {
  const chains: Chain[] = [];
  rows.forEach((row, index) => {
    const last = chains.at(-1);
    if (last && chainKey(last) === chainKey(row)) last.rows.push({ row, index });
    else chains.push({ family: row.family, table: row.table, chain: row.chain, rows: [{ row, index }] });
  });
  return chains;
}

function ruleRow(row: Row, index: number, findings: readonly Finding[]): Markup {
  const { span, original, nft, scriptLines, notes, change } = row;
  const found = row.findings.flatMap((number) => (findings[number] ? [{ number, finding: findings[number] }] : []));
  const open = found.filter(({ finding }) => !finding.suppressed);
  const severities = new Set<Severity>(open.map(({ finding }) => finding.severity));
  return element(
    "li",
    { class: "row", id: rowId(index), "data-severity": [...severities].join(" "), "data-changed": change },
    element(
      "p",
      { class: "row-head" },
      element("a", { class: "place", href: `#${rowId(index)}`, "aria-label": `rule at ${span.file}:${span.line}` }, span.line),
      change !== undefined && element("span", { class: "badge" }, change),
    ),
    element("pre", { class: "original" }, element("code", {}, ruleText(original))),
    nft.length === 0 ? element("p", { class: "absent" }, "not in the script") : nftLines(nft, scriptLines),
    (open.length > 0 || notes.length > 0) &&
      element(
        "ul",
        { class: "row-notes" },
        open.map(({ number, finding: { severity, message } }) =>
          element(
            "li",
            {},
            element("a", { class: `severity ${severity}`, href: `#${findingId(number)}` }, severityWords[severity]),
            " ",
            message,
          ),
        ),
        notes.map((note) => element("li", {}, note)),
      ),
  );
}

/** The lines, each with its number in the script. */
function nftLines(lines: readonly string[], numbers: readonly number[]): Markup {
  const numbered = lines.map((line, index) => element("span", { class: "line", "data-line": numbers[index] }, line, "\n"));
  const code = (part: readonly Markup[]): Markup => element("pre", {}, element("code", {}, part));
  const rest = numbered.slice(shownLines);
  return element(
    "div",
    { class: "nft" },
    code(numbered.slice(0, shownLines)),
    rest.length > 0 && element("details", {}, element("summary", {}, count(rest.length, "more line")), code(rest)),
  );
}
