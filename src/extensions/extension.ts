/**
 * What an iptables extension is to the translator: an option table as data, and a function from the bound options to
 * nft statements or to a reason why there are none.
 */

import type { DiagnosticCode } from "../diagnostic.js";
import type { Geoip } from "../geoip/ranges.js";
import type { Ipset } from "../ipset/ast.js";
import type { Family, IptablesRule, IptablesRuleset, OptionUse, TableName } from "../iptables/ast.js";
import type { Hook, Statement } from "../nft/ast.js";
import type { Declare } from "./declarations.js";
import type { Judgement, MatchFacts, TargetFacts } from "./facts.js";

// -------------------------------------------------------------------------------------------------- options

/** Why a value is not one; a whole phrase that follows `option "--x": `, lower case, no full stop. */
export class Invalid {
  constructor(readonly reason: string) {}
}

/** A class of texts that mean values of which no extension treats one differently from another. */
export interface UniformClass {
  readonly name: string;
  /** Where a text of the class ends that starts at `at` of the line that ends at `end`, in ASCII; -1 if none starts there. */
  readonly scan: (bytes: Uint8Array, at: number, end: number) => number;
  /** A regular expression for texts of the class, not all, before what stands behind them up to the line's end; undefined for none. */
  readonly pattern: ((behind: string) => string | undefined) | undefined;
  /** A text of the class that is hardly found elsewhere, another for each number from 0 to 9; put in the place of `replaced`. */
  readonly marker: (number: number, replaced: string, behind: string) => string;
  /** What nft's text holds in its place; undefined for the same text. */
  readonly printed: ((text: string) => string) | undefined;
  /** A line may have one of it, because the texts of several are written as one. */
  readonly once: true | undefined;
}

/** Reads an option's argument; never throws. With `words: 2` the text holds both words, separated by one blank. */
export interface ValueParser<Value> {
  (text: string, context: { readonly family: Family }): Value | Invalid;
  /** Texts of which no extension treats one otherwise than another; none unless told. */
  readonly uniform?: readonly UniformClass[];
}

export interface OptionDefinition<Value> {
  /** Other full spellings (`dport` for `destination-port`). Abbreviations need not be listed. */
  readonly aliases?: readonly string[];
  /** Single-letter spelling, where there is one. */
  readonly short?: string;
  /** Absent: the option takes no argument. */
  readonly value?: ValueParser<Value>;
  /** How many words the argument has (1 unless told). */
  readonly words?: 1 | 2;
  /** The argument may be left out; the parser then gets the empty text. */
  readonly optional?: boolean;
  readonly invertible?: boolean;
  /** The extension cannot do without it. */
  readonly required?: boolean;
  /** May be given several times; the value in `OptionUse` is then that of the last, and `all` is not kept. */
  readonly repeatable?: boolean;
  /** Full names of options that cannot stand beside it. */
  readonly excludes?: readonly string[];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each option has a value type of its own
export type OptionDefinitions = Readonly<Record<string, OptionDefinition<any>>>;

type ValueOf<Definition> = Definition extends { readonly value: ValueParser<infer Value> } ? Value : undefined;
export type OptionUses<Definitions extends OptionDefinitions> = {
  readonly [Name in keyof Definitions]?: OptionUse<ValueOf<Definitions[Name]>>;
};

// ------------------------------------------------------------------------------------------------- results

/** Something to tell the user about one extension; `at` blames an option, else the extension is blamed. */
export interface Remark {
  /** `approximate-match`, `approximate-target` or `option-without-effect` unless told. */
  readonly code?: DiagnosticCode;
  /** Follows `match "x": ` or `target "X": `; lower case, no full stop. For approximations: how and in which direction it differs. */
  readonly message: string;
  readonly help?: string;
  readonly at?: OptionUse<unknown> | undefined;
  /** Of a rule that does not do what it did: as in a diagnostic. */
  readonly without?: string | undefined;
}

interface Remarks {
  /** Differences in verdicts. */
  readonly approximations?: readonly Remark[];
  /** Things changed without a difference in verdicts. */
  readonly notes?: readonly Remark[];
}

/** Statements that all have to match, left to right. */
export interface Statements extends Remarks {
  readonly statements: readonly Statement[];
}
/** Groups of statements of which at most one can match the same packet; the match holds if one does. */
export interface Alternatives extends Remarks {
  readonly alternatives: readonly (readonly Statement[])[];
}
/** The match holds where none of these groups does. */
export interface Unless extends Remarks {
  readonly unless: readonly (readonly Statement[])[];
}
/** The match holds if any of these groups does; several may match the same packet. */
export interface AnyOf extends Remarks {
  readonly anyOf: readonly (readonly Statement[])[];
}
/** The match never holds, for any packet; says why. */
export interface Never extends Remarks {
  readonly never: string;
}
/** Text for the rule's own comment. */
export interface Comment extends Remarks {
  readonly comment: string;
}
/** There is no nft form; a whole phrase that follows `match "x" cannot be translated: `. */
export interface Untranslatable {
  readonly untranslatable: string;
  readonly help?: string;
  readonly at?: OptionUse<unknown> | undefined;
}

export type MatchTranslation = Statements | Alternatives | AnyOf | Unless | Never | Comment | Untranslatable;
/** Statements in order; a verdict, if any, is the last. */
export type TargetTranslation = Statements | Untranslatable;

/** What `-m set` and `-j SET` may know of ipset. */
export interface Ipsets {
  readonly sets: ReadonlyMap<string, Ipset>;
  /** Rules of both families are translated, each into a table of its own. */
  readonly twoFamilies: boolean;
}

/** What an extension may know of the rule it stands in, and how it asks for objects of the table. */
export interface RuleContext {
  readonly family: Family;
  readonly table: TableName;
  readonly rule: IptablesRule;
  /** All tables of the rule's family, for matches whose state is shared by name. */
  readonly ruleset?: IptablesRuleset;
  /** The hooks from which the rule's chain can be reached; empty for an unreferenced chain. */
  readonly hooks: ReadonlySet<Hook>;
  /** Number of `-p`, unless absent, inverted or `all`. */
  readonly protocol: number | undefined;
  /** The sets of the `ipset save` files; none without a file. */
  readonly ipsets?: Ipsets;
  /** The addresses of countries; none without data. */
  readonly geoip?: Geoip;
  /** Absent where the rule by itself decides nothing for good, as a jump or an ACCEPT of the nat table, and where nobody is told. */
  readonly judgement?: Judgement | undefined;
  /** Connections are tracked, and so fragments are put together before any chain sees them. */
  readonly reassembles?: boolean;
  /** Write counters. */
  readonly counters?: boolean;
  /** What sets hold at run time is kept when the script is loaded again. */
  readonly keepSets?: boolean;
  /** Elements a dynamic set may hold (`--set-size`). */
  readonly setSize: number;
  /** Takes what the rule wants declared in our table; translating has no other effect. */
  readonly declare: Declare;
}

// ---------------------------------------------------------------------------------------------- definitions

interface ExtensionDefinition<Definitions extends OptionDefinitions> {
  /** As written after `-m` or `-j`. */
  readonly name: string;
  /** Other names of the same extension (`icmpv6` for `icmp6`). */
  readonly aliases?: readonly string[];
  /** The one family that has it; both if absent. */
  readonly family?: Family;
  /** No kernel of today has it, or only one with a module from elsewhere: its options are not read, whatever they are. */
  readonly unavailable?: { readonly reason: string; readonly help: string };
  readonly options: Definitions;
  /**
   * Combinations that iptables refuses; a phrase like that of an `Invalid` value. Options that are `required` or
   * `excludes` each other are checked already.
   */
  check?(options: OptionUses<Definitions>, context: CheckContext): Invalid | undefined;
  /**
   * What iptables compares of it to find a rule again (`-D`, `-C`): plain data, with what is not written filled in. The options as they are
   * unless told. Tested on the kernel: test/kernel/same-rules.test.ts.
   */
  compared?(options: OptionUses<Definitions>, context: Pick<CheckContext, "family">): unknown;
}

export interface CheckContext {
  readonly family: Family;
  readonly table: TableName;
  readonly chain: string;
  readonly protocol: number | undefined;
  /** `! -p`: then `protocol` is undefined although a protocol is named. */
  readonly protocolInverted: boolean;
}

export interface MatchExtension<Definitions extends OptionDefinitions = OptionDefinitions> extends ExtensionDefinition<Definitions> {
  /** Protocol numbers whose `-p` loads this match when an option of its is met without `-m`, and without which it is refused. */
  readonly protocols?: readonly number[];
  readonly facts: MatchFacts<Definitions>;
  translate(options: OptionUses<Definitions>, context: RuleContext): MatchTranslation;
}

export interface TargetExtension<Definitions extends OptionDefinitions = OptionDefinitions> extends ExtensionDefinition<Definitions> {
  /** The tables the kernel allows it in; all if absent. */
  readonly tables?: readonly TableName[];
  /** The hooks the kernel allows it in; all if absent. */
  readonly hooks?: readonly Hook[];
  readonly facts: TargetFacts<Definitions>;
  translate(options: OptionUses<Definitions>, context: RuleContext): TargetTranslation;
}

/** Types an extension's `translate` by its own option table, then forgets the table's type so that the registry can list it. */
export function defineMatch<const Definitions extends OptionDefinitions>(extension: MatchExtension<Definitions>): MatchExtension {
  return extension as unknown as MatchExtension;
}

export function defineTarget<const Definitions extends OptionDefinitions>(extension: TargetExtension<Definitions>): TargetExtension {
  return extension as unknown as TargetExtension;
}
