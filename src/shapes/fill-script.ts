/** Fills up the script of the reduced dumps: with the rules that are left out, and with the chains of which all are. */

import type { Span } from "../diagnostic.js";
import type { NftChain } from "../nft/ast.js";
import { frameOfChain, headingOf, type ChainLine } from "../nft/emit.js";
import { chainName } from "../nft/names.js";
import type { Dump } from "./dump.js";
import { fill, type Template } from "./template.js";

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
 * The whole script, piece by piece.
 * @param starts where each line of the script begins, and the end of the last
 */
export function* fillScript(
  script: string,
  starts: readonly number[],
  chains: readonly ChainLine[],
  dumps: readonly FilledDump[],
): Generator<string, void, undefined> {
  let piece = "";
  for (const part of parts(script, starts, chains, dumps)) {
    piece += part;
    if (piece.length <= pieceLength) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** Characters of a piece of the script, about. */
const pieceLength = 1 << 20;

function* parts(
  script: string,
  starts: readonly number[],
  chains: readonly ChainLine[],
  dumps: readonly FilledDump[],
): Generator<string, void, undefined> {
  const filled = new Map(dumps.map((one) => [one.family, new Progress(one)]));
  let copied = 0;
  const copyTo = (place: number): string => {
    const from = copied;
    copied = place;
    return script.slice(from, place);
  };
  for (const { chain, family, line } of chains) {
    const progress = chain.holds && filled.get(family);
    if (!progress) continue;
    for (const omitted of progress.omittedBefore(chain.holds)) {
      yield copyTo(starts[line - headingOf(chain)]!);
      const [opening, closing] = frameOfChain(progress.nameOf(omitted));
      yield opening;
      yield* progress.begin(omitted).all();
      yield `${closing}\n`;
    }
    const { dump } = progress;
    const rows = progress.begin(dump.chainNumber(chain.holds.table, chain.holds.chain));
    let at = line;
    for (const entry of chain.entries) {
      const from = starts[at]!;
      at += heightOf(entry);
      const origin = Math.min(...originsOf(entry).map((span) => span.line));
      if (origin === Infinity) continue;
      const own = dump.ruleAt(origin);
      const isProbe = own !== undefined && dump.quotient.isProbe(own);
      const end = origin + (isProbe ? 1 : 0);
      if (rows.nextLine < end) {
        yield copyTo(from);
        yield rows.before(end);
      }
      if (isProbe) copied = starts[at]!;
    }
    yield copyTo(starts[at]!);
    yield* rows.all();
  }
  yield script.slice(copied);
}

/** How far the chains of one dump are written. */
class Progress {
  readonly dump: Dump;
  private next = 0;

  constructor(private readonly filled: FilledDump) {
    this.dump = filled.dump;
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
    return new FilledRules(this.filled, chain);
  }
}

/** The rules of one chain that are filled in, in their order. */
class FilledRules {
  private readonly rows: ReturnType<Dump["rulesOf"]>;
  private row = 0;
  private next: number;

  constructor(
    private readonly filled: FilledDump,
    chain: number | undefined,
  ) {
    this.rows = chain === undefined ? [] : filled.dump.rulesOf(chain);
    this.next = this.rows[0]?.[0] ?? -1;
  }

  /** The line of the first rule that has not been looked at. */
  get nextLine(): number {
    return this.row < this.rows.length ? this.filled.dump.scanned.rules.line[this.next]! : Infinity;
  }

  /** Those that stand before the line, at most so many that are looked at. */
  before(end: number, most = Infinity): string {
    const { rows } = this;
    const {
      dump: { scanned, quotient },
      templates,
    } = this.filled;
    const { line } = scanned.rules;
    let left = most;
    let text = "";
    for (; this.row < rows.length; this.next = rows[++this.row]?.[0] ?? -1) {
      for (const to = rows[this.row]![1]; this.next < to; this.next++) {
        if (line[this.next]! >= end || left-- <= 0) return text;
        if (!quotient.stays(this.next)) text += fill(templates.get(quotient.cellAt(this.next))!, scanned, this.next);
      }
    }
    return text;
  }

  /** All that are left, in parts. */
  *all(): Generator<string, void, undefined> {
    while (this.nextLine < Infinity) yield this.before(Infinity, 1000);
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
