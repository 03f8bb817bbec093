/** Which lists a report tells among what changed, and which at its end. */

import type { ListReview, ReviewReport } from "../report.js";

const isComparison = ({ inputs }: ReviewReport): boolean => inputs.some(({ role }) => role === "old");

/** Lists that the change touches; all of them where nothing is compared. */
export function toldLists(report: ReviewReport): readonly ListReview[] {
  return isComparison(report) ? report.lists.filter(({ status }) => status !== "unchanged") : report.lists;
}

/** Lists that are as they were. */
export function untouchedLists(report: ReviewReport): readonly ListReview[] {
  return isComparison(report) ? report.lists.filter(({ status }) => status === "unchanged") : [];
}
