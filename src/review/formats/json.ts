/** The report as it is, for a program: docs/review.schema.json describes it. */

import { visibleJson } from "../../report/visible.js";
import type { ReviewReport } from "../report.js";

/** One document of several lines, with a newline at its end. Members are only ever added while `version` stays 1. */
export function renderJson(report: ReviewReport): string {
  return `${visibleJson(JSON.stringify(report, undefined, 2))}\n`;
}
