/** Rules beside their nft as lines of text. */

import type { ReviewReport, Row } from "../report.js";

/**
 * The rows worth showing where there is not room for all: those with findings, notes or a change; all of them where a single
 * dump has none such.
 */
export function notableRows({ rows, findings }: Pick<ReviewReport, "rows" | "findings">): readonly Row[] {
  const notable = rows.filter(
    ({ change, notes, findings: own }) => change || notes.length > 0 || own.some((index) => !findings[index]!.suppressed),
  );
  return notable.length > 0 ? notable : rows;
}

/** `line 7   -A INPUT -i lo -j ACCEPT`, below it `  30     iifname "lo" counter accept`, then its notes. */
export function rowLines({ span, original, nft, scriptLines, notes, change }: Row): string[] {
  const label = (text: string): string => text.padEnd(labelWidth);
  return [
    `${label(`line ${span.line}${change ? ` (${change})` : ""}`)}${original}`,
    ...nft.map((text, index) => `${label(`  nft ${scriptLines[index]}`)}${text}`),
    ...(nft.length === 0 && notes.length === 0 ? [`${label("  nft")}(nothing)`] : []),
    ...notes.map((note) => `${label("  note")}${note}`),
  ];
}

const labelWidth = 20;
