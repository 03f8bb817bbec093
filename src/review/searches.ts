/** What the search in virtual time found, brought to the lists and findings it belongs to. */

import { catalogue, explainsTraffic, type DiagnosticCode } from "../diagnostic.js";
import type { ListSearch } from "../simulate/search.js";
import { reviewCatalogue } from "./catalogue.js";
import type { Remark } from "./findings.js";
import type { ListReview } from "./report.js";

/**
 * A counterexample goes to what the translator said about the list, if that announces it: an approximation then shows the
 * shortest traffic that tells. One that nothing announces is a finding by itself.
 */
export function withSearches(
  lists: readonly ListReview[],
  remarks: readonly Remark[],
  searches: readonly ListSearch[],
): { readonly lists: readonly ListReview[]; readonly remarks: readonly Remark[] } {
  const found = [...remarks];
  for (const { counterexample, announced, rules } of searches) {
    if (!counterexample) continue;
    const announcing = found.findIndex(
      ({ code, span, timeline }) =>
        !timeline &&
        isApproximation(code) &&
        rules.some(({ file, line, endLine = line }) => span.file === file && span.line >= line && span.line <= endLine),
    );
    if (announcing >= 0) found[announcing] = { ...found[announcing]!, timeline: counterexample };
    else if (announced.length === 0 && rules[0]) {
      found.push({
        code: "difference-found",
        severity: reviewCatalogue["difference-found"].severity,
        span: rules[0],
        message: counterexample.title,
        timeline: counterexample,
      });
    }
  }
  return { lists: lists.map((list) => searchedList(list, searches)), remarks: found };
}

function isApproximation(code: string): boolean {
  return Object.hasOwn(catalogue, code) && explainsTraffic(code as DiagnosticCode);
}

function searchedList(list: ListReview, searches: readonly ListSearch[]): ListReview {
  const search = searches.find(
    (one) =>
      one.list === list.name && one.rules.some(({ file, line }) => list.rules.some((span) => span.file === file && span.line === line)),
  );
  if (!search) return list;
  return { ...list, searched: searchWords(search) };
}

function searchWords({ result, counterexample }: ListSearch): string {
  if (result.kind === "not-searched") return `not searched for differences: ${result.reason}`;
  const { schedules, hits } = result.effort;
  const effort = `${schedules} schedules of up to ${hits} packets`;
  return counterexample ? `a difference found in ${effort}` : `no difference in ${effort}`;
}
