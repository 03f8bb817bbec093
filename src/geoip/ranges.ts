/** Ranges of addresses by country, as `-m geoip` asks for them. */

import type { Family } from "../iptables/ast.js";

/** Addresses as numbers; both ends belong to it. */
export interface AddressRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** The ranges of a country (two letters, upper case), in any order; undefined if the data does not know it in this family. */
export type Geoip = (country: string, family: Family) => readonly AddressRange[] | undefined;

/** Throws a `RangeError` unless they are ranges of addresses of the family, each with its ends in order. */
export function checkRanges(ranges: readonly AddressRange[], country: string, family: Family): void {
  const most = family === "ipv4" ? 0xffff_ffffn : (1n << 128n) - 1n;
  const fault = (what: string): RangeError => new RangeError(`"geoip" must give ranges of addresses: for ${country} (${family}) ${what}`);
  if (!Array.isArray(ranges)) throw fault("it gives no array");
  for (const [index, range] of ranges.entries()) {
    const { from, to } = (range ?? {}) as Partial<AddressRange>;
    if (typeof from !== "bigint" || typeof to !== "bigint") throw fault(`the ends of range ${index} are no bigints`);
    if (from < 0n || to < from || to > most) throw fault(`range ${index} is from ${from} to ${to}`);
  }
}

/** The same addresses, sorted, in ranges that neither overlap nor touch: the only ones an nft set takes. */
export function joined(ranges: readonly AddressRange[]): AddressRange[] {
  const result: { from: bigint; to: bigint }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))) {
    const last = result.at(-1);
    if (last === undefined || from > last.to + 1n) result.push({ from, to });
    else if (to > last.to) last.to = to;
  }
  return result;
}
