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
