/** Lines to rulesets: the iptables AST of one text. */

import { parseLines } from "../../grammar/parse-lines.js";
import type { ChainLine, CommandLine, TableLine, Word } from "../../grammar/syntax.js";
import { diagnostic, type Diagnostic, type DiagnosticCode, type Span } from "../diagnostic.js";
import * as extensions from "../extensions/registry.js";
import type { Family, IptablesRuleset, IptablesTable, TableName } from "./ast.js";
import { findChainLoops } from "./chain-loops.js";
import { TableState } from "./commands.js";
import { familyOfComment, familyOfFileName, familyOfSections, type SectionFamilies } from "./family.js";
import { RuleReader, type Registry } from "./rule-reader.js";
import { isNftScript, isProse, listedTables } from "./other-texts.js";
import { builtInChains, isTableName } from "./tables.js";

export interface Source {
  /** As it shall stand in diagnostics. */
  readonly file: string;
  readonly text: string;
}

export interface BuildOptions {
  /** Of all tables; found out from the text if absent. */
  readonly family?: Family;
  /** Where matches and targets are looked up; the project's registry unless told. */
  readonly registry?: Registry;
}

export interface BuildResult {
  /** One for each family in the text, in the order of first appearance. */
  readonly rulesets: IptablesRuleset[];
  readonly diagnostics: Diagnostic[];
}

/**
 * Reads an iptables-save text. Errors do not end it: a line in error is left out and reported, so that the result is only
 * good if no diagnostic is of the effect `invalid`. Never throws.
 */
export function build(source: Source, options: BuildOptions = {}): BuildResult {
  const builder = new Builder(source, options);
  if (isNftScript(source.text)) return builder.refuseNft();
  for (const line of parseLines(source.text, false)) {
    switch (line.kind) {
      case "command":
        builder.command(line);
        break;
      case "blank":
        break;
      case "comment":
        builder.comment(line.text);
        break;
      case "chain":
        builder.chain(line);
        break;
      case "table":
        builder.table(line);
        break;
      case "commit":
        builder.commit(line.line, line.column);
        break;
      case "error":
        builder.report(
          line.code,
          { file: source.file, line: line.line, column: line.column, length: Math.max(1, line.length) },
          line.message,
        );
    }
  }
  return builder.finish();
}

class Builder {
  private readonly diagnostics: Diagnostic[] = [];
  /** In the order of first appearance, and the tables in the order of their COMMITs. */
  private readonly tables = new Map<Family, Map<string, IptablesTable>>();
  private readonly readers = new Map<Family, RuleReader>();
  /** The table being filled; `unknown` for one that iptables does not have, whose lines are passed over. */
  private open: { readonly family: Family; readonly state: TableState; readonly reader: RuleReader } | "unknown" | undefined;
  private openSpan: Span | undefined;
  private anyTable = false;
  private commentFamily: Family | undefined;
  private lastFamily: Family | undefined;
  private sections: SectionFamilies | undefined;
  private assumed = false;
  /** Tables of a listing, which has no lines that begin and end them. */
  private readonly listed: ReadonlyMap<number, TableName> | undefined;
  /** A line outside of tables that is passed over, and how many there are. */
  private prose: { readonly span: Span; count: number } | undefined;

  constructor(
    private readonly source: Source,
    private readonly options: BuildOptions,
  ) {
    this.listed = listedTables(source.text);
  }

  refuseNft(): BuildResult {
    const span = { file: this.source.file, line: 1, column: 1, length: 1 };
    this.report(
      "nft-already",
      span,
      "this is an nft script already: there is nothing to translate",
      "`verify` and `review --script` take it beside a dump",
    );
    return { rulesets: [], diagnostics: this.diagnostics };
  }

  report(code: DiagnosticCode, span: Span, message: string, help?: string): void {
    this.diagnostics.push(diagnostic(code, span, message, help));
  }

  private span(line: number, word: Pick<Word, "column" | "length">): Span {
    return { file: this.source.file, line, column: word.column, length: word.length };
  }

  comment(text: string): void {
    const family = familyOfComment(text);
    if (family !== undefined) this.commentFamily = family === "either" ? undefined : family;
  }

  table({ line, name }: TableLine): void {
    this.requireCommit();
    this.anyTable = true;
    const span = this.span(line, name);
    this.openSpan = span;
    if (!isTableName(name.text)) {
      this.report("unknown-table", span, `iptables has no table "${name.text}"`, "the tables are raw, mangle, nat, filter and security");
      this.open = "unknown";
      return;
    }
    const family = this.family(line, span);
    const state = new TableState(name.text, span, this.diagnostics, family);
    const earlier = this.tables.get(family)?.get(name.text);
    if (earlier !== undefined) {
      const count = earlier.chains.reduce((sum, chain) => sum + chain.rules.length, 0);
      this.report(
        "repeated-table",
        span,
        `table "${name.text}" was given before: this one replaces its ${count} rules, as iptables-restore does, and keeps its policies`,
      );
      state.inheritPolicies(earlier);
    }
    this.open = { family, state, reader: this.reader(family) };
  }

  private reader(family: Family): RuleReader {
    let reader = this.readers.get(family);
    if (reader === undefined) {
      reader = new RuleReader(this.source.file, family, this.options.registry ?? extensions, this.diagnostics);
      this.readers.set(family, reader);
    }
    return reader;
  }

  /** Said by the caller, by the comment above, by the table's contents, by the tables before and after it, or by the file's name. */
  private family(line: number, span: Span): Family {
    let family = this.options.family ?? this.commentFamily;
    if (family === undefined) {
      this.sections ??= familyOfSections(this.source.text);
      family = this.sections.own.get(line) ?? this.lastFamily ?? this.sections.following.get(line);
    }
    family ??= familyOfFileName(this.source.file);
    if (family === undefined) {
      family = "ipv4";
      if (!this.assumed)
        this.report("family-assumed", span, "nothing tells IPv4 from IPv6: IPv4 is assumed", "say it with --ipv4 or --ipv6");
      this.assumed = true;
    } else {
      this.lastFamily = family;
    }
    return family;
  }

  chain({ line, name, policy, counters }: ChainLine): void {
    if (this.open === undefined) this.report("outside-table", this.span(line, name), "a chain is declared outside of any table");
    else if (this.open !== "unknown") {
      this.open.state.declare(name.text, this.span(line, name), policy.text, this.span(line, policy), counters);
    }
  }

  command(line: CommandLine): void {
    const listed = this.listed?.get(line.line);
    if (listed !== undefined) this.openListed(listed, line);
    if (this.open === undefined) {
      const column = line.words[0]?.column ?? 1;
      if (/(?:^|\n)\*/.test(this.source.text) && isProse(line.text)) {
        this.prose ??= { span: this.span(line.line, { column, length: Math.max(1, line.text.length) }), count: 0 };
        this.prose.count += 1;
        return;
      }
      this.report(
        "outside-table",
        this.span(line.line, { column, length: Math.max(1, line.text.length) }),
        "this line is outside of any table",
      );
    } else if (this.open !== "unknown") {
      const command = this.open.reader.read(line, this.open.state);
      if (command !== undefined) this.open.state.apply(command);
    }
  }

  private openListed(name: TableName, { line, words }: CommandLine): void {
    if (this.open !== undefined) this.close();
    this.anyTable = true;
    const span = this.span(line, words[0] ?? { column: 1, length: 1 });
    const family = this.family(line, span);
    const chains = builtInChains[name].join(", ");
    this.report(
      "listed-rules",
      span,
      `a listing of rules names no table: this is "${name}" by its chains ${chains}`,
      "iptables-save prints all tables with their names and counters",
    );
    this.open = { family, state: new TableState(name, span, this.diagnostics, family), reader: this.reader(family) };
  }

  commit(line: number, column: number): void {
    if (this.open === undefined) this.report("outside-table", this.span(line, { column, length: 6 }), "COMMIT without a table before it");
    else this.close();
  }

  private close(): void {
    if (this.open !== undefined && this.open !== "unknown") {
      const { family, state } = this.open;
      const table = state.build();
      for (const { rule, chains } of findChainLoops(table)) {
        const circle = [...chains, chains[0] ?? ""].map((name) => `"${name}"`).join(" to ");
        this.report("chain-loop", rule.target?.span ?? rule.span, `chains jump in a circle, from ${circle}`);
      }
      let tables = this.tables.get(family);
      if (tables === undefined) this.tables.set(family, (tables = new Map<string, IptablesTable>()));
      tables.delete(table.name);
      tables.set(table.name, table);
    }
    this.open = undefined;
  }

  private requireCommit(): void {
    if (this.open === undefined) return;
    if (this.openSpan !== undefined) this.report("missing-commit", this.openSpan, "the table has no COMMIT");
    this.close();
  }

  finish(): BuildResult {
    if (this.listed) this.close();
    else this.requireCommit();
    if (this.prose) {
      const { span, count } = this.prose;
      const others = count === 1 ? "" : `, and so are ${count - 1} more`;
      this.report("text-around", span, `this line stands outside of every table and is no rule: it is passed over${others}`);
    }
    if (!this.anyTable) {
      this.report(
        "no-table",
        { file: this.source.file, line: 1, column: 1, length: 1 },
        "the input has no table",
        "a table starts with a line such as `*filter` and ends with `COMMIT`; iptables-save prints it so, iptables -L and iptables " +
          "-S do not",
      );
    }
    const rulesets = [...this.tables].map(([family, tables]) => ({ family, tables: [...tables.values()] }));
    return { rulesets, diagnostics: this.diagnostics };
  }
}
