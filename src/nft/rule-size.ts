/** How much of a kernel rule statements take: at most 128 expressions and 4095 bytes of them (struct nft_rule in nf_tables.h). */

import type { Expression, Statement } from "./ast.js";

/** Bytes of a rule's comment in nft. */
export const longestComment = 128;

export interface RuleSize {
  readonly expressions: number;
  readonly bytes: number;
}

/** With room for what nft adds by itself: the tests for a protocol that a field implies. */
const largest: RuleSize = { expressions: 110, bytes: 3700 };

/** So few statements fit whatever they are: none takes more than 300 bytes. */
const fewStatements = 10;

export function fitsOneRule(statements: readonly Statement[]): boolean {
  if (statements.length <= fewStatements) return true;
  const { expressions, bytes } = sizeOf(statements);
  return expressions <= largest.expressions && bytes <= largest.bytes;
}

/**
 * An estimate from above. Measured on Linux 6.18 as the number of equal statements that one rule takes: a lookup of an address is
 * 72 bytes, an update 112, a mask adds 24 for IPv4 and 64 for IPv6.
 */
export function sizeOf(statements: readonly Statement[]): RuleSize {
  let expressions = 0;
  let bytes = 0;
  for (const statement of statements) {
    const parts = partsOf(statement);
    const inner = statement.kind === "set" ? sizeOf(statement.statements ?? []) : { expressions: 0, bytes: 0 };
    expressions += parts.reduce((sum, part) => sum + expressionsIn(part), 1) + inner.expressions;
    bytes += parts.reduce((sum, part) => sum + bytesIn(part), statement.kind === "set" ? 96 : 56) + inner.bytes;
  }
  return { expressions, bytes };
}

/** What a statement loads into registers; the right side of a comparison is part of the comparison. */
function partsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case "match":
      return [statement.left];
    case "verdict-map":
      return [statement.key];
    case "existence":
      return [statement.expression];
    case "assignment":
      return [statement.target, statement.value];
    case "set":
      return [statement.key];
    case "nat":
    case "tproxy":
      return [statement.address, statement.port, statement.kind === "nat" ? statement.found?.key : undefined].flatMap((part) => part ?? []);
    case "dup":
      return [statement.address];
    default:
      return [];
  }
}

function expressionsIn(expression: Expression): number {
  switch (expression.kind) {
    case "binary":
      return 1 + expressionsIn(expression.left) + (isConstant(expression.right) ? 0 : expressionsIn(expression.right));
    case "concatenation":
      return expression.parts.reduce((sum, part) => sum + expressionsIn(part), 0);
    case "map":
    case "named-map":
      return 1 + expressionsIn(expression.key);
    case "jhash":
      return 1 + expressionsIn(expression.key);
    case "range":
      return 2;
    default:
      return 1;
  }
}

function bytesIn(expression: Expression): number {
  switch (expression.kind) {
    case "binary":
      return 64 + bytesIn(expression.left) + (isConstant(expression.right) ? 0 : bytesIn(expression.right));
    case "concatenation":
      return expression.parts.reduce((sum, part) => sum + bytesIn(part), 0);
    case "map":
    case "named-map":
      return 56 + bytesIn(expression.key);
    case "jhash":
      return 32 + bytesIn(expression.key);
    case "range":
      return 64;
    default:
      return 24;
  }
}

function isConstant({ kind }: Expression): boolean {
  return kind === "number" || kind === "symbol" || kind === "address" || kind === "flags" || kind === "string";
}
