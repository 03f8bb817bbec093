/** Patterns of interface names as iptables has them: with a `+` at the end they stand for every name that begins so. */

/** Whether a name is one of those the pattern stands for. */
export function interfaceMatches(name: string, pattern: string): boolean {
  return pattern.endsWith("+") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Whether every name of the second pattern is one of the first. */
export function interfaceCovers(outer: string, inner: string): boolean {
  return outer.endsWith("+") ? (inner.endsWith("+") ? inner.slice(0, -1) : inner).startsWith(outer.slice(0, -1)) : outer === inner;
}
