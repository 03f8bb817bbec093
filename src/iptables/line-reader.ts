/** The words of one line, taken one after the other, and what is wrong with them. */

import type { CommandLine, Word } from "../../grammar/syntax.js";
import { diagnostic, type Diagnostic, type DiagnosticCode, type Span } from "../diagnostic.js";

export class LineReader {
  protected line!: CommandLine;
  protected words: readonly Word[] = [];
  /** Index of the next word. */
  protected next = 0;
  /** Whether the line is in error. */
  protected failed = false;
  /** The `!` that waits for its option. */
  protected inversion: Word | undefined;

  constructor(
    protected readonly file: string,
    private readonly diagnostics: Diagnostic[],
  ) {}

  protected start(line: CommandLine): void {
    this.line = line;
    this.words = line.words;
    this.next = 0;
    this.failed = false;
    this.inversion = undefined;
  }

  /** The span of the words from `first` up to but not including `end`. */
  protected spanOf(first: number, end: number): Span {
    const from = this.words[first];
    const to = this.words[end - 1];
    if (from === undefined || to === undefined)
      return { file: this.file, line: this.line.line, column: 1, length: Math.max(1, this.line.text.length) };
    return { file: this.file, line: this.line.line, column: from.column, length: to.column + to.length - from.column };
  }

  protected report(code: DiagnosticCode, span: Span, message: string, help?: string): void {
    this.diagnostics.push(diagnostic(code, span, message, help));
  }

  /** Reports an error of the line; reading goes on where the words that follow can still be told apart. */
  protected fail(code: DiagnosticCode, span: Span, message: string, help?: string): void {
    this.failed = true;
    this.report(code, span, message, help);
  }

  /**
   * The argument of an option: joined to it, or the next word whatever that is. For an option that can be inverted, a
   * `!` of its own in between is the old form of `!` before the option (until iptables 1.4.3 the only one).
   */
  protected takeArgument(
    start: number,
    written: string,
    joined: string | undefined,
    invertible: boolean,
    words: 1 | 2,
  ): string | undefined {
    let first = joined;
    if (first === undefined) {
      const word = this.words[this.next];
      const following = this.words[this.next + 1];
      if (word?.text === "!" && invertible && this.inversion === undefined && following !== undefined && !following.text.startsWith("-")) {
        this.inversion = word;
        this.next++;
      }
      first = this.words[this.next]?.text;
      if (first === undefined) {
        this.fail("missing-argument", this.spanOf(start, start + 1), `option "${written}" needs an argument`);
        return undefined;
      }
      this.next++;
    }
    if (words === 1) return first;
    const second = this.words[this.next];
    if (second === undefined || second.text.startsWith("-") || second.text.startsWith("!")) {
      this.fail("missing-argument", this.spanOf(start, this.next), `option "${written}" needs two arguments`);
      return undefined;
    }
    this.next++;
    return `${first} ${second.text}`;
  }

  /** The next word, unless it is an option or `!`. */
  protected takeOptionalWord(): string | undefined {
    const word = this.words[this.next]?.text;
    if (word === undefined || word.startsWith("-") || word.startsWith("!")) return undefined;
    this.next++;
    return word;
  }

  /** Whether a `!` stood before the option, which may be in error for it. */
  protected takeInversion(start: number, written: string, invertible: boolean): boolean {
    const { inversion } = this;
    this.inversion = undefined;
    if (inversion === undefined) return false;
    if (!invertible) this.fail("not-invertible", this.spanOf(start, this.next), `option "${written}" cannot be inverted with "!"`);
    return invertible;
  }
}
