/**
 * The quick way for large dumps: translates a dump that is reduced to its shapes with the existing code, and fills the script up. What
 * a shape's rules become is learned from two of them; where that does not fit, all of them are translated one by one.
 *
 * The outcome is that of `translate`, byte for byte, diagnostics included.
 */

import { recentUsesOf } from "../extensions/matches/recent.js";
import { sortDiagnostics, type Diagnostic, type DiagnosticCode } from "../diagnostic.js";
import type { IptablesRuleset, IptablesTarget } from "../iptables/ast.js";
import { chainName } from "../nft/names.js";
import { deepestLevel, deepestPath } from "../nft/levels.js";
import type { NftChain } from "../nft/ast.js";
import { emitWithLines, type ChainLine } from "../nft/emit.js";
import { translateToTrees, type Source, type TranslateOptions, type Translation } from "../translate.js";
import { marksOf, type Cell } from "./quotient.js";
import { counterValues } from "../extensions/values/uniform.js";
import { Dump } from "./dump.js";
import { fillScript, heightOf, originsOf } from "./fill-script.js";
import { longListsByShapes } from "./long-lists.js";
import { programRulesByShapes } from "./program-rules.js";
import { holesOf, learnRemarks, remarkFor, type RemarkTemplate } from "./remarks.js";
import { fill, learn, type Template } from "./template.js";
import { addCall, longestWay, reachedFrom, type Calls } from "./ways.js";

export interface QuickTranslation {
  /** Of the reduced dumps: diagnostics and outcome are those of the whole, the trees and the script lack the rules left out. */
  readonly translation: Translation;
  /** Rules that are only in the script; all of them were carried over exactly. */
  readonly leftOut: number;
  /** The whole script in UTF-8, piece by piece. */
  pieces(): Iterable<Uint8Array>;
  /** The whole script. */
  script(): string;
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
  // The chains of an earlier script that this one lacks are taken away.
  const keepsChains = options.keepSets === true && options.replaces !== undefined;
  for (const { quotient } of keepsChains ? known : []) if (quotient.keepChains()) quotient.settle();
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

/**
 * What calls what in the whole dump; undefined where a rule calls otherwise than it was scanned, or a chain is not reached as in the whole.
 * @param ruleset of the reduced dump, which has all rules without a shape
 */
function callsOfWhole(dump: Dump, { tables }: IptablesRuleset): Calls | undefined {
  const {
    quotient,
    scanned: { chains, rules },
  } = dump;
  const calls = new Map<number, Set<number>>();
  for (const table of tables) {
    for (const chain of table.chains) {
      const caller = dump.chainNumber(table.name, chain.name);
      if (caller === undefined) return undefined;
      for (const { target, span } of chain.rules) {
        const called = target?.kind === "chain" ? dump.chainNumber(table.name, target.chain) : -1;
        const rule = dump.ruleAt(span.line);
        if (called === undefined || (rule !== undefined && (rules.called[rule] === -1) !== (called === -1))) return undefined;
        if (called !== -1) addCall(calls, caller, called);
      }
    }
  }
  const isReachedAsInWhole = (reached: string, chain: number): boolean => reached === quotient.reached[chain] || quotient.isOmitted(chain);
  if (!reachedFrom(chains, calls).every(isReachedAsInWhole)) return undefined;
  for (const [caller, all] of quotient.calls) for (const called of all) addCall(calls, caller, called);
  return reachedFrom(chains, calls).every((reached, chain) => reached === quotient.reached[chain]) ? calls : undefined;
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
      const calls = callsOfWhole(dump, ruleset);
      if (!calls) return { reason: "a jump is written in another way than iptables-save writes it" };
      if (!this.mayLackChains(dump, ruleset, calls) && dump.quotient.keepChains()) this.again = true;
      this.keepLists(dump, ruleset, calls);
      this.learnAll(dump, ruleset);
    }
    if (this.again) {
      for (const { quotient } of this.dumps) quotient.settle();
      return "again";
    }
    if (!this.hasPlaceForAll()) return { reason: "a chain is not in the script" };
    const leftOut = this.dumps.reduce((sum, { quotient }) => sum + quotient.leftOut(), 0);
    const whole = { ...translation, script: this.script, diagnostics: this.diagnostics() };
    const filled = this.dumps.map((dump) => {
      const ruleset = this.rulesetOf(dump)!;
      return { dump, family: tableFamily(ruleset), order: dump.chainsInOrder(ruleset), templates: this.templates.get(dump)! };
    });
    const pieces = (): Iterable<Uint8Array> => fillScript(this.script, this.starts, this.chains, filled);
    return { translation: whole, leftOut, pieces, script: () => textOf(pieces()) };
  }

  /** Those of the whole dumps. */
  private diagnostics(): readonly Diagnostic[] {
    const { translation, dumps, files } = this;
    const remarks: Diagnostic[] = [];
    // Lines that are not in the reduced dumps as they are.
    const marked = new Set<string>();
    for (const dump of dumps) this.addRemarks(dump, remarks, marked);
    const notes = dumps.flatMap((dump) => {
      const ruleset = this.rulesetOf(dump)!;
      return [...programRulesByShapes(dump, ruleset), ...longListsByShapes(dump, ruleset, this.options)];
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
    const { line, runs, runCount } = scanned.rules;
    for (let run = 0; run < runCount; run++) {
      const own = templates.get(quotient.cellAt(runs[run]!));
      if (!own) continue;
      for (let rule = runs[run]!; rule < runs[run + 1]!; rule++) {
        if (quotient.stays(rule)) continue;
        if (quotient.isProbe(rule)) marked.add(`${line[rule]!} ${dump.source.file}`);
        const holes = holesOf(scanned, rule);
        for (const template of own) remarks.push(remarkFor(template, line[rule]!, holes));
      }
    }
  }

  /** Whether the script has the chain of every rule that is to be filled in, but for the chains that are left out themselves. */
  private hasPlaceForAll(): boolean {
    return this.dumps.every((dump) => {
      const {
        quotient,
        scanned: { chains },
      } = dump;
      const family = tableFamily(this.rulesetOf(dump)!);
      const written = new Set<number | undefined>();
      for (const { chain, family: own } of this.chains) {
        if (chain.holds && own === family) written.add(dump.chainNumber(chain.holds.table, chain.holds.chain));
      }
      const lost = new Set([...chains.keys()].filter((chain) => !written.has(chain) && !quotient.isOmitted(chain)));
      if (lost.size === 0) return true;
      return [...lost].every((chain) => dump.rulesOf(chain).every(([from, to]) => quotient.allStay(from, to)));
    });
  }

  private rulesetOf({ source }: Dump): IptablesRuleset | undefined {
    return this.translation.iptables.find(({ tables }) => tables[0]?.span.file === source.file);
  }

  /** Whether nothing but the rules of the chains left out depends on them. */
  private mayLackChains({ scanned: { chains }, quotient }: Dump, ruleset: IptablesRuleset, calls: Calls): boolean {
    const table = this.translation.nft!.tables.find(({ family }) => family === tableFamily(ruleset));
    if (!table) return false;
    // A chain that serves a rule may stand before every call of the longest way, at most.
    if (longestWay(chains.length, calls) + deepestPath(table).length - 1 > deepestLevel) return false;
    const taken = new Set([...table.chains, ...table.sets, ...table.helpers].map(({ name }) => name));
    return chains.every(({ tableName, name }, index) => {
      if (!quotient.isOmitted(index)) return true;
      const own = chainName(tableName, name);
      const isFree = !taken.has(own);
      taken.add(own);
      return isFree;
    });
  }

  /** Rules with lists of `recent` stay, and one of those between two of them, which are fused where nothing is. */
  private keepLists(dump: Dump, { tables, family }: IptablesRuleset, calls: Calls): void {
    const { quotient } = dump;
    /** Of each list that is asked for several hits, the chains that ask it. */
    const asked = new Map<string, Set<number>>();
    const counted = new Set<string>();
    for (const table of tables) {
      for (const chain of table.chains) {
        const place = dump.chainNumber(table.name, chain.name)!;
        const lines: number[] = [];
        let asksTtl = false;
        for (const rule of chain.rules) {
          const uses = recentUsesOf(rule, family);
          if (uses.length === 0) continue;
          lines.push(rule.span.line);
          asksTtl ||= uses.some(({ rttl }) => rttl);
          for (const { list, seconds, hits } of uses) {
            asked.set(list, (asked.get(list) ?? new Set<number>()).add(place));
            if (seconds !== undefined && hits > 1) counted.add(list);
          }
          const own = dump.ruleAt(rule.span.line);
          if (own !== undefined) this.keepAlike(dump, own);
          const before = dump.ruleBefore(place, rule.span.line);
          const isBetween = before !== undefined && lines.length > 1 && dump.scanned.rules.line[before]! > lines.at(-2)!;
          if (isBetween && quotient.keep(before)) this.again = true;
        }
        if (asksTtl) this.keepBetween(dump, place, lines[0]!, lines.at(-1)!, calls);
      }
    }
    const spread = [...counted].map((list) => asked.get(list)!).filter(({ size }) => size > 1);
    if (spread.length > 0) this.keepWaysTo(dump, tables, new Set(spread.flatMap((chains) => [...chains])), calls);
  }

  /**
   * The ways to chains, of which one asks a list for several hits that another sets: whether each packet that comes to the one has met the
   * other depends on all rules that call them, and on the first in each chain that leaves it.
   */
  private keepWaysTo(dump: Dump, tables: IptablesRuleset["tables"], chains: Set<number>, calls: Calls): void {
    const {
      quotient,
      scanned: { rules },
    } = dump;
    const callers = new Map<number, Set<number>>();
    for (const [caller, all] of calls) for (const called of all) addCall(callers, called, caller);
    for (const chain of chains) for (const caller of callers.get(chain) ?? []) chains.add(caller);
    const keep = (rule: number): void => {
      if (quotient.keep(rule)) this.again = true;
    };
    const leaving = new Set<number>();
    for (const { span, target } of tables.flatMap((table) => table.chains.flatMap(({ rules: read }) => read))) {
      const rule = leavesChain(target) ? dump.ruleAt(span.line) : undefined;
      if (rule !== undefined) leaving.add(quotient.cellAt(rule));
    }
    for (let rule = 0; rule < rules.count; rule++) if (chains.has(rules.called[rule]!)) keep(rule);
    for (const chain of chains) {
      for (const [from, to] of dump.rulesOf(chain)) {
        let rule = from;
        while (rule < to && !leaving.has(quotient.cellAt(rule))) rule++;
        if (rule === to) continue;
        keep(rule);
        break;
      }
    }
  }

  /** What may happen to a packet between a hit and the check of its TTL, in the chain and in those that it calls there. */
  private keepBetween(dump: Dump, chain: number, first: number, last: number, calls: Calls): void {
    const { line, called } = dump.scanned.rules;
    // A rule without a shape calls some of these.
    const reached = new Set(dump.scanned.named);
    const keep = (rule: number): void => {
      if (dump.quotient.keep(rule)) this.again = true;
    };
    for (const [from, to] of dump.rulesOf(chain)) {
      for (let rule = from; rule < to; rule++) {
        if (line[rule]! < first || line[rule]! > last) continue;
        keep(rule);
        if (called[rule] !== -1) reached.add(called[rule]!);
      }
    }
    for (const one of reached) {
      for (const [from, to] of dump.rulesOf(one)) for (let rule = from; rule < to; rule++) keep(rule);
      for (const further of calls.get(one) ?? []) reached.add(further);
    }
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
    for (const [from, to] of dump.rulesOf(dump.chainNumber(holds!.table, holds!.chain)!)) {
      for (let rule = from; rule < to; rule++) if (dump.quotient.keep(rule)) this.again = true;
    }
  }
}

function textOf(pieces: Iterable<Uint8Array>): string {
  const decoder = new TextDecoder();
  let text = "";
  for (const piece of pieces) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}

function leavesChain(target: IptablesTarget | undefined): boolean {
  return target !== undefined && (target.kind === "chain" ? target.goto : target.extension === "RETURN");
}

/** Is said of one of many rules that are alike, and changes none. */
const countRules: ReadonlySet<DiagnosticCode> = new Set(["program-rules", "long-list"]);

function tableFamily({ family }: IptablesRuleset): "ip" | "ip6" {
  return family === "ipv4" ? "ip" : "ip6";
}
