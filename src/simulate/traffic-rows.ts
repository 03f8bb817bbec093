/** Rows of CSV and JSON with the places of their cells, so that faults can say where they are. */

import { CsvFault, readCsvRows, type CsvCell } from "../csv-document.js";
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

/** Throws a `TrafficFault`. */
export function rowsOfCsv(text: string): Row[] {
  const rows: Row[] = [];
  let titles: readonly string[] | undefined;
  try {
    for (const cells of readCsvRows(text, "anywhere")) {
      if (titles) rows.push(rowOf(cells, titles));
      else {
        titles = cells.map((cell) => cell.text.toLowerCase());
        checkNames(titles, cells[0]!.place, (index) => cells[index]!.place);
      }
    }
  } catch (error) {
    if (error instanceof CsvFault) throw new TrafficFault(error.message, error.place);
    throw error;
  }
  return rows;
}

function rowOf(cells: readonly CsvCell[], titles: readonly string[]): Row {
  const surplus = cells[titles.length];
  if (surplus) throw new TrafficFault("more fields than the header has names", surplus.place);
  return {
    place: cells[0]!.place,
    cells: new Map(cells.map(({ text, place }, index) => [titles[index]!, { value: text, place }])),
  };
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
