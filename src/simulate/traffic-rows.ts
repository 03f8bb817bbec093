/** Rows of CSV and JSON with the places of their cells, so that faults can say where they are. */

import { CsvError, parse as parseCsv } from "csv-parse/sync";
import { Failure } from "../failure.js";
import { elementPlaces, placeOf, type TextPlace } from "./json-places.js";

/** What is wrong with a file; line and column count from 1, and are absent for captures. */
export class TrafficFault extends Failure {
  constructor(
    message: string,
    readonly place?: TextPlace,
  ) {
    super(message);
  }
}

export interface Cell {
  readonly value: unknown;
  readonly place: TextPlace;
}
export interface Row {
  readonly cells: ReadonlyMap<string, Cell>;
  readonly place: TextPlace;
}

const names = [
  "time",
  "source",
  "destination",
  "protocol",
  "sport",
  "dport",
  "in",
  "out",
  "path",
  "state",
  "flags",
  "type",
  "code",
  "ttl",
  "length",
  "mark",
] as const;
export type Name = (typeof names)[number];
const needed: readonly Name[] = ["time", "source"];

function checkNames(found: readonly string[], placeOfName: (index: number) => TextPlace): void {
  const unknown = found.findIndex((name) => !(names as readonly string[]).includes(name));
  if (unknown >= 0) throw new TrafficFault(`"${found[unknown]}" is none of ${names.join(", ")}`, placeOfName(unknown));
  const missing = needed.find((name) => !found.includes(name));
  if (missing) throw new TrafficFault(`no "${missing}"`, placeOfName(0));
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
  readonly raw: string;
}

/** Throws a `TrafficFault`. */
export function rowsOfCsv(text: string): Row[] {
  let records: CsvRecord[];
  try {
    // Its types do not tell what `info` and `raw` make of a record.
    records = parseCsv(text, {
      bom: true,
      info: true,
      raw: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      comment: "#",
    }) as unknown as CsvRecord[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new TrafficFault(error.message, { line: Number(error["lines"] ?? 1), column: 1 });
  }
  const [header, ...rest] = records;
  if (!header) return [];
  const titles = header.record.map((name) => name.toLowerCase());
  const placesIn = ({ raw, info }: CsvRecord): ((index: number) => TextPlace) => {
    const starts = fieldStarts(raw);
    const line = info.lines - (raw.trimEnd().match(/\n/g) ?? []).length;
    return (index) => ({ line, column: (starts[index] ?? 0) + 1 });
  };
  checkNames(titles, placesIn(header));
  return rest.map((one) => {
    const places = placesIn(one);
    if (one.record.length > titles.length) throw new TrafficFault("more fields than the header has names", places(titles.length));
    return { place: places(0), cells: new Map(one.record.map((value, index) => [titles[index]!, { value, place: places(index) }])) };
  });
}

/** Where the fields of a line of CSV begin, in characters. */
function fieldStarts(raw: string): number[] {
  const starts = [0];
  let quoted = false;
  for (let index = 0; index < raw.length; index++) {
    if (raw[index] === '"') quoted = !quoted;
    else if (raw[index] === "," && !quoted) starts.push(index + 1);
  }
  return starts;
}

/** Throws a `TrafficFault`. */
export function rowsOfJson(text: string): Row[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const position = /position (\d+)/.exec(message);
    throw new TrafficFault(`not JSON: ${message}`, placeOf(text, position ? Number(position[1]) : text.length));
  }
  if (!Array.isArray(value)) throw new TrafficFault("not an array of packets", placeOf(text, 0));
  const places = elementPlaces(text);
  return value.map((element: unknown, index): Row => {
    const place = places[index] ?? { line: 1, column: 1 };
    if (typeof element !== "object" || element === null || Array.isArray(element)) throw new TrafficFault("not an object", place);
    checkNames(Object.keys(element), () => place);
    return { place, cells: new Map(Object.entries(element).map(([name, cell]) => [name, { value: cell as unknown, place }])) };
  });
}
