/** Lists that a file decides the length of: `list.push(...items)` puts every item on the stack, which has room for some 100,000. */

/** Puts the items at the end of the list. */
export function append<Item>(list: Item[], items: Iterable<Item>): void {
  for (const item of items) list.push(item);
}

/** The greatest of the numbers and of `atLeast`. */
export function greatest(numbers: Iterable<number>, atLeast: number): number {
  let most = atLeast;
  for (const number of numbers) most = Math.max(most, number);
  return most;
}
