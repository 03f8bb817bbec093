/** Fills up the script of the reduced dumps: with the rules that are left out, and with the chains of which all are. */

import type { Span } from "../diagnostic.js";
import type { NftChain } from "../nft/ast.js";
import { frameOfChain, headingOf, type ChainLine } from "../nft/emit.js";
import { chainName } from "../nft/names.js";
import { firstFrom, type Dump } from "./dump.js";
import { byteTemplate, ScriptBytes, type ByteTemplate } from "./script-bytes.js";
import type { Template } from "./template.js";

/** A dump, and what its rules become. */
export interface FilledDump {
  readonly dump: Dump;
  /** Of its table in the script. */
  readonly family: ChainLine["family"];
  /** Its chains in the order of the script. */
  readonly order: readonly number[];
  /** By their cells. */
  readonly templates: ReadonlyMap<number, Template>;
}

/**
 * The whole script in UTF-8, piece by piece.
 * @param starts where each line of the script begins, and the end of the last
 */
export function* fillScript(
  script: string,
  starts: readonly number[],
  chains: readonly ChainLine[],
  dumps: readonly FilledDump[],
): Generator<Uint8Array, void, undefined> {
  const filled = new Map(dumps.map((one) => [one.family, new Progress(one)]));
  const bytes = new ScriptBytes();
  let copied = 0;
  const copyTo = (place: number): void => {
    if (place > copied) bytes.addText(script.slice(copied, place));
    copied = place;
  };
  for (const { chain, family, line } of chains) {
    const progress = chain.holds && filled.get(family);
    if (!progress) continue;
    for (const omitted of progress.omittedBefore(chain.holds)) {
      copyTo(starts[line - headingOf(chain)]!);
      const [opening, closing] = frameOfChain(progress.nameOf(omitted));
      bytes.addText(opening);
      const rows = progress.begin(omitted);
      while (rows.nextLine < Infinity) {
        rows.addBefore(Infinity, bytes);
        if (bytes.isFull) yield bytes.take();
      }
      bytes.addText(`${closing}\n`);
    }
    const { dump } = progress;
    const rows = progress.begin(dump.chainNumber(chain.holds.table, chain.holds.chain));
    let at = line;
    for (const entry of chain.entries) {
      const from = starts[at]!;
      at += heightOf(entry);
      const origin = firstLineOf(entry);
      if (origin === Infinity) continue;
      const own = dump.ruleAt(origin);
      const isProbe = own !== undefined && dump.quotient.isProbe(own);
      const end = origin + (isProbe ? 1 : 0);
      if (rows.nextLine < end) copyTo(from);
      while (rows.nextLine < end) {
        rows.addBefore(end, bytes);
        if (bytes.isFull) yield bytes.take();
      }
      if (isProbe) copied = starts[at]!;
    }
    copyTo(starts[at]!);
    while (rows.nextLine < Infinity) {
      rows.addBefore(Infinity, bytes);
      if (bytes.isFull) yield bytes.take();
    }
  }
  bytes.addText(script.slice(copied));
  yield bytes.take();
}

function firstLineOf(entry: NftChain["entries"][number]): number {
  let first = Infinity;
  for (const { line } of originsOf(entry)) first = Math.min(first, line);
  return first;
}

/** Rules that are looked at before somebody may take what became of them; of a run all are one. */
const rulesAtOnce = 4096;

/** Rules of a run from which on it saves time to fill them in all at once. */
const leastAtOnce = 16;

/** How far the chains of one dump are written. */
class Progress {
  readonly dump: Dump;
  private next = 0;
  /** By the cells of the dump. */
  private readonly templates: (ByteTemplate | undefined)[] = [];

  constructor(private readonly filled: FilledDump) {
    this.dump = filled.dump;
    const { scanned, quotient } = this.dump;
    for (const { first, shape } of quotient.cells()) {
      const cell = quotient.cellAt(first);
      const template = filled.templates.get(cell);
      if (template) this.templates[cell] = byteTemplate(template, scanned.shapes[shape]!.classes);
    }
  }

  /** The chains left out that stand between the one before and this one. */
  omittedBefore({ table, chain }: NonNullable<NftChain["holds"]>): number[] {
    const { order, dump } = this.filled;
    const place = dump.chainNumber(table, chain);
    const end = place === undefined ? -1 : order.indexOf(place, this.next);
    if (end === -1) return [];
    const between = order.slice(this.next, end);
    this.next = end + 1;
    return between.filter((index) => dump.quotient.isOmitted(index));
  }

  nameOf(chain: number): string {
    const { tableName, name } = this.dump.scanned.chains[chain]!;
    return chainName(tableName, name);
  }

  begin(chain: number | undefined): FilledRules {
    return new FilledRules(this.dump, this.templates, chain);
  }
}

/** The rules of one chain that are filled in, in their order. */
class FilledRules {
  private readonly rows: ReturnType<Dump["rulesOf"]>;
  private row = 0;
  private next: number;

  constructor(
    private readonly dump: Dump,
    private readonly templates: readonly (ByteTemplate | undefined)[],
    chain: number | undefined,
  ) {
    this.rows = chain === undefined ? [] : dump.rulesOf(chain);
    this.next = this.rows[0]?.[0] ?? -1;
  }

  /** The line of the first rule that has not been looked at. */
  get nextLine(): number {
    return this.row < this.rows.length ? this.dump.scanned.rules.line[this.next]! : Infinity;
  }

  /** The last rule of a run up to which all are filled in, if they are many and their lines follow each other; else the rule itself. */
  private lastAlike(rule: number, to: number, end: number): number {
    const { scanned, quotient } = this.dump;
    const { line, shape, runs, runCount } = scanned.rules;
    if (rule + leastAtOnce >= to || shape[rule + leastAtOnce] !== shape[rule]) return rule;
    const run = firstFrom(rule + 1, runCount, (index) => runs[index]!);
    const limit = Math.min(runs[run]!, to, rule + end - line[rule]!);
    if (limit - rule <= leastAtOnce) return rule;
    const last = quotient.nextOther(rule, limit) - 1;
    return last - rule < leastAtOnce || line[last]! - line[rule]! !== last - rule ? rule : last;
  }

  /** Adds those that stand before the line, if they are not very many. */
  addBefore(end: number, bytes: ScriptBytes): void {
    const {
      rows,
      templates,
      dump: { scanned, quotient },
    } = this;
    const { line } = scanned.rules;
    let left = rulesAtOnce;
    for (; this.row < rows.length; this.next = rows[++this.row]?.[0] ?? -1) {
      const to = rows[this.row]![1];
      for (let rule = this.next; rule < to; rule++) {
        this.next = rule;
        if (line[rule]! >= end || left-- === 0) return;
        if (quotient.stays(rule)) continue;
        const template = templates[quotient.cellAt(rule)]!;
        const last = template.around ? this.lastAlike(rule, Math.min(to, rule + rulesAtOnce), end) : rule;
        if (last === rule) bytes.addRule(template, scanned, rule);
        else bytes.addRun(template.around!, scanned, rule, last + 1);
        rule = last;
      }
    }
  }
}

/** The iptables rules that an entry comes of, or stands above. */
export function originsOf(entry: NftChain["entries"][number]): readonly Span[] {
  return entry.origins ?? (entry.kind === "comment" ? entry.above : undefined) ?? [];
}

/** Lines of the script. */
export function heightOf(entry: NftChain["entries"][number]): number {
  return entry.kind === "comment" ? entry.lines.length : 1;
}
