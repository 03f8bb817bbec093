/**
 * The quick way for large dumps: translates a dump that is reduced to its shapes with the existing code, and fills the script up. What
 * a shape's rules become is learned from two of them; where that does not fit, all of them are translated one by one.
 *
 * The outcome is that of `translate`, byte for byte, diagnostics included.
 */

import { recentUsesOf } from "../extensions/matches/recent.js";
import { sortDiagnostics, type Diagnostic, type DiagnosticCode, type Span } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import type { NftChain } from "../nft/ast.js";
import { emitWithLines, type ChainLine } from "../nft/emit.js";
import { translateToTrees, type Source, type TranslateOptions, type Translation } from "../translate.js";
import { contextsOf, marksOf, Quotient, type Cell } from "./quotient.js";
import { counterValues } from "../extensions/values/uniform.js";
import { scan, type Scan } from "./scan.js";
import { longListsByShapes } from "./long-lists.js";
import { programRulesByShapes } from "./program-rules.js";
import { holesOf, learnRemarks, remarkFor, type RemarkTemplate } from "./remarks.js";
import { fill, learn, type Template } from "./template.js";

export interface QuickTranslation {
  /** Of the reduced dumps: diagnostics and outcome are those of the whole, the trees and the script lack the rules left out. */
  readonly translation: Translation;
  /** Rules that are only in the script; all of them were carried over exactly. */
  readonly leftOut: number;
  /** The whole script, piece by piece. */
  script(): Iterable<string>;
}

/** Why there is no quick way; lower case, no full stop. */
export interface SlowWay {
  readonly reason: string;
}

export interface QuickOptions {
  /** The least share of the rules that must be left out; half of them unless told. */
  readonly leastShare?: number;
  /** The least length of the texts together, in characters; 20,000 unless told. */
  readonly leastLength?: number;
}

/** Reductions of one input: each shows more rules that must stay. */
const mostRounds = 6;

export function translateByShapes(
  sources: readonly Source[],
  options: TranslateOptions,
  { leastShare = 0.5, leastLength = 20_000 }: QuickOptions = {},
): QuickTranslation | SlowWay {
  if (options.origins === true || options.inet === true || options.optimize === true)
    return { reason: "the options ask for what lies between rules" };
  if (sources.length > 2 || new Set(sources.map(({ file }) => file)).size < sources.length) return { reason: "more than two files" };
  if (sources.reduce((sum, { text }) => sum + text.length, 0) < leastLength) return { reason: "the input is short" };
  const files = [...sources, ...(options.ipsets ?? [])].map(({ file }) => file);
  const dumps = sources.map((source) => Dump.of(source));
  const known = dumps.filter((dump) => dump !== undefined);
  if (known.length === 0) return { reason: "no input is a plain dump" };
  for (let round = 0; round < mostRounds; round++) {
    const rules = known.reduce((sum, { scanned }) => sum + scanned.rules.count, 0);
    const leftOut = known.reduce((sum, { quotient }) => sum + quotient.leftOut(), 0);
    if (leftOut === 0 || leftOut < rules * leastShare) return { reason: `only ${leftOut} of ${rules} rules are like others` };
    const reduced = sources.map((source, index) => dumps[index]?.reduced() ?? source);
    const translation = translateToTrees(reduced, options);
    const result = new Filling(known, sources.length, files, translation, options).run();
    if (result !== "again") return result;
  }
  return { reason: "the rules are too different" };
}

/** Rules behind each other, from one to before another. */
type Row = readonly [from: number, to: number];

class Dump {
  readonly quotient: Quotient;
  private readonly byChain: ReadonlyMap<string, readonly Row[]>;

  private constructor(
    readonly source: Source,
    readonly scanned: Scan,
  ) {
    this.quotient = new Quotient(scanned);
    const {
      chains,
      rules: { count, chain },
    } = scanned;
    const byChain = chains.map((): Row[] => []);
    let from = 0;
    for (let rule = 1; rule <= count; rule++) {
      if (rule < count && chain[rule] === chain[from]) continue;
      byChain[chain[from]!]!.push([from, rule]);
      from = rule;
    }
    this.byChain = new Map(chains.map(({ tableName, name }, index) => [`${tableName} ${name}`, byChain[index]!]));
  }

  static of(source: Source): Dump | undefined {
    const scanned = scan(source.text);
    return scanned && new Dump(source, scanned);
  }

  reduced(): Source {
    return { ...this.source, text: this.quotient.reduce() };
  }

  /** The rules of a chain that have a shape, in their order. */
  rulesOf(table: string, chain: string): readonly Row[] {
    return this.byChain.get(`${table} ${chain}`) ?? [];
  }

  /** The chains that have rules with a shape, as indices. */
  filledChains(): readonly number[] {
    return this.scanned.chains.flatMap(({ tableName, name }, index) => (this.rulesOf(tableName, name).length > 0 ? [index] : []));
  }

  /** The rules with a shape before and behind a line in its chain. */
  around(table: string, chain: string, line: number): number[] {
    const { line: lines } = this.scanned.rules;
    const rows = this.rulesOf(table, chain);
    // The first row that does not end before the line.
    const at = firstFrom(line, rows.length, (index) => lines[rows[index]![1] - 1]!);
    const row = rows[at];
    const last = rows[at - 1]?.[1];
    if (!row) return last === undefined ? [] : [last - 1];
    const rule = row[0] + firstFrom(line, row[1] - row[0], (index) => lines[row[0] + index]!);
    const before = rule > row[0] ? rule - 1 : last === undefined ? undefined : last - 1;
    let behind: number | undefined = lines[rule] === line ? rule + 1 : rule;
    if (behind === row[1]) behind = rows[at + 1]?.[0];
    return [before, behind].filter((one) => one !== undefined);
  }

  /** The rule of a line; undefined if it has no shape. */
  ruleAt(line: number): number | undefined {
    const { count, line: lines } = this.scanned.rules;
    const at = firstFrom(line, count, (rule) => lines[rule]!);
    return at < count && lines[at] === line ? at : undefined;
  }
}

/** Of so many things in the order of their lines the first that does not stand before the line. */
function firstFrom(line: number, count: number, lineOf: (index: number) => number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lineOf(middle) < line) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a line of the script, or several, is made of. */
interface Made {
  readonly from: number;
  readonly to: number;
}

/** One reduced translation, looked at. */
class Filling {
  private readonly script: string;
  private readonly chains: readonly ChainLine[];
  /** Where each line of the script begins, and the end of the last. */
  private readonly starts: number[];
  private readonly templates = new Map<Dump, Map<number, Template>>();
  private readonly remarks = new Map<Dump, Map<number, readonly RemarkTemplate[]>>();
  private again = false;

  constructor(
    private readonly dumps: readonly Dump[],
    private readonly sourceCount: number,
    /** Of the sources and of the sets, in the order of their diagnostics. */
    private readonly files: readonly string[],
    private readonly translation: Omit<Translation, "script">,
    private readonly options: TranslateOptions,
  ) {
    const { text, chains } = translation.nft ? emitWithLines(translation.nft) : { text: "", chains: [] };
    this.script = text;
    this.chains = chains;
    this.starts = [0];
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) this.starts.push(at + 1);
  }

  run(): QuickTranslation | SlowWay | "again" {
    const { translation } = this;
    if (!translation.nft) return { reason: "the input is in error" };
    const counting = translation.diagnostics.find(({ code }) => code === "repeated-table" || code === "no-built-in-chain");
    if (counting) return { reason: `${counting.code} counts rules` };
    if (translation.iptables.length !== this.sourceCount) return { reason: "several files are of one family, or one is of two" };
    for (const dump of this.dumps) {
      const ruleset = this.rulesetOf(dump);
      if (!ruleset) return { reason: "a file has no table" };
      if (!this.isReachedAsScanned(dump, ruleset)) return { reason: "a jump is written in another way than iptables-save writes it" };
      this.keepNeighbours(dump, ruleset);
      this.learnAll(dump, ruleset);
    }
    if (this.again) {
      for (const { quotient } of this.dumps) quotient.settle();
      return "again";
    }
    if (!this.hasPlaceForAll()) return { reason: "a chain is not in the script" };
    const leftOut = this.dumps.reduce((sum, { quotient }) => sum + quotient.leftOut(), 0);
    const whole = { ...translation, script: this.script, diagnostics: this.diagnostics() };
    return { translation: whole, leftOut, script: () => this.pieces() };
  }

  /** Those of the whole dumps. */
  private diagnostics(): readonly Diagnostic[] {
    const { translation, dumps, files } = this;
    const remarks: Diagnostic[] = [];
    // Lines that are not in the reduced dumps as they are.
    const marked = new Set<string>();
    for (const dump of dumps) this.addRemarks(dump, remarks, marked);
    const notes = dumps.flatMap((dump) => {
      const { scanned, source } = dump;
      const ruleset = this.rulesetOf(dump)!;
      const ruleAt = (line: number): number | undefined => dump.ruleAt(line);
      return [
        ...programRulesByShapes(scanned, source.file, ruleset, ruleAt),
        ...longListsByShapes(scanned, source.file, ruleset, (table, chain) => dump.rulesOf(table, chain), ruleAt, this.options),
      ];
    });
    const others = translation.diagnostics.filter(
      ({ code, span }) =>
        !marked.has(`${span.line} ${span.file}`) && (!countRules.has(code) || !dumps.some(({ source }) => source.file === span.file)),
    );
    return sortDiagnostics([...others, ...remarks, ...notes], files);
  }

  /** A rule that is filled in gets the notes of its shape, and so does the one that had marks. */
  private addRemarks(dump: Dump, remarks: Diagnostic[], marked: Set<string>): void {
    const { scanned, quotient } = dump;
    const templates = this.remarks.get(dump)!;
    if (templates.size === 0) return;
    for (let rule = 0; rule < scanned.rules.count; rule++) {
      const own = quotient.stays(rule) ? undefined : templates.get(quotient.cellAt(rule));
      if (!own) continue;
      const line = scanned.rules.line[rule]!;
      if (quotient.isProbe(rule)) marked.add(`${line} ${dump.source.file}`);
      const holes = holesOf(scanned, rule);
      for (const template of own) remarks.push(remarkFor(template, line, holes));
    }
  }

  /** Whether the script has the chain of every rule that is to be filled in. */
  private hasPlaceForAll(): boolean {
    return this.dumps.every((dump) => {
      const { scanned, quotient } = dump;
      const family = tableFamily(this.rulesetOf(dump)!);
      const written = new Set(
        this.chains.flatMap(({ chain: { holds }, family: own }) => (holds && own === family ? [`${holds.table} ${holds.chain}`] : [])),
      );
      const lost = dump.filledChains().filter((index) => {
        const { tableName, name } = scanned.chains[index]!;
        return !written.has(`${tableName} ${name}`);
      });
      if (lost.length === 0) return true;
      for (let rule = 0; rule < scanned.rules.count; rule++) {
        if (!quotient.stays(rule) && lost.includes(scanned.rules.chain[rule]!)) return false;
      }
      return true;
    });
  }

  private rulesetOf({ source }: Dump): IptablesRuleset | undefined {
    return this.translation.iptables.find(({ tables }) => tables[0]?.span.file === source.file);
  }

  /** Whether chains that are taken to be reached alike are. */
  private isReachedAsScanned({ scanned: { chains }, quotient }: Dump, { tables }: IptablesRuleset): boolean {
    const numbers = new Map(chains.map(({ tableName, name }, index) => [`${tableName} ${name}`, index]));
    const calls = new Map<number, Set<number>>();
    for (const table of tables) {
      for (const chain of table.chains) {
        const caller = numbers.get(`${table.name} ${chain.name}`);
        if (caller === undefined) return false;
        const called = new Set<number>();
        for (const { target } of chain.rules) {
          if (target?.kind === "chain") called.add(numbers.get(`${table.name} ${target.chain}`) ?? -1);
        }
        if (called.has(-1)) return false;
        calls.set(caller, called);
      }
    }
    const contexts = contextsOf(chains, calls);
    return contexts.every((context, index) => context === quotient.contexts[index]);
  }

  /** Rules with lists of `recent` are fused with those beside them, and asked as often as their chains are called. */
  private keepNeighbours(dump: Dump, { tables, family }: IptablesRuleset): void {
    const { quotient, scanned } = dump;
    let sensitive = false;
    for (const table of tables) {
      for (const chain of table.chains) {
        for (const rule of chain.rules) {
          if (recentUsesOf(rule, family).length === 0) continue;
          sensitive = true;
          const own = dump.ruleAt(rule.span.line);
          if (own !== undefined) this.keepAlike(dump, own);
          for (const neighbour of dump.around(table.name, chain.name, rule.span.line)) {
            if (quotient.keep(neighbour)) this.again = true;
          }
        }
      }
    }
    if (!sensitive) return;
    const { rules, shapes } = scanned;
    for (let rule = 0; rule < rules.count; rule++) if (shapes[rules.shape[rule]!]!.jump !== -1) this.keepAlike(dump, rule);
  }

  private keepAlike({ quotient }: Dump, rule: number): void {
    if (quotient.keepAlike(rule)) this.again = true;
  }

  /** Learns what the rules of each cell become. */
  private learnAll(dump: Dump, ruleset: IptablesRuleset): void {
    const { file } = dump.source;
    const made = this.madeOf(dump, ruleset);
    const remarks = new Map<number, Diagnostic[]>();
    for (const found of this.translation.diagnostics) {
      const { span } = found;
      if (span.file !== file || countRules.has(found.code)) continue;
      for (let line = span.line; line <= (span.endLine ?? span.line); line++) {
        const known = remarks.get(line);
        if (known) known.push(found);
        else remarks.set(line, [found]);
      }
    }
    const templates = new Map<number, Template>();
    const remarkTemplates = new Map<number, readonly RemarkTemplate[]>();
    this.templates.set(dump, templates);
    this.remarks.set(dump, remarkTemplates);
    for (const cell of dump.quotient.cells()) {
      const template = this.learned(dump, cell, made);
      const own = this.learnedRemarks(dump, cell, remarks);
      if (template && own) {
        templates.set(dump.quotient.cellAt(cell.first), template);
        if (own.length > 0) remarkTemplates.set(dump.quotient.cellAt(cell.first), own);
      } else this.keepAlike(dump, cell.first);
    }
  }

  private learnedRemarks(
    { scanned }: Dump,
    { first, probe }: Cell,
    remarks: ReadonlyMap<number, readonly Diagnostic[]>,
  ): readonly RemarkTemplate[] | undefined {
    const [ofFirst, ofProbe] = [first, probe].map((rule) => remarks.get(scanned.rules.line[rule]!) ?? []);
    if (ofFirst!.length === 0 && ofProbe!.length === 0) return [];
    return learnRemarks(ofFirst!, holesOf(scanned, first), ofProbe!, holesOf(scanned, probe, marksOf(scanned, probe)));
  }

  private learned({ scanned }: Dump, cell: Cell, made: ReadonlyMap<number, Made | "apart">): Template | undefined {
    const [first, probe] = [cell.first, cell.probe].map((rule) => made.get(scanned.rules.line[rule]!));
    if (!first || !probe || first === "apart" || probe === "apart") return undefined;
    const { classes } = scanned.shapes[cell.shape]!;
    const template = learn(
      this.script.slice(probe.from, probe.to),
      classes,
      marksOf(scanned, cell.probe),
      this.options.counters === false ? [counterValues] : [],
    );
    return template && fill(template, scanned, cell.first) === this.script.slice(first.from, first.to) ? template : undefined;
  }

  /** Of each line of the dump the piece of the script that is made of it alone; `apart`: it is in several places. */
  private madeOf(dump: Dump, ruleset: IptablesRuleset): Map<number, Made | "apart"> {
    const made = new Map<number, Made | "apart">();
    for (const { chain, family, line } of this.chains) {
      if (family !== tableFamily(ruleset)) continue;
      if (chain.holds?.inPart === true) this.keepChain(dump, chain);
      let at = line;
      for (const entry of chain.entries) {
        const from = this.starts[at]!;
        at += heightOf(entry);
        const to = this.starts[at]!;
        const origins = originsOf(entry);
        for (const { line: origin } of origins) {
          const before = made.get(origin);
          const alone = origins.length === 1 && chain.holds !== undefined;
          if (!alone || before === "apart" || (before && before.to !== from)) made.set(origin, "apart");
          else made.set(origin, { from: before?.from ?? from, to });
        }
      }
    }
    return made;
  }

  /** Its later rules stand in another chain: where the one begins and the other ends is not for others to know. */
  private keepChain(dump: Dump, { holds }: NftChain): void {
    for (const [from, to] of dump.rulesOf(holds!.table, holds!.chain)) {
      for (let rule = from; rule < to; rule++) if (dump.quotient.keep(rule)) this.again = true;
    }
  }

  // ------------------------------------------------------------------------------------------------- the script

  private *pieces(): Generator<string, void, undefined> {
    const { script } = this;
    let piece = "";
    let copied = 0;
    for (const { chain, family, line } of this.chains) {
      const dump = chain.holds && this.dumps.find((one) => tableFamily(this.rulesetOf(one)!) === family);
      if (!dump) continue;
      const { quotient, scanned } = dump;
      const lines = scanned.rules.line;
      const rows = dump.rulesOf(chain.holds.table, chain.holds.chain);
      let row = 0;
      let next = rows[0]?.[0] ?? -1;
      const templates = this.templates.get(dump)!;
      /** The line of the first rule that has not been looked at. */
      const nextLine = (): number => (row < rows.length ? lines[next]! : Infinity);
      /** Fills in rules that stand before the line, at most so many. */
      const fillUntil = (end: number, most = Infinity): void => {
        let left = most;
        for (; row < rows.length; next = rows[++row]?.[0] ?? -1) {
          for (const to = rows[row]![1]; next < to; next++) {
            if (lines[next]! >= end || left-- <= 0) return;
            if (!quotient.stays(next)) piece += fill(templates.get(quotient.cellAt(next))!, scanned, next);
          }
        }
      };
      let at = line;
      for (const entry of chain.entries) {
        const from = this.starts[at]!;
        at += heightOf(entry);
        const origin = Math.min(...originsOf(entry).map((span) => span.line));
        if (origin === Infinity) continue;
        const own = dump.ruleAt(origin);
        const isProbe = own !== undefined && quotient.isProbe(own);
        const end = origin + (isProbe ? 1 : 0);
        if (nextLine() < end) {
          piece += script.slice(copied, from);
          copied = from;
          fillUntil(end);
        }
        if (isProbe) copied = this.starts[at]!;
        if (piece.length > pieceLength) {
          yield piece;
          piece = "";
        }
      }
      piece += script.slice(copied, this.starts[at]);
      copied = this.starts[at]!;
      while (nextLine() < Infinity) {
        fillUntil(Infinity, 1000);
        if (piece.length > pieceLength) {
          yield piece;
          piece = "";
        }
      }
    }
    yield piece + script.slice(copied);
  }
}

/** The iptables rules that an entry comes of, or stands above. */
function originsOf(entry: NftChain["entries"][number]): readonly Span[] {
  return entry.origins ?? (entry.kind === "comment" ? entry.above : undefined) ?? [];
}

/** Is said of one of many rules that are alike, and changes none. */
const countRules: ReadonlySet<DiagnosticCode> = new Set(["program-rules", "long-list"]);

/** Lines of the script. */
function heightOf(entry: NftChain["entries"][number]): number {
  return entry.kind === "comment" ? entry.lines.length : 1;
}

/** Characters of a piece of the script, about. */
const pieceLength = 1 << 20;

function tableFamily({ family }: IptablesRuleset): "ip" | "ip6" {
  return family === "ipv4" ? "ip" : "ip6";
}
