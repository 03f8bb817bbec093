/** What a simulation says, as data: `--format json` is it, and the text and the picture show it. */

import { visibleJson } from "../report/visible.js";
import type { LimitComparison } from "./scenarios.js";
import type { FamilyReplay } from "./replay.js";
import type { ListSearch } from "./search.js";

export interface SimulationReport {
  readonly version: 1;
  /** `equal`: nothing was found; `different`: something was; `unknown`: nothing was found, and not everything was searched. */
  readonly verdict: "equal" | "different" | "unknown";
  readonly lists: readonly ListSearch[];
  readonly limits: readonly LimitComparison[];
  /** Of `--traffic`. */
  readonly traffic?: TrafficReport;
}

export interface TrafficReport {
  readonly file: string;
  readonly skipped: readonly string[];
  readonly families: readonly FamilyReplay[];
}

export function verdictOf(lists: readonly ListSearch[], traffic: TrafficReport | undefined): SimulationReport["verdict"] {
  const families = traffic?.families ?? [];
  if (lists.some(({ counterexample }) => counterexample) || families.some(({ differing }) => differing > 0)) return "different";
  const isWhole =
    lists.every(({ result, leftOut }) => result.kind === "searched" && leftOut.length === 0) &&
    families.every(({ notPlayed, leftOut }) => notPlayed === undefined && leftOut === 0);
  return isWhole ? "equal" : "unknown";
}

/** One line of JSON; numbers without a JSON form (an unlimited depth) are null. */
export function renderSimulationJson(report: SimulationReport): string {
  return `${visibleJson(JSON.stringify(report))}\n`;
}
