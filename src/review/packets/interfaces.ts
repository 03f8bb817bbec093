/** Sets of interface names: those of one pattern without those of others. */

import { interfaceCovers } from "../../extensions/values/interface.js";

/** A name, or with `+` at its end every name that begins so. */
export type InterfacePattern = string;

export interface InterfaceSet {
  /** `+` is every name. */
  readonly pattern: InterfacePattern;
  readonly without: readonly InterfacePattern[];
}

export const anyInterface: InterfaceSet = { pattern: "+", without: [] };

function commonPattern(a: InterfaceSet, b: InterfaceSet): InterfacePattern | undefined {
  return interfaceCovers(a.pattern, b.pattern) ? b.pattern : interfaceCovers(b.pattern, a.pattern) ? a.pattern : undefined;
}

/** Whether any name is in both. */
export function interfacesMeet(a: InterfaceSet, b: InterfaceSet): boolean {
  const pattern = commonPattern(a, b);
  if (pattern === undefined) return false;
  const isOut = (name: InterfacePattern): boolean => interfaceCovers(name, pattern);
  return !a.without.some(isOut) && !b.without.some(isOut);
}

/** Undefined if no name is in both. */
export function intersectInterfaces(a: InterfaceSet, b: InterfaceSet): InterfaceSet | undefined {
  const pattern = commonPattern(a, b);
  if (pattern === undefined) return undefined;
  const without = [...new Set([...a.without, ...b.without])];
  if (without.some((name) => interfaceCovers(name, pattern))) return undefined;
  return { pattern, without: without.filter((name) => interfaceCovers(pattern, name)) };
}

/** The names of the first set that are not in the second, as sets without a name in common. */
export function subtractInterfaces(a: InterfaceSet, b: InterfaceSet): InterfaceSet[] {
  const outside = intersectInterfaces(a, { pattern: "+", without: [b.pattern] });
  const pieces = b.without.flatMap((name, index) => {
    const piece = intersectInterfaces(a, { pattern: name, without: b.without.slice(0, index) });
    return piece && intersectInterfaces(piece, { pattern: b.pattern, without: [] }) ? [piece] : [];
  });
  return outside ? [outside, ...pieces] : pieces;
}
