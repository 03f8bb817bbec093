/** Where a finding stands, the way code hosts want it said. */

import type { Span } from "../../diagnostic.js";

/**
 * The path from the top of the repository, with slashes and without a leading `./`; undefined for an input that is no file,
 * such as `<stdin>`.
 */
export function repositoryPath(file: string): string | undefined {
  if (/^<[^/]*>$/.test(file)) return undefined;
  return file.replaceAll("\\", "/").replace(/^(?:\.\/+)+/, "");
}

/** The last line of a span. */
export function lastLine({ line, endLine = line }: Span): number {
  return endLine;
}

/** The first column behind a span, in UTF-16 code units from 1; undefined for a span of several lines, whose end it does not tell. */
export function columnBehind(span: Span): number | undefined {
  return lastLine(span) === span.line ? span.column + span.length : undefined;
}
