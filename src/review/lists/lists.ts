/** Every list of `recent` in plain words, and what a change does to it. */

import { printable, type Diagnostic, type Span } from "../../diagnostic.js";
import type { IptablesRuleset } from "../../iptables/ast.js";
import type { Remark } from "../findings.js";
import type { Change, ListReview } from "../report.js";
import { listChange, type ListChange } from "./list-change.js";
import { consequenceOf, formOf, listsOf, type ReviewedList } from "./list-use.js";
import { listSentence, listTitle } from "./list-words.js";

type Direction = Change["direction"];

export interface ListsReview {
  readonly lists: readonly ListReview[];
  readonly remarks: readonly Remark[];
}

/** The lists of both versions, and what changed about each. */
export interface ComparedLists {
  readonly current: readonly { readonly list: ReviewedList; readonly added: boolean; readonly change?: ListChange }[];
  readonly gone: readonly ReviewedList[];
}

/**
 * @param old undefined if a single ruleset is reviewed; lists go by their new names
 * @param renamed old names with new ones
 */
export function compareLists(
  old: readonly IptablesRuleset[] | undefined,
  current: readonly IptablesRuleset[],
  renamed: ReadonlyMap<string, string> = new Map(),
): ComparedLists {
  const [before, after] = [listsOf(old ?? []), listsOf(current)];
  const same = (a: ReviewedList, b: ReviewedList): boolean => a.name === b.name && a.family === b.family;
  const oldNames = new Map([...renamed].map(([oldName, name]) => [name, oldName]));
  return {
    current: after.map((list) => {
      const earlier = before.find((one) => same(one, list));
      const oldName = oldNames.get(list.name);
      const change =
        earlier &&
        (listChange(earlier, list) ??
          (oldName === undefined
            ? undefined
            : { words: `called "${printable(oldName)}" before; it begins empty`, direction: "neither" as const }));
      return { list, added: old !== undefined && !earlier, ...(change && { change }) };
    }),
    gone: before.filter((list) => !after.some((one) => same(one, list))),
  };
}

/** Names of the lists whose change is told as one of the list. */
export function toldLists({ current }: ComparedLists): ReadonlySet<string> {
  return new Set(current.flatMap(({ list, change }) => (change && change.direction !== "neither" ? [list.name] : [])));
}

/** @param directions what the changes do to the checks of each list, by its name */
export function reviewLists(
  { current, gone }: ComparedLists,
  diagnostics: readonly Diagnostic[],
  directions: ReadonlyMap<string, Direction> = new Map(),
): ListsReview {
  const lists: ListReview[] = [];
  const remarks: Remark[] = [];
  for (const { list, added, change } of current) {
    const spans = spansOf(list);
    const direction = directions.get(list.name) ?? "neither";
    lists.push({
      name: list.name,
      sentence: listSentence(list),
      status: added ? "added" : change ? "changed" : "unchanged",
      ...(change && { change: change.words, direction }),
      form: formOf(spans, diagnostics),
      rules: spans,
    });
    if (change && change.direction !== "neither" && (direction === "opens" || direction === "closes" || direction === "both"))
      remarks.push(remarkOn(list, change, direction));
  }
  for (const list of gone) {
    const stopped = list.checks.some((check) => consequenceOf(check) === "stops");
    lists.push({
      name: list.name,
      sentence: listSentence(list),
      status: "removed",
      ...(stopped && { change: "nothing limits these hosts by this list any more", direction: "opens" as const }),
      form: "removed",
      rules: [],
    });
  }
  return { lists, remarks };
}

/** Of each rule once. */
function spansOf({ usage }: ReviewedList): Span[] {
  return [...new Map(usage.uses.map(({ rule }) => [`${rule.span.line}:${rule.span.file}`, rule.span])).values()];
}

function remarkOn(list: ReviewedList, change: ListChange, direction: Direction): Remark {
  const use = list.checks.find((check) => consequenceOf(check) !== "other") ?? list.checks[0] ?? list.usage.uses[0]!;
  const opens = direction !== "closes";
  const blamed = use.use.options["hitcount"] ?? use.use.options["seconds"];
  return {
    code: opens ? "list-opens" : "list-closes",
    severity: opens ? "warning" : "note",
    span: opens ? (blamed?.span ?? use.use.span) : use.use.span,
    message: `${listTitle(list)}: ${change.words}`,
  };
}
