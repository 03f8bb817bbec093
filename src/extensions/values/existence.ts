/** Presence of things a packet may hold several of, in groups of tests that do not overlap. */

import { exists, type Expression, type Statement } from "../../nft/ast.js";
import type { Alternatives, Never, Statements } from "../extension.js";

/** At least one is there. */
export function anyExists(things: readonly Expression[]): Statements | Alternatives | Never {
  return cases(things.map((thing, index) => [...things.slice(0, index).map((other) => exists(other, false)), exists(thing)]));
}

/** At least one is missing. */
export function anyMissing(things: readonly Expression[]): Statements | Alternatives | Never {
  return cases(things.map((thing, index) => [...things.slice(0, index).map((other) => exists(other)), exists(thing, false)]));
}

function cases(alternatives: readonly (readonly Statement[])[]): Statements | Alternatives | Never {
  const [only, ...more] = alternatives;
  if (only === undefined) return { never: "the list is empty" };
  return more.length === 0 ? { statements: only } : { alternatives };
}
