/** Every rule beside its nft. */

import type { Span } from "../diagnostic.js";
import type { IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import type { Expression, NftRule, NftScript, NftTable, Statement } from "../nft/ast.js";
import { emitElement, emitWithLines } from "../nft/emit.js";
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

/** Elements that are named as what a rule has become. */
const mostElementsNoted = 4;

/** The rules that look packets up in elements which stand for rules of the input, with these elements. */
function lookUpsOf({ chains, sets }: NftTable): [NftRule, readonly Expression[]][] {
  const ofRules = new Map(sets.flatMap(({ name, ofRules: is, elements = [] }) => (is ? [[name, elements] as const] : [])));
  const elementsOf = (looked: Expression): readonly Expression[] | undefined => {
    if (looked.kind === "set-reference") return ofRules.get(looked.set);
    const stands = looked.kind === "anonymous-set" && looked.elements.some((element) => element.kind === "element" && element.origin);
    return stands ? looked.elements : undefined;
  };
  return chains.flatMap(({ entries }) =>
    entries.flatMap((entry): [NftRule, readonly Expression[]][] => {
      if (entry.kind !== "rule") return [];
      for (const statement of entry.statements) {
        const looked = lookedInto(statement);
        const elements = looked && elementsOf(looked);
        if (elements) return [[entry, elements]];
      }
      return [];
    }),
  );
}

function lookedInto(statement: Statement): Expression | undefined {
  switch (statement.kind) {
    case "verdict-map":
      return statement.map;
    case "match":
      return statement.right;
    case "nat":
      return statement.found?.map;
    case "assignment":
      return statement.value.kind === "named-map" ? statement.value.map : undefined;
    default:
      return undefined;
  }
}

function findOrigins(script: NftScript): Map<string, Found> {
  const found = new Map<string, Found>();
  const at = (span: Span): Found => {
    const key = placeKey(span);
    let entry = found.get(key);
    if (!entry) found.set(key, (entry = { lines: [], notes: [], shared: new Set() }));
    return entry;
  };
  const lookUps = new Map(script.tables.flatMap((table) => lookUpsOf(table)));
  for (const { rule, line, text } of emitWithLines(script).rules) {
    for (const origin of rule.origins ?? []) {
      const entry = at(origin);
      entry.lines.push({ text: text.trim(), line });
      if (lookUps.has(rule)) continue;
      for (const other of rule.origins!) if (other.file === origin.file && other.line !== origin.line) entry.shared.add(other.line);
    }
  }
  for (const elements of lookUps.values()) {
    for (const element of elements) {
      if (element.kind !== "element" || !element.origin) continue;
      const { notes } = at(element.origin);
      if (notes.length < mostElementsNoted) notes.push(`one of ${elements.length} in a look-up: ${emitElement(element)}`);
      else if (notes.length === mostElementsNoted) notes.push("and more of them");
    }
  }
  for (const entry of script.tables.flatMap(({ chains }) => chains).flatMap(({ entries }) => entries)) {
    if (entry.kind === "comment") for (const origin of entry.origins ?? []) at(origin).notes.push(...entry.lines);
  }
  return found;
}
