/**
 * Reads a dump as rows of shapes: a line's shape is its text without its holes, and a hole is a value of which nothing but its own text
 * reaches the script. Nothing is understood here beyond what begins a line and where an option's value lies.
 */

import type { UniformClass } from "../extensions/extension.js";
import { counterValues } from "../extensions/values/uniform.js";
import { builtInChains, longestChainName } from "../iptables/tables.js";
import { calledChain } from "./called-chain.js";
import { Bytes } from "./bytes.js";
import { ChainNames, isSame } from "./chain-names.js";
import { blank, ChoiceReader, mostHoles } from "./choices.js";
import { optionWords, type OptionWords } from "./option-words.js";
import { longer } from "./rows.js";
import { ShapeTree } from "./shape-tree.js";

/** Lines of one text and one make. Numbers of chains and shapes are indices into the arrays below. */
export interface Scan {
  readonly text: string;
  /** One for each character: itself in ASCII, 127 for all others. */
  readonly bytes: Bytes;
  readonly chains: readonly ScannedChain[];
  /** Those that rules without a shape stand in or may call, and those declared otherwise than iptables-save does it. */
  readonly named: ReadonlySet<number>;
  readonly shapes: readonly Shape[];
  /** Of the rules that have a shape, in their order. */
  readonly rules: ScannedRules;
}

export interface ScannedChain {
  readonly name: string;
  readonly tableName: string;
  /** Index of the table, by its place in the text. */
  readonly table: number;
  readonly builtIn: boolean;
  /** Where the line that declares it begins and ends in the text. */
  readonly start: number;
  readonly end: number;
}

export interface Shape {
  readonly table: number;
  readonly classes: readonly UniformClass[];
  /** The first rule that has it. */
  readonly first: number;
  /** They ask a list of `recent`. */
  readonly asksList: boolean;
}

/** One row of numbers for each thing known of a rule; behind the last rule they may go on with others. */
export interface ScannedRules {
  readonly count: number;
  /** From 1. */
  readonly line: Int32Array;
  /** Where the line begins and ends in the text. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly shape: Int32Array;
  readonly chain: Int32Array;
  /** The chain that the rule calls, which is one of its holes; -1 for none. */
  readonly called: Int32Array;
  /** Where the rule's holes begin in `holes`: a start and an end for each. */
  readonly firstHole: Int32Array;
  readonly holes: Int32Array;
  /**
   * Where runs begin, and behind the last the number of rules. The rules of a run follow each other, have one shape and chain, and call
   * the same.
   */
  readonly runs: Int32Array;
  readonly runCount: number;
}

/** What stands in a hole of a rule. */
export function holeText({ text, rules }: Scan, rule: number, index: number): string {
  const hole = rules.firstHole[rule]! + 2 * index;
  return text.slice(rules.holes[hole], rules.holes[hole + 1]);
}

/** Characters beyond which a line has no shape. */
const longestLine = 600;

const newline = 10;
const dash = 45;
const bracket = 91;

const builtInNames: ReadonlySet<string> = new Set(Object.values(builtInChains).flat());

/** Undefined for a text that is no plain dump: with commands beside `-A`, tables given twice, chains that are not declared. */
export function scan(text: string): Scan | undefined {
  return new Scanner(text, optionWords()).run();
}

const encoder = new TextEncoder();

/** A byte for each character, in ASCII; 127 for all others. */
function asciiOf(text: string): Uint8Array {
  const encoded = encoder.encode(text);
  if (encoded.length === text.length) return encoded;
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = Math.min(127, text.charCodeAt(index));
  return bytes;
}

/** Rules that one regular expression takes at once: for each it keeps where it was. */
const mostInRow = 4_096;

/** A regular expression for the text. */
function literally(text: string): string {
  return text.replaceAll(/[^\w ]/g, "\\$&");
}

/** A chain as iptables-save declares it. */
const usualDeclaration = /^:([\w.+-]+) (\S+) \[\d{1,15}:\d{1,15}\]$/;

class Scanner {
  private readonly bytes: Uint8Array;
  private readonly all: Bytes;
  private readonly chains: ScannedChain[] = [];
  private readonly shapes: Shape[] = [];
  private readonly tree: ShapeTree;
  private readonly reader: ChoiceReader;
  /** Stands for the name of a rule's own chain. */
  private readonly ownChain: UniformClass;
  private count = 0;
  private line: Int32Array<ArrayBuffer>;
  private start: Int32Array<ArrayBuffer>;
  private end: Int32Array<ArrayBuffer>;
  private shape: Int32Array<ArrayBuffer>;
  private chain: Int32Array<ArrayBuffer>;
  private called: Int32Array<ArrayBuffer>;
  private firstHole: Int32Array<ArrayBuffer>;
  private holeCount = 0;
  private holes: Int32Array<ArrayBuffer>;
  private runs: Int32Array<ArrayBuffer>;
  private runCount = 0;
  private tables = 0;
  private readonly tableNames = new Set<string>();
  private tableName = "";
  /** Of the open table. */
  private names: ChainNames;
  private calledChain = calledChain("", () => -1);
  private root = 0;
  private readonly named = new Set<number>();
  private open = false;
  /** Of the line whose chain was read last: the chain, and where its name stands; -1 for none in the open table. */
  private lastChain = -1;
  private lastStart = 0;
  private lastEnd = 0;
  /** Rules of the last run that make it worth to look for a row of them. */
  private enoughAlike = 16;
  /** Where in the last run that was done. */
  private rowsFrom = 0;
  /** Of the line being read: the chain that it calls; -1 for none. */
  private callee = -1;

  constructor(
    private readonly text: string,
    private readonly words: OptionWords,
  ) {
    this.bytes = asciiOf(text);
    this.names = new ChainNames(this.bytes);
    this.reader = new ChoiceReader(this.bytes, words);
    this.ownChain = calledChain("", (at, end) => this.findOwnChain(at, end));
    this.all = new Bytes(this.bytes);
    this.tree = new ShapeTree(this.all, this.ownChain);
    // Short rules have about as many characters.
    const rules = 1024 + (text.length >> 5);
    this.line = new Int32Array(rules);
    this.start = new Int32Array(rules);
    this.end = new Int32Array(rules);
    this.shape = new Int32Array(rules);
    this.chain = new Int32Array(rules);
    this.called = new Int32Array(rules);
    this.firstHole = new Int32Array(rules);
    this.holes = new Int32Array(4 * rules);
    this.runs = new Int32Array(rules);
  }

  run(): Scan | undefined {
    const { text } = this;
    let number = 0;
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf("\n", start);
      const end = found === -1 ? text.length : found;
      number++;
      if (this.readAsKnown(number, start, end)) {
        start = end + 1;
        if (this.count - Math.max(this.rowsFrom, this.runs[this.runCount - 1]!) <= this.enoughAlike) continue;
        const before = this.count;
        start = this.readRow(number, start);
        number += this.count - before;
        continue;
      }
      if (!this.readLine(number, start, end)) return undefined;
      start = end + 1;
    }
    const { all, chains, named, shapes, count, line, start, end, shape, chain, called, firstHole, holes, runs, runCount } = this;
    runs[runCount] = count;
    return {
      text,
      bytes: all,
      chains,
      named,
      shapes,
      rules: { count, line, start, end, shape, chain, called, firstHole, holes, runs, runCount },
    };
  }

  /** Whether the text may go on being read. */
  private readLine(number: number, start: number, end: number): boolean {
    const { text } = this;
    switch (start === end ? newline : this.bytes[start]) {
      case newline:
      case 35: // #
        return true;
      case 42: // *
        return this.readTable(text.slice(start + 1, end));
      case 58: // :
        return this.open && this.readChain(start, end);
      case 67: // COMMIT
        if (!this.open || text.slice(start, end) !== "COMMIT") return false;
        this.open = false;
        return true;
      case dash:
      case bracket:
        return this.open && this.readRule(number, start, end);
      default:
        return false;
    }
  }

  private readTable(name: string): boolean {
    if (this.open || this.tableNames.has(name)) return false;
    this.tableNames.add(name);
    this.tableName = name;
    this.names = new ChainNames(this.bytes);
    this.calledChain = calledChain(name, (at, end) => this.findCalled(at, end));
    this.root = this.tree.addRoot();
    this.tables++;
    this.open = true;
    this.lastChain = -1;
    return true;
  }

  private readChain(start: number, end: number): boolean {
    const declaration = this.text.slice(start, end);
    const usual = usualDeclaration.exec(declaration);
    const [, name = "", policy = ""] = usual ?? ["", ...declaration.slice(1).split(" ")];
    if (!usual || name.length > longestChainName) this.named.add(this.chains.length);
    const nameEnd = start + 1 + name.length;
    if (!usual && !/^[\w.+-]+$/.test(name)) return false;
    if (this.names.find(start + 1, nameEnd) !== -1 || this.words.isTarget(name)) return false;
    this.names.add(start + 1, nameEnd, this.chains.length);
    this.chains.push({ name, tableName: this.tableName, table: this.tables - 1, builtIn: policy !== "-", start, end });
    return true;
  }

  /** Reads the line as a rule of a shape that is known; whether it was one. */
  private readAsKnown(number: number, start: number, end: number): boolean {
    if (!this.open || end - start > longestLine) return false;
    if (this.holeCount + 2 * mostHoles > this.holes.length) this.holes = longer(this.holes);
    this.callee = -1;
    const shape = this.tree.find(this.root, start, end, this.holes, this.holeCount);
    if (shape === -1) return false;
    this.addRule(number, start, end, shape, this.tree.holeEnd);
    return true;
  }

  /**
   * Reads the rules behind the one before that are like it but for the one value of their shape, by a regular expression, which is ready to
   * run at once; where the text goes on.
   */
  private readRow(number: number, from: number): number {
    const { text } = this;
    const rule = this.count - 1;
    const shape = this.shape[rule]!;
    const { classes } = this.shapes[shape]!;
    const hole = this.firstHole[rule]!;
    const before = text.slice(this.start[rule], this.holes[hole]);
    const behind = text.slice(this.holes[hole + 1], this.end[rule]);
    const pattern = classes.length === 1 ? classes[0]!.pattern?.(behind) : undefined;
    let at = from;
    if (pattern !== undefined) {
      const row = new RegExp(`(?:${literally(before)}${pattern}${literally(behind)}\\n){1,${mostInRow}}`, "y");
      for (row.lastIndex = at; row.test(text); row.lastIndex = at) {
        at = this.addRow(number + this.count - rule, at, row.lastIndex, before.length, behind.length);
      }
    }
    this.rowsFrom = this.count - 1;
    // Where there are none, looking for them costs more than it saves.
    if (this.count - 1 - rule < 2 * this.enoughAlike) this.enoughAlike *= 2;
    return at;
  }

  /** Adds rules of the last run, between two places of the text; where it goes on. */
  private addRow(number: number, from: number, to: number, lengthBefore: number, lengthBehind: number): number {
    const { text } = this;
    const first = this.count;
    let at = from;
    for (; at < to; at = this.end[this.count - 1]! + 1) {
      if (this.count === this.line.length - 1) this.lengthen();
      if (this.holeCount + 2 > this.holes.length) this.holes = longer(this.holes);
      const end = text.indexOf("\n", at);
      const rule = this.count++;
      this.line[rule] = number + rule - first;
      this.start[rule] = at;
      this.end[rule] = end;
      this.firstHole[rule] = this.holeCount;
      this.holes[this.holeCount++] = at + lengthBefore;
      this.holes[this.holeCount++] = end - lengthBehind;
    }
    this.shape.fill(this.shape[first - 1]!, first, this.count);
    this.chain.fill(this.lastChain, first, this.count);
    this.called.fill(-1, first, this.count);
    return at;
  }

  private readRule(number: number, start: number, end: number): boolean {
    const { bytes, reader } = this;
    reader.reset();
    this.callee = -1;
    let index = reader.choose(countersFirst, start, end);
    if (bytes[start] === bracket) {
      // With a zero among them they are part of the shape.
      if (index === start) index = this.text.indexOf("]", start) + 1;
      if (index === 0 || index > end || bytes[index] !== blank) return false;
      index++;
    }
    if (bytes[index] !== dash || bytes[index + 1] !== 65 || bytes[index + 2] !== blank) return false;
    const nameStart = index + 3;
    const nameEnd = this.findOwnChain(nameStart, end);
    if (nameEnd === -1) return false;
    if (end - start > longestLine || !reader.readWords(nameStart, nameEnd, end, this.ownChain, this.calledChain)) {
      this.nameChains(start, end);
      return true;
    }
    const { classes, asksList, choices } = reader;
    const shape = this.tree.add(this.root, start, end, choices, this.shapes.length);
    if (shape === this.shapes.length) this.shapes.push({ table: this.tables - 1, classes, first: this.count, asksList });
    if (this.readAsKnown(number, start, end)) return true;
    throw new Error(`line ${number} is not of its own shape`);
  }

  /** Where the name of a chain ends that starts at a place of a line that ends at another; -1 if there is no such chain. */
  private findOwnChain(at: number, end: number): number {
    const { bytes, lastStart, lastEnd } = this;
    const after = at + lastEnd - lastStart;
    if (this.lastChain !== -1 && (after === end || bytes[after] === blank) && isSame(bytes, lastStart, at, after)) return after;
    const nameEnd = endOfWord(bytes, at, end);
    const chain = this.names.find(at, nameEnd);
    if (chain === -1) return -1;
    this.lastChain = chain;
    this.lastStart = at;
    this.lastEnd = nameEnd;
    return nameEnd;
  }

  /** Remembers the chains that a line may have to do with. */
  private nameChains(start: number, end: number): void {
    this.named.add(this.lastChain);
    for (let at = start; at < end; at++) {
      const wordStart = at;
      while (at < end && this.bytes[at]! > blank) at++;
      const chain = this.names.find(wordStart, at);
      if (chain !== -1) this.named.add(chain);
    }
  }

  /** As `findOwnChain`, of a chain that a rule may call: none that is built in. */
  private findCalled(at: number, end: number): number {
    const wordEnd = endOfWord(this.bytes, at, end);
    const chain = this.names.find(at, wordEnd);
    if (chain === -1 || builtInNames.has(this.chains[chain]!.name)) return -1;
    this.callee = chain;
    return wordEnd;
  }

  private addRule(number: number, start: number, end: number, shape: number, holeEnd: number): void {
    const rule = this.count++;
    if (rule === this.line.length - 1) this.lengthen();
    const chain = this.lastChain;
    const isOfRun = rule > 0 && this.shape[rule - 1] === shape && this.chain[rule - 1] === chain && this.called[rule - 1] === this.callee;
    if (!isOfRun) this.runs[this.runCount++] = rule;
    this.line[rule] = number;
    this.start[rule] = start;
    this.end[rule] = end;
    this.shape[rule] = shape;
    this.chain[rule] = chain;
    this.called[rule] = this.callee;
    this.firstHole[rule] = this.holeCount;
    this.holeCount = holeEnd;
  }

  private lengthen(): void {
    this.line = longer(this.line);
    this.start = longer(this.start);
    this.end = longer(this.end);
    this.shape = longer(this.shape);
    this.chain = longer(this.chain);
    this.called = longer(this.called);
    this.firstHole = longer(this.firstHole);
    this.runs = longer(this.runs);
  }
}

const countersFirst: readonly UniformClass[] = [counterValues];

function endOfWord(bytes: Uint8Array, at: number, end: number): number {
  let index = at;
  while (index < end && bytes[index] !== blank) index++;
  return index;
}

/** Where the rule begins in its line, behind its counters. */
export function placeOfRule(scan: Scan, rule: number): { readonly column: number; readonly length: number } {
  const length = textOfRule(scan, rule).length;
  return { column: scan.rules.end[rule]! - scan.rules.start[rule]! - length + 1, length };
}

/** A rule without its counters. */
export function textOfRule({ text, rules }: Scan, rule: number): string {
  const start = rules.start[rule]!;
  return text.slice(text[start] === "[" ? text.indexOf(" ", start) + 1 : start, rules.end[rule]);
}
