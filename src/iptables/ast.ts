/** The iptables side as data: what an iptables-save text says once its options are bound to their matches and targets. */

import type { Span } from "../diagnostic.js";

export type Family = "ipv4" | "ipv6";
export type TableName = "raw" | "mangle" | "nat" | "filter" | "security";

export interface IptablesRuleset {
  readonly family: Family;
  /** In the order of their COMMITs; a table given twice appears once, as given last. */
  readonly tables: readonly IptablesTable[];
}

export interface IptablesTable {
  readonly name: TableName;
  readonly span: Span;
  /** Built-in chains in hook order, then user chains in the order of their declaration. */
  readonly chains: readonly IptablesChain[];
}

export interface IptablesChain {
  readonly name: string;
  readonly span: Span;
  /** Only built-in chains have one. */
  readonly policy?: "ACCEPT" | "DROP";
  /** Of the policy. */
  readonly counters?: Counters;
  readonly rules: readonly IptablesRule[];
}

export interface Counters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface IptablesRule {
  readonly span: Span;
  /** The rule as written, without its counters. */
  readonly text: string;
  readonly counters?: Counters;
  readonly source?: OptionUse<AddressMask>;
  readonly destination?: OptionUse<AddressMask>;
  /** Interface names may end in `+`. */
  readonly inInterface?: OptionUse<string>;
  readonly outInterface?: OptionUse<string>;
  /** Protocol number; 0 stands for all. */
  readonly protocol?: OptionUse<number>;
  /** `-f`: second and further fragments only. */
  readonly fragment?: OptionUse<undefined>;
  /** In the order written, which is the order of their evaluation. */
  readonly matches: readonly ExtensionUse[];
  readonly target?: IptablesTarget;
}

export type IptablesTarget =
  | { readonly kind: "chain"; readonly chain: string; readonly goto: boolean; readonly span: Span }
  | ({ readonly kind: "extension" } & ExtensionUse);

/** One `-m name …` or `-j NAME …` with the options bound to it. */
export interface ExtensionUse {
  /** The name as the registry has it. */
  readonly extension: string;
  readonly span: Span;
  /** By the option's full name. Values have the type of the option's parser. */
  readonly options: Readonly<Record<string, OptionUse<unknown>>>;
  /** The registry has no such extension: its options could not be read. */
  readonly unknown?: boolean;
}

export interface OptionUse<Value> {
  /** The option's full name, without dashes. */
  readonly name: string;
  readonly value: Value;
  /** The argument as written. */
  readonly text: string;
  readonly inverted: boolean;
  readonly span: Span;
}

/** An address and a mask of the same family, as numbers; host bits of the address are cleared. */
export interface AddressMask {
  readonly family: Family;
  readonly address: bigint;
  readonly mask: bigint;
}
