/** Says in the comment of each nft rule, which the kernel keeps, what iptables rule it comes from (`--origins`). */

import type { Span } from "../diagnostic.js";
import { commentText } from "../extensions/values/text.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import type { Expression, NftRule, NftTable } from "../nft/ast.js";
import { longestComment } from "../nft/rule-size.js";

interface Origin {
  readonly text: string;
  /** `filter INPUT line 12`, and the family where a table is of both. */
  readonly place: string;
}

/**
 * The rule as written if it fits, else its table, chain and line; a comment of the user stands before it, and alone if there is no
 * room.
 */
export function withOrigins(table: NftTable, rulesets: readonly IptablesRuleset[]): NftTable {
  const origins = originsByPlace(rulesets, table.family === "inet");
  return {
    ...table,
    sets: table.sets.map((set) =>
      set.ofRules && set.elements ? { ...set, elements: set.elements.map((one) => named(one, origins)) } : set,
    ),
    chains: table.chains.map((chain) => ({
      ...chain,
      entries: chain.entries.map((entry) => (entry.kind === "rule" ? commented(entry, origins) : entry)),
    })),
  };
}

/** An element that stands for a rule says which. */
function named(element: Expression, origins: ReadonlyMap<string, Origin>): Expression {
  if (element.kind !== "element" || !element.origin) return element;
  const comment = commentOf([element.origin], element.comment, origins);
  return comment === undefined ? element : { ...element, comment };
}

function commented(rule: NftRule, origins: ReadonlyMap<string, Origin>): NftRule {
  const comment = commentOf(rule.origins ?? [], rule.comment, origins);
  return comment === undefined ? rule : { ...rule, comment };
}

/** Undefined where the comment of the user is all there is. */
function commentOf(spans: readonly Span[], written: string | undefined, origins: ReadonlyMap<string, Origin>): string | undefined {
  const own = spans.flatMap((span) => origins.get(placeKey(span)) ?? []);
  if (own.length === 0) return undefined;
  const joined = (parts: readonly string[]): string => [...new Set(parts)].join(" | ");
  const user = written === undefined ? [] : [written];
  const candidates = [joined([...user, ...own.map(({ text }) => inQuotes(text))]), joined([...user, ...own.map(({ place }) => place)])];
  return candidates.find(isComment);
}

/** nft has no escape for a double quote. */
function inQuotes(text: string): string {
  return text.replaceAll('"', "'");
}

function isComment(text: string): boolean {
  return new TextEncoder().encode(text).length <= longestComment && commentText(text) === text;
}

function originsByPlace(rulesets: readonly IptablesRuleset[], ofBothFamilies: boolean): Map<string, Origin> {
  const origins = new Map<string, Origin>();
  for (const { family, tables } of rulesets) {
    const prefix = !ofBothFamilies ? "" : family === "ipv4" ? "v4 " : "v6 ";
    for (const table of tables) {
      for (const chain of table.chains) {
        for (const { span, text } of chain.rules) {
          origins.set(placeKey(span), { text, place: `${prefix}${table.name} ${chain.name} line ${span.line}` });
        }
      }
    }
  }
  return origins;
}

function placeKey({ file, line, column }: Span): string {
  return `${line}:${column}:${file}`;
}
