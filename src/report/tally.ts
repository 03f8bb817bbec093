/** How many rules came through, and how. */

import { effectOf, type Diagnostic, type Effect } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";

/** Numbers of rules as written: a line with an address list is one rule here, though iptables makes several of it. */
export interface Tally {
  readonly exact: number;
  readonly approximated: number;
  readonly refused: number;
}

/** Counts the rules of the rulesets by the worst that any diagnostic says about their lines. */
export function tally(rulesets: readonly IptablesRuleset[], diagnostics: readonly Diagnostic[]): Tally {
  const refused = linesOf(diagnostics, "refused");
  const approximated = linesOf(diagnostics, "approximated");
  const seen = new Map<string, Set<number>>();
  const count = { exact: 0, approximated: 0, refused: 0 };
  for (const ruleset of rulesets) {
    for (const table of ruleset.tables) {
      for (const chain of table.chains) {
        for (const {
          span: { file, line, endLine = line },
        } of chain.rules) {
          const lines = entry(seen, file);
          if (lines.has(line)) continue;
          lines.add(line);
          if (hasLine(refused.get(file), line, endLine)) count.refused++;
          else if (hasLine(approximated.get(file), line, endLine)) count.approximated++;
          else count.exact++;
        }
      }
    }
  }
  return count;
}

function hasLine(lines: ReadonlySet<number> | undefined, first: number, last: number): boolean {
  if (lines === undefined) return false;
  for (let line = first; line <= last; line++) if (lines.has(line)) return true;
  return false;
}

function linesOf(diagnostics: readonly Diagnostic[], effect: Effect): Map<string, Set<number>> {
  const lines = new Map<string, Set<number>>();
  for (const { code, span } of diagnostics) {
    if (effectOf(code) === effect) entry(lines, span.file).add(span.line);
  }
  return lines;
}

function entry(map: Map<string, Set<number>>, file: string): Set<number> {
  let lines = map.get(file);
  if (!lines) map.set(file, (lines = new Set()));
  return lines;
}
