/**
 * A dump with nearly all of its lines left out: of the rules of one shape and one kind of chain the first stays, the second stands with
 * marks in the place of its values, and the others are empty lines.
 */

import { holeText, type Scan, type ScannedChain } from "./scan.js";

/** A shape in chains that are reached alike. */
export interface Cell {
  readonly shape: number;
  /** Rules, as indices of the scan: one that stands as it is, and one with marks. */
  readonly first: number;
  readonly probe: number;
}

/** Rules of one cell below which all stay. */
const leastRules = 3;

export class Quotient {
  /** Cells by number, of each rule. */
  private readonly cellOf: Int32Array;
  /** As the shapes tell; see `contextsOf`. */
  readonly contexts: Int32Array;
  private readonly cellCount: number;
  /** Cells whose rules all stay, and rules that stay for another reason. */
  private readonly whole: Uint8Array;
  private readonly kept: Uint8Array;
  private firsts: Int32Array;
  private probes: Int32Array;
  private left = 0;

  constructor(private readonly scan: Scan) {
    const { count, shape, chain } = scan.rules;
    const contexts = (this.contexts = contextsOf(scan.chains, callsOf(scan)));
    const cells = new Map<number, number>();
    /** Those that no built-in chain leads to. */
    const unreachedCells: number[] = [];
    const cellOf = (this.cellOf = new Int32Array(count));
    const kinds = scan.chains.length + 1 + Math.max(0, ...contexts);
    let [lastShape, lastChain, cell] = [-1, -1, -1];
    for (let rule = 0; rule < count; rule++) {
      const [ownShape, ownChain] = [shape[rule]!, chain[rule]!];
      if (ownShape !== lastShape || ownChain !== lastChain) {
        [lastShape, lastChain] = [ownShape, ownChain];
        // A jump is a way between two chains: each chain keeps its own.
        const kind = scan.shapes[ownShape]!.jump === -1 ? contexts[ownChain]! : kinds - scan.chains.length + ownChain;
        const key = ownShape * (kinds + 1) + kind;
        const known = cells.get(key);
        cell = known ?? cells.size;
        if (known === undefined) {
          cells.set(key, cell);
          if (contexts[ownChain] === unreached) unreachedCells.push(cell);
        }
      }
      cellOf[rule] = cell;
    }
    this.cellCount = cells.size;
    this.whole = new Uint8Array(cells.size);
    this.kept = new Uint8Array(count);
    this.firsts = new Int32Array(cells.size);
    this.probes = new Int32Array(cells.size);
    for (const one of unreachedCells) this.whole[one] = 1;
    this.keepLists();
    this.settle();
  }

  /** Rules with lists of `recent` are fused with those beside them, and asked as often as their chains are called. */
  private keepLists(): void {
    const { scan, cellOf, kept, whole } = this;
    const { count, shape, chain } = scan.rules;
    if (!scan.shapes.some(({ asksList }) => asksList)) return;
    const before = new Int32Array(scan.chains.length).fill(-1);
    for (let rule = 0; rule < count; rule++) {
      const { asksList, jump } = scan.shapes[shape[rule]!]!;
      const last = before[chain[rule]!]!;
      before[chain[rule]!] = rule;
      if (jump !== -1 || asksList) whole[cellOf[rule]!] = 1;
      if (asksList && last !== -1) kept[last] = 1;
      if (last !== -1 && scan.shapes[shape[last]!]!.asksList) kept[rule] = 1;
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
    const first = this.firsts[this.cellOf[rule]!]!;
    return first === -1 || first === rule || this.kept[rule] === 1;
  }

  isProbe(rule: number): boolean {
    return this.probes[this.cellOf[rule]!] === rule;
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
    return isNew;
  }

  /**
   * Chooses, for each cell, the rule that stays and the one with marks. That one is of another chain if there is one: what is written with
   * the chain's name then shows.
   */
  settle(): void {
    const { firsts, probes, cellOf, kept, whole } = this;
    const { chain } = this.scan.rules;
    const counts = new Int32Array(this.cellCount);
    firsts.fill(-1);
    probes.fill(-1);
    for (let rule = 0; rule < cellOf.length; rule++) {
      const cell = cellOf[rule]!;
      if (kept[rule] === 1 || whole[cell] === 1) continue;
      const first = firsts[cell]!;
      const probe = probes[cell]!;
      counts[cell]!++;
      if (first === -1) firsts[cell] = rule;
      else if (probe === -1 || (chain[probe] === chain[first] && chain[rule] !== chain[first])) probes[cell] = rule;
    }
    this.left = 0;
    for (let cell = 0; cell < counts.length; cell++) {
      if (counts[cell]! < leastRules) firsts[cell] = probes[cell] = -1;
      else this.left += counts[cell]! - 2;
    }
  }

  /** How many rules neither stay nor have marks. */
  leftOut(): number {
    return this.left;
  }

  /** The text without the rules that are left out; its line numbers are those of the whole. */
  reduce(): string {
    const { scan, cellOf, firsts, probes, kept } = this;
    const { text, rules } = scan;
    const { count, start, end } = rules;
    const pieces: string[] = [];
    let copied = 0;
    /** Rules on lines that follow each other of which nothing has been copied but the ends of all lines but the last. */
    let ends = 0;
    for (let rule = 0; rule < count; rule++) {
      const cell = cellOf[rule]!;
      const first = firsts[cell]!;
      if (first === -1 || first === rule || kept[rule] === 1) continue;
      if (start[rule] === copied + 1) ends++;
      else {
        if (ends > 0) pieces.push("\n".repeat(ends));
        ends = 0;
        if (start[rule]! > copied) pieces.push(text.slice(copied, start[rule]));
      }
      copied = end[rule]!;
      if (probes[cell] !== rule) continue;
      if (ends > 0) pieces.push("\n".repeat(ends));
      ends = 0;
      pieces.push(this.marked(rule));
    }
    pieces.push("\n".repeat(ends), text.slice(copied));
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

const unreached = 0;

/** The chains that each chain calls, as indices. */
type Calls = ReadonlyMap<number, ReadonlySet<number>>;

function callsOf({ shapes, rules }: Scan): Calls {
  const calls = new Map<number, Set<number>>();
  if (shapes.every(({ jump }) => jump === -1)) return calls;
  for (let rule = 0; rule < rules.count; rule++) {
    const { jump } = shapes[rules.shape[rule]!]!;
    if (jump === -1) continue;
    let called = calls.get(rules.chain[rule]!);
    if (called === undefined) calls.set(rules.chain[rule]!, (called = new Set()));
    called.add(jump);
  }
  return calls;
}

/**
 * A number for each chain, the same for chains whose rules are translated alike: a built-in chain is like none but itself, and a user's
 * chain like all that are reached from the same built-in ones. 0: no built-in chain leads there.
 */
export function contextsOf(chains: readonly ScannedChain[], calls: Calls): Int32Array {
  const reachedFrom = chains.map(() => "");
  for (const [builtIn, { builtIn: isBuiltIn }] of chains.entries()) {
    if (!isBuiltIn) continue;
    const seen = new Set([builtIn]);
    for (const chain of seen) for (const called of calls.get(chain) ?? []) seen.add(called);
    for (const chain of seen) reachedFrom[chain] += ` ${builtIn}`;
  }
  const numbers = new Map<string, number>();
  return Int32Array.from(chains, ({ builtIn }, chain) => {
    if (reachedFrom[chain] === "") return unreached;
    const key = builtIn ? `chain ${chain}` : reachedFrom[chain]!;
    let number = numbers.get(key);
    if (number === undefined) numbers.set(key, (number = numbers.size + 1));
    return number;
  });
}
