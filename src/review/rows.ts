/** Every rule beside its nft. */

import type { Span } from "../diagnostic.js";
import type { IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import type { NftScript } from "../nft/ast.js";
import { emitWithLines } from "../nft/emit.js";
import type { Row } from "./report.js";

/** A row before the findings are known. */
export type BareRow = Omit<Row, "findings">;

interface Found {
  readonly lines: { readonly text: string; readonly line: number }[];
  readonly notes: string[];
  /** Lines of the dump whose rules share a line of the script with this one. */
  readonly shared: Set<number>;
}

/** One row for each rule as written: a line with an address list is one, though iptables makes several rules of it. */
export function makeRows(rulesets: readonly IptablesRuleset[], script: NftScript | undefined): BareRow[] {
  const found = script ? findOrigins(script) : new Map<string, Found>();
  const rows = new Map<string, BareRow>();
  for (const { family, tables } of rulesets) {
    for (const table of tables) {
      for (const chain of table.chains) {
        for (const rule of chain.rules) {
          const key = placeKey(rule.span);
          if (!rows.has(key)) rows.set(key, { ...rowOf(rule, found.get(key)), table: table.name, chain: chain.name, family });
        }
      }
    }
  }
  return [...rows.values()];
}

/** Equal for spans that begin at the same place. */
export function placeKey({ file, line, column }: Span): string {
  return `${line}:${column}:${file}`;
}

function rowOf(rule: IptablesRule, found: Found | undefined): Pick<BareRow, "span" | "original" | "nft" | "scriptLines" | "notes"> {
  const notes = [...(found?.notes ?? [])];
  const shared = [...(found?.shared ?? [])].sort((a, b) => a - b);
  if (shared.length > 0) notes.push(`one nft rule with that of line ${shared.join(" and ")}: the hit is recorded and checked in one step`);
  const lines = found?.lines ?? [];
  return { span: rule.span, original: rule.text, nft: lines.map(({ text }) => text), scriptLines: lines.map(({ line }) => line), notes };
}

function findOrigins(script: NftScript): Map<string, Found> {
  const found = new Map<string, Found>();
  const at = (span: Span): Found => {
    const key = placeKey(span);
    let entry = found.get(key);
    if (!entry) found.set(key, (entry = { lines: [], notes: [], shared: new Set() }));
    return entry;
  };
  for (const { rule, line, text } of emitWithLines(script).rules) {
    for (const origin of rule.origins ?? []) {
      const entry = at(origin);
      entry.lines.push({ text: text.trim(), line });
      for (const other of rule.origins!) if (other.file === origin.file && other.line !== origin.line) entry.shared.add(other.line);
    }
  }
  for (const entry of script.tables.flatMap(({ chains }) => chains).flatMap(({ entries }) => entries)) {
    if (entry.kind === "comment") for (const origin of entry.origins ?? []) at(origin).notes.push(...entry.lines);
  }
  return found;
}
