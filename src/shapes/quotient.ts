/**
 * A dump with nearly all of its lines left out: of the rules of one shape and one kind of chain the first stays, the second stands with
 * marks in the place of its values, and the others are empty lines. So are the chains of which no rule is left, and which none calls.
 */

import { Names } from "../nft/names.js";
import { PairMap } from "./pair-map.js";
import { holeText, type Scan } from "./scan.js";
import { callsOf, contextsOf, reachedFrom, shortestWays, unreached, type Calls } from "./ways.js";

/** A shape in chains that are reached alike. */
export interface Cell {
  readonly shape: number;
  /** Rules, as indices of the scan: one that stands as it is, and one with marks. */
  readonly first: number;
  readonly probe: number;
}

/** Rules of one cell below which all stay. */
const leastRules = 3;

/** What two rules of a cell may differ in beside the values of their shape. */
const otherChain = 1;
const otherCalled = 2;

/** What the reduced text has of a rule; a rule that is kept is there as it is. */
const absent = 0;
const asItIs = 1;
const withMarks = 2;

export class Quotient {
  /** Of the whole dump. */
  readonly calls: Calls;
  /** The built-in chains that lead to each chain; see `reachedFrom`. */
  readonly reached: readonly string[];
  /** Cells by number, of each rule. */
  private readonly cellOf: Int32Array;
  private readonly cellCount: number;
  /** Cells whose rules all stay, and rules that stay for another reason. */
  private readonly whole: Uint8Array;
  private readonly kept: Uint8Array;
  /** Of each rule what the reduced text has of it: `absent`, `asItIs` or `withMarks`. */
  private readonly state: Uint8Array;
  private firsts: Int32Array;
  private probes: Int32Array;
  /** Chains that stay whatever their rules do, and those that are left out. */
  private readonly keptChains: Uint8Array;
  private readonly omitted: Uint8Array;
  private readonly ways: readonly Int32Array[];
  private left = 0;

  constructor(private readonly scan: Scan) {
    const { count, shape, chain, runs, runCount } = scan.rules;
    this.calls = callsOf(scan);
    this.reached = reachedFrom(scan.chains, this.calls);
    this.ways = shortestWays(scan);
    const contexts = contextsOf(scan.chains, this.reached);
    const cells = new PairMap();
    /** Those that no built-in chain leads to. */
    const unreachedCells: number[] = [];
    const cellOf = (this.cellOf = new Int32Array(count));
    for (let run = 0; run < runCount; run++) {
      const from = runs[run]!;
      const context = contexts[chain[from]!]!;
      let cell = cells.get(shape[from]!, context);
      if (cell === -1) {
        cell = cells.size;
        cells.set(shape[from]!, context, cell);
        if (context === unreached) unreachedCells.push(cell);
      }
      fillRun(cellOf, cell, from, runs[run + 1]!);
    }
    this.cellCount = cells.size;
    this.whole = new Uint8Array(cells.size);
    this.kept = new Uint8Array(count);
    this.state = new Uint8Array(count);
    this.firsts = new Int32Array(cells.size);
    this.probes = new Int32Array(cells.size);
    for (const one of unreachedCells) this.whole[one] = 1;
    this.omitted = new Uint8Array(scan.chains.length);
    // Behind the last chain of the script that stands for others nothing would tell where they are to be.
    const last = scan.chains.findLastIndex(({ builtIn }) => !builtIn);
    this.keptChains = Uint8Array.from(scan.chains, ({ name, builtIn }, index) =>
      builtIn || index === last || contexts[index] === unreached || !Names.isNameable(name) ? 1 : 0,
    );
    for (const named of scan.named) this.keptChains[named] = 1;
    this.keepLists();
    this.settle();
  }

  /** Rules with lists of `recent` stay. They are fused with such rules beside them, so what stands between two of them must show. */
  private keepLists(): void {
    const { scan, cellOf, kept, whole } = this;
    const { shape, chain, runs, runCount } = scan.rules;
    const asking = Uint8Array.from(scan.shapes, ({ asksList }) => (asksList ? 1 : 0));
    if (!asking.includes(1)) return;
    /** Of each chain the rule before, and whether one of the rules before asks a list. */
    const before = new Int32Array(scan.chains.length).fill(-1);
    const hasAsked = new Uint8Array(scan.chains.length);
    for (let run = 0; run < runCount; run++) {
      const rule = runs[run]!;
      const own = chain[rule]!;
      if (asking[shape[rule]!] === 1) {
        whole[cellOf[rule]!] = 1;
        if (hasAsked[own] === 1) kept[before[own]!] = 1;
        hasAsked[own] = 1;
      }
      before[own] = runs[run + 1]! - 1;
    }
  }

  /** The cells of which rules are left out. */
  cells(): Cell[] {
    const found: Cell[] = [];
    for (let cell = 0; cell < this.cellCount; cell++) {
      const first = this.firsts[cell]!;
      if (first >= 0) found.push({ shape: this.scan.rules.shape[first]!, first, probe: this.probes[cell]! });
    }
    return found;
  }

  cellAt(rule: number): number {
    return this.cellOf[rule]!;
  }

  /** Whether the rule stands in the reduced text as it is. */
  stays(rule: number): boolean {
    return this.state[rule] === asItIs;
  }

  allStay(from: number, to: number): boolean {
    return this.state.subarray(from, to).every((state) => state === asItIs);
  }

  isProbe(rule: number): boolean {
    return this.state[rule] === withMarks;
  }

  /** The first rule between two of which the reduced text has something; the second if there is none. */
  nextOther(rule: number, to: number): number {
    const between = this.state.subarray(rule + 1, to);
    const places = [asItIs, withMarks].map((one) => between.indexOf(one));
    return Math.min(...places.map((place) => (place === -1 ? to : rule + 1 + place)));
  }

  /** Whether the reduced text has nothing of the chain. */
  isOmitted(chain: number): boolean {
    return this.omitted[chain] === 1;
  }

  /** From the next reduction on all rules like it stay. Whether that is new. */
  keepAlike(rule: number): boolean {
    const cell = this.cellOf[rule]!;
    if (this.whole[cell] === 1) return false;
    this.whole[cell] = 1;
    return true;
  }

  keep(rule: number): boolean {
    if (this.kept[rule] === 1 || this.whole[this.cellOf[rule]!] === 1) return false;
    const isNew = !this.stays(rule);
    this.kept[rule] = 1;
    this.state[rule] = asItIs;
    return isNew;
  }

  /** From the next reduction on all chains stay, and all their calls. Whether that is new. */
  keepChains(): boolean {
    const { count, called } = this.scan.rules;
    let isNew = this.omitted.includes(1);
    this.keptChains.fill(1);
    for (let rule = 0; rule < count; rule++) if (called[rule] !== -1 && this.keep(rule)) isNew = true;
    return isNew;
  }

  /**
   * Chooses, for each cell, the rule that stays and the one with marks. That one is of another chain if there is one, and calls another:
   * what is written with their names then shows.
   */
  settle(): void {
    const { firsts, probes, cellOf, kept, whole, state } = this;
    const { chain, called, runs, runCount } = this.scan.rules;
    const counts = new Int32Array(this.cellCount);
    /** In what rules of a cell differ from its first one, and in what the chosen one does. */
    const differences = new Uint8Array(this.cellCount);
    const chosen = new Uint8Array(this.cellCount);
    firsts.fill(-1);
    probes.fill(-1);
    let nextKept = kept.indexOf(1);
    for (let run = 0; run < runCount; run++) {
      const to = runs[run + 1]!;
      let rule = runs[run]!;
      const cell = cellOf[rule]!;
      const isWhole = whole[cell] === 1;
      // Of rules of a run that are not kept the first two count: the others differ from them in nothing.
      for (let seen = 0; rule < to; rule++) {
        if (rule === nextKept) {
          nextKept = kept.indexOf(1, rule + 1);
          continue;
        }
        if (isWhole) continue;
        if (seen === 2) {
          const end = nextKept === -1 ? to : Math.min(to, nextKept);
          counts[cell]! += end - rule;
          rule = end - 1;
          continue;
        }
        seen++;
        counts[cell]!++;
        const first = firsts[cell]!;
        if (first === -1) {
          firsts[cell] = rule;
          continue;
        }
        const difference = (chain[rule] === chain[first] ? 0 : otherChain) | (called[rule] === called[first] ? 0 : otherCalled);
        differences[cell]! |= difference;
        if (probes[cell] !== -1 && difference <= chosen[cell]!) continue;
        probes[cell] = rule;
        chosen[cell] = difference;
      }
    }
    for (let cell = 0; cell < counts.length; cell++) {
      if (counts[cell]! < leastRules || chosen[cell] !== differences[cell]) firsts[cell] = probes[cell] = -1;
    }
    state.set(kept);
    for (let run = 0; run < runCount; run++) {
      const from = runs[run]!;
      if (firsts[cellOf[from]!] === -1) fillRun(state, asItIs, from, runs[run + 1]!);
    }
    for (let cell = 0; cell < counts.length; cell++) {
      if (firsts[cell] === -1) continue;
      state[firsts[cell]!] = asItIs;
      state[probes[cell]!] = withMarks;
    }
    this.left = -this.chooseChains();
    for (let cell = 0; cell < counts.length; cell++) if (firsts[cell] !== -1) this.left += counts[cell]! - 2;
  }

  /**
   * The chains that stay, and for each of them rules by which it is reached as in the whole dump.
   * @returns how many of these rules were to be left out
   */
  private chooseChains(): number {
    const { scan, keptChains, omitted, kept, state, ways } = this;
    const { chain, called, runs, runCount } = scan.rules;
    omitted.fill(0);
    if (!keptChains.includes(0)) return 0;
    let links = 0;
    const staying = new Set<number>();
    for (const [index, isKept] of keptChains.entries()) if (isKept === 1) staying.add(index);
    for (let run = 0; run < runCount; run++) {
      const from = runs[run]!;
      const to = runs[run + 1]!;
      let rule = from;
      while (rule < to && state[rule] === absent) rule++;
      if (rule === to) continue;
      staying.add(chain[from]!);
      if (called[from] !== -1) staying.add(called[from]!);
    }
    for (const one of staying) {
      for (const way of ways) {
        const rule = way[one]!;
        if (rule === -1) continue;
        if (state[rule] === absent) {
          kept[rule] = 1;
          state[rule] = asItIs;
          links++;
        }
        staying.add(chain[rule]!);
      }
    }
    for (const index of omitted.keys()) if (!staying.has(index)) omitted[index] = 1;
    return links;
  }

  /** How many rules neither stay nor have marks. */
  leftOut(): number {
    return this.left;
  }

  /** The text without the rules and chains that are left out; its line numbers are those of the whole. */
  reduce(): string {
    const { scan, omitted, state } = this;
    const { text, rules, chains } = scan;
    const { count, line, start, end } = rules;
    const pieces: string[] = [];
    let copied = 0;
    /** Lines that follow each other of which nothing has been copied but the ends of all but the last. */
    let ends = 0;
    const endLines = (): void => {
      if (ends > 0) pieces.push("\n".repeat(ends));
      ends = 0;
    };
    const cut = (from: number, to: number): void => {
      if (from === copied + 1) ends++;
      else {
        endLines();
        if (from > copied) pieces.push(text.slice(copied, from));
      }
      copied = to;
    };
    let nextChain = 0;
    const cutChains = (before: number): void => {
      for (; nextChain < chains.length && chains[nextChain]!.start < before; nextChain++) {
        if (omitted[nextChain] === 1) cut(chains[nextChain]!.start, chains[nextChain]!.end);
      }
    };
    for (let rule = 0; rule < count; rule++) {
      if (state[rule] === asItIs) continue;
      cutChains(start[rule]!);
      cut(start[rule]!, end[rule]!);
      if (state[rule] === absent) {
        const before = rule;
        while (state[rule + 1] === absent && line[rule + 1] === line[rule]! + 1) rule++;
        ends += rule - before;
        copied = end[rule]!;
        continue;
      }
      endLines();
      pieces.push(this.marked(rule));
    }
    cutChains(Infinity);
    endLines();
    pieces.push(text.slice(copied));
    return pieces.join("");
  }

  private marked(rule: number): string {
    const { text, rules } = this.scan;
    let marked = "";
    let copied = rules.start[rule]!;
    for (const [index, mark] of marksOf(this.scan, rule).entries()) {
      const hole = rules.firstHole[rule]! + 2 * index;
      marked += text.slice(copied, rules.holes[hole]) + mark;
      copied = rules.holes[hole + 1]!;
    }
    return marked + text.slice(copied, rules.end[rule]);
  }
}

/** Most runs have one rule. */
function fillRun(row: Int32Array | Uint8Array, value: number, from: number, to: number): void {
  if (to === from + 1) row[from] = value;
  else row.fill(value, from, to);
}

/** Characters behind a hole that its mark may depend on: a prefix length, a mask. */
const longestTail = 12;

/** What stands in the holes of a rule with marks. */
export function marksOf(scan: Scan, rule: number): string[] {
  const { text, rules, shapes } = scan;
  return shapes[rules.shape[rule]!]!.classes.map((kind, index) => {
    const end = rules.holes[rules.firstHole[rule]! + 2 * index + 1]!;
    return kind.marker(index, holeText(scan, rule, index), text.slice(end, end + longestTail));
  });
}
