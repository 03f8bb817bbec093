/** The firewall that a script makes: what its commands of iptables, iptables-restore and ipset do to the empty tables of a kernel. */

import { parseLines } from "../../grammar/parse-lines.js";
import type { ChainLine, CommandLine, Word } from "../../grammar/syntax.js";
import { append } from "../append.js";
import { diagnostic, effectOf, printable, type Diagnostic, type DiagnosticCode, type Span } from "../diagnostic.js";
import * as extensions from "../extensions/registry.js";
import type { IpsetReader } from "../ipset/read-ipsets.js";
import type { Family, IptablesRule, IptablesRuleset, TableName } from "../iptables/ast.js";
import { findChainLoops } from "../iptables/chain-loops.js";
import { TableState } from "../iptables/commands.js";
import { RuleReader } from "../iptables/rule-reader.js";
import { builtInChains, isTableName } from "../iptables/tables.js";

/** How a command ended, as far as that is known here. */
export type Status = "success" | "failure" | "unknown";

/** The arguments of a command, where they stand. */
export interface Arguments {
  /** Columns count from the start of the first line on, over the ends of continued lines: see `unfoldSpans`. */
  readonly words: readonly Word[];
  /** The program's name. */
  readonly program: Word;
  readonly line: number;
  readonly endLine: number;
  /** The arguments as a rule is shown. */
  readonly text: string;
  /** What becomes of the status is for the script to say: a failure is no fault. */
  readonly isHandled: boolean;
  /** The script ends where a command fails. */
  readonly stopsAtFailure: boolean;
}

export class ScriptFirewall {
  private readonly tables = new Map<Family, Map<TableName, TableState>>();
  private readonly readers = new Map<Family, RuleReader>();
  /** A command was refused: what later ones find missing may only follow from that. */
  isIncomplete = false;

  constructor(
    private readonly file: string,
    private readonly ipsets: IpsetReader,
    private readonly diagnostics: Diagnostic[],
  ) {}

  private report(code: DiagnosticCode, span: Span, message: string, help?: string): void {
    this.diagnostics.push(diagnostic(code, span, message, help));
  }

  private span({ line }: Pick<Arguments, "line">, { column, length }: Pick<Word, "column" | "length">): Span {
    return { file: this.file, line, column, length: Math.max(1, length) };
  }

  ipset(command: Arguments): Status {
    const { words } = command;
    const { diagnostics } = this.ipsets;
    const reported = diagnostics.length;
    this.ipsets.command(words, (word) => this.span(command, word));
    const faults = diagnostics.splice(reported);
    const [name] = words.filter(({ text }) => !/^-(?:exist|!|q|quiet)$/.test(text));
    return this.conclude(faults, command, /^(?:destroy|x|-X|flush|f|-F|del|d|-D|create|-N|n)$/.test(name?.text ?? ""));
  }

  iptables(family: Family, command: Arguments): Status {
    const { words, program, text } = command;
    // Asks for a version or for help.
    if (words.length === 1 && /^(?:-V|--version|-h|--help)$/.test(words[0]!.text)) return "success";
    const first = words[0] ?? program;
    const last = words.at(-1) ?? program;
    const end = last.column + last.length;
    const line: CommandLine = { kind: "command", line: command.line, counters: undefined, words, text };
    const named = tableWord(words);
    const name = named?.text ?? "filter";
    if (!isTableName(name)) {
      this.report(
        "unknown-table",
        this.span(command, named?.word ?? program),
        `iptables has no table "${printable(name)}"`,
        "the tables are raw, mangle, nat, filter and security",
      );
      return "failure";
    }
    const state = this.table(family, name, this.span(command, program));
    const reported = this.diagnostics.length;
    const read = this.reader(family).read(line, state);
    if (read !== undefined) {
      const span: Span = {
        ...this.span(command, { column: first.column, length: Math.max(1, end - first.column) }),
        ...(command.endLine > command.line && { endLine: command.endLine }),
      };
      state.apply({ ...read, rules: read.rules.map((rule): IptablesRule => ({ ...rule, span })) });
    }
    const faults = this.diagnostics.splice(reported);
    const isQuestion = read !== undefined && questions.has(read.name);
    const mayFail = isQuestion || words.some((word) => /^(?:-[DXFZNE]|--(?:delete|flush|zero|new-chain|rename-chain))/.test(word.text));
    return this.conclude(faults, command, mayFail, isQuestion);
  }

  /**
   * The status of a command by its faults. A command that takes away what is not there, or makes a chain that is, fails and
   * changes nothing; the shell goes on, unless it has been told to stop at failures.
   */
  private conclude(faults: readonly Diagnostic[], command: Arguments, mayFail: boolean, expected = false): Status {
    const errors = faults.filter(({ code }) => effectOf(code) === "invalid");
    const { program, isHandled, stopsAtFailure } = command;
    const absent = errors.every(({ code }) => absences.has(code));
    if (this.isIncomplete && errors.length > 0 && absent) return "unknown";
    if (errors.length === 0 || !mayFail || !absent || (stopsAtFailure && !isHandled)) {
      append(this.diagnostics, faults);
      return errors.length === 0 ? "success" : "failure";
    }
    if (!expected && !isHandled) {
      const message = `${errors[0]?.message ?? "it fails"}: the command changes nothing`;
      this.report("shell-command-fails", errors[0]?.span ?? this.span(command, program), message);
    }
    return "failure";
  }

  /**
   * Loads what iptables-restore is given.
   * @param line where the text begins in the script, from 1
   * @param keeps `--noflush`: tables keep their rules, and user chains that are declared are emptied
   */
  restore(family: Family, text: string, line: number, keeps: boolean): void {
    let open: TableState | undefined;
    for (const read of parseLines(`${"\n".repeat(line - 1)}${text}`)) {
      const place = { line: read.line };
      switch (read.kind) {
        case "blank":
        case "comment":
          break;
        case "error":
          this.report(read.code, this.span(place, read), read.message);
          break;
        case "commit":
          open = undefined;
          break;
        case "table": {
          const span = this.span(place, read.name);
          if (!isTableName(read.name.text)) {
            this.report("unknown-table", span, `iptables has no table "${printable(read.name.text)}"`);
            open = undefined;
            break;
          }
          open = this.opened(family, read.name.text, span, keeps);
          break;
        }
        case "chain":
          if (open) this.declare(open, read, keeps);
          else this.report("outside-table", this.span(place, read.name), "a chain is declared outside of any table");
          break;
        case "command": {
          const command = open && this.reader(family, "restore").read(read, open);
          if (command) open!.apply(command);
          else if (!open && read.words[0])
            this.report("outside-table", this.span(place, read.words[0]), "this line is outside of any table");
        }
      }
    }
    if (open) this.report("missing-commit", open.span, "the table has no COMMIT, and iptables-restore loads nothing of it");
  }

  private opened(family: Family, name: TableName, span: Span, keeps: boolean): TableState {
    const earlier = this.tables.get(family)?.get(name);
    if (keeps || !earlier) return this.table(family, name, span);
    const table = new TableState(name, span, this.diagnostics, family);
    table.inheritPolicies(earlier.build());
    this.tables.get(family)!.set(name, table);
    return table;
  }

  private declare(table: TableState, chain: ChainLine, keeps: boolean): void {
    const span = this.span(chain, chain.name);
    if (keeps && table.chainKind(chain.name.text) === "user") {
      table.empty(chain.name.text);
      return;
    }
    table.declare(chain.name.text, span, chain.policy.text, this.span(chain, chain.policy), chain.counters);
  }

  private reader(family: Family, way: "command" | "restore" = "command"): RuleReader {
    if (way === "restore") return new RuleReader(this.file, family, extensions, this.diagnostics);
    let reader = this.readers.get(family);
    if (reader === undefined) this.readers.set(family, (reader = new RuleReader(this.file, family, extensions, this.diagnostics, true)));
    return reader;
  }

  private table(family: Family, name: TableName, span: Span): TableState {
    let tables = this.tables.get(family);
    if (tables === undefined) this.tables.set(family, (tables = new Map<TableName, TableState>()));
    let table = tables.get(name);
    if (table === undefined) tables.set(name, (table = new TableState(name, span, this.diagnostics, family)));
    return table;
  }

  /** The rulesets as they stand. */
  finish(): IptablesRuleset[] {
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
      this.report("no-table", { file: this.file, line: 1, column: 1, length: 1 }, "the script has no command of iptables");
    }
    return rulesets;
  }
}

/** Commands that change nothing, and fail where there is nothing. */
const questions: ReadonlySet<string> = new Set(["check", "list", "list-rules"]);

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
function tableWord(words: readonly Word[]): { readonly word: Word; readonly text: string } | undefined {
  for (const [index, word] of words.entries()) {
    const joined = /^(?:-t|--table=|--tabl=|--tab=)(.+)$/s.exec(word.text)?.[1];
    if (joined !== undefined) return { word, text: joined };
    const next = words[index + 1];
    if (/^(?:-t|--tab|--tabl|--table)$/.test(word.text) && next !== undefined) return { word: next, text: next.text };
  }
  return undefined;
}
