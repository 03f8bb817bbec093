/** What nft's text is for all rules of a shape: learned from one with marks, held against one without. */

import type { UniformClass } from "../extensions/extension.js";
import { holeText, type Scan } from "./scan.js";

export interface Template {
  /** Texts around the holes: one more than there are holes. */
  readonly literals: readonly string[];
  /** Of each hole, which one of the shape it is. */
  readonly holes: readonly number[];
}

/** Undefined where a mark is missing: the text does not depend on the value as it is written. */
export function learn(
  marked: string,
  classes: readonly UniformClass[],
  marks: readonly string[],
  mayLack: readonly UniformClass[],
): Template | undefined {
  const printed = classes.map(({ printed: print }, index) => (print ? print(marks[index]!) : marks[index]!));
  const found: { readonly at: number; readonly hole: number }[] = [];
  for (const [hole, text] of printed.entries()) {
    let count = 0;
    for (let at = marked.indexOf(text); at !== -1; at = marked.indexOf(text, at + text.length)) {
      if (isWord(marked[at - 1]) && isWord(text[0])) return undefined;
      if (isWord(marked[at + text.length]) && isWord(text.at(-1))) return undefined;
      found.push({ at, hole });
      count++;
    }
    if (count === 0 && !mayLack.includes(classes[hole]!)) return undefined;
  }
  found.sort((a, b) => a.at - b.at);
  const literals: string[] = [];
  let copied = 0;
  for (const { at, hole } of found) {
    if (at < copied) return undefined;
    literals.push(marked.slice(copied, at));
    copied = at + printed[hole]!.length;
  }
  literals.push(marked.slice(copied));
  return { literals, holes: found.map(({ hole }) => hole) };
}

const isWord = (character: string | undefined): boolean => character !== undefined && /[\w.-]/.test(character);

/** The text for one rule. */
export function fill({ literals, holes }: Template, scan: Scan, rule: number): string {
  const { classes } = scan.shapes[scan.rules.shape[rule]!]!;
  let filled = literals[0]!;
  for (let index = 0; index < holes.length; index++) {
    const hole = holes[index]!;
    const value = holeText(scan, rule, hole);
    const { printed } = classes[hole]!;
    filled += printed ? printed(value) : value;
    filled += literals[index + 1]!;
  }
  return filled;
}
