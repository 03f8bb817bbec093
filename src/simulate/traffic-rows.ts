/** Rows of CSV and JSON with the places of their cells, so that faults can say where they are. */

import { CsvError, parse as parseCsv } from "csv-parse/sync";
import { Failure } from "../failure.js";
import { JsonFault, readJson, type JsonValue, type TextPlace } from "../json-document.js";

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

function checkNames(found: readonly string[], place: TextPlace, placeOfName: (index: number) => TextPlace): void {
  const unknown = found.findIndex((name) => !(names as readonly string[]).includes(name));
  if (unknown >= 0) throw new TrafficFault(`"${found[unknown]}" is none of ${names.join(", ")}`, placeOfName(unknown));
  const missing = needed.find((name) => !found.includes(name));
  if (missing) throw new TrafficFault(`no "${missing}"`, place);
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
  checkNames(titles, placesIn(header)(0), placesIn(header));
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
  const { elements, place: start } = documentOf(text);
  if (!elements) throw new TrafficFault("not an array of packets", start);
  return elements.map(({ members, place }): Row => {
    if (!members) throw new TrafficFault("not an object", place);
    checkNames(
      members.map(({ name }) => name),
      place,
      (index) => members[index]?.place ?? place,
    );
    return { place, cells: new Map(members.map(({ name, content }) => [name, { value: content.value, place: content.place }])) };
  });
}

function documentOf(text: string): JsonValue {
  try {
    return readJson(text);
  } catch (error) {
    if (error instanceof JsonFault) throw new TrafficFault(`not JSON: ${error.message}`, error.place);
    throw error;
  }
}
