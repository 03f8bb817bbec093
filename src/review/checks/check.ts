/** What a check for a trap gets, and what it gives. */

import type { Span } from "../../diagnostic.js";
import type { Family } from "../../iptables/ast.js";
import { reviewCatalogue, type ReviewCode } from "../catalogue.js";
import type { Remark } from "../findings.js";
import type { ReviewedList } from "../lists/list-use.js";
import type { Box } from "../packets/box.js";
import type { FollowedTable } from "../packets/paths.js";

export interface CheckedTable {
  readonly family: Family;
  readonly followed: FollowedTable;
  /** A box around all that comes into each chain; none for chains that nothing reaches. */
  readonly entries: ReadonlyMap<string, Box>;
}

export interface CheckedRulesets {
  readonly tables: readonly CheckedTable[];
  readonly lists: readonly ReviewedList[];
}

/** One trap: looks at everything and says what it finds. */
export type Check = (rulesets: CheckedRulesets) => Remark[];

/** A remark with the severity of its code. */
export function remark(code: ReviewCode, span: Span, message: string, help?: string): Remark {
  return { code, severity: reviewCatalogue[code].severity, span, message, ...(help !== undefined && { help }) };
}
