/** Sets of interface names: those of one pattern without those of others. */

/** A name, or with `+` at its end every name that begins so. */
export type InterfacePattern = string;

export interface InterfaceSet {
  /** `+` is every name. */
  readonly pattern: InterfacePattern;
  readonly without: readonly InterfacePattern[];
}

export const anyInterface: InterfaceSet = { pattern: "+", without: [] };

/** Whether every name of the second pattern is one of the first. */
function covers(outer: InterfacePattern, inner: InterfacePattern): boolean {
  if (!outer.endsWith("+")) return outer === inner;
  return (inner.endsWith("+") ? inner.slice(0, -1) : inner).startsWith(outer.slice(0, -1));
}

/** Undefined if no name is in both. */
export function intersectInterfaces(a: InterfaceSet, b: InterfaceSet): InterfaceSet | undefined {
  const pattern = covers(a.pattern, b.pattern) ? b.pattern : covers(b.pattern, a.pattern) ? a.pattern : undefined;
  if (pattern === undefined) return undefined;
  const without = [...new Set([...a.without, ...b.without])];
  if (without.some((name) => covers(name, pattern))) return undefined;
  return { pattern, without: without.filter((name) => covers(pattern, name)) };
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
