/** Every list of `recent` in plain words, and what a change does to it. */

import { printable, type Diagnostic, type Span } from "../../diagnostic.js";
import type { IptablesRuleset } from "../../iptables/ast.js";
import type { Remark } from "../findings.js";
import type { ListReview } from "../report.js";
import { listChange, type ListChange } from "./list-change.js";
import { consequenceOf, formOf, listsOf, type ReviewedList } from "./list-use.js";
import { listSentence, listTitle } from "./list-words.js";

export interface ListsReview {
  readonly lists: readonly ListReview[];
  readonly remarks: readonly Remark[];
  /** Names of those whose change is told here, with what it does. */
  readonly told: ReadonlyMap<string, "opens" | "closes">;
}

/**
 * @param old undefined if a single ruleset is reviewed; lists go by their new names
 * @param renamed old names with new ones
 */
export function reviewLists(
  old: readonly IptablesRuleset[] | undefined,
  current: readonly IptablesRuleset[],
  diagnostics: readonly Diagnostic[],
  renamed: ReadonlyMap<string, string> = new Map(),
): ListsReview {
  const [before, after] = [listsOf(old ?? []), listsOf(current)];
  const lists: ListReview[] = [];
  const remarks: Remark[] = [];
  const told = new Map<string, "opens" | "closes">();
  for (const list of after) {
    const earlier = before.find(({ name, family }) => name === list.name && family === list.family);
    const oldName = [...renamed].find(([, name]) => name === list.name)?.[0];
    const change =
      earlier &&
      (listChange(earlier, list) ??
        (oldName === undefined
          ? undefined
          : { words: `called "${printable(oldName)}" before; it begins empty`, direction: "neither" as const }));
    const spans = spansOf(list);
    lists.push({
      name: list.name,
      sentence: listSentence(list),
      status: old && !earlier ? "added" : change ? "changed" : "unchanged",
      ...(change && { change: change.words, direction: change.direction }),
      form: formOf(spans, diagnostics),
      rules: spans,
    });
    if (!change || change.direction === "neither") continue;
    told.set(list.name, change.direction);
    remarks.push(remarkOn(list, change));
  }
  for (const list of before) {
    if (after.some(({ name, family }) => name === list.name && family === list.family)) continue;
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
  return { lists, remarks, told };
}

/** Of each rule once. */
function spansOf({ usage }: ReviewedList): Span[] {
  return [...new Map(usage.uses.map(({ rule }) => [`${rule.span.line}:${rule.span.file}`, rule.span])).values()];
}

function remarkOn(list: ReviewedList, change: ListChange): Remark {
  const use = list.checks.find((check) => consequenceOf(check) !== "other") ?? list.checks[0] ?? list.usage.uses[0]!;
  const opens = change.direction === "opens";
  const blamed = use.use.options["hitcount"] ?? use.use.options["seconds"];
  return {
    code: opens ? "list-opens" : "list-closes",
    severity: opens ? "warning" : "note",
    span: opens ? (blamed?.span ?? use.use.span) : use.use.span,
    message: `${listTitle(list)}: ${change.words}`,
  };
}
