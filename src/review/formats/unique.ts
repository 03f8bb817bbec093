/** For readers that keep one of several things with the same name. */

/** The names in their order, further equal ones with `suffix` of their number behind them: the second one gets 2. */
export function unique(names: readonly string[], suffix: (number: number) => string): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    return number === 1 ? name : name + suffix(number);
  });
}
