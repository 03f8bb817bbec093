/** The words behind which a value may be a hole: spellings of options whose every parser takes the texts of a class alike. */

import type { OptionDefinitions, UniformClass } from "../extensions/extension.js";
import { addressMask } from "../extensions/values/address.js";
import { isMemory } from "../extensions/facts.js";
import { matches, targetNames, targets } from "../extensions/registry.js";

/** What stands behind an option: texts of classes, or the name of a target or of a match. */
export type OptionValue = readonly UniformClass[] | "target" | "match";

export interface OptionWords {
  /** Of the word from one place to another; undefined where the value belongs to the shape. */
  find(bytes: Uint8Array, from: number, to: number): OptionValue | undefined;
  /** Whether the word names a match with a list of `recent`: what stands beside such a rule matters to it. */
  asksList(bytes: Uint8Array, from: number, to: number): boolean;
  /** Whether an extension has the name, so that no chain should. */
  isTarget(name: string): boolean;
}

let known: OptionWords | undefined;

export function optionWords(): OptionWords {
  return (known ??= build());
}

/** iptables' own options of that kind as iptables-save writes them. */
const own: readonly (readonly [word: string, value: OptionValue])[] = [
  ["-s", addressMask.uniform!],
  ["-d", addressMask.uniform!],
  ["-m", "match"],
  ["-j", "target"],
  ["-g", "target"],
];

function build(): OptionWords {
  const classes = new Map<string, readonly UniformClass[]>();
  for (const { options } of [...matches, ...targets]) {
    for (const [spelling, uniform] of spellings(options)) {
      const before = classes.get(spelling) ?? uniform;
      classes.set(
        spelling,
        before.filter((one) => uniform.includes(one)),
      );
    }
  }
  const root = new WordTree<OptionValue>();
  for (const [word, value] of own) root.add(word, value);
  for (const [spelling, value] of classes) if (value.length > 0) root.add(`--${spelling}`, value);
  const extensions = new Set(targetNames);
  const asking = new WordTree<true>();
  for (const { name, aliases = [], facts } of matches) {
    const reads = typeof facts.reads === "function" ? facts.reads({}) : facts.reads;
    const asks = reads.some((matter) => isMemory(matter) && matter.memory === "recent");
    if (asks) for (const word of [name, ...aliases]) asking.add(word, true);
  }
  return {
    asksList: (bytes, from, to) => asking.find(bytes, from, to) === true,
    find: (bytes, from, to) => root.find(bytes, from, to),
    isTarget: (name) => extensions.has(name),
  };
}

function spellings(options: OptionDefinitions): [string, readonly UniformClass[]][] {
  return Object.entries(options).flatMap(([name, { aliases = [], value, words = 1 }]) =>
    [name, ...aliases].map((spelling): [string, readonly UniformClass[]] => [spelling, words === 1 ? (value?.uniform ?? []) : []]),
  );
}

/** Words in one row of numbers: looking one up makes no text of it. */
class WordTree<Value> {
  private next = new Int16Array(256 * letters);
  private readonly values: (Value | undefined)[] = [undefined];

  add(word: string, value: Value): void {
    let node = 0;
    for (let index = 0; index < word.length; index++) {
      const place = node * letters + word.charCodeAt(index);
      if (this.next[place] === 0) {
        this.next[place] = this.values.length;
        this.values.push(undefined);
        if (this.values.length * letters > this.next.length) {
          const wider = new Int16Array(this.next.length * 2);
          wider.set(this.next);
          this.next = wider;
        }
      }
      node = this.next[place]!;
    }
    this.values[node] = value;
  }

  /** @param to behind the word, of which every character is below 128 */
  find(bytes: Uint8Array, from: number, to: number): Value | undefined {
    const { next } = this;
    let node = 0;
    for (let index = from; index < to; index++) {
      node = next[node * letters + bytes[index]!]!;
      if (node === 0) return undefined;
    }
    return this.values[node];
  }
}

const letters = 128;
