/**
 * Tables of comma-separated values, row by row, with the places of their cells: RFC 4180, and what tables have beside it (blanks around
 * cells, empty lines, comments). Read in one pass: whoever stops at a row has not paid for those behind it.
 */

import { Failure } from "./failure.js";
import type { TextPlace } from "./json-document.js";

/** A text that is no table; the message is a phrase in lower case. */
export class CsvFault extends Failure {
  constructor(
    message: string,
    readonly place: TextPlace,
  ) {
    super(message);
  }
}

export interface CsvCell {
  /** Without quotes, and without blanks around it unless they are quoted. */
  readonly text: string;
  /** Of its first character; for an empty cell, of what ends it. */
  readonly place: TextPlace;
}

/**
 * The rows that hold anything, each of one cell or more. Throws a `CsvFault` when it comes to it.
 * @param comments where `#` begins a comment that goes to the end of the line: anywhere outside of quotes, or in front of a row
 */
export function* readCsvRows(text: string, comments: "anywhere" | "in front"): Generator<readonly CsvCell[], void, undefined> {
  const reader = new CellReader(text, comments === "anywhere");
  while (!reader.atEnd) {
    const row = reader.readRow();
    if (row.length > 0) yield row;
  }
}

class CellReader {
  private at: number;
  private line = 1;
  private lineStart = 0;

  constructor(
    private readonly text: string,
    private readonly commentsAnywhere: boolean,
  ) {
    this.at = text.startsWith("\ufeff") ? 1 : 0;
  }

  get atEnd(): boolean {
    return this.at >= this.text.length;
  }

  /** One line, or more where quotes hold them; no cells if there is nothing in it. */
  readRow(): readonly CsvCell[] {
    const cells: CsvCell[] = [];
    this.skipBlanks();
    if (this.next === "#") this.skipComment();
    if (this.endsLine()) return this.endLine(cells);
    for (;;) {
      cells.push(this.readCell());
      if (this.commentsAnywhere && this.next === "#") this.skipComment();
      if (this.next !== ",") return this.endLine(cells);
      this.at++;
      this.skipBlanks();
    }
  }

  private get next(): string | undefined {
    return this.text[this.at];
  }

  private get place(): TextPlace {
    return { line: this.line, column: this.at - this.lineStart + 1 };
  }

  private endsLine(): boolean {
    const { next } = this;
    return next === undefined || next === "\n" || next === "\r";
  }

  private endLine(cells: readonly CsvCell[]): readonly CsvCell[] {
    if (this.next === "\r" && this.text[this.at + 1] === "\n") this.at++;
    this.at++;
    this.newLine();
    return cells;
  }

  private newLine(): void {
    this.line++;
    this.lineStart = this.at;
  }

  private skipBlanks(): void {
    while (isBlank(this.next)) this.at++;
  }

  private skipComment(): void {
    while (!this.endsLine()) this.at++;
  }

  private readCell(): CsvCell {
    const { place } = this;
    if (this.next === '"') return { text: this.readQuoted(place), place };
    const start = this.at;
    let end = start;
    for (; !this.endsLine() && this.next !== "," && !(this.commentsAnywhere && this.next === "#"); this.at++) {
      if (this.next === '"') throw new CsvFault("a quote within a cell that does not begin with one", this.place);
      if (!isBlank(this.next)) end = this.at + 1;
    }
    return { text: this.text.slice(start, end), place };
  }

  private readQuoted(place: TextPlace): string {
    const pieces: string[] = [];
    do {
      // The first quote of the cell, or the second of a pair, which stands for one.
      const start = ++this.at;
      const close = this.text.indexOf('"', start);
      if (close < 0) throw new CsvFault("the quote is never closed", place);
      pieces.push(this.text.slice(start, close));
      for (let end = this.lineEnd(start, close); end > 0; end = this.lineEnd(end, close)) {
        this.at = end;
        this.newLine();
      }
      this.at = close + 1;
    } while (this.next === '"');
    this.skipBlanks();
    if (!this.endsLine() && this.next !== "," && !(this.commentsAnywhere && this.next === "#"))
      throw new CsvFault("neither a comma nor the end of the line behind a quote", this.place);
    return pieces.join('"');
  }

  /** Behind the first end of a line in a stretch of the text; 0 if there is none. */
  private lineEnd(start: number, end: number): number {
    for (let at = start; at < end; at++) {
      if (this.text[at] === "\n" || (this.text[at] === "\r" && this.text[at + 1] !== "\n")) return at + 1;
    }
    return 0;
  }
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t" || character === "\v" || character === "\f" || character === "\u00a0";
}
