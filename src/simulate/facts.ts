/**
 * A test of something that packets here do not have (a time of day, an owner, a set of addresses) is a *fact*: the packet says
 * whether it holds, under a name made of the test itself, so that both models ask for the same one.
 */

import type { SetStatement, Statement } from "../nft/ast.js";
import { emitStatement } from "../nft/emit.js";

export interface Fact {
  readonly name: string;
  readonly inverted: boolean;
}

/** The name under which a packet says whether a test holds: the test as nft writes it. A test and its opposite share it. */
export function factName(statement: Statement, opaqueSets: ReadonlySet<string>): Fact {
  if (statement.kind !== "match") return { name: emitStatement(statement), inverted: false };
  const inverted = statement.operator === "!=";
  const positive = inverted ? { ...statement, operator: "==" as const } : statement;
  // Under a set's own name: how its elements are put together from a packet is written differently where the set is unknown.
  if (statement.right.kind === "set-reference" && opaqueSets.has(statement.right.set)) return { name: `@${statement.right.set}`, inverted };
  return { name: emitStatement(positive), inverted };
}

/** A test inside a set, whatever the set is called. */
export function withoutName(statement: SetStatement): SetStatement {
  return { ...statement, set: "of_this_rule" };
}
