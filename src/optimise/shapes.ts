/** Which rules could be one: those of one key ask the same but for one field, or ask for values or intervals of the same fields. */

import { emitStatement } from "../nft/emit.js";
import type { Statement } from "../nft/ast.js";
import { pointsOf, textOf, type Field, type Point, type Values } from "./fields.js";
import { givenBy, isMapped, type PlainRule, type ReadRule } from "./read-rule.js";

/** What rules of one key have in common. */
export interface Shape {
  /** Equal for rules that could be one. */
  readonly key: string;
  /** The field that may hold intervals while all else is equal; absent: all selectors are single values, or several hold intervals. */
  readonly field?: Field;
  /** Several fields may hold intervals. */
  readonly boxes?: true;
}

/** A rule of a key asks for at most so many combinations of values. */
const mostCombinations = 64;

/**
 * The keys of a rule, those with one field first, that of boxes last.
 *
 * @param mapped verdicts may differ within a key: the nft has maps for them
 */
export function shapesOf({ selectors, plain }: ReadRule, mapped: boolean): Shape[] {
  if (!plain) return [];
  const common = commonText(plain, mapped);
  const texts = [...selectors].map(([field, values]) => [field, `${field} ${textOf(values)}`] as const).sort(byField);
  const hasPorts = selectors.has("sourcePort") || selectors.has("destinationPort");
  const needsProtocol = wantsProtocol(plain.end) && !(mapped && givenBy(plain.end));
  const shapes: Shape[] = [];
  for (const [field, values] of selectors) {
    if (!canBeKey(field, values)) continue;
    // Ports of several protocols are told apart by both, and an end that wants a protocol before it cannot have it from a key.
    if (field === "protocol" && (hasPorts || needsProtocol)) continue;
    const rest = texts.filter(([other]) => other !== field).map(([, text]) => text);
    shapes.push({ key: [field, ...rest, common].join("\n"), field });
  }
  if (selectors.size < 2) return shapes;
  const protocol = needsProtocol ? texts.filter(([field]) => field === "protocol").map(([, text]) => text) : [];
  const several = (word: string): string => [word, ...texts.map(([field]) => field), ...protocol, common].join("\n");
  if (combinationsOf(selectors, (values) => pointsOf(values)?.length) <= mostCombinations) shapes.push({ key: several("all") });
  const intervals = [...selectors].every(([field, values]) => canBeKey(field, values));
  if (intervals && combinationsOf(selectors, partsIn) <= mostCombinations) shapes.push({ key: several("boxes"), boxes: true });
  return shapes;
}

function byField([a]: readonly [Field, string], [b]: readonly [Field, string]): number {
  return a < b ? -1 : 1;
}

function commonText({ others, counter, end }: PlainRule, mapped: boolean): string {
  return [counter ? "counted" : "", mapped ? mappedText(end) : emitStatement(end), ...others.map(emitStatement)].join("\n");
}

/** Equal for ends that one map can give. */
function mappedText(end: Statement): string {
  if (isMapped(end)) return "verdict";
  const given = givenBy(end);
  return given ? `map of ${given.kind}` : emitStatement(end);
}

/** Whether the values can be elements of a set. */
function canBeKey(field: Field, values: Values): boolean {
  return values.kind === "name" || (values.kind === "numbers" && (field !== "protocol" || pointsOf(values) !== undefined));
}

/** nft takes translated ports and resets only behind a test of the protocol in the same rule, and a concatenation is none. */
function wantsProtocol(end: Statement): boolean {
  return end.kind === "reject" || end.kind === "nat";
}

/** How many combinations of parts the selectors allow; infinite where one is not to be told in parts. */
function combinationsOf(selectors: ReadonlyMap<Field, Values>, partsOf: (values: Values) => number | undefined): number {
  let count = 1;
  for (const values of selectors.values()) count *= partsOf(values) ?? Infinity;
  return count;
}

function partsIn(values: Values): number | undefined {
  return values.kind === "numbers" ? values.intervals.length : values.kind === "name" ? 1 : undefined;
}

/** All combinations of single values, field by field in the order given. */
export function combinations(selectors: ReadonlyMap<Field, Values>, fields: readonly Field[]): Point[][] {
  return fields.reduce<Point[][]>(
    (found, field) => found.flatMap((before) => pointsOf(selectors.get(field)!)!.map((point) => [...before, point])),
    [[]],
  );
}

/** The same for the same combination. */
export function combinationText(points: readonly Point[]): string {
  return points.map((point) => (typeof point === "string" ? JSON.stringify(point) : point.toString())).join(" . ");
}
