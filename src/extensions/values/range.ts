/** Tests of a field against a range of numbers, with the ranges that hold all numbers or none. */

import { match, number, range, type Expression, type Statement } from "../../nft/ast.js";
import type { Never } from "../extension.js";
import type { NumberRange } from "./number.js";

/** The nft side of a range of numbers. */
export function rangeExpression({ from, to }: NumberRange): Expression {
  return from === to ? number(from) : range(number(from), number(to));
}

/**
 * `field from-to`, or its negation. The kernel takes a backwards range as one that holds no number, and nft refuses it;
 * the test that always holds still demands that the packet has the field.
 */
export function rangeTest(field: Expression, { from, to }: NumberRange, inverted: boolean, maximum: number): Statement | Never {
  const last = Math.min(to, maximum);
  const empty = from > last;
  const full = from === 0 && last === maximum;
  if (empty || full) {
    if (empty !== inverted) return { never: empty ? "the range holds no number" : "the range holds every number" };
    return match(field, range(number(0), number(maximum)));
  }
  return match(field, rangeExpression({ from, to: last }), inverted);
}

/** Whether an option's value is a range, or has a range of codes, that runs backwards: no packet has what it asks for. */
export function holdsNothing(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { from, to, codes } = value as { readonly from?: unknown; readonly to?: unknown; readonly codes?: unknown };
  if (typeof from === "number" && typeof to === "number") return from > to;
  if (typeof from === "bigint" && typeof to === "bigint") return from > to;
  return holdsNothing(codes);
}

/** Splits tests into statements, or finds the first one that never holds. */
export function allOf(tests: readonly (Statement | Never | undefined)[]): Statement[] | Never {
  const statements: Statement[] = [];
  for (const test of tests) {
    if (test === undefined) continue;
    if (!("kind" in test)) return test;
    statements.push(test);
  }
  return statements;
}
