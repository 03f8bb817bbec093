/** Where holes may be in a line of which no other of its shape is known yet. */

import type { UniformClass } from "../extensions/extension.js";
import type { OptionWords } from "./option-words.js";
import type { Choice } from "./shape-tree.js";

export const mostHoles = 9;

export const blank = 32;
const quote = 34;
const dash = 45;
const backslash = 92;
const apostrophe = 39;

const ordinary = 0;
const separates = 1;
const leavesNoShape = 2;

/** What each byte is within a word: asked for every one, so that a look-up is quicker than comparisons. */
const kinds = Uint8Array.from({ length: 256 }, (_, code) => {
  if (code === blank) return separates;
  return code < blank || code > 126 || code === quote || code === backslash || code === apostrophe ? leavesNoShape : ordinary;
});

export class ChoiceReader {
  /** Of the line that was read last, in their order. */
  readonly choices: Choice[] = [];
  /** The classes of its holes. */
  classes: UniformClass[] = [];
  /** Whether it asks a list of `recent`. */
  asksList = false;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly words: OptionWords,
  ) {}

  /** Before a line is read. */
  reset(): void {
    this.choices.length = 0;
    this.classes = [];
    this.asksList = false;
  }

  /** Which of the classes has a text at a place; where the text ends, or the place if there is none. */
  choose(classes: readonly UniformClass[], at: number, lineEnd: number): number {
    for (const [taken, kind] of classes.entries()) {
      const end = kind.scan(this.bytes, at, lineEnd);
      if (end === -1) continue;
      this.choices.push({ classes, at, taken, end });
      this.classes.push(kind);
      return end;
    }
    this.choices.push({ classes, at, taken: -1, end: at });
    return at;
  }

  /**
   * Reads the name of the rule's chain and the words behind it; false for a line that has no shape.
   * @param ownChain the class of that name
   * @param calledChain the class of what may stand behind `-j`
   */
  readWords(nameStart: number, nameEnd: number, end: number, ownChain: UniformClass, calledChain: UniformClass): boolean {
    const { bytes, words } = this;
    this.choices.push({ classes: [ownChain], at: nameStart, taken: 0, end: nameEnd });
    let index = nameEnd;
    while (index < end) {
      if (bytes[index] !== blank) return false;
      const wordStart = index + 1;
      index = bytes[wordStart] === quote ? this.endOfQuoted(wordStart, end) : this.endOfWord(wordStart, end);
      if (index === -1) return false;
      if (bytes[wordStart] !== dash || index >= end) continue;
      const option = words.find(bytes, wordStart, index);
      if (option === undefined) continue;
      if (option === "match") this.asksList ||= words.asksList(bytes, index + 1, this.endOfText(index + 1, end));
      else if (option === "target") {
        const isFull = this.classes.length === mostHoles || this.classes.includes(calledChain);
        const after = this.choose([calledChain], index + 1, end);
        // What a rule calls is one of its holes, or it has no shape.
        if (after > index + 1 && isFull) return false;
        if (after > index + 1) index = after;
      } else {
        const hasOnce = this.classes.some(({ once }) => once);
        const possible = this.classes.length === mostHoles ? [] : option.filter(({ once }) => once !== true || !hasOnce);
        const after = this.choose(possible, index + 1, end);
        // What is joined to it, such as a prefix length, belongs to the shape.
        if (after > index + 1) index = this.endOfText(after, end);
      }
    }
    return true;
  }

  private endOfText(from: number, end: number): number {
    let index = from;
    while (index < end && this.bytes[index] !== blank) index++;
    return index;
  }

  /** -1 for what leaves the line without a shape. */
  private endOfWord(from: number, end: number): number {
    const { bytes } = this;
    let index = from;
    for (; index < end; index++) {
      const kind = kinds[bytes[index]!]!;
      if (kind === separates) break;
      if (kind === leavesNoShape) return -1;
    }
    return index === from ? -1 : index;
  }

  private endOfQuoted(from: number, end: number): number {
    const { bytes } = this;
    for (let index = from + 1; index < end; index++) {
      const code = bytes[index]!;
      if (code < blank || code > 126 || code === backslash) return -1;
      if (code === quote) return index + 1;
    }
    return -1;
  }
}
