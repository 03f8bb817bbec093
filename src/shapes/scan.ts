/**
 * Reads a dump as rows of shapes: a line's shape is its text without its holes, and a hole is a value of which nothing but its own text
 * reaches the script. Nothing is understood here beyond what begins a line and where an option's value lies.
 */

import type { UniformClass } from "../extensions/extension.js";
import { counterValues } from "../extensions/values/uniform.js";
import { optionWords, type OptionWords } from "./option-words.js";

/** Lines of one text and one make. Numbers of chains and shapes are indices into the arrays below. */
export interface Scan {
  readonly text: string;
  readonly chains: readonly ScannedChain[];
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
}

export interface Shape {
  readonly table: number;
  readonly classes: readonly UniformClass[];
  /** The first rule that has it. */
  readonly first: number;
  /** The chain of the text that its rules jump to; -1 for none. */
  readonly jump: number;
  /** They ask a list of `recent`. */
  readonly asksList: boolean;
}

/** One row of numbers for each thing known of a rule. */
export interface ScannedRules {
  readonly count: number;
  /** From 1. */
  readonly line: Int32Array;
  /** Where the line begins and ends in the text. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly shape: Int32Array;
  readonly chain: Int32Array;
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

/** Undefined for a text that is no plain dump: with commands beside `-A`, tables given twice, chains that are not declared. */
export function scan(text: string): Scan | undefined {
  return new Scanner(text, optionWords()).run();
}

class Rows {
  length = 0;
  values = new Int32Array(1024);

  push(value: number): void {
    if (this.length === this.values.length) {
      const wider = new Int32Array(this.length * 2);
      wider.set(this.values);
      this.values = wider;
    }
    this.values[this.length++] = value;
  }
}

class Scanner {
  private readonly chains: ScannedChain[] = [];
  private readonly shapes: Shape[] = [];
  private readonly shapesByHash = new Map<number, number[]>();
  private readonly line = new Rows();
  private readonly start = new Rows();
  private readonly end = new Rows();
  private readonly shape = new Rows();
  private readonly chain = new Rows();
  private readonly firstHole = new Rows();
  private readonly holes = new Rows();
  /** Where the chain's name begins and ends. */
  private readonly name = new Rows();
  private readonly rest = new Rows();
  private tables = 0;
  private readonly tableNames = new Set<string>();
  private tableName = "";
  /** Of the open table. */
  private chainsByName = new Map<string, number>();
  private open = false;

  // Of the line being read.
  private hash = 0;
  private classes: UniformClass[] = [];
  private targetStart = -1;
  private targetEnd = -1;
  private asksList = false;

  constructor(
    private readonly text: string,
    private readonly words: OptionWords,
  ) {}

  run(): Scan | undefined {
    const { text } = this;
    let number = 0;
    for (let start = 0; start < text.length; ) {
      const found = text.indexOf("\n", start);
      const end = found === -1 ? text.length : found;
      number++;
      if (!this.readLine(number, start, end)) return undefined;
      start = end + 1;
    }
    return {
      text,
      chains: this.chains,
      shapes: this.shapes,
      rules: {
        count: this.line.length,
        line: this.line.values,
        start: this.start.values,
        end: this.end.values,
        shape: this.shape.values,
        chain: this.chain.values,
        firstHole: this.firstHole.values,
        holes: this.holes.values,
      },
    };
  }

  /** Whether the text may go on being read. */
  private readLine(number: number, start: number, end: number): boolean {
    const { text } = this;
    switch (start === end ? newline : text.charCodeAt(start)) {
      case newline:
      case 35: // #
        return true;
      case 42: // *
        return this.readTable(text.slice(start + 1, end));
      case 58: // :
        return this.open && this.readChain(text.slice(start + 1, end));
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
    this.chainsByName = new Map();
    this.tables++;
    this.open = true;
    return true;
  }

  private readChain(declaration: string): boolean {
    const [name = "", policy = ""] = declaration.split(" ");
    if (!/^[\w.+-]+$/.test(name) || this.chainsByName.has(name)) return false;
    this.chainsByName.set(name, this.chains.length);
    this.chains.push({ name, tableName: this.tableName, table: this.tables - 1, builtIn: policy !== "-" });
    return true;
  }

  private readRule(number: number, start: number, end: number): boolean {
    const { text } = this;
    this.hash = this.tables;
    this.classes = [];
    this.targetStart = -1;
    this.asksList = false;
    const firstHole = this.holes.length;
    let index = start;
    if (text.charCodeAt(start) === bracket) {
      index = counterValues.scan(text, start, end);
      if (index === -1) {
        // With a zero among them they are part of the shape.
        index = text.indexOf("]", start) + 1;
        if (index === 0 || index > end) return false;
        for (let at = start; at < index; at++) this.mix(text.charCodeAt(at));
      } else this.hole(counterValues, start, index);
      if (text.charCodeAt(index) !== blank) return false;
      index++;
    }
    if (text.charCodeAt(index) !== dash || text.charCodeAt(index + 1) !== 65 || text.charCodeAt(index + 2) !== blank) return false;
    const nameStart = index + 3;
    index = nameStart;
    while (index < end && text.charCodeAt(index) !== blank) index++;
    const chain = this.chainsByName.get(text.slice(nameStart, index));
    if (chain === undefined) return false;
    if (end - start > longestLine || !this.readWords(index, end)) {
      this.holes.length = firstHole;
      return true;
    }
    this.line.push(number);
    this.start.push(start);
    this.end.push(end);
    this.chain.push(chain);
    this.firstHole.push(firstHole);
    this.name.push(nameStart);
    this.rest.push(index);
    this.shape.push(this.shapeOf(this.line.length - 1));
    return true;
  }

  private mix(code: number): void {
    this.hash = Math.imul(this.hash ^ code, 0x0100_0193);
  }

  private hole(kind: UniformClass, from: number, to: number): void {
    this.classes.push(kind);
    this.holes.push(from);
    this.holes.push(to);
    this.mix(0x1_0000 + this.words.numberOf(kind));
  }

  /** Reads from behind the chain's name; false for a line that has no shape. */
  private readWords(from: number, end: number): boolean {
    const { text, words } = this;
    let index = from;
    while (index < end) {
      const code = text.charCodeAt(index);
      if (code !== blank) return false;
      this.mix(code);
      index++;
      const wordStart = index;
      if (text.charCodeAt(index) === quote) {
        index = this.readQuoted(index, end);
        if (index === -1) return false;
        continue;
      }
      for (; index < end; index++) {
        const letter = text.charCodeAt(index);
        if (letter === blank) break;
        if (letter < blank || letter > 126 || letter === quote || letter === backslash || letter === 39) return false;
        this.mix(letter);
      }
      if (index === wordStart) return false;
      if (text.charCodeAt(wordStart) !== dash || index >= end) continue;
      index = this.readValue(words.find(text, wordStart, index), index, end);
    }
    return true;
  }

  /** Reads a hole behind the option, if its value is one; the end of what was read. */
  private readValue(option: ReturnType<OptionWords["find"]>, index: number, end: number): number {
    if (option === undefined) return index;
    const { text } = this;
    if (typeof option === "string") {
      let wordEnd = index + 1;
      while (wordEnd < end && text.charCodeAt(wordEnd) !== blank) wordEnd++;
      if (option === "match") this.asksList ||= this.words.asksList(text, index + 1, wordEnd);
      else [this.targetStart, this.targetEnd] = [index + 1, wordEnd];
      return index;
    }
    for (const kind of option) {
      const after = kind.scan(text, index + 1, end);
      if (after === -1 || this.classes.length === mostHoles || (kind.once === true && this.classes.some(({ once }) => once))) continue;
      this.mix(blank);
      this.hole(kind, index + 1, after);
      let next = after;
      // What is joined to it, such as a prefix length, belongs to the shape.
      for (; next < end && text.charCodeAt(next) !== blank; next++) this.mix(text.charCodeAt(next));
      return next;
    }
    return index;
  }

  private readQuoted(start: number, end: number): number {
    const { text } = this;
    this.mix(quote);
    for (let index = start + 1; index < end; index++) {
      const code = text.charCodeAt(index);
      if (code < blank || code > 126 || code === backslash) return -1;
      this.mix(code);
      if (code === quote) return index + 1;
    }
    return -1;
  }

  private shapeOf(rule: number): number {
    let known = this.shapesByHash.get(this.hash);
    if (known === undefined) this.shapesByHash.set(this.hash, (known = []));
    for (const index of known) if (this.isSame(rule, this.shapes[index]!)) return index;
    const { text, targetStart } = this;
    const jump = targetStart === -1 ? undefined : this.chainsByName.get(text.slice(targetStart, this.targetEnd));
    this.shapes.push({ table: this.tables - 1, classes: this.classes, first: rule, jump: jump ?? -1, asksList: this.asksList });
    known.push(this.shapes.length - 1);
    return this.shapes.length - 1;
  }

  /** Whether the texts between the holes are the same, but for the name of the chain. */
  private isSame(rule: number, shape: Shape): boolean {
    const { classes } = this;
    if (shape.table !== this.tables - 1 || shape.classes.length !== classes.length) return false;
    for (let index = 0; index < classes.length; index++) if (shape.classes[index] !== classes[index]) return false;
    const counted = classes[0] === counterValues ? 1 : 0;
    const [start, name, holes] = [this.start.values, this.name.values, this.holes.values];
    const other = shape.first;
    if (counted === 0 && !this.equal(start[rule]!, name[rule]!, start[other]!, name[other]!)) return false;
    let ours = this.rest.values[rule]!;
    let theirs = this.rest.values[other]!;
    let ourHole = this.firstHole.values[rule]! + 2 * counted;
    let theirHole = this.firstHole.values[other]! + 2 * counted;
    for (let index = counted; index < classes.length; index++) {
      if (!this.equal(ours, holes[ourHole]!, theirs, holes[theirHole]!)) return false;
      ours = holes[ourHole + 1]!;
      theirs = holes[theirHole + 1]!;
      ourHole += 2;
      theirHole += 2;
    }
    return this.equal(ours, this.end.values[rule]!, theirs, this.end.values[other]!);
  }

  private equal(from: number, to: number, otherFrom: number, otherTo: number): boolean {
    if (to - from !== otherTo - otherFrom) return false;
    const { text } = this;
    for (let index = from, other = otherFrom; index < to; index++, other++) {
      if (text.charCodeAt(index) !== text.charCodeAt(other)) return false;
    }
    return true;
  }
}
