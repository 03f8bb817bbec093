/** Places in a script as lines and columns. */

import type { Diagnostic, Span } from "../diagnostic.js";
import type { Source } from "../iptables/build.js";

/** Diagnostics whose spans in these scripts lie within single lines. */
export function unfoldSpans(diagnostics: readonly Diagnostic[], scripts: readonly Source[]): readonly Diagnostic[] {
  if (scripts.length === 0) return diagnostics;
  const lines = new Map(scripts.map(({ file, text }) => [file, new ScriptLines(text)]));
  return diagnostics.map((one) => {
    const found = lines.get(one.span.file);
    return found === undefined ? one : { ...one, span: found.unfold(one.span) };
  });
}

/** Where the lines of a script begin, and how long they are. */
export class ScriptLines {
  private readonly starts = [0];
  private readonly lengths = new Map<number, number>();

  constructor(private readonly text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.starts.push(at + 1);
  }

  /** The line of an offset, from 1, and where it begins. */
  at(offset: number): { readonly line: number; readonly start: number } {
    let [low, high] = [0, this.starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, start: this.starts[low] ?? 0 };
  }

  /** A span whose column counts on over the ends of lines, as one within the line where it begins. */
  unfold({ file, line, column, length }: Span): Span {
    const { starts } = this;
    const offset = (starts[line - 1] ?? 0) + column - 1;
    const { line: found, start } = this.at(offset);
    const within = offset - start + 1;
    const rest = this.lengthOf(found - 1) - within + 1;
    return { file, line: found, column: within, length: Math.max(1, Math.min(length, rest)) };
  }

  /** Of a line from 0 on, without what continues it and blanks at its end. */
  private lengthOf(line: number): number {
    let length = this.lengths.get(line);
    if (length === undefined) {
      const text = this.text.slice(this.starts[line], this.starts[line + 1] ?? this.text.length).trimEnd();
      length = (text.endsWith("\\") ? text.slice(0, -1).trimEnd() : text).length;
      this.lengths.set(line, length);
    }
    return length;
  }
}
