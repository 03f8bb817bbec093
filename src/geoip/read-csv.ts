/**
 * Tables of ranges and their countries, as the providers of such data give them away:
 *
 *     192.0.2.0,192.0.2.255,CN                                                DB-IP lite, ip-location-db
 *     "192.0.2.0","192.0.2.255","3221225984","3221226239","CN","China"       GeoIPCountryWhois.csv
 *     "3221225984","3221226239","CN","China"                                 IP2Location LITE
 *     "3221225984","3221226239","apnic","0","CN","CHN","China"               IpToCountry.csv
 *     192.0.2.0/24,China,CN,Asia                                             networks in place of ranges
 *
 * The country is the first field of two letters behind the addresses. A row in which no field is has no country.
 */

import { CsvFault, readCsvRows } from "../csv-document.js";
import { addressBits, parseHost, prefixMask } from "../extensions/values/address.js";
import type { Family } from "../iptables/ast.js";
import type { AddressRange, Geoip } from "./ranges.js";

/** Reads a whole table. Throws a `CsvFault` for one that is not of ranges. */
export function readGeoipCsv(text: string): Geoip {
  const ranges = new Map<string, AddressRange[]>();
  let isFirst = true;
  for (const cells of readCsvRows(text, "in front")) {
    const row = rowOf(cells.map((cell) => cell.text));
    // The first row may hold the names of the columns.
    if (row === undefined && !isFirst) throw new CsvFault("neither a range of addresses nor a network begins the row", cells[0]!.place);
    isFirst = false;
    if (row?.country === undefined) continue;
    const known = ranges.get(row.country);
    if (known) known.push(row.range);
    else ranges.set(row.country, [row.range]);
  }
  if (ranges.size === 0) throw new CsvFault("no row holds a range of addresses and a country of two letters", { line: 1, column: 1 });
  return (country, family) => ranges.get(`${family} ${country}`);
}

interface Row {
  readonly range: AddressRange;
  /** Family and letters; undefined if the row has no country. */
  readonly country: string | undefined;
}

function rowOf(fields: readonly string[]): Row | undefined {
  const [first = "", second = ""] = fields;
  const network = first.includes("/");
  const from = addressOf(network ? first.slice(0, first.indexOf("/")) : first);
  if (from === undefined) return undefined;
  const to = network ? lastOf(from, first.slice(first.indexOf("/") + 1)) : lastAddress(second, from.family);
  if (to === undefined || to < from.value) return undefined;
  const letters = fields.slice(network ? 1 : 2).find((field) => /^[A-Za-z]{2}$/.test(field));
  return { range: { from: from.value, to }, country: letters && `${from.family} ${letters.toUpperCase()}` };
}

interface Address {
  readonly value: bigint;
  readonly family: Family;
}

/** As it is usually written, or as one number. */
function addressOf(text: string): Address | undefined {
  if (text.includes(":")) {
    const value = parseHost(text, "ipv6");
    return value === undefined ? undefined : { value, family: "ipv6" };
  }
  if (text.includes(".")) {
    // Some tables fill the bytes up with zeros, which do not make them octal.
    const bytes = text.split(".");
    if (bytes.length !== 4 || !bytes.every((byte) => /^[0-9]{1,3}$/.test(byte) && Number(byte) < 256)) return undefined;
    return { value: BigInt(bytes.reduce((value, byte) => 256 * value + Number(byte), 0)), family: "ipv4" };
  }
  const value = /^[0-9]{1,39}$/.test(text) ? BigInt(text) : undefined;
  if (value === undefined || value >> 128n > 0n) return undefined;
  return { value, family: value >> 32n > 0n ? "ipv6" : "ipv4" };
}

/** The address where a range ends, of the same family as its beginning. */
function lastAddress(text: string, family: Family): bigint | undefined {
  const found = addressOf(text);
  if (found === undefined) return undefined;
  // As a number, a low IPv6 address looks like one of IPv4.
  return found.family === family || (family === "ipv6" && !text.includes(".")) ? found.value : undefined;
}

/** The last address of a network. */
function lastOf({ value, family }: Address, length: string): bigint | undefined {
  const bits = Number(length);
  if (!/^[0-9]{1,3}$/.test(length) || bits > addressBits[family]) return undefined;
  return value | (prefixMask(addressBits[family], family) ^ prefixMask(bits, family));
}
