/**
 * Reads a dump as rows of shapes: a line's shape is its text without its holes, and a hole is a value of which nothing but its own text
 * reaches the script. Nothing is understood here beyond what begins a line and where an option's value lies.
 */

import type { UniformClass } from "../extensions/extension.js";
import { counterValues } from "../extensions/values/uniform.js";
import { builtInChains, longestChainName } from "../iptables/tables.js";
import { calledChain } from "./called-chain.js";
import { optionWords, type OptionValue, type OptionWords } from "./option-words.js";

/** Lines of one text and one make. Numbers of chains and shapes are indices into the arrays below. */
export interface Scan {
  readonly text: string;
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
}

/** What stands in a hole of a rule. */
export function holeText({ text, rules }: Scan, rule: number, index: number): string {
  const hole = rules.firstHole[rule]! + 2 * index;
  return text.slice(rules.holes[hole], rules.holes[hole + 1]);
}

/** Characters beyond which a line has no shape. */
const longestLine = 600;
const mostHoles = 9;

const newline = 10;
const blank = 32;
const quote = 34;
const dash = 45;
const bracket = 91;
const backslash = 92;
const apostrophe = 39;

const builtInNames: ReadonlySet<string> = new Set(Object.values(builtInChains).flat());

const ordinary = 0;
const separates = 1;
const leavesNoShape = 2;

/** What each byte is within a word: asked for every one, so that a look-up is quicker than comparisons. */
const kinds = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code === blank) return separates;
  return code < blank || code > 126 || code === quote || code === backslash || code === apostrophe ? leavesNoShape : ordinary;
});

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

/** A shape with what finds it again. */
interface KnownShape extends Shape {
  /** Whether counters are its first hole. */
  readonly counted: boolean;
  /**
   * Where the texts of its first rule begin and end, a start and an end for each: what stands before the chain's name, but for counters
   * that are a hole, and what stands behind it around the other holes.
   */
  readonly literals: Int32Array;
}

/** Rules that one regular expression takes at once: for each it keeps where it was. */
const mostInRow = 4_096;

/** A regular expression for the text. */
function literally(text: string): string {
  return text.replaceAll(/[^\w ]/g, "\\$&");
}

function longer(row: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const copy = new Int32Array(row.length * 2);
  copy.set(row);
  return copy;
}

class Scanner {
  private readonly bytes: Uint8Array;
  private readonly chains: ScannedChain[] = [];
  private readonly shapes: KnownShape[] = [];
  private readonly shapesByHash = new Map<number, number[]>();
  private count = 0;
  private line = new Int32Array(1024);
  private start = new Int32Array(1024);
  private end = new Int32Array(1024);
  private shape = new Int32Array(1024);
  private chain = new Int32Array(1024);
  private called = new Int32Array(1024);
  private firstHole = new Int32Array(1024);
  private holeCount = 0;
  private holes = new Int32Array(4096);
  private tables = 0;
  private readonly tableNames = new Set<string>();
  private tableName = "";
  /** Of the open table. */
  private chainsByName = new Map<string, number>();
  private calledChain = calledChain("", () => -1);
  private readonly named = new Set<number>();
  private open = false;
  /** Of the rule before, within the open table: its chain, where the name of that stands, and its shape; -1 for none. */
  private lastChain = -1;
  private lastStart = 0;
  private lastEnd = 0;
  private lastShape = -1;
  /** The shape that came last behind each shape. */
  private readonly following: number[] = [];
  /** Rules of one shape and chain behind each other, up to the rule before; and how many make it worth to look for a row of them. */
  private alike = 0;
  private enoughAlike = 16;

  // Of the line being read.
  private hash = 0;
  private classes: UniformClass[] = [];
  private asksList = false;
  /** A chain, where one of the words that were read last names it as the target; -1 for none. */
  private callee = -1;

  constructor(
    private readonly text: string,
    private readonly words: OptionWords,
  ) {
    this.bytes = asciiOf(text);
  }

  run(): Scan | undefined {
    const { text } = this;
    let number = 0;
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf("\n", start);
      const end = found === -1 ? text.length : found;
      number++;
      if (this.readAsForeseen(number, start, end)) {
        start = end + 1;
        if (this.alike < this.enoughAlike) continue;
        const before = this.count;
        start = this.readRow(number, start);
        number += this.count - before;
        continue;
      }
      this.alike = 0;
      if (!this.readLine(number, start, end)) return undefined;
      start = end + 1;
    }
    const { chains, named, shapes, count, line, start, end, shape, chain, called, firstHole, holes } = this;
    return { text, chains, named, shapes, rules: { count, line, start, end, shape, chain, called, firstHole, holes } };
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
        this.lastShape = -1;
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
    this.chainsByName = new Map();
    this.calledChain = calledChain(name, (at, end) => this.findCalled(at, end));
    this.tables++;
    this.open = true;
    this.lastChain = -1;
    this.lastShape = -1;
    return true;
  }

  private readChain(start: number, end: number): boolean {
    const [name = "", policy = "", ...others] = this.text.slice(start + 1, end).split(" ");
    const isUsual = name.length <= longestChainName && others.length === 1 && /^\[\d{1,15}:\d{1,15}\]$/.test(others[0]!);
    if (!isUsual) this.named.add(this.chains.length);
    if (!/^[\w.+-]+$/.test(name) || this.chainsByName.has(name) || this.words.isTarget(name)) return false;
    this.chainsByName.set(name, this.chains.length);
    this.chains.push({ name, tableName: this.tableName, table: this.tables - 1, builtIn: policy !== "-", start, end });
    return true;
  }

  /**
   * Reads the line as a rule of the shape that came last behind that of the rule before, and of the same chain: of lists of addresses, and
   * of what programs write, nearly all are. Whether it was one.
   */
  private readAsForeseen(number: number, start: number, end: number): boolean {
    if (this.lastShape === -1) return false;
    const index = this.following[this.lastShape]!;
    if (index === -1 || end - start > longestLine) return false;
    const { bytes } = this;
    const { counted, literals, classes } = this.shapes[index]!;
    if (this.holeCount + 2 * classes.length > this.holes.length) this.holes = longer(this.holes);
    const { holes } = this;
    this.callee = -1;
    let at = start;
    let hole = this.holeCount;
    if (counted) {
      at = counterValues.scan(bytes, start, end);
      if (at === -1) return false;
      holes[hole++] = start;
      holes[hole++] = at;
    }
    at = this.behind(literals[0]!, literals[1]!, at, end);
    if (at === -1) return false;
    at = this.behind(this.lastStart, this.lastEnd, at, end);
    if (at === -1) return false;
    at = this.behind(literals[2]!, literals[3]!, at, end);
    for (let kind = counted ? 1 : 0, literal = 4; literal < literals.length; kind++, literal += 2) {
      if (at === -1) return false;
      const after = classes[kind]!.scan(bytes, at, end);
      if (after === -1) return false;
      holes[hole++] = at;
      holes[hole++] = after;
      at = this.behind(literals[literal]!, literals[literal + 1]!, after, end);
    }
    if (at !== end) return false;
    this.addRule(number, start, end, hole);
    this.shape[this.count - 1] = index;
    this.alike = index === this.lastShape ? this.alike + 1 : 0;
    this.lastShape = index;
    return true;
  }

  /**
   * Reads the rules behind the one before that are like it but for the one value of their shape, by a regular expression, which is ready to
   * run at once; where the text goes on.
   */
  private readRow(number: number, from: number): number {
    this.alike = 0;
    const { text, lastShape: shape } = this;
    const rule = this.count - 1;
    const { classes, counted } = this.shapes[shape]!;
    const hole = this.firstHole[rule]!;
    const before = text.slice(this.start[rule], this.holes[hole]);
    const behind = text.slice(this.holes[hole + 1], this.end[rule]);
    const pattern = classes.length === 1 && !counted ? classes[0]!.pattern?.(behind) : undefined;
    let at = from;
    this.callee = -1;
    if (pattern !== undefined) {
      const row = new RegExp(`(?:${literally(before)}${pattern}${literally(behind)}\\n){1,${mostInRow}}`, "y");
      for (row.lastIndex = at; row.test(text); row.lastIndex = at) {
        for (const rowEnd = row.lastIndex; at < rowEnd; ) {
          const end = text.indexOf("\n", at);
          if (this.holeCount + 2 > this.holes.length) this.holes = longer(this.holes);
          this.holes[this.holeCount] = at + before.length;
          this.holes[this.holeCount + 1] = end - behind.length;
          this.addRule(++number, at, end, this.holeCount + 2);
          this.shape[this.count - 1] = shape;
          at = end + 1;
        }
      }
    }
    // Where there are none, looking for them costs more than it saves.
    if (this.count - 1 - rule < 2 * this.enoughAlike) this.enoughAlike *= 2;
    return at;
  }

  /** Where the text between two places ends if it stands at this one, too; -1 if it does not. */
  private behind(from: number, to: number, at: number, end: number): number {
    const { bytes } = this;
    if (to - from > end - at) return -1;
    let place = at;
    for (let index = from; index < to; index++, place++) if (bytes[index] !== bytes[place]) return -1;
    return place;
  }

  private readRule(number: number, start: number, end: number): boolean {
    const { bytes } = this;
    this.hash = this.tables;
    this.classes = [];
    this.callee = -1;
    this.asksList = false;
    if (this.holeCount + 2 * mostHoles > this.holes.length) this.holes = longer(this.holes);
    const firstHole = this.holeCount;
    let index = start;
    if (bytes[start] === bracket) {
      index = counterValues.scan(bytes, start, end);
      if (index === -1) {
        // With a zero among them they are part of the shape.
        index = this.text.indexOf("]", start) + 1;
        if (index === 0 || index > end) return false;
        for (let at = start; at < index; at++) this.mix(bytes[at]!);
      } else this.addHole(counterValues, start, index);
      if (bytes[index] !== blank) return false;
      index++;
    }
    if (bytes[index] !== dash || bytes[index + 1] !== 65 || bytes[index + 2] !== blank) return false;
    const nameStart = index + 3;
    index = nameStart;
    while (index < end && bytes[index] !== blank) index++;
    if (!this.findChain(nameStart, index)) return false;
    if (end - start > longestLine || !this.readWords(index, end)) {
      this.holeCount = firstHole;
      this.lastShape = -1;
      this.nameChains(start, end);
      return true;
    }
    const holeEnd = this.holeCount;
    this.holeCount = firstHole;
    this.addRule(number, start, end, holeEnd);
    const shape = this.shapeOf(nameStart, index);
    this.shape[this.count - 1] = shape;
    if (this.lastShape !== -1) this.following[this.lastShape] = shape;
    this.lastShape = shape;
    return true;
  }

  private findChain(from: number, to: number): boolean {
    const { lastStart, lastEnd } = this;
    if (this.lastChain !== -1 && to - from === lastEnd - lastStart && this.behind(lastStart, lastEnd, from, to) === to) return true;
    const chain = this.chainsByName.get(this.text.slice(from, to));
    if (chain === undefined) return false;
    this.lastChain = chain;
    this.lastStart = from;
    this.lastEnd = to;
    return true;
  }

  /** Remembers the chains that a line may have to do with. */
  private nameChains(start: number, end: number): void {
    this.named.add(this.lastChain);
    for (const word of this.text.slice(start, end).split(/\s+/)) {
      const chain = this.chainsByName.get(word);
      if (chain !== undefined) this.named.add(chain);
    }
  }

  /** Where the name of a chain ends that starts at a place of a line that ends at another; -1 if no chain is called so. */
  private findCalled(at: number, end: number): number {
    const { bytes } = this;
    let wordEnd = at;
    while (wordEnd < end && bytes[wordEnd] !== blank) wordEnd++;
    const chain = this.chainsByName.get(this.text.slice(at, wordEnd));
    // No rule may call a built-in chain.
    if (chain === undefined || builtInNames.has(this.chains[chain]!.name)) return -1;
    this.callee = chain;
    return wordEnd;
  }

  private addRule(number: number, start: number, end: number, holeEnd: number): void {
    const rule = this.count++;
    if (rule === this.line.length) {
      this.line = longer(this.line);
      this.start = longer(this.start);
      this.end = longer(this.end);
      this.shape = longer(this.shape);
      this.chain = longer(this.chain);
      this.called = longer(this.called);
      this.firstHole = longer(this.firstHole);
    }
    this.line[rule] = number;
    this.start[rule] = start;
    this.end[rule] = end;
    this.chain[rule] = this.lastChain;
    this.called[rule] = this.callee;
    this.firstHole[rule] = this.holeCount;
    this.holeCount = holeEnd;
  }

  private mix(code: number): void {
    this.hash = Math.imul(this.hash ^ code, 0x0100_0193);
  }

  private addHole(kind: UniformClass, from: number, to: number): void {
    this.classes.push(kind);
    this.holes[this.holeCount++] = from;
    this.holes[this.holeCount++] = to;
    this.mix(0x1_0000 + this.words.numberOf(kind));
  }

  /** Reads from behind the chain's name; false for a line that has no shape. */
  private readWords(from: number, end: number): boolean {
    const { bytes, words } = this;
    let index = from;
    while (index < end) {
      if (bytes[index] !== blank) return false;
      const wordStart = index + 1;
      if (bytes[wordStart] === quote) {
        index = this.readQuoted(index, end);
        if (index === -1) return false;
        continue;
      }
      let hash = Math.imul(this.hash ^ blank, 0x0100_0193);
      for (index = wordStart; index < end; index++) {
        const letter = bytes[index]!;
        const kind = kinds[letter]!;
        if (kind !== ordinary) {
          if (kind === separates) break;
          return false;
        }
        hash = Math.imul(hash ^ letter, 0x0100_0193);
      }
      this.hash = hash;
      if (index === wordStart) return false;
      if (bytes[wordStart] !== dash || index >= end) continue;
      const option = words.find(bytes, wordStart, index);
      if (option !== undefined) {
        index = this.readValue(option, index, end);
        if (index === -1) return false;
      }
    }
    return true;
  }

  /** Reads a hole behind the option, if its value is one; the end of what was read, or -1 for a line that has no shape. */
  private readValue(option: OptionValue, index: number, end: number): number {
    const { bytes } = this;
    if (option === "target") {
      const after = this.findCalled(index + 1, end);
      if (after === -1) return index;
      // What a rule calls is one of its holes, or it has no shape.
      if (this.classes.length === mostHoles || this.classes.includes(this.calledChain)) return -1;
      this.mix(blank);
      this.addHole(this.calledChain, index + 1, after);
      return after;
    }
    if (option === "match") {
      let wordEnd = index + 1;
      while (wordEnd < end && bytes[wordEnd] !== blank) wordEnd++;
      this.asksList ||= this.words.asksList(bytes, index + 1, wordEnd);
      return index;
    }
    for (const kind of option) {
      const after = kind.scan(bytes, index + 1, end);
      if (after === -1 || this.classes.length === mostHoles || (kind.once === true && this.classes.some(({ once }) => once))) continue;
      this.mix(blank);
      this.addHole(kind, index + 1, after);
      let next = after;
      // What is joined to it, such as a prefix length, belongs to the shape.
      for (; next < end && bytes[next] !== blank; next++) this.mix(bytes[next]!);
      return next;
    }
    return index;
  }

  /** @param blankBefore where the blank before the quote is */
  private readQuoted(blankBefore: number, end: number): number {
    const { bytes } = this;
    this.mix(blank);
    this.mix(quote);
    for (let index = blankBefore + 2; index < end; index++) {
      const code = bytes[index]!;
      if (code < blank || code > 126 || code === backslash) return -1;
      this.mix(code);
      if (code === quote) return index + 1;
    }
    return -1;
  }

  /** The shape of the rule that was added last. */
  private shapeOf(nameStart: number, nameEnd: number): number {
    let known = this.shapesByHash.get(this.hash);
    if (known === undefined) this.shapesByHash.set(this.hash, (known = []));
    const rule = this.count - 1;
    for (const index of known) if (this.isOfShape(this.shapes[index]!, rule, nameStart, nameEnd)) return index;
    const { holes, classes } = this;
    const counted = classes[0] === counterValues;
    const firstHole = this.firstHole[rule]! + (counted ? 2 : 0);
    const literals = [counted ? holes[firstHole - 1]! : this.start[rule]!, nameStart, nameEnd];
    literals.push(...holes.subarray(firstHole, this.holeCount), this.end[rule]!);
    this.shapes.push({
      table: this.tables - 1,
      classes,
      first: rule,
      asksList: this.asksList,
      counted,
      literals: Int32Array.from(literals),
    });
    this.following.push(-1);
    known.push(this.shapes.length - 1);
    return this.shapes.length - 1;
  }

  /** Whether the texts around the holes are the same, but for the name of the chain. */
  private isOfShape(shape: KnownShape, rule: number, nameStart: number, nameEnd: number): boolean {
    const { classes, holes } = this;
    const { literals, counted } = shape;
    if (shape.table !== this.tables - 1 || shape.classes.length !== classes.length) return false;
    for (let index = 0; index < classes.length; index++) if (shape.classes[index] !== classes[index]) return false;
    let hole = this.firstHole[rule]!;
    let at = this.start[rule]!;
    if (counted) {
      at = holes[hole + 1]!;
      hole += 2;
    }
    if (this.behind(literals[0]!, literals[1]!, at, nameStart) !== nameStart) return false;
    at = nameEnd;
    const last = literals.length - 2;
    for (let literal = 2; literal < last; literal += 2, hole += 2) {
      if (this.behind(literals[literal]!, literals[literal + 1]!, at, holes[hole]!) !== holes[hole]) return false;
      at = holes[hole + 1]!;
    }
    const end = this.end[rule]!;
    return this.behind(literals[last]!, literals[last + 1]!, at, end) === end;
  }
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
