/**
 * The rulesets that a script of plain commands builds, carried out in order on the empty tables of a kernel.
 *
 * `&&` and `||` are followed, since it is known which commands succeed: `iptables -C … || iptables -A …` is common. Whatever
 * else only a shell can work out is an error that points to `iptables-save`.
 */

import { append } from "../append.js";
import type { CommandLine } from "../../grammar/syntax.js";
import { diagnostic, effectOf, printable, type Diagnostic, type DiagnosticCode, type Span } from "../diagnostic.js";
import * as extensions from "../extensions/registry.js";
import type { IpsetReader } from "../ipset/read-ipsets.js";
import type { Family, IptablesRule, TableName } from "../iptables/ast.js";
import type { BuildResult, Source } from "../iptables/build.js";
import { findChainLoops } from "../iptables/chain-loops.js";
import { TableState } from "../iptables/commands.js";
import { RuleReader } from "../iptables/rule-reader.js";
import { builtInChains, isTableName } from "../iptables/tables.js";
import { constructs, continuations, findProgram, wrappers, type Program } from "./programs.js";
import { readCommands, type Expansion, type Operator, type ShellCommand, type ShellWord } from "./read-commands.js";

const advice = "run the script, and give what iptables-save (and ip6tables-save, ipset save) prints then";

const control = /[\x00-\x08\x0a-\x1f\x7f]/;

/** How a command ended, as far as that is known here. */
type Status = "success" | "failure" | "unknown";

/**
 * Reads a script. Spans of a command on continued lines count their columns from the start of its first line on: see
 * `unfoldSpans`. Sets go to `ipsets`. Never throws.
 */
export function buildScript(source: Source, ipsets: IpsetReader): BuildResult {
  const builder = new ScriptBuilder(source, ipsets);
  for (const command of readCommands(source.text)) if (!builder.run(command)) break;
  return builder.finish();
}

class ScriptBuilder {
  private readonly diagnostics: Diagnostic[] = [];
  private readonly tables = new Map<Family, Map<TableName, TableState>>();
  private readonly readers = new Map<Family, RuleReader>();
  private readonly reported = new Set<string>();
  private status: Status = "success";
  /** What stands between the command before and the present one. */
  private operator: Operator = "newline";
  private stopsAtFailure: boolean;

  constructor(
    private readonly source: Source,
    private readonly ipsets: IpsetReader,
  ) {
    this.stopsAtFailure = /^#![^\n]*[ \t]-[a-z]*e/.test(source.text);
  }

  private report(code: DiagnosticCode, span: Span, message: string, help?: string): void {
    this.diagnostics.push(diagnostic(code, span, message, help));
  }

  private span({ line }: ShellCommand, { column, length }: Pick<ShellWord, "column" | "length">): Span {
    return { file: this.source.file, line, column, length: Math.max(1, length) };
  }

  /** Carries out one command; false where the script ends. */
  run(command: ShellCommand): boolean {
    const before = this.operator;
    this.operator = command.operator;
    const [grouping] = command.expansions;
    if (grouping !== undefined) {
      // Once for a pair: what stands around it says the same.
      if (grouping.text === "(") this.reportExpansion(grouping, command);
      this.status = "unknown";
      return true;
    }
    const words = this.plainWords(command);
    const [program, ...rest] = words;
    // A variable on its own: what matters is where it is used.
    if (program === undefined) {
      this.status = "success";
      return true;
    }
    const skipped = (before === "&&" && this.status === "failure") || (before === "||" && this.status === "success");
    if (skipped) return true;
    const found = findProgram(program.text);
    if (before === "||" && this.status === "unknown" && (found.kind === "iptables" || found.kind === "ipset")) {
      this.report("shell-construct", this.span(command, program), "whether this command runs is not known here", advice);
    }
    if (this.reportExpansions(program, command)) return true;
    this.carryOut(found, program, rest, command, before);
    return !(found.kind === "harmless" && program.text === "exit");
  }

  private carryOut(found: Program, program: ShellWord, rest: readonly ShellWord[], command: ShellCommand, before: Operator): void {
    if (found.kind === "harmless") {
      if (program.text === "set" && rest.some(({ text }) => /^-[a-z]*e|^errexit$/.test(text))) this.stopsAtFailure = true;
      if (program.text === "set" && rest.some(({ text }) => /^\+[a-z]*e/.test(text))) this.stopsAtFailure = false;
      for (const { expansions } of rest)
        for (const one of expansions) if (/ip6?tables|ipset/.test(one.text)) this.reportExpansion(one, command);
      if (!found.quiet)
        this.report("shell-command-skipped", this.span(command, program), `"${printable(program.text)}" makes no rules and is passed over`);
      this.status =
        program.text === "true" || program.text === ":" || program.text === "echo"
          ? "success"
          : program.text === "false"
            ? "failure"
            : "unknown";
      return;
    }
    this.status = "success";
    if (found.kind === "unknown") {
      this.report(
        "shell-command",
        this.span(command, program),
        `"${printable(program.text)}" is no command known here, and may change rules`,
        advice,
      );
      return;
    }
    if (found.kind === "restore") {
      this.report(
        "shell-command",
        this.span(command, program),
        `"${printable(program.text)}" takes its rules from elsewhere`,
        "give that file instead of the script",
      );
      return;
    }
    const piped = command.operator === "|" || command.operator === "&" || before === "|";
    if (piped)
      this.report(
        "shell-construct",
        this.span(command, program),
        `"${printable(program.text)}" within a pipe or in the background`,
        advice,
      );
    let expands = false;
    for (const word of rest) expands = this.reportExpansions(word, command) || expands;
    if (expands) return;
    const odd = rest.find(({ text }) => control.test(text));
    if (odd !== undefined) {
      this.report("invalid-character", this.span(command, odd), "a word with a control character in it cannot be translated");
      return;
    }
    if (found.kind === "ipset") this.ipset(program, rest, command);
    else this.iptables(found.family, program, rest, command);
  }

  // ------------------------------------------------------------------------------------------- what needs a shell

  /** The words of the command itself: without assignments in front, words of the shell, and `sudo` with its options. */
  private plainWords(command: ShellCommand): readonly ShellWord[] {
    let index = 0;
    for (;;) {
      const word = command.words[index];
      if (word === undefined) return [];
      if (/^[A-Za-z_][A-Za-z0-9_]*\+?=/.test(this.source.text.slice(word.offset, word.offset + word.length))) {
        for (const one of word.expansions) if (/ip6?tables|ipset/.test(one.text)) this.reportExpansion(one, command);
        index++;
        continue;
      }
      if (word.quoted) break;
      const construct = Object.hasOwn(constructs, word.text) ? constructs[word.text] : undefined;
      if (construct !== undefined) {
        this.report(
          "shell-construct",
          this.span(command, word),
          `"${word.text}" begins ${construct}, which only a shell can work out`,
          advice,
        );
        if (word.text !== "{") return [];
        index++;
      } else if (continuations.has(word.text)) index++;
      else if (Object.hasOwn(wrappers, word.text.slice(word.text.lastIndexOf("/") + 1)) && index + 1 < command.words.length) {
        const withWord = wrappers[word.text.slice(word.text.lastIndexOf("/") + 1)]!;
        index++;
        for (let option = command.words[index]; option?.text.startsWith("-"); option = command.words[index])
          index += withWord.test(option.text) ? 2 : 1;
      } else break;
    }
    return command.words.slice(index);
  }

  private reportExpansions({ expansions }: ShellWord, command: ShellCommand): boolean {
    for (const expansion of expansions) this.reportExpansion(expansion, command);
    return expansions.length > 0;
  }

  /** Each variable and the like once: a script has it in every line. */
  private reportExpansion({ kind, text, offset }: Expansion, command: ShellCommand): void {
    const id = `${kind} ${text}`;
    if (kind !== "unclosed" && this.reported.has(id)) return;
    this.reported.add(id);
    const span = this.span(command, { column: offset - command.lineOffset + 1, length: text.length });
    switch (kind) {
      case "variable":
        return this.report("shell-construct", span, `the value of "${printable(text)}" is known to a shell only`, advice);
      case "substitution":
        return this.report("shell-construct", span, `what the command in "${printable(text)}" prints is not known here`, advice);
      case "pattern":
        return this.report(
          "shell-construct",
          span,
          `"${printable(text)}" is a pattern for the shell`,
          "put it in quotes if it is not meant as one",
        );
      case "grouping":
        return this.report("shell-construct", span, `"${text}" belongs to a function or a shell of its own`, advice);
      case "unclosed":
        return this.report("unclosed-quote", span, "a quote is opened and never closed");
    }
  }

  // -------------------------------------------------------------------------------------------------- the programs

  private ipset(program: ShellWord, words: readonly ShellWord[], command: ShellCommand): void {
    if (words.some(({ text }) => text === "restore" || text === "-R" || text === "--restore")) {
      this.report(
        "shell-command",
        this.span(command, program),
        '"ipset restore" takes its sets from elsewhere',
        "give that file with --ipset",
      );
      return;
    }
    const { diagnostics } = this.ipsets;
    const reported = diagnostics.length;
    this.ipsets.command(words, (word) => this.span(command, word));
    const faults = diagnostics.splice(reported);
    const [name] = words.filter(({ text }) => !/^-(?:exist|!|q|quiet)$/.test(text));
    this.conclude(faults, command, /^(?:destroy|x|-X|flush|f|-F|del|d|-D|create|-N|n)$/.test(name?.text ?? ""), program);
  }

  private iptables(family: Family, program: ShellWord, words: readonly ShellWord[], command: ShellCommand): void {
    const faults: Diagnostic[] = [];
    const first = words[0] ?? program;
    const last = words.at(-1) ?? program;
    const end = last.column + last.length;
    const line: CommandLine = {
      kind: "command",
      line: command.line,
      counters: undefined,
      words,
      text: this.source.text
        .slice(command.lineOffset + first.column - 1, command.lineOffset + end - 1)
        .split(/\\\r?\n/)
        .map((piece, index, { length }) => withoutBlanks(piece, index > 0, index < length - 1))
        .join(" ")
        .replace(/\n/g, " "),
    };
    const named = tableWord(words);
    const name = named?.text ?? "filter";
    if (!isTableName(name)) {
      this.report(
        "unknown-table",
        this.span(command, named?.word ?? program),
        `iptables has no table "${printable(name)}"`,
        "the tables are raw, mangle, nat, filter and security",
      );
      return;
    }
    const state = this.table(family, name, this.span(command, program));
    const reported = this.diagnostics.length;
    const read = this.reader(family).read(line, state);
    if (read !== undefined) {
      const span: Span = {
        ...this.span(command, { column: first.column, length: end - first.column }),
        ...(command.endLine > command.line && { endLine: command.endLine }),
      };
      state.apply({ ...read, rules: read.rules.map((rule): IptablesRule => ({ ...rule, span })) });
    }
    append(faults, this.diagnostics.splice(reported));
    const isCheck = words.some(({ text, quoted }) => !quoted && /^(?:-C|--check)/.test(text));
    const mayFail =
      isCheck || words.some(({ text, quoted }) => !quoted && /^(?:-[DXFZNE]|--(?:delete|flush|zero|new-chain|rename-chain))/.test(text));
    this.conclude(faults, command, mayFail, program, isCheck);
  }

  /**
   * The status of a command by its faults. A command that takes away what is not there, or makes a chain that is, fails and
   * changes nothing; the shell goes on, unless it has been told to stop at failures.
   */
  private conclude(faults: readonly Diagnostic[], command: ShellCommand, mayFail: boolean, program: ShellWord, expected = false): void {
    const errors = faults.filter(({ code }) => effectOf(code) === "invalid");
    const handled = command.operator === "||" || command.operator === "&&";
    const absent = errors.every(({ code }) => absences.has(code));
    if (errors.length === 0 || !mayFail || !absent || (this.stopsAtFailure && !handled)) {
      append(this.diagnostics, faults);
      this.status = errors.length === 0 ? "success" : "failure";
      return;
    }
    this.status = "failure";
    if (expected || command.operator === "||") return;
    this.report(
      "shell-command-fails",
      errors[0]?.span ?? this.span(command, program),
      `${errors[0]?.message ?? "it fails"}: the command changes nothing`,
    );
  }

  private reader(family: Family): RuleReader {
    let reader = this.readers.get(family);
    if (reader === undefined)
      this.readers.set(family, (reader = new RuleReader(this.source.file, family, extensions, this.diagnostics, true)));
    return reader;
  }

  private table(family: Family, name: TableName, span: Span): TableState {
    let tables = this.tables.get(family);
    if (tables === undefined) this.tables.set(family, (tables = new Map<TableName, TableState>()));
    let table = tables.get(name);
    if (table === undefined) tables.set(name, (table = new TableState(name, span, this.diagnostics)));
    return table;
  }

  finish(): BuildResult {
    const rulesets = [...this.tables].map(([family, states]) => {
      const tables = Object.keys(builtInChains).flatMap((name) => states.get(name as TableName)?.build() ?? []);
      for (const table of tables) {
        for (const { rule, chains } of findChainLoops(table)) {
          const circle = [...chains, chains[0] ?? ""].map((name) => `"${name}"`).join(" to ");
          this.report("chain-loop", rule.target?.span ?? rule.span, `chains jump in a circle, from ${circle}`);
        }
      }
      return { family, tables };
    });
    if (rulesets.length === 0 && this.diagnostics.every(({ code }) => effectOf(code) !== "invalid")) {
      this.report("no-table", { file: this.source.file, line: 1, column: 1, length: 1 }, "the script has no command of iptables");
    }
    return { rulesets, diagnostics: this.diagnostics };
  }
}

/** What such a command says if there is nothing to take away, or the chain exists. */
const absences: ReadonlySet<DiagnosticCode> = new Set([
  "undeclared-chain",
  "invalid-value",
  "invalid-command",
  "duplicate-chain",
  "unknown-ipset",
  "duplicate-ipset",
]);

/** The table of `-t`, in any of its spellings. */
function tableWord(words: readonly ShellWord[]): { readonly word: ShellWord; readonly text: string } | undefined {
  for (const [index, word] of words.entries()) {
    if (word.quoted) continue;
    const joined = /^(?:-t|--table=|--tabl=|--tab=)(.+)$/.exec(word.text)?.[1];
    if (joined !== undefined) return { word, text: joined };
    const next = words[index + 1];
    if (/^(?:-t|--tab|--tabl|--table)$/.test(word.text) && next !== undefined) return { word: next, text: next.text };
  }
  return undefined;
}

/** Without blanks at its start, its end or both. A regular expression for those at the end tries each blank of the text as the first. */
function withoutBlanks(text: string, atStart: boolean, atEnd: boolean): string {
  const isBlank = (index: number): boolean => text[index] === " " || text[index] === "\t";
  let [start, end] = [0, text.length];
  if (atStart) while (start < end && isBlank(start)) start++;
  if (atEnd) while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}

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
class ScriptLines {
  private readonly starts = [0];
  private readonly lengths = new Map<number, number>();

  constructor(private readonly text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.starts.push(at + 1);
  }

  /** A span whose column counts on over the ends of lines, as one within the line where it begins. */
  unfold({ file, line, column, length }: Span): Span {
    const { starts } = this;
    const offset = (starts[line - 1] ?? 0) + column - 1;
    let [low, high] = [line - 1, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    const within = offset - (starts[low] ?? 0) + 1;
    const rest = this.lengthOf(low) - within + 1;
    return { file, line: low + 1, column: within, length: Math.max(1, Math.min(length, rest)) };
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
