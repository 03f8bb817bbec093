/**
 * Reads the simple commands of a shell script: words with quotes and escapes as sh takes them, and the operators between.
 * Nothing is expanded: what only a shell can work out is noted where it stands.
 *
 *     script  = { command , operator } ;
 *     operator = newline | ";" | "&&" | "||" | "|" | "&" ;
 *     command = { word | redirection } ;
 *     redirection = [ digits ] , ( "<" | "<<" | ">" | ">>" | ">&" | "&>" ) , word ;
 */

import type { Word } from "../../grammar/syntax.js";

/** Something that needs a shell. */
export interface Expansion {
  readonly kind: "variable" | "substitution" | "pattern" | "grouping" | "unclosed";
  readonly text: string;
  /** From the start of the text. */
  readonly offset: number;
}

export interface ShellWord extends Word {
  readonly expansions: readonly Expansion[];
  /** From the start of the text. */
  readonly offset: number;
}

export type Operator = "newline" | ";" | "&&" | "||" | "|" | "&";

export interface ShellCommand {
  /** Of its first word, counted from 1; columns of the words count from the start of this line, across continued lines. */
  readonly line: number;
  /** Of its last word. */
  readonly endLine: number;
  /** From the start of the text to the start of that line. */
  readonly lineOffset: number;
  readonly words: readonly ShellWord[];
  readonly redirections: readonly { readonly operator: string; readonly offset: number }[];
  /** Parentheses and the like that stand between words. */
  readonly expansions: readonly Expansion[];
  /** What ends the command. */
  readonly operator: Operator;
}

const blanks = /(?:[ \t\r]|\\\r?\n)*/y;
const comment = /#[^\n]*/y;
const redirection = /[0-9]*(?:<<<|<<-|<<|<&|<>|<|>>|>&|>\||>)|&>>?/y;
const operators = /\r?\n|;;|;|&&|\|\||\||&/y;
const expansionStart = /\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/y;
const brace = /\{[^{}\s'"]*(?:,|\.\.)[^{}\s'"]*\}/y;

/** Reads all commands; never throws. */
export function* readCommands(text: string): Generator<ShellCommand, void, undefined> {
  const reader = new CommandReader(text);
  for (let command = reader.next(); command !== undefined; command = reader.next()) {
    if (command.words.length > 0 || command.expansions.length > 0) yield command;
  }
}

class CommandReader {
  private at: number;
  /** The line of `at`, counted as far as `counted`. */
  private line = 1;
  private counted = 0;
  private lineStart = 0;
  /** Ends of documents that begin behind the present line. */
  private readonly documents: string[] = [];

  constructor(private readonly text: string) {
    this.at = text.startsWith("\ufeff") ? 1 : 0;
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return undefined;
    this.at += found[0].length;
    return found[0];
  }

  /** The line of an offset, which never goes back. */
  private lineAt(offset: number): { line: number; start: number } {
    for (
      let newline = this.text.indexOf("\n", this.counted);
      newline >= 0 && newline < offset;
      newline = this.text.indexOf("\n", this.counted)
    ) {
      this.line++;
      this.counted = newline + 1;
      this.lineStart = this.counted;
    }
    return { line: this.line, start: this.lineStart };
  }

  next(): ShellCommand | undefined {
    const words: ShellWord[] = [];
    const redirections: { operator: string; offset: number }[] = [];
    const expansions: Expansion[] = [];
    let place: { line: number; start: number } | undefined;
    let endOffset = this.at;
    for (;;) {
      this.take(blanks);
      this.take(comment);
      if (this.at >= this.text.length) {
        if (place === undefined) return undefined;
        return this.command(place, endOffset, words, redirections, expansions, "newline");
      }
      const start = this.at;
      const redirected = this.take(redirection);
      if (redirected !== undefined) {
        this.take(blanks);
        place ??= this.lineAt(start);
        redirections.push({ operator: redirected, offset: start });
        const target = this.word(place.start);
        if (redirected === "<<" || redirected === "<<-") this.documents.push(target.text);
        continue;
      }
      const operator = this.take(operators);
      if (operator !== undefined) {
        const isNewline = operator.endsWith("\n");
        if (isNewline) this.skipDocuments();
        return this.command(
          place ?? this.lineAt(start),
          endOffset,
          words,
          redirections,
          expansions,
          isNewline ? "newline" : operator === ";;" ? ";" : (operator as Operator),
        );
      }
      place ??= this.lineAt(start);
      const character = this.text.charAt(start);
      if (character === "(" || character === ")") {
        this.at++;
        expansions.push({ kind: "grouping", text: character, offset: start });
        continue;
      }
      words.push(this.word(place.start));
      endOffset = this.at;
    }
  }

  private command(
    place: { line: number; start: number },
    endOffset: number,
    words: readonly ShellWord[],
    redirections: ShellCommand["redirections"],
    expansions: readonly Expansion[],
    operator: Operator,
  ): ShellCommand {
    return {
      line: place.line,
      endLine: words.length > 0 ? this.lineAt(endOffset).line : place.line,
      lineOffset: place.start,
      words,
      redirections,
      expansions,
      operator,
    };
  }

  /** Documents within the script end at a line that is their word. */
  private skipDocuments(): void {
    for (const end of this.documents.splice(0)) {
      while (this.at < this.text.length) {
        const newline = this.text.indexOf("\n", this.at);
        const line = this.text.slice(this.at, newline < 0 ? undefined : newline);
        this.at = newline < 0 ? this.text.length : newline + 1;
        if (line.replace(/^\t+/, "").replace(/\r$/, "") === end) break;
      }
    }
  }

  private word(lineStart: number): ShellWord {
    const start = this.at;
    const expansions: Expansion[] = [];
    let text = "";
    let quoted = false;
    for (; this.at < this.text.length; ) {
      const character = this.text.charAt(this.at);
      if (/[ \t\r\n;&|<>()]/.test(character)) break;
      if (character === "\\") {
        const next = this.text.charAt(this.at + 1);
        if (next === "\n") this.at += 2;
        else if (next === "\r" && this.text.charAt(this.at + 2) === "\n") this.at += 3;
        else {
          text += next;
          quoted = true;
          this.at += 2;
        }
      } else if (character === "'") {
        quoted = true;
        const end = this.text.indexOf("'", this.at + 1);
        if (end < 0) {
          expansions.push({ kind: "unclosed", text: "'", offset: this.at });
          this.skipLine();
        } else {
          text += this.text.slice(this.at + 1, end);
          this.at = end + 1;
        }
      } else if (character === '"') {
        quoted = true;
        text += this.doubleQuoted(expansions);
      } else if (character === "$" || character === "`") {
        text += this.expansion(expansions);
      } else {
        const found = character === "{" ? this.take(brace) : undefined;
        if (found !== undefined) {
          expansions.push({ kind: "pattern", text: found, offset: this.at - found.length });
          text += found;
          continue;
        }
        if (character === "*" || character === "?" || character === "[" || (character === "~" && this.at === start)) {
          expansions.push({ kind: "pattern", text: character, offset: this.at });
        }
        text += character;
        this.at++;
      }
    }
    return { text, column: start - lineStart + 1, length: this.at - start, quoted, expansions, offset: start };
  }

  private skipLine(): void {
    const newline = this.text.indexOf("\n", this.at);
    this.at = newline < 0 ? this.text.length : newline;
  }

  private doubleQuoted(expansions: Expansion[]): string {
    const start = this.at++;
    let text = "";
    for (; this.at < this.text.length; ) {
      const character = this.text.charAt(this.at);
      if (character === '"') {
        this.at++;
        return text;
      }
      if (character === "\\") {
        const next = this.text.charAt(this.at + 1);
        // Before any other character the backslash stays.
        text += next === "\n" ? "" : /[$`"\\]/.test(next) ? next : `\\${next}`;
        this.at += 2;
      } else if (character === "$" || character === "`") {
        text += this.expansion(expansions);
      } else {
        text += character;
        this.at++;
      }
    }
    expansions.push({ kind: "unclosed", text: '"', offset: start });
    this.at = start;
    this.skipLine();
    return text;
  }

  /** A variable or substitution, as it is written; a `$` before anything else is a character. */
  private expansion(expansions: Expansion[]): string {
    const offset = this.at;
    const push = (kind: Expansion["kind"], end: number): string => {
      this.at = end;
      const text = this.text.slice(offset, end);
      expansions.push({ kind, text, offset });
      return text;
    };
    if (this.text.charAt(offset) === "`") {
      const end = this.text.indexOf("`", offset + 1);
      return push("substitution", end < 0 ? this.text.length : end + 1);
    }
    const next = this.text.charAt(offset + 1);
    if (next === "(") return push("substitution", this.closing(offset + 1, "(", ")"));
    if (next === "{") return push("variable", this.closing(offset + 1, "{", "}"));
    if (next === "'" || next === '"') return push("variable", offset + 1);
    const name = this.take(expansionStart);
    if (name !== undefined) return push("variable", offset + name.length);
    this.at++;
    return "$";
  }

  private closing(from: number, open: string, close: string): number {
    let depth = 0;
    for (let at = from; at < this.text.length; at++) {
      const character = this.text.charAt(at);
      if (character === open) depth++;
      else if (character === close && --depth === 0) return at + 1;
    }
    return this.text.length;
  }
}
