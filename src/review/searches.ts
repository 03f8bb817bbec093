/** What the search in virtual time found, brought to the lists and findings it belongs to. */

import { catalogue, explainsTraffic, printable, type DiagnosticCode } from "../diagnostic.js";
import type { ListSearch } from "../simulate/search.js";
import type { VersionSearch } from "../simulate/versions.js";
import { reviewCatalogue } from "./catalogue.js";
import type { Remark } from "./findings.js";
import type { Effect, ListReview } from "./report.js";

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

/** Lists that the change concerns: they were changed, or an effect hangs on their answers. */
export function changedLists(lists: readonly ListReview[], { opens, closes }: Record<"opens" | "closes", readonly Effect[]>): string[] {
  const changed = lists.flatMap(({ name, status }) => (status === "unchanged" ? [] : [name]));
  return [...new Set([...changed, ...[...opens, ...closes].flatMap((effect) => effect.lists ?? [])])];
}

/**
 * Brings traffic to the effects that it shows: of those of its direction that hang on the list, to the first at a rule of the list, or
 * else to the first. Traffic that no effect announces becomes one by itself.
 */
export function withTraffic(
  effects: Readonly<Record<"opens" | "closes", readonly Effect[]>>,
  searches: readonly VersionSearch[],
  lists: readonly ListReview[],
): { readonly opens: readonly Effect[]; readonly closes: readonly Effect[] } {
  const found = { opens: [...effects.opens], closes: [...effects.closes] };
  for (const { list, family, ...traffic } of searches) {
    const rules = lists.find(({ name }) => name === list)?.rules ?? [];
    for (const direction of ["opens", "closes"] as const) {
      const timeline = traffic[direction];
      if (!timeline) continue;
      const all = found[direction];
      const hanging = all.filter((effect) => effect.lists?.includes(list));
      const free = hanging.filter((effect) => !effect.timeline);
      const best = free.find(({ span }) => rules.some((rule) => rule.line === span.line && rule.file === span.file)) ?? free[0];
      if (best) all[all.indexOf(best)] = { ...best, timeline };
      else if (hanging.length === 0 && rules[0]) {
        const sentence = `packets about which list "${printable(list)}" decides${family === "ipv6" ? " (IPv6)" : ""}`;
        all.push({ sentence, span: rules[0], lists: [list], timeline });
      }
    }
  }
  return found;
}
