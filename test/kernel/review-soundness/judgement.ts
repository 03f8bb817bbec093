/** What the review says of a pair, and whether the kernel bears it out. The one place that knows how a report is read. */

import { createTwoFilesPatch } from "diff";

import { reviewRulesets } from "../../../src/review/review.js";
import type { ReviewReport } from "../../../src/review/report.js";
import type { Kind, Observation } from "./observe.js";
import type { Pair } from "./pair.js";

export interface Said {
  readonly verdict: ReviewReport["verdict"];
  readonly opens: readonly string[];
  readonly closes: readonly string[];
  /** Of which it says that it cannot tell. */
  readonly unjudged: readonly string[];
}

export const reviewOf = (pair: Pair): Said => readReport(reportOf(pair));

/** @param search whether to look for traffic of lists, too; about a second */
export function reportOf({ family, old, new: changed }: Pair, search = false): ReviewReport {
  const sets = (text: string): { readonly file: string; readonly text: string }[] => (text === "" ? [] : [{ file: "sets.ipset", text }]);
  return reviewRulesets({
    old: [{ file: "old", family, text: old.text }],
    new: [{ file: "new", family, text: changed.text }],
    options: { ipsets: sets(changed.ipset) },
    // The sets as they were; a request that does not know of them leaves them aside.
    ...{ oldIpsets: sets(old.ipset) },
    ...(search && { search: { schedules: 1_000, steps: 1_000_000 } }),
    tool: { name: "ipt2nft-recent", version: "0" },
  });
}

function readReport(report: ReviewReport & { readonly unjudged?: readonly { readonly sentence: string }[] }): Said {
  const { verdict, opens, closes, changes, lists, unjudged = [] } = report;
  const words = (direction: "opens" | "closes"): string[] => [
    ...(direction === "opens" ? opens : closes).map(({ sentence }) => sentence),
    ...changes.filter((change) => change.direction === direction || change.direction === "both").map(({ meaning }) => meaning),
    ...lists.filter((list) => list.direction === direction).map(({ name, change }) => `list ${name}: ${change ?? ""}`),
  ];
  return { verdict, opens: words("opens"), closes: words("closes"), unjudged: unjudged.map(({ sentence }) => sentence) };
}

/** Why what was said is wrong; undefined where the kernel does not contradict. */
export function contradiction(said: Said, { differences }: Observation): string | undefined {
  return contradictionOf(said, new Set(differences.map(({ kind }) => kind)));
}

/** The same, by how packets met another fate. */
export function contradictionOf(said: Said, kinds: ReadonlySet<Kind>): string | undefined {
  if (kinds.size === 0) return undefined;
  const seen = { opens: kinds.has("opens"), closes: kinds.has("closes") };
  const calls = { opens: said.opens.length > 0, closes: said.closes.length > 0, unjudged: said.unjudged.length > 0 };
  if (said.verdict === "safe") {
    const named = (["opens", "closes"] as const).filter((direction) => calls[direction]);
    return `the kernel decides otherwise, and the review says safe${named.length === 0 ? "" : `, although it names what ${named.join(" and what ")}`}`;
  }
  // How a packet is refused, or what it carries on its way: that it is not safe is all there is to say.
  if (!seen.opens && !seen.closes) return undefined;
  if (!calls.opens && !calls.closes && !calls.unjudged) return "the kernel decides otherwise, and the review says neither opens nor closes";
  if (calls.unjudged) return undefined;
  if (seen.opens && !seen.closes && calls.closes && !calls.opens) return "the kernel only opens, and the review says only closes";
  if (seen.closes && !seen.opens && calls.opens && !calls.closes) return "the kernel only closes, and the review says only opens";
  return undefined;
}

/** Said of a pair that the kernel decides alike. */
export const alarms = ({ opens, closes }: Said): boolean => opens.length + closes.length > 0;

/** The rulesets' difference, and what the review said; between them what else there is to tell. */
export function describePair({ name, old, new: changed }: Pair, why: string, said: Said, seen: readonly string[] = []): string {
  const diff = createTwoFilesPatch("old", "new", `${old.ipset}\n${old.text}`, `${changed.ipset}\n${changed.text}`, "", "", { context: 2 });
  const list = (words: readonly string[]): string => (words.length === 0 ? " nothing" : words.map((word) => `\n    ${word}`).join(""));
  return [
    `${name}: ${why}`,
    diff.replace(/^=+\n/u, "").trimEnd(),
    ...seen,
    `the review says: ${said.verdict}`,
    `  opens:${list(said.opens)}`,
    `  closes:${list(said.closes)}`,
    `  cannot tell:${list(said.unjudged)}`,
    "",
  ].join("\n");
}
