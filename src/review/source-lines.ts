/** The lines of the texts under review, by file and number. */

import type { Source } from "../translate.js";

export class SourceLines {
  private readonly lines = new Map<string, readonly string[]>();

  constructor(private readonly sources: readonly Pick<Source, "file" | "text">[]) {}

  /** The line without its end; undefined where there is none. */
  of(file: string, line: number): string | undefined {
    return this.all(file)[line - 1];
  }

  /** All lines of a file, without their ends; none of a file that is not under review. */
  all(file: string): readonly string[] {
    let found = this.lines.get(file);
    if (!found) this.lines.set(file, (found = this.sources.find((source) => source.file === file)?.text.split(/\r?\n/) ?? []));
    return found;
  }
}
