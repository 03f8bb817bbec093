/** What one line of a ruleset or script asks of its table. */

import type { Word } from "../../grammar/syntax.js";
import type { Counters, IptablesRule } from "./ast.js";

export type CommandName =
  | "append"
  | "insert"
  | "delete"
  | "replace"
  | "check"
  | "list"
  | "list-rules"
  | "flush"
  | "zero"
  | "new-chain"
  | "delete-chain"
  | "rename-chain"
  | "policy";

/** What one line asks for. */
export interface Command {
  readonly name: CommandName;
  readonly line: number;
  /** The first and last word of the command's option with its arguments, to be blamed. */
  readonly first: Word;
  readonly last: Word;
  /** The word that names the chain. */
  readonly chain: Word | undefined;
  /** Counted from 1; for insert, delete, replace and zero. */
  readonly position: number | undefined;
  /** Policy, or a renamed chain's new name. */
  readonly argument: string | undefined;
  readonly counters: Counters | undefined;
  /** One rule for each combination of the addresses given. */
  readonly rules: readonly IptablesRule[];
}

/** By the letter of the option. */
export const commandNames: Readonly<Record<string, CommandName>> = {
  A: "append",
  I: "insert",
  D: "delete",
  R: "replace",
  C: "check",
  L: "list",
  S: "list-rules",
  F: "flush",
  Z: "zero",
  N: "new-chain",
  X: "delete-chain",
  E: "rename-chain",
  P: "policy",
};
/** Those that take a rule. */
export const ruleCommands: ReadonlySet<CommandName> = new Set(["append", "insert", "delete", "replace", "check"]);

/** The value of a command that reads a number as xtables_strtoui does: decimal, octal or hexadecimal. */
export function ruleNumber(text: string): number | undefined {
  if (!/^(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,11})$/.test(text)) return undefined;
  const value = /^0[0-7]+$/.test(text) ? parseInt(text, 8) : Number(text);
  return value >= 1 && value <= 0x7fffffff ? value : undefined;
}
