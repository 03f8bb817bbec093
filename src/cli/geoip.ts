/** `--geoip`: the ranges of countries out of the folder of xt_geoip, or out of CSV files. */

import { existsSync, readdirSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Failure } from "../failure.js";
import { CsvFault } from "../csv-document.js";
import { readGeoipCsv } from "../geoip/read-csv.js";
import type { Geoip } from "../geoip/ranges.js";
import { readPacked } from "../geoip/read-packed.js";
import { decode, orFailure, readBytes, tooLarge } from "./read-file.js";
import { codeOf, systemReason } from "./system-error.js";

/**
 * All of them together, each file of at most `limit` bytes. A folder's files are read when their country is asked for. Throws a Failure,
 * and so does the result.
 */
export function readGeoip(paths: readonly string[], limit: number): Geoip {
  const sources = paths.map((path) => (stat(path).isDirectory() ? readFolder(path, limit) : readTable(path, limit)));
  return (country, family) => {
    const found = sources.map((source) => source(country, family)).filter((ranges) => ranges !== undefined);
    return found.length === 0 ? undefined : found.flat();
  };
}

/** The folder itself in network byte order, or what older versions of xtables-addons made in it. */
const layouts = [
  { folder: "", littleEndian: false },
  { folder: "BE", littleEndian: false },
  { folder: "LE", littleEndian: true },
];

function readFolder(path: string, limit: number): Geoip {
  const layout = layouts.find(({ folder }) => holdsCountries(join(path, folder)));
  if (!layout) throw new Failure(`${JSON.stringify(path)} holds no files of countries, such as CN.iv4 and CN.iv6`);
  return (country, family) => {
    const file = join(path, layout.folder, `${country}.${family === "ipv4" ? "iv4" : "iv6"}`);
    if (!existsSync(file)) return undefined;
    const ranges = readPacked(readBytes(file, limit), family, layout.littleEndian);
    if (!ranges) throw new Failure(`${JSON.stringify(file)} is not a file of xt_geoip: pairs of addresses, the lower first`);
    return ranges;
  };
}

function holdsCountries(path: string): boolean {
  return existsSync(path) && readdirSync(path).some((name) => /^[A-Z0-9]{2}\.iv[46]$/.test(name));
}

function readTable(path: string, limit: number): Geoip {
  const bytes = readBytes(path, limit);
  let table: Uint8Array = bytes;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      table = gunzipSync(bytes, { maxOutputLength: limit });
    } catch (error) {
      if (codeOf(error) === "ERR_BUFFER_TOO_LARGE") throw tooLarge(`what ${JSON.stringify(path)} unpacks to`, limit);
      throw new Failure(`${JSON.stringify(path)} cannot be unpacked: ${systemReason(error)}`);
    }
  }
  try {
    return readGeoipCsv(decode(table).text);
  } catch (error) {
    if (!(error instanceof CsvFault)) throw error;
    throw new Failure(
      `${JSON.stringify(path)}, line ${error.place.line}: ${error.message}; a row is first address, last address, country, such as ` +
        "192.0.2.0,192.0.2.255,CN",
    );
  }
}

function stat(path: string): Stats {
  return orFailure(path, () => statSync(path));
}
