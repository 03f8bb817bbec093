/**
 * Reads a shell script: the grammar of POSIX sh, with what bash adds in common use (`function`, `[[ ]]`, `(( ))`, arrays, `<<<`, `&>`).
 * Nothing is expanded or carried out.
 *
 *     list     = { and_or , ( ";" | "&" | newline ) } ;
 *     and_or   = pipeline , { ( "&&" | "||" ) , pipeline } ;
 *     pipeline = [ "!" ] , command , { ( "|" | "|&" ) , command } ;
 *     command  = simple | compound , { redirection } | function ;
 *     simple   = { assignment | word | redirection } ;
 *
 * Each character is read once: a hostile script costs no more than its length.
 */

import type {
  AndOr,
  Assignment,
  Command,
  CommandBody,
  CommandList,
  ParameterOperator,
  Pipeline,
  Place,
  Redirection,
  Script,
  ShellWord,
  SyntaxFault,
  WordPart,
} from "./syntax.js";

/** Constructs within each other; more are refused, since each takes its part of the stack. */
const deepest = 60;

/** Characters of a word that are nothing but themselves. */
const plain = /[^ \t\r\n;&|<>()\\'"$`{*?[~]+/y;
/** The same between double quotes. */
const plainInQuotes = /[^"\\$`]+/y;
const plainInDocument = /[^\\$`]+/y;
/** The same in the word of `${NAME:-WORD}`. */
const plainInBraces = /[^}\\'"$`]+/y;
const plainInArithmetic = /[^()$`]+/y;
const redirection = /[0-9]*(?:<<<|<<-|<<|<&|<>|<|>>|>&|>\||>)|&>>?/y;
const assignmentStart = /[A-Za-z_][A-Za-z0-9_]*\+?=/y;
const parameterName = /[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]/y;
const parameterOperator = /:[-=+?]|[-=+?]/y;
/** Braces, which are a pattern if there is a comma or a range in them. */
const brace = /\{[^{}\s'"]*\}/y;
const blanksAndContinuations = /[ \t\r]+|\\\r?\n/y;

/** Words that end a list, where they stand at the beginning of a command. */
const closers: ReadonlySet<string> = new Set(["then", "else", "elif", "fi", "do", "done", "esac", "}"]);

/** What begins with a word of the shell. */
const compounds: Readonly<Record<string, (parser: Parser, start: number, word: string) => CommandBody>> = {
  "{": (parser, start) => parser.readGroup(start),
  if: (parser, start) => parser.readIf(start),
  while: (parser, start, word) => parser.readLoop(start, word),
  until: (parser, start, word) => parser.readLoop(start, word),
  for: (parser, start, word) => parser.readFor(start, word),
  select: (parser, start, word) => parser.readFor(start, word),
  case: (parser, start) => parser.readCase(start),
  "[[": (parser, start) => parser.readTest(start),
  function: (parser, start) => parser.readNamedFunction(start),
};

class Unreadable extends Error {
  constructor(readonly fault: SyntaxFault) {
    super(fault.message);
  }
}

/** Reads a script as far as it can be read; never throws. */
export function parseScript(text: string): Script {
  const parser = new Parser(text);
  const list: AndOr[] = [];
  try {
    parser.readList(list);
    parser.requireEnd();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { list, fault: error.fault };
  }
  return { list };
}

class Parser {
  private at: number;
  private depth = 0;
  /** Documents that begin behind the present line. */
  private documents: { readonly end: string; readonly stripsTabs: boolean; readonly isQuoted: boolean; found?: Redirection["document"] }[] =
    [];
  /** For lines of documents: how many lines there are up to an offset that only grows. */
  private counted = { offset: 0, line: 1 };

  /**
   * @param text up to where it is to be read
   * @param base what offsets in the text are counted from: for commands in backquotes, which are a text of their own
   */
  constructor(
    private readonly text: string,
    private readonly base = 0,
    depth = 0,
  ) {
    this.at = text.startsWith("\ufeff") ? 1 : 0;
    this.depth = depth;
  }

  // ---------------------------------------------------------------------------------------------------- characters

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private takeText(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private peek(ahead = 0): string {
    return this.text.charAt(this.at + ahead);
  }

  private placeFrom(start: number): Place {
    return { offset: this.base + start, length: Math.max(1, this.at - start) };
  }

  private fail(kind: SyntaxFault["kind"], message: string, start = this.at, length = 1): never {
    throw new Unreadable({ kind, message, place: { offset: this.base + start, length } });
  }

  private nested<Result>(read: () => Result): Result {
    if (++this.depth > deepest) this.fail("too-deep", `more than ${deepest} constructs of the shell within each other`);
    const result = read();
    this.depth -= 1;
    return result;
  }

  private skipBlanks(): void {
    while (this.take(blanksAndContinuations) !== undefined);
    if (this.peek() === "#") {
      const end = this.text.indexOf("\n", this.at);
      this.at = end < 0 ? this.text.length : end;
    }
  }

  /** Ends of lines, comments and blanks. */
  private skipLines(): void {
    for (;;) {
      this.skipBlanks();
      if (!this.takeNewline()) return;
    }
  }

  private takeNewline(): boolean {
    if (!this.takeText("\n")) return false;
    this.readDocuments();
    return true;
  }

  requireEnd(): void {
    if (this.at < this.text.length) this.fail("unexpected", `"${this.wordAhead() || this.peek()}" belongs to nothing before it`);
  }

  // --------------------------------------------------------------------------------------------------------- lists

  /** Reads commands into `list`, so that those before a fault are known, up to a word or character that ends them. */
  readList(list: AndOr[] = []): CommandList {
    for (;;) {
      this.skipLines();
      if (this.at >= this.text.length || this.peek() === ")" || this.text.startsWith(";;", this.at)) return list;
      if (closers.has(this.wordAhead())) return list;
      const first = this.readPipeline();
      const rest: AndOr["rest"][number][] = [];
      for (;;) {
        this.skipBlanks();
        const operator = this.takeText("&&") ? "&&" : this.takeText("||") ? "||" : undefined;
        if (operator === undefined) break;
        this.skipLines();
        rest.push({ operator, pipeline: this.readPipeline() });
      }
      const background = !this.text.startsWith("&&", this.at) && this.takeText("&");
      list.push({ first, rest, background });
      if (background) continue;
      this.skipBlanks();
      if (this.text.startsWith(";;", this.at)) return list;
      if (this.takeText(";") || this.peek() === "\n" || this.at >= this.text.length || this.peek() === ")") continue;
      if (closers.has(this.wordAhead())) return list;
      this.fail("unexpected", `"${this.wordAhead() || this.peek()}" is not expected here`);
    }
  }

  /** A list that must hold a command. */
  private readBlock(): CommandList {
    const list = this.readList();
    if (list.length === 0) this.fail("unexpected", "a command is missing here");
    return list;
  }

  private readPipeline(): Pipeline {
    let negated = false;
    for (;;) {
      this.skipBlanks();
      if (this.wordAhead() === "!") negated = !negated;
      else if (this.wordAhead() !== "time") break;
      this.take(plain);
    }
    const commands = [this.readCommand()];
    for (;;) {
      this.skipBlanks();
      if (this.text.startsWith("||", this.at) || !this.takeText("|")) return { negated, commands };
      this.takeText("&");
      this.skipLines();
      commands.push(this.readCommand());
    }
  }

  /** The word that stands here, if it is one of plain characters as a whole. */
  private wordAhead(): string {
    const start = this.at;
    const braced = this.peek() === "{" || this.peek() === "}" ? this.peek() : undefined;
    if (braced !== undefined) {
      const next = this.peek(1);
      return next === "" || " \t\r\n;&|<>()".includes(next) ? braced : "";
    }
    if (this.text.startsWith("[[", start)) return " \t\r\n".includes(this.peek(2)) ? "[[" : "";
    plain.lastIndex = start;
    const word = plain.exec(this.text)?.[0] ?? "";
    const after = this.text.charAt(start + word.length);
    return after === "" || " \t\r\n;&|<>()".includes(after) ? word : "";
  }

  private expect(word: string, of: string, start: number): void {
    this.skipLines();
    if (this.wordAhead() !== word) this.fail("unclosed", `the "${of}" that begins here has no "${word}"`, start, of.length);
    this.at += word.length;
  }

  private readCommand(): Command {
    return this.nested(() => {
      this.skipBlanks();
      const start = this.at;
      const word = this.wordAhead();
      const body = this.readCompound(start, word) ?? this.readFunction(start);
      if (!body) return this.readSimple(start);
      const place = { offset: this.base + start, length: Math.max(1, word.length) };
      const redirections: Redirection[] = [];
      if (body.kind !== "function") for (let one = this.readRedirection(); one; one = this.readRedirection()) redirections.push(one);
      return { ...body, place, redirections };
    });
  }

  private readCompound(start: number, word: string): CommandBody | undefined {
    if (this.text.startsWith("((", start)) {
      return { kind: "test", parts: this.readArithmetic(start), written: this.text.slice(start, this.at) };
    }
    if (this.takeText("(")) {
      const list = this.readBlock();
      if (!this.takeText(")")) this.fail("unclosed", 'the "(" is never closed', start);
      return { kind: "subshell", list };
    }
    if (!Object.hasOwn(compounds, word)) return undefined;
    this.at += word.length;
    return compounds[word]!(this, start, word);
  }

  readGroup(start: number): CommandBody {
    const list = this.readBlock();
    this.expect("}", "{", start);
    return { kind: "group", list };
  }

  readLoop(start: number, word: string): CommandBody {
    const condition = this.readBlock();
    return { kind: "while", condition, list: this.readLoopBody(start, word), until: word === "until" };
  }

  private readLoopBody(start: number, word: string): CommandList {
    this.expect("do", word, start);
    const list = this.readBlock();
    this.expect("done", word, start);
    return list;
  }

  readNamedFunction(start: number): CommandBody {
    this.skipBlanks();
    const name = this.take(plain) ?? this.fail("unexpected", "a function without a name");
    this.skipBlanks();
    if (this.takeText("(")) this.closeParentheses(start);
    return { kind: "function", name, body: this.readBody() };
  }

  /** `name() body` */
  private readFunction(start: number): CommandBody | undefined {
    const name = this.take(plain);
    if (name !== undefined && !name.includes("=")) {
      this.skipBlanks();
      if (this.peek() === "(" && /^[ \t]*\)/.test(this.text.slice(this.at + 1, this.at + 40))) {
        this.at += 1;
        this.closeParentheses(start);
        return { kind: "function", name, body: this.readBody() };
      }
    }
    this.at = start;
    return undefined;
  }

  private closeParentheses(start: number): void {
    this.skipBlanks();
    if (!this.takeText(")")) this.fail("unclosed", 'the "(" of the function is never closed', start);
  }

  private readBody(): Command {
    this.skipLines();
    return this.readCommand();
  }

  readIf(start: number): CommandBody {
    const branches: { condition: CommandList; list: CommandList }[] = [];
    for (;;) {
      const condition = this.readBlock();
      this.expect("then", "if", start);
      branches.push({ condition, list: this.readBlock() });
      const next = this.wordAhead();
      if (next === "elif") {
        this.at += next.length;
        continue;
      }
      if (next !== "else") {
        this.expect("fi", "if", start);
        return { kind: "if", branches };
      }
      this.at += next.length;
      const otherwise = this.readBlock();
      this.expect("fi", "if", start);
      return { kind: "if", branches, otherwise };
    }
  }

  readFor(start: number, of: string): CommandBody {
    this.skipBlanks();
    if (this.text.startsWith("((", this.at)) {
      const place = { offset: this.base + start, length: of.length };
      const from = this.at;
      const test: Command = {
        kind: "test",
        parts: this.readArithmetic(from),
        written: this.text.slice(from, this.at),
        place,
        redirections: [],
      };
      const condition: CommandList = [{ first: { negated: false, commands: [test] }, rest: [], background: false }];
      this.skipBlanks();
      this.takeText(";");
      return { kind: "while", condition, list: this.readLoopBody(start, of), until: false };
    }
    const name = this.take(plain) ?? this.fail("unexpected", `"${of}" without a name`);
    this.skipLines();
    let words: ShellWord[] | undefined;
    if (this.wordAhead() === "in") {
      this.at += 2;
      words = [];
      for (;;) {
        this.skipBlanks();
        if (this.at >= this.text.length || "\n;&|<>()".includes(this.peek())) break;
        words.push(this.readWord());
      }
    }
    this.skipBlanks();
    this.takeText(";");
    const list = this.readLoopBody(start, of);
    // What is chosen from a menu is asked at a terminal.
    if (of === "select") words = [{ parts: [{ kind: "pattern", text: of, place: this.placeFrom(start) }], place: this.placeFrom(start) }];
    return { kind: "for", name, ...(words && { words }), list };
  }

  readCase(start: number): CommandBody {
    this.skipBlanks();
    const word = this.readWord();
    this.skipLines();
    if (this.wordAhead() !== "in") this.fail("unclosed", 'the "case" that begins here has no "in"', start, 4);
    this.at += 2;
    const items: { patterns: ShellWord[]; list: CommandList; ends: boolean }[] = [];
    for (;;) {
      this.skipLines();
      if (this.wordAhead() === "esac") {
        this.at += 4;
        return { kind: "case", word, items };
      }
      this.takeText("(");
      const patterns: ShellWord[] = [];
      for (;;) {
        this.skipBlanks();
        if (this.at >= this.text.length) this.fail("unclosed", 'the "case" that begins here has no "esac"', start, 4);
        if (this.takeText(")")) break;
        if (this.takeText("|")) continue;
        const before = this.at;
        patterns.push(this.readWord());
        if (this.at === before) this.fail("unexpected", `"${this.peek()}" in a pattern of "case"`);
      }
      const list = this.readList();
      let ends = true;
      if (this.takeText(";;")) ends = !this.takeText("&");
      else if (this.takeText(";&")) ends = false;
      items.push({ patterns, list, ends });
    }
  }

  /** `[[ … ]]` */
  readTest(start: number): CommandBody {
    const parts: WordPart[] = [];
    for (;;) {
      this.skipLines();
      if (this.at >= this.text.length) this.fail("unclosed", 'the "[[" is never closed', start, 2);
      if (this.text.startsWith("]]", this.at)) {
        this.at += 2;
        return { kind: "test", parts, written: "" };
      }
      const before = this.at;
      parts.push(...this.readWord().parts);
      if (this.at === before) this.at += 1;
    }
  }

  // -------------------------------------------------------------------------------------------------------- simple

  private readSimple(start: number): Command {
    const assignments: Assignment[] = [];
    const words: ShellWord[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      this.skipBlanks();
      const redirected = this.readRedirection();
      if (redirected) {
        redirections.push(redirected);
        continue;
      }
      if (this.at >= this.text.length || "\n;&|<>()".includes(this.peek())) break;
      const assignment = words.length === 0 ? this.readAssignment() : undefined;
      if (assignment) assignments.push(assignment);
      else words.push(this.readWord());
    }
    if (words.length + assignments.length + redirections.length === 0) {
      const what = this.at < this.text.length ? `"${this.peek()}" is not expected here` : "a command is missing";
      this.fail("unexpected", what.replace("\n", "the end of the line"));
    }
    return { kind: "simple", assignments, words, redirections, place: this.placeFrom(start) };
  }

  private readAssignment(): Assignment | undefined {
    const start = this.at;
    const written = this.take(assignmentStart);
    if (written === undefined) return undefined;
    const appends = written.endsWith("+=");
    const name = written.slice(0, appends ? -2 : -1);
    if (!this.takeText("(")) {
      const value = this.readWord(true);
      return { name, appends, value, place: this.placeFrom(start) };
    }
    const elements: ShellWord[] = [];
    for (;;) {
      this.skipLines();
      if (this.takeText(")")) return { name, appends, value: { elements }, place: this.placeFrom(start) };
      if (this.at >= this.text.length) this.fail("unclosed", 'the "(" of the array is never closed', start, written.length);
      const before = this.at;
      elements.push(this.readWord());
      if (this.at === before) this.fail("unexpected", `"${this.peek()}" in an array`);
    }
  }

  private readRedirection(): Redirection | undefined {
    this.skipBlanks();
    const start = this.at;
    const written = this.take(redirection);
    if (written === undefined) return undefined;
    const operator = written.replace(/^[0-9]+/, "") as Redirection["operator"];
    if (this.peek() === "(") this.fail("unexpected", "a command in the place of a file", start, written.length + 1);
    this.skipBlanks();
    const target = this.readWord();
    const place = this.placeFrom(start);
    if (operator !== "<<" && operator !== "<<-") return { operator, target, place };
    const isQuoted = target.parts.some((part) => part.kind !== "text" || part.quoted);
    const end = target.parts.map((part) => (part.kind === "text" ? part.text : "written" in part ? part.written : part.text)).join("");
    const awaited: Parser["documents"][number] = { end, stripsTabs: operator === "<<-", isQuoted };
    this.documents.push(awaited);
    return {
      operator,
      target,
      place,
      get document() {
        return awaited.found;
      },
    } as Redirection;
  }

  /** Documents within the script end at a line that is their word. */
  private readDocuments(): void {
    for (const awaited of this.documents.splice(0)) {
      const start = this.at;
      const lines: string[] = [];
      let isClosed = false;
      while (this.at < this.text.length && !isClosed) {
        const newline = this.text.indexOf("\n", this.at);
        let line = this.text.slice(this.at, newline < 0 ? undefined : newline);
        this.at = newline < 0 ? this.text.length : newline + 1;
        if (awaited.stripsTabs) line = line.replace(/^\t+/, "");
        if (line.replace(/\r$/, "") === awaited.end) isClosed = true;
        else lines.push(line);
      }
      const body = lines.map((line) => `${line}\n`).join("");
      const parts: readonly WordPart[] = awaited.isQuoted
        ? [{ kind: "text", text: body, quoted: true }]
        : new Parser(body, this.base + start, this.depth).readDocument();
      awaited.found = { parts, line: this.lineOf(start) };
    }
  }

  private lineOf(offset: number): number {
    let { offset: at, line } = this.counted;
    for (let next = this.text.indexOf("\n", at); next >= 0 && next < offset; next = this.text.indexOf("\n", at)) {
      line += 1;
      at = next + 1;
    }
    this.counted = { offset: at, line };
    return line;
  }

  private readDocument(): readonly WordPart[] {
    this.at = 0;
    const parts: WordPart[] = [];
    while (this.at < this.text.length) this.readQuotedPart(parts, plainInDocument, "`$\\");
    return parts;
  }

  // --------------------------------------------------------------------------------------------------------- words

  /** @param isValue of an assignment: braces are no pattern there, and a tilde may stand behind a colon */
  private readWord(isValue = false): ShellWord {
    const start = this.at;
    const parts: WordPart[] = [];
    const text = (more: string, quoted: boolean): void => {
      const last = parts.at(-1);
      if (last?.kind === "text" && last.quoted === quoted) parts[parts.length - 1] = { ...last, text: last.text + more };
      else parts.push({ kind: "text", text: more, quoted });
    };
    while (this.at < this.text.length) {
      const found = this.take(plain);
      if (found !== undefined) text(found, false);
      const character = this.peek();
      if (character === "" || " \t\r\n;&|<>()".includes(character)) break;
      const offset = this.at;
      if (character === "\\") {
        if (this.take(blanksAndContinuations) !== undefined) continue;
        text(this.peek(1), true);
        this.at += 2;
      } else if (character === "'") {
        const end = this.text.indexOf("'", offset + 1);
        if (end < 0) this.fail("unclosed", "a quote is opened and never closed", offset);
        text(this.text.slice(offset + 1, end), true);
        this.at = end + 1;
      } else if (character === '"') {
        this.at += 1;
        // Even an empty one makes a word.
        text("", true);
        this.readDoubleQuoted(parts, offset);
      } else if (character === "$" || character === "`") {
        parts.push(this.readExpansion(false));
      } else {
        const braces = character === "{" && !isValue ? this.take(brace) : undefined;
        if (braces !== undefined && (braces.includes(",") || braces.includes(".."))) {
          parts.push({ kind: "pattern", text: braces, place: this.placeFrom(offset) });
          continue;
        }
        this.at = offset + 1;
        const isPattern = "*?[".includes(character) || (character === "~" && offset === start);
        // Names of files take the place of a pattern among words, not in an assignment.
        if (isPattern && !(isValue && character !== "~")) parts.push({ kind: "pattern", text: character, place: this.placeFrom(offset) });
        else text(character, false);
      }
    }
    return { parts, place: this.placeFrom(start) };
  }

  private readDoubleQuoted(parts: WordPart[], start: number): void {
    while (this.at < this.text.length) {
      if (this.takeText('"')) return;
      this.readQuotedPart(parts, plainInQuotes, '`$\\"');
    }
    this.fail("unclosed", "a quote is opened and never closed", start);
  }

  /** @param special characters that lose their meaning behind a backslash; before others it stays */
  private readQuotedPart(parts: WordPart[], plainText: RegExp, special: string): void {
    const found = this.take(plainText);
    if (found !== undefined) parts.push({ kind: "text", text: found, quoted: true });
    const character = this.peek();
    if (character === "\\") {
      const next = this.peek(1);
      const text = next === "\n" ? "" : next !== "" && special.includes(next) ? next : `\\${next}`;
      parts.push({ kind: "text", text, quoted: true });
      this.at += 2;
    } else if (character === "$" || character === "`") {
      parts.push(this.readExpansion(true));
    }
  }

  /** A variable or substitution; a `$` before anything else is a character. */
  private readExpansion(quoted: boolean): WordPart {
    const start = this.at;
    const written = (): string => this.text.slice(start, this.at);
    if (this.peek() === "`") return this.readBackquoted(quoted);
    if (this.text.startsWith("$((", start)) {
      this.at += 1;
      const parts = this.readArithmetic(start + 1);
      return { kind: "arithmetic", parts, written: written(), place: this.placeFrom(start), quoted };
    }
    if (this.text.startsWith("$(", start)) {
      this.at += 2;
      const list = this.nested(() => this.readList());
      if (!this.takeText(")")) this.fail("unclosed", 'the "$(" is never closed', start, 2);
      return { kind: "substitution", list, written: written(), place: this.placeFrom(start), quoted };
    }
    if (this.text.startsWith("${", start)) return this.nested(() => this.readBraced(start, quoted));
    this.at += 1;
    // `$'…'` and `$"…"` of bash, which other shells read otherwise.
    if (!quoted && (this.peek() === "'" || this.peek() === '"')) {
      return { kind: "parameter", name: "", operator: "other", written: written(), place: this.placeFrom(start), quoted };
    }
    const name = this.take(parameterName);
    if (name === undefined) return { kind: "text", text: "$", quoted: true };
    return { kind: "parameter", name, written: written(), place: this.placeFrom(start), quoted };
  }

  private readBackquoted(quoted: boolean): WordPart {
    const start = this.at++;
    let inner = "";
    for (;;) {
      if (this.at >= this.text.length) this.fail("unclosed", "a backquote is opened and never closed", start);
      const stop = /[`\\]/g;
      stop.lastIndex = this.at;
      const next = stop.exec(this.text)?.index ?? this.text.length;
      inner += this.text.slice(this.at, next);
      this.at = next;
      if (this.takeText("`")) break;
      const escaped = this.peek(1);
      inner += "`$\\".includes(escaped) ? escaped : `\\${escaped}`;
      this.at += 2;
    }
    return this.nested(() => {
      const parser = new Parser(inner, this.base + start + 1, this.depth);
      const list = parser.readList();
      parser.requireEnd();
      return { kind: "substitution", list, written: this.text.slice(start, this.at), place: this.placeFrom(start), quoted };
    });
  }

  private readBraced(start: number, quoted: boolean): WordPart {
    this.at += 2;
    const part = (name: string, operator?: ParameterOperator, operand?: readonly WordPart[]): WordPart => ({
      kind: "parameter",
      name,
      ...(operator && { operator }),
      ...(operand && { operand }),
      written: this.text.slice(start, this.at),
      place: this.placeFrom(start),
      quoted,
    });
    if (this.peek() === "#" && this.peek(1) !== "}") {
      this.at += 1;
      const name = this.take(parameterName) ?? "";
      if (this.takeText("}")) return part(name, "#");
    }
    const name = this.take(parameterName) ?? "";
    if (this.takeText("}")) return part(name);
    if (this.takeText("[@]}") || this.takeText("[*]}")) return part(name, "elements");
    const operator = name === "" ? undefined : this.take(parameterOperator);
    const operand: WordPart[] = [];
    while (this.at < this.text.length) {
      if (this.takeText("}")) return part(name, (operator as ParameterOperator | undefined) ?? "other", operand);
      const found = this.take(plainInBraces);
      if (found !== undefined) operand.push({ kind: "text", text: found, quoted });
      const character = this.peek();
      const at = this.at;
      if (character === "'" && !quoted) {
        const end = this.text.indexOf("'", at + 1);
        if (end < 0) break;
        operand.push({ kind: "text", text: this.text.slice(at + 1, end), quoted: true });
        this.at = end + 1;
      } else if (character === "'") {
        operand.push({ kind: "text", text: "'", quoted });
        this.at += 1;
      } else if (character === '"') {
        this.at += 1;
        this.readDoubleQuoted(operand, at);
      } else if (character === "\\") {
        operand.push({ kind: "text", text: this.peek(1), quoted: true });
        this.at += 2;
      } else if (character === "$" || character === "`") {
        operand.push(this.readExpansion(quoted));
      }
    }
    this.fail("unclosed", 'the "${" is never closed', start, 2);
  }

  /** What is expanded within `((…))`. */
  private readArithmetic(start: number): readonly WordPart[] {
    return this.nested(() => {
      const parts: WordPart[] = [];
      let depth = 0;
      while (this.at < this.text.length) {
        this.take(plainInArithmetic);
        const character = this.peek();
        if (character === "$" || character === "`") parts.push(this.readExpansion(true));
        else if (character !== "") {
          this.at += 1;
          depth += character === "(" ? 1 : character === ")" ? -1 : 0;
          if (depth === 0) return parts;
        }
      }
      return this.fail("unclosed", 'the "((" is never closed', start, 2);
    });
  }
}
