import { Failure } from "../failure.js";

/** A file of a case that is not right; the message begins with the file and the place. */
export class CaseFault extends Failure {
  /** Line and column from 1, where they are known. */
  constructor(file: string, { line, column }: { readonly line: number; readonly column?: number }, message: string) {
    super(`${file}:${line}:${column === undefined ? "" : `${column}:`} ${message}`);
  }
}
