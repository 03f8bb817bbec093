/** Notes that all rules of a shape get: learned from two of them, and put at the same places of the others. */

import { effectOf, type Diagnostic } from "../diagnostic.js";
import type { Scan } from "./scan.js";

/** A place in a rule of a shape: so many characters behind the end of a hole, or behind the beginning of the line for hole -1. */
interface Place {
  readonly hole: number;
  readonly behind: number;
}

/** A note but for its place. */
export interface RemarkTemplate {
  readonly diagnostic: Diagnostic;
  readonly from: Place;
  readonly to: Place;
}

/** Where the holes of a line begin and end, in characters from its beginning; the name of the chain is one of them. */
export type Holes = readonly (readonly [start: number, end: number])[];

/** @param marks what stands in the holes of the shape in the place of the values; the values unless told */
export function holesOf({ text, chains, rules, shapes }: Scan, rule: number, marks?: readonly string[]): Holes {
  const line = rules.start[rule]!;
  // Only counters can stand before it.
  const name = text.indexOf("-A ", line) + 3 - line;
  const holes = shapes[rules.shape[rule]!]!.classes.map((_, index) => {
    const hole = rules.firstHole[rule]! + 2 * index;
    const [start, end] = [rules.holes[hole]! - line, rules.holes[hole + 1]! - line];
    return { start, length: end - start, written: marks?.[index]?.length ?? end - start };
  });
  const { length } = chains[rules.chain[rule]!]!.name;
  holes.push({ start: name, length, written: length });
  let moved = 0;
  return holes
    .sort((a, b) => a.start - b.start)
    .map(({ start, length: before, written }) => {
      const from = start + moved;
      moved += written - before;
      return [from, from + written] as const;
    });
}

/** Undefined where the two rules do not get the same, or something that is more than a note. */
export function learnRemarks(
  first: readonly Diagnostic[],
  holesOfFirst: Holes,
  second: readonly Diagnostic[],
  holesOfSecond: Holes,
): readonly RemarkTemplate[] | undefined {
  if (first.length !== second.length) return undefined;
  const found: RemarkTemplate[] = [];
  for (const [index, diagnostic] of first.entries()) {
    const [one, other] = [placed(diagnostic, holesOfFirst), placed(second[index]!, holesOfSecond)];
    if (!one || !other || !isSame(one, other)) return undefined;
    found.push(one);
  }
  return found;
}

function placed(diagnostic: Diagnostic, holes: Holes): RemarkTemplate | undefined {
  const { code, span } = diagnostic;
  if (effectOf(code) !== "noted" || span.endLine !== undefined) return undefined;
  const from = placeOf(span.column - 1, holes);
  const to = placeOf(span.column - 1 + span.length, holes);
  return from && to && { diagnostic, from, to };
}

/** Undefined within a hole: what is there is not the same in all rules. */
function placeOf(at: number, holes: Holes): Place | undefined {
  let place: Place = { hole: -1, behind: at };
  for (const [hole, [start, end]] of holes.entries()) {
    if (at <= start) break;
    if (at < end) return undefined;
    place = { hole, behind: at - end };
  }
  return place;
}

function isSame(a: RemarkTemplate, b: RemarkTemplate): boolean {
  const isThere = (one: Place, other: Place): boolean => one.hole === other.hole && one.behind === other.behind;
  return (
    a.diagnostic.code === b.diagnostic.code &&
    a.diagnostic.severity === b.diagnostic.severity &&
    a.diagnostic.message === b.diagnostic.message &&
    a.diagnostic.help === b.diagnostic.help &&
    a.diagnostic.without === b.diagnostic.without &&
    isThere(a.from, b.from) &&
    isThere(a.to, b.to)
  );
}

/** The note at its place in another rule of the shape. */
export function remarkFor({ diagnostic, from, to }: RemarkTemplate, line: number, holes: Holes): Diagnostic {
  const at = ({ hole, behind }: Place): number => (hole === -1 ? 0 : holes[hole]![1]) + behind;
  const start = at(from);
  return { ...diagnostic, span: { ...diagnostic.span, line, column: start + 1, length: at(to) - start } };
}
