/** Links from a place in a dump to the rule's row on the page. */

import type { Span } from "../../../diagnostic.js";
import type { Row } from "../../report.js";
import { element, type Markup } from "./element.js";

export class RuleLinks {
  /** Numbers of rows by each line they take. */
  readonly #rows = new Map<string, number>();

  constructor(rows: readonly Row[]) {
    rows.forEach(({ span: { file, line, endLine = line } }, index) => {
      for (let at = line; at <= endLine; at++) this.#rows.set(`${at}:${file}`, index);
    });
  }

  /** The place as a link to its row; as text where the page has none. */
  to({ file, line }: Span): Markup {
    const row = this.#rows.get(`${line}:${file}`);
    return row === undefined
      ? plainPlace({ file, line })
      : element("a", { class: "place", href: `#${rowId(row)}`, "data-row": rowId(row) }, `${file}:${line}`);
  }
}

/** A place that is on no row, such as a line of the old dump. */
export function plainPlace({ file, line }: Pick<Span, "file" | "line">): Markup {
  return element("span", { class: "place" }, `${file}:${line}`);
}

export function rowId(index: number): string {
  return `rule-${index + 1}`;
}

export function findingId(index: number): string {
  return `finding-${index + 1}`;
}
