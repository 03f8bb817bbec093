/**
 * Suppressions in the dump: a comment line above what it allows, or for the whole file.
 *
 *     # ipt2nft-recent: allow list-never-set fail2ban writes to /proc/net/xt_recent
 *     -A INPUT -m recent --rcheck --seconds 3600 --name f2b -j DROP
 *     # ipt2nft-recent: allow-file recent-list-size,recent-flood-guard known, and wanted
 *
 * Codes are joined by commas; a reason must follow. iptables-save drops comments, so these belong into a file that is kept.
 */

import { catalogue, effectOf, printable, type DiagnosticCode, type Span } from "../../diagnostic.js";
import { reviewCatalogue, reviewEntry } from "../catalogue.js";
import type { Remark } from "../findings.js";
import type { SourceLines } from "../source-lines.js";

interface Suppression {
  readonly span: Span;
  readonly codes: readonly string[];
  readonly reason: string;
  /** The line it is about; undefined for the whole file. */
  readonly line: number | undefined;
  readonly used: Set<string>;
}

const form = /^\s*#\s*ipt2nft-recent:(.*)$/s;
/** Of a text without blanks at its end. */
const order = /^(allow|allow-file)\s+(\S+)(?:\s+(\S.*))?$/s;

/** The remarks, those that are allowed marked as such, and what is to be said of the suppressions themselves. */
export function suppressInline(remarks: readonly Remark[], files: readonly string[], lines: SourceLines): Remark[] {
  const { suppressions, faults } = findSuppressions(files, lines);
  if (suppressions.length === 0) return [...remarks, ...faults];
  const marked = remarks.map((remark): Remark => {
    const { span, code } = remark;
    const found = maySuppress(code)
      ? suppressions.find((one) => one.span.file === span.file && one.codes.includes(code) && covers(one, span))
      : undefined;
    if (!found) return remark;
    found.used.add(code);
    return { ...remark, suppressed: { by: "inline", reason: found.reason } };
  });
  const unused = suppressions.flatMap(({ span, codes, used }) =>
    codes
      .filter((code) => !used.has(code))
      .map(
        (code): Remark => ({
          code: "unused-suppression",
          severity: reviewCatalogue["unused-suppression"].severity,
          span,
          message: `nothing here is found that "${printable(code)}" allows`,
          help: "take the comment out",
        }),
      ),
  );
  return [...marked, ...faults, ...unused];
}

/** What makes the file no ruleset cannot be allowed. */
function maySuppress(code: string): boolean {
  return !isTranslators(code) || effectOf(code) !== "invalid";
}

function isTranslators(code: string): code is DiagnosticCode {
  return Object.hasOwn(catalogue, code);
}

function covers({ line }: Suppression, { line: first, endLine: last = first }: Span): boolean {
  return line === undefined || (line >= first && line <= last);
}

function findSuppressions(files: readonly string[], lines: SourceLines): { suppressions: Suppression[]; faults: Remark[] } {
  const suppressions: Suppression[] = [];
  const faults: Remark[] = [];
  for (const file of files) {
    const all = lines.all(file);
    all.forEach((text, index) => {
      const found = form.exec(text);
      if (!found) return;
      const column = text.indexOf("#") + 1;
      const span: Span = { file, line: index + 1, column, length: text.trimEnd().length - column + 1 };
      const parts = order.exec(found[1]!.trim());
      const codes = parts?.[2]?.split(",") ?? [];
      const unknown = codes.find((code) => !isTranslators(code) && !reviewEntry(code));
      if (!parts || !parts[3] || unknown !== undefined) {
        const fault = !parts
          ? 'it is not of the form "allow CODE reason" or "allow-file CODE reason"'
          : unknown !== undefined
            ? `"${printable(unknown)}" is no code of a finding`
            : "the reason is missing";
        faults.push({
          code: "invalid-suppression",
          severity: reviewCatalogue["invalid-suppression"].severity,
          span,
          message: `the suppression has no effect: ${fault}`,
        });
        return;
      }
      const next = all.findIndex((other, at) => at > index && other.trim() !== "" && !other.trimStart().startsWith("#"));
      suppressions.push({ span, codes, reason: parts[3], line: parts[1] === "allow-file" ? undefined : next + 1, used: new Set() });
    });
  }
  return { suppressions, faults };
}
