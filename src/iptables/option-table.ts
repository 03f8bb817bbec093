/**
 * Which option a spelling means: getopt_long over the options of iptables and of the extensions loaded so far in the rule
 * (xtables_merge_options of libxtables: iptables' own options come first, then those of the newest extension).
 */

import type { MatchExtension, OptionDefinition, TargetExtension } from "../extensions/extension.js";

export type Extension = MatchExtension | TargetExtension;

/** An option of iptables itself. */
export interface BuiltInOption {
  /** The full name, without dashes. */
  readonly name: string;
  readonly letter: string;
  readonly argument: "none" | "required" | "optional";
}

/** Source: `man iptables`, and the option table of iptables 1.8.9, which decides what an abbreviation may mean. */
const builtIns: readonly BuiltInOption[] = [
  { name: "append", letter: "A", argument: "required" },
  { name: "delete", letter: "D", argument: "required" },
  { name: "check", letter: "C", argument: "required" },
  { name: "insert", letter: "I", argument: "required" },
  { name: "replace", letter: "R", argument: "required" },
  { name: "list", letter: "L", argument: "optional" },
  { name: "list-rules", letter: "S", argument: "optional" },
  { name: "flush", letter: "F", argument: "optional" },
  { name: "zero", letter: "Z", argument: "optional" },
  { name: "new-chain", letter: "N", argument: "required" },
  { name: "delete-chain", letter: "X", argument: "optional" },
  { name: "rename-chain", letter: "E", argument: "required" },
  { name: "policy", letter: "P", argument: "required" },
  { name: "source", letter: "s", argument: "required" },
  { name: "destination", letter: "d", argument: "required" },
  { name: "protocol", letter: "p", argument: "required" },
  { name: "in-interface", letter: "i", argument: "required" },
  { name: "jump", letter: "j", argument: "required" },
  { name: "table", letter: "t", argument: "required" },
  { name: "match", letter: "m", argument: "required" },
  { name: "numeric", letter: "n", argument: "none" },
  { name: "out-interface", letter: "o", argument: "required" },
  { name: "verbose", letter: "v", argument: "none" },
  { name: "wait", letter: "w", argument: "optional" },
  { name: "wait-interval", letter: "W", argument: "optional" },
  { name: "exact", letter: "x", argument: "none" },
  { name: "fragments", letter: "f", argument: "none" },
  { name: "version", letter: "V", argument: "none" },
  { name: "help", letter: "h", argument: "optional" },
  { name: "line-numbers", letter: "0", argument: "none" },
  { name: "modprobe", letter: "M", argument: "required" },
  { name: "set-counters", letter: "c", argument: "required" },
  { name: "goto", letter: "g", argument: "required" },
  { name: "ipv4", letter: "4", argument: "none" },
  { name: "ipv6", letter: "6", argument: "none" },
];

const byLetter: ReadonlyMap<string, BuiltInOption> = new Map(builtIns.map((option) => [option.letter, option]));

export function builtInOption(letter: string): BuiltInOption | undefined {
  return byLetter.get(letter);
}

const builtInResolutions: ReadonlyMap<string, Resolution> = new Map(
  [
    ...builtIns.map((option) => [option.name, option] as const),
    ["src", byLetter.get("s")!] as const,
    ["dst", byLetter.get("d")!] as const,
  ].map(([spelling, option]) => [spelling, { kind: "built-in", option }]),
);

export type Resolution =
  | { readonly kind: "built-in"; readonly option: BuiltInOption }
  /** `index` counts the extensions loaded in the rule, from 0. */
  | {
      readonly kind: "extension";
      readonly index: number;
      readonly extension: Extension;
      readonly name: string;
      readonly definition: OptionDefinition<unknown>;
    }
  | { readonly kind: "ambiguous"; readonly spellings: readonly string[] }
  /** It may belong to an extension that is not known here. */
  | { readonly kind: "unknowable" }
  | { readonly kind: "none" };

const none: Resolution = { kind: "none" };
const unknowable: Resolution = { kind: "unknowable" };

/** What is looked up in an extension's option table, once for all rules. */
export interface OptionIndex {
  readonly extension: Extension;
  /** Every full spelling. */
  readonly spellings: ReadonlyMap<string, { readonly name: string; readonly definition: OptionDefinition<unknown> }>;
  readonly required: readonly string[];
  readonly excluding: readonly { readonly name: string; readonly excluded: readonly string[] }[];
}

const indexes = new WeakMap<Extension, OptionIndex>();

export function optionIndex(extension: Extension): OptionIndex {
  const known = indexes.get(extension);
  if (known !== undefined) return known;
  const spellings = new Map<string, { name: string; definition: OptionDefinition<unknown> }>();
  const required: string[] = [];
  const excluding: { name: string; excluded: readonly string[] }[] = [];
  for (const [name, definition] of Object.entries(extension.options)) {
    for (const spelling of [name, ...(definition.aliases ?? [])]) spellings.set(spelling, { name, definition });
    if (definition.required === true) required.push(name);
    if (definition.excludes !== undefined) excluding.push({ name, excluded: definition.excludes });
  }
  const index = { extension, spellings, required, excluding };
  indexes.set(extension, index);
  return index;
}

/**
 * The options that can be given at one place of a rule. Scopes form a tree whose paths are the orders in which extensions
 * were loaded; rules of the same make share them, and with them what has been resolved before.
 */
export class OptionScope {
  /** Number of extensions loaded, less one. */
  readonly depth: number;
  /** Whether some extension on the path is not known here. */
  readonly hasUnknown: boolean;
  private readonly resolved = new Map<string, Resolution>();
  private readonly children = new Map<OptionIndex | undefined, OptionScope>();

  private constructor(
    private readonly tree: { size: number },
    private readonly parent: OptionScope | undefined,
    /** `undefined` for an extension that is not known here. */
    private readonly index: OptionIndex | undefined,
  ) {
    this.depth = parent === undefined ? -1 : parent.depth + 1;
    this.hasUnknown = parent !== undefined && (index === undefined || parent.hasUnknown);
  }

  static root(): OptionScope {
    return new OptionScope({ size: 0 }, undefined, undefined);
  }

  /** The scope after one more extension. */
  load(extension: Extension | undefined): OptionScope {
    const index = extension === undefined ? undefined : optionIndex(extension);
    let child = this.children.get(index);
    if (child === undefined) {
      child = new OptionScope(this.tree, this, index);
      // Real rulesets have some dozens of orders; a hostile one must not fill the memory with new ones.
      if (this.tree.size++ < 10_000) this.children.set(index, child);
    }
    return child;
  }

  /** The option that a spelling without dashes means: an exact name first, then an abbreviation of only one option. */
  resolve(spelling: string): Resolution {
    let resolution = this.resolved.get(spelling);
    if (resolution === undefined) {
      resolution = this.exact(spelling) ?? (this.hasUnknown ? unknowable : this.abbreviated(spelling));
      if (this.resolved.size < 1_000) this.resolved.set(spelling, resolution);
    }
    return resolution;
  }

  private exact(spelling: string): Resolution | undefined {
    const builtIn = builtInResolutions.get(spelling);
    if (builtIn !== undefined) return builtIn;
    for (let scope: OptionScope = this; scope.parent !== undefined; scope = scope.parent) {
      // An unknown extension hides the older ones: the option may be its own.
      if (scope.index === undefined) return undefined;
      const option = scope.index.spellings.get(spelling);
      if (option !== undefined) return { kind: "extension", index: scope.depth, extension: scope.index.extension, ...option };
    }
    return undefined;
  }

  private abbreviated(spelling: string): Resolution {
    const found: { spelling: string; resolution: Resolution }[] = [];
    for (const [full, resolution] of builtInResolutions) {
      if (full.startsWith(spelling)) found.push({ spelling: full, resolution });
    }
    for (let scope: OptionScope = this; scope.parent !== undefined; scope = scope.parent) {
      if (scope.index === undefined) continue;
      const { extension, spellings } = scope.index;
      for (const [full, option] of spellings) {
        if (full.startsWith(spelling))
          found.push({ spelling: full, resolution: { kind: "extension", index: scope.depth, extension, ...option } });
      }
    }
    const [first, ...others] = found;
    if (first === undefined) return none;
    // Two spellings of one option are no ambiguity, and of an extension loaded twice the newest is meant; the same name in
    // two extensions is one.
    if (others.every(({ resolution }) => isSameOption(resolution, first.resolution))) return first.resolution;
    return { kind: "ambiguous", spellings: [...new Set(found.map((candidate) => candidate.spelling))] };
  }
}

function isSameOption(a: Resolution, b: Resolution): boolean {
  if (a.kind === "built-in") return b.kind === "built-in" && a.option === b.option;
  return a.kind === "extension" && b.kind === "extension" && a.extension === b.extension && a.name === b.name;
}
