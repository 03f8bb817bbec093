/**
 * Networks that lie within each other, as stretches of addresses that do not: ipset asks the most specific network first,
 * and an nft set takes no two intervals that overlap.
 */

/** A network of a set: its first and last address, and what is to be known of its element. */
export interface Network<Element> {
  readonly from: bigint;
  readonly to: bigint;
  readonly element: Element;
}

/** Addresses that lie in the same networks; `around` starts with the most specific. */
export interface Region<Element> {
  readonly from: bigint;
  readonly to: bigint;
  readonly around: readonly Element[];
  /** Counts the outermost networks: regions of one lie within the same. */
  readonly root: number;
}

/** The regions of networks that contain each other or do not touch, in the order of their addresses. */
export function regionsOf<Element>(networks: readonly Network<Element>[]): Region<Element>[] {
  const sorted = [...networks].sort((a, b) => (a.from !== b.from ? (a.from < b.from ? -1 : 1) : a.to === b.to ? 0 : a.to > b.to ? -1 : 1));
  const regions: Region<Element>[] = [];
  const open: Network<Element>[] = [];
  let cursor = 0n;
  let root = -1;
  const emit = (to: bigint): void => {
    if (cursor > to) return;
    regions.push({ from: cursor, to, around: open.map(({ element }) => element).reverse(), root });
    cursor = to + 1n;
  };
  const closeBefore = (address: bigint | undefined): void => {
    for (let last = open.at(-1); last !== undefined && (address === undefined || last.to < address); last = open.at(-1)) {
      emit(last.to);
      open.pop();
    }
  };
  for (const network of sorted) {
    closeBefore(network.from);
    if (open.length > 0) emit(network.from - 1n);
    else root++;
    cursor = network.from;
    open.push(network);
  }
  closeBefore(undefined);
  return regions;
}
