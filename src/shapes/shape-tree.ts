/**
 * The shapes of lines as a tree of the texts between their holes: a line is found in it by one pass over its bytes, and no object is made
 * for it. A node where values may stand tries their classes in the order in which the shape's first line tried them.
 */

import type { UniformClass } from "../extensions/extension.js";
import type { Bytes } from "./bytes.js";
import { PairMap } from "./pair-map.js";
import { longer } from "./rows.js";

/** What may be a hole at one place of a line, behind all that stands before it. */
export interface Choice {
  /** The first of these of which a text stands there is the hole's. */
  readonly classes: readonly UniformClass[];
  readonly at: number;
  /** Which of them, and behind its text; -1 and `at` if what stands there belongs to the shape. */
  readonly taken: number;
  readonly end: number;
}

export class ShapeTree {
  /** Behind the last hole of the line that was found last. */
  holeEnd = 0;
  private count = 0;
  /** Of each node the text that leads to it, in the first line that had it. */
  private from = new Int32Array(256);
  private to = new Int32Array(256);
  /** The shape of lines that end there; -1 for none. */
  private shape = new Int32Array(256);
  /** Index in `choices` of what may be a hole behind it; 0 for nothing. */
  private choice = new Int32Array(256);
  /** The node behind it by a text, by which the last line went on; -1 for none. */
  private usual = new Int32Array(256);
  private readonly choices: (readonly UniformClass[])[] = [[]];
  /** The nodes behind nodes, by the byte or the class that leads there: no line with a shape has a byte below 32, so these are classes. */
  private readonly branches = new PairMap();

  /** @param unkept texts of this class are no holes, though they do not belong to the shape */
  constructor(
    private readonly text: Bytes,
    unkept: UniformClass,
  ) {
    this.choices.push([unkept]);
  }

  /** A node for lines whose shapes are none of any other root. */
  addRoot(): number {
    return this.addNode(0, 0);
  }

  /**
   * The shape of a line, -1 if it is none of the tree. A start and an end for each of its holes are written behind each other.
   * @param hole where the first is written
   */
  find(root: number, start: number, end: number, holes: Int32Array, hole: number): number {
    const { bytes, words } = this.text;
    const { from, to, choice, usual, choices, branches } = this;
    let node = root;
    let at = start;
    let next = hole;
    for (;;) {
      const place = choice[node]!;
      if (place !== 0) {
        const classes = choices[place]!;
        let taken = 0;
        let after = -1;
        for (; taken < classes.length; taken++) {
          after = classes[taken]!.scan(bytes, at, end);
          if (after !== -1) break;
        }
        if (after !== -1) {
          if (place !== unkeptChoice) {
            holes[next++] = at;
            holes[next++] = after;
          }
          at = after;
          node = branches.get(node, taken);
          if (node === -1) return -1;
          continue;
        }
      }
      if (at === end) {
        this.holeEnd = next;
        return this.shape[node]!;
      }
      let child = usual[node]!;
      if (child === -1 || bytes[from[child]!] !== bytes[at]) {
        child = branches.get(node, bytes[at]!);
        if (child === -1) return -1;
        usual[node] = child;
      }
      const last = to[child]!;
      let known = from[child]!;
      if (last - known > end - at) return -1;
      for (; known <= last - 4; known += 4, at += 4) if (words.getInt32(known, true) !== words.getInt32(at, true)) return -1;
      for (; known < last; known++, at++) if (bytes[known] !== bytes[at]) return -1;
      node = child;
    }
  }

  /** The shape of a line with these choices; the one given if it had none. */
  add(root: number, start: number, end: number, choices: readonly Choice[], shape: number): number {
    let node = root;
    let at = start;
    for (const { classes, at: place, taken, end: after } of choices) {
      node = this.addText(node, at, place);
      this.choice[node] ||= this.numberOf(classes);
      at = after;
      if (taken === -1) continue;
      let child = this.branches.get(node, taken);
      if (child === -1) this.branches.set(node, taken, (child = this.addNode(at, at)));
      node = child;
    }
    node = this.addText(node, at, end);
    if (this.shape[node] === -1) this.shape[node] = shape;
    return this.shape[node]!;
  }

  /** The node behind the text. */
  private addText(node: number, start: number, end: number): number {
    const { branches } = this;
    const { bytes } = this.text;
    let last = node;
    for (let at = start; at < end; ) {
      const child = branches.get(last, bytes[at]!);
      if (child === -1) {
        const added = this.addNode(at, end);
        branches.set(last, bytes[at]!, added);
        return added;
      }
      const from = this.from[child]!;
      const length = Math.min(this.to[child]! - from, end - at);
      let same = 1;
      while (same < length && bytes[from + same] === bytes[at + same]) same++;
      at += same;
      last = from + same === this.to[child]! ? child : this.split(last, child, from + same);
    }
    return last;
  }

  /** Puts a node between two, behind the first part of the text that leads from one to the other. */
  private split(node: number, child: number, place: number): number {
    const { branches } = this;
    const { bytes } = this.text;
    const from = this.from[child]!;
    const added = this.addNode(from, place);
    branches.set(node, bytes[from]!, added);
    this.usual[node] = added;
    branches.set(added, bytes[place]!, child);
    this.from[child] = place;
    return added;
  }

  private addNode(from: number, to: number): number {
    const node = this.count++;
    if (node === this.from.length) {
      this.from = longer(this.from);
      this.to = longer(this.to);
      this.shape = longer(this.shape);
      this.choice = longer(this.choice);
      this.usual = longer(this.usual);
    }
    this.from[node] = from;
    this.to[node] = to;
    this.shape[node] = -1;
    this.usual[node] = -1;
    return node;
  }

  private numberOf(classes: readonly UniformClass[]): number {
    const known = this.choices.findIndex(
      (choice) => choice.length === classes.length && choice.every((kind, index) => kind === classes[index]),
    );
    return known === -1 ? this.choices.push(classes) - 1 : known;
  }
}

const unkeptChoice = 1;
