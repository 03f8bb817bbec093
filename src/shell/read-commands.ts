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

/** Characters of a word that are nothing but themselves. */
const plain = /[^ \t\r\n;&|<>()\\'"$`{*?[~]+/y;
/** The same between double quotes. */
const plainInQuotes = /[^"\\$`\n]+/y;
const redirection = /[0-9]*(?:<<<|<<-|<<|<&|<>|<|>>|>&|>\||>)|&>>?/y;
const operators = /\r?\n|;;|;|&&|\|\||\||&/y;
const expansionStart = /\$(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-])/y;
/** Braces, which are a pattern if there is a comma or a range in them. */
const brace = /\{[^{}\s'"]*\}/y;

/** Reads all commands; never throws. */
export function* readCommands(text: string): Generator<ShellCommand, void, undefined> {
  const reader = new CommandReader(text);
  for (let command = reader.next(); command !== undefined; command = reader.next()) {
    if (command.words.length > 0 || command.expansions.length > 0) yield command;
  }
}

class CommandReader {
  private at: number;
  /** The line that was asked for last. */
  private line = 1;
  private lineStart = 0;
  /** Where that line ends. */
  private lineEnd: number;
  /** A quote was found that is never closed. */
  private anyUnclosed = false;
  /** Ends of documents that begin behind the present line. */
  private readonly documents: string[] = [];

  constructor(private readonly text: string) {
    this.at = text.startsWith("\ufeff") ? 1 : 0;
    this.lineEnd = this.endOfLine(0);
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
    // A backslash at the very end lets offsets go one beyond the text.
    while (this.lineEnd < offset && this.lineEnd < this.text.length) {
      this.line++;
      this.lineStart = this.lineEnd + 1;
      this.lineEnd = this.endOfLine(this.lineStart);
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
      this.skipBlanks();
      if (this.text.charAt(this.at) === "#") this.skipLine();
      if (this.at >= this.text.length) {
        if (place === undefined) return undefined;
        return this.command(place, endOffset, words, redirections, expansions, "newline");
      }
      const start = this.at;
      const redirected = this.take(redirection);
      if (redirected !== undefined) {
        this.skipBlanks();
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

  /** Blanks, and ends of lines behind a backslash. No regular expression: those that repeat a choice need a stack as deep as the text. */
  private skipBlanks(): void {
    for (;;) {
      const character = this.text.charAt(this.at);
      if (character === " " || character === "\t" || character === "\r") this.at++;
      else if (character !== "\\") return;
      else if (this.text.startsWith("\n", this.at + 1)) this.at += 2;
      else if (this.text.startsWith("\r\n", this.at + 1)) this.at += 3;
      else return;
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
      text += this.take(plain) ?? "";
      const character = this.text.charAt(this.at);
      if (character === "" || " \t\r\n;&|<>()".includes(character)) break;
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
        if (found !== undefined && (found.includes(",") || found.includes(".."))) {
          expansions.push({ kind: "pattern", text: found, offset: this.at - found.length });
          text += found;
          continue;
        }
        if (found !== undefined) this.at -= found.length;
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
    this.at = this.endOfLine(this.at);
  }

  private endOfLine(offset: number): number {
    const newline = this.text.indexOf("\n", offset);
    return newline < 0 ? this.text.length : newline;
  }

  /** Where what begins here ends at the latest. To look for each to the end of the text would take the square of its length. */
  private limit(): number {
    return this.anyUnclosed ? this.endOfLine(this.at) : this.text.length;
  }

  private doubleQuoted(expansions: Expansion[]): string {
    const limit = this.limit();
    const start = this.at++;
    let text = "";
    for (; this.at < limit; ) {
      text += this.take(plainInQuotes) ?? "";
      if (this.at >= limit) break;
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
    this.anyUnclosed = true;
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
      const limit = this.limit();
      const end = this.text.indexOf("`", offset + 1);
      return push("substitution", end < 0 || end > limit ? limit : end + 1);
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
    const limit = this.limit();
    let depth = 0;
    for (let at = from; at < limit; at++) {
      const character = this.text.charAt(at);
      if (character === open) depth++;
      else if (character === close && --depth === 0) return at + 1;
    }
    return limit;
  }
}
