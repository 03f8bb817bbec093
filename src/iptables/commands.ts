/** A table while it is being filled: what `-A`, `-I`, `-D`, `-N`, … do to it, as iptables-restore lets them. */

import { didYouMean } from "../did-you-mean.js";
import { diagnostic, type Diagnostic, type DiagnosticCode, type Span } from "../diagnostic.js";
import type { MatchExtension, OptionDefinitions, OptionUses, TargetExtension } from "../extensions/extension.js";
import { findMatch, findTarget } from "../extensions/registry.js";
import type {
  AddressMask,
  Counters,
  ExtensionUse,
  Family,
  IptablesChain,
  IptablesRule,
  IptablesTable,
  OptionUse,
  TableName,
} from "./ast.js";
import type { Command } from "./command.js";
import type { ReaderTable } from "./rule-reader.js";
import { builtInChains, byteLength, longestChainName, verdictNames } from "./tables.js";

type Policy = "ACCEPT" | "DROP";
const zeroCounters: Counters = { packets: 0n, bytes: 0n };

/** A jump's chain as it stands in a rule; changed when the chain is renamed. */
interface Jump {
  chain: string;
}

class ChainState {
  span: Span;
  /** Whether the dump names the chain; those it does not name are left out. */
  named: boolean;
  policy: Policy = "ACCEPT";
  counters: Counters | undefined;
  /** Rules that jump here. */
  references = 0;
  readonly jumps: Jump[] = [];
  /** Rules inserted at the top, last first, so that neither appending nor inserting moves the others. */
  private top: IptablesRule[] = [];
  private bottom: IptablesRule[] = [];
  /** The keys of the rules, as far as they are known, from the first one on. */
  private keys: number[] = [];

  constructor(
    public name: string,
    readonly builtIn: boolean,
    span: Span,
  ) {
    this.span = span;
    this.named = !builtIn;
  }

  get length(): number {
    return this.top.length + this.bottom.length;
  }

  append(rule: IptablesRule): void {
    this.bottom.push(rule);
  }

  /** `position` counts from 1 and is at most the number of rules and one more. */
  insert(position: number, rule: IptablesRule): void {
    if (position === 1) this.top.push(rule);
    else this.rules().splice(position - 1, 0, rule);
    this.forgetKeys();
  }

  replace(position: number, rule: IptablesRule): void {
    this.rules()[position - 1] = rule;
    this.forgetKeys();
  }

  removeAt(index: number): IptablesRule | undefined {
    this.keys.splice(index, 1);
    return this.rules().splice(index, 1)[0];
  }

  /** The index of the first rule equal to this one, or -1. */
  find(wanted: IptablesRule, keys: RuleKeys): number {
    const rules = this.rules();
    for (let index = this.keys.length; index < rules.length; index++) this.keys.push(keys.of(rules[index]!));
    return this.keys.indexOf(keys.of(wanted));
  }

  forgetKeys(): void {
    if (this.keys.length > 0) this.keys = [];
  }

  /** All rules in order; the array is the chain's own. */
  rules(): IptablesRule[] {
    if (this.top.length > 0) {
      this.bottom = this.top.reverse().concat(this.bottom);
      this.top = [];
    }
    return this.bottom;
  }

  clear(): void {
    this.top = [];
    this.bottom = [];
    this.forgetKeys();
  }
}

/** Numbers that two rules share if iptables takes them for the same. */
class RuleKeys {
  private readonly numbers = new Map<string, number>();

  constructor(private readonly family: Family) {}

  of(rule: IptablesRule): number {
    const text = ruleKey(rule, this.family);
    let number = this.numbers.get(text);
    if (number === undefined) this.numbers.set(text, (number = this.numbers.size));
    return number;
  }
}

/** A text that two rules share if iptables takes them for the same: values count, not how they are written. */
function ruleKey(rule: IptablesRule, family: Family): string {
  const { source, destination, inInterface, outInterface, protocol, fragment, matches, target } = rule;
  const compared = (use: ExtensionUse, extension: MatchExtension | TargetExtension | undefined): unknown =>
    use.unknown || !extension?.compared
      ? use
      : [use.extension, extension.compared(use.options as OptionUses<OptionDefinitions>, { family })];
  const parts = [
    [source, destination].map((address) => (address && isAnywhere(address) ? undefined : address)),
    [inInterface, outInterface].map((name) => (name?.value === "+" && !name.inverted ? undefined : name)),
    protocol?.value === 0 && !protocol.inverted ? undefined : protocol,
    fragment,
    matches.map((use) => compared(use, findMatch(use.extension))),
    target?.kind === "extension" ? compared(target, findTarget(target.extension)) : target,
  ];
  return canonical(parts);
}

function isAnywhere({ value, inverted }: OptionUse<AddressMask>): boolean {
  return value.mask === 0n && !inverted;
}

function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return typeof value === "string" ? JSON.stringify(value) : String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value instanceof Set) return `{${[...value].map(canonical).sort().join()}}`;
  const entries: [unknown, unknown][] =
    value instanceof Map
      ? [...value]
      : Object.entries(value).filter(([key, entry]) => key !== "span" && key !== "text" && entry !== undefined);
  return `{${entries
    .map(([key, entry]) => `${canonical(key)}:${canonical(entry)}`)
    .sort()
    .join()}}`;
}

export class TableState implements ReaderTable {
  private readonly chains = new Map<string, ChainState>();
  private readonly keys: RuleKeys;

  constructor(
    readonly name: TableName,
    readonly span: Span,
    private readonly diagnostics: Diagnostic[],
    family: Family,
  ) {
    this.keys = new RuleKeys(family);
    for (const chain of builtInChains[name]) this.chains.set(chain, new ChainState(chain, true, span));
  }

  chainKind(name: string): "built-in" | "user" | undefined {
    const chain = this.chains.get(name);
    return chain === undefined ? undefined : chain.builtIn ? "built-in" : "user";
  }

  chainNames(): readonly string[] {
    return [...this.chains.keys()];
  }

  private fail(code: DiagnosticCode, span: Span, message: string, help?: string): void {
    this.diagnostics.push(diagnostic(code, span, message, help));
  }

  /** iptables-restore empties the table but does not touch the policies, which the earlier section may have set. */
  inheritPolicies(earlier: IptablesTable): void {
    for (const chain of earlier.chains) {
      const state = this.chains.get(chain.name);
      if (state === undefined || chain.policy === undefined) continue;
      state.policy = chain.policy;
      state.counters = chain.counters;
      state.named = true;
    }
  }

  /** `:chain policy counters` */
  declare(name: string, nameSpan: Span, policy: string, policySpan: Span, counters: Counters | undefined): void {
    let chain = this.chains.get(name);
    if (chain?.builtIn !== true) {
      const existed = chain !== undefined;
      if (existed) this.fail("duplicate-chain", nameSpan, `chain "${name}" is declared twice`);
      else if (verdictNames.has(name)) this.fail("invalid-chain-name", nameSpan, `"${name}" is a target and cannot be the name of a chain`);
      else if (isTooLong(name))
        this.fail("invalid-chain-name", nameSpan, `the chain name "${name}" is longer than ${longestChainName} bytes`);
      // Declared all the same: one error is enough.
      chain ??= this.create(name, nameSpan);
    }
    if (!chain.named) {
      chain.named = true;
      chain.span = nameSpan;
    }
    if (policy !== "-") this.setPolicy(chain, policy, policySpan, counters);
  }

  private create(name: string, span: Span): ChainState {
    const chain = new ChainState(name, false, span);
    this.chains.set(name, chain);
    return chain;
  }

  private setPolicy(chain: ChainState, policy: string, span: Span, counters: Counters | undefined): void {
    if (!chain.builtIn) {
      this.fail("invalid-policy", span, `chain "${chain.name}" is not built in and has no policy but "-"`);
    } else if (policy !== "ACCEPT" && policy !== "DROP") {
      this.fail("invalid-policy", span, `"${policy}" is neither ACCEPT nor DROP`);
    } else {
      chain.policy = policy;
      chain.counters = counters;
      chain.named = true;
    }
  }

  private failMissing(command: Command): void {
    const name = command.chain?.text ?? "";
    const help = didYouMean(name, this.chainNames());
    this.fail("undeclared-chain", this.chainSpan(command), `table "${this.name}" has no chain "${name}"`, help);
  }

  /** The span of the command's option with its arguments. */
  private spanOf({ line, first, last }: Command): Span {
    return { file: this.span.file, line, column: first.column, length: last.column + last.length - first.column };
  }

  private chainSpan({ line, first, chain = first }: Command): Span {
    return { file: this.span.file, line, column: chain.column, length: chain.length };
  }

  /** Carries out a command; what is wrong with it goes to the diagnostics. */
  apply(command: Command): void {
    const { name } = command;
    const chainName = command.chain?.text ?? "";
    switch (name) {
      case "new-chain":
        return this.newChain(chainName, this.chainSpan(command));
      case "list":
      case "list-rules":
        if (command.chain !== undefined && !this.chains.has(chainName)) this.failMissing(command);
        return;
      case "flush":
      case "zero":
      case "delete-chain":
        return this.applyToChains(command);
      default:
    }
    const chain = this.chains.get(chainName);
    if (chain === undefined) return this.failMissing(command);
    switch (name) {
      case "append":
        for (const rule of command.rules) {
          this.refer(rule, 1);
          chain.append(rule);
        }
        chain.named = true;
        return;
      case "insert":
        return this.insert(chain, command);
      case "replace":
        return this.replace(chain, command);
      case "delete":
        return this.delete(chain, command);
      case "check":
        for (const rule of command.rules) this.find(chain, rule, command);
        return;
      case "policy":
        return this.policy(chain, command);
      case "rename-chain":
        return this.rename(chain, command);
    }
  }

  /** Counts a rule's jump, when it enters (1) or leaves (-1) a chain. */
  private refer(rule: IptablesRule, change: 1 | -1): void {
    const { target } = rule;
    if (target?.kind !== "chain") return;
    const chain = this.chains.get(target.chain);
    if (chain === undefined) return;
    chain.references += change;
    if (change === 1) chain.jumps.push(target);
  }

  private failPosition(chain: ChainState, command: Command): void {
    this.fail("invalid-value", this.spanOf(command), `chain "${chain.name}" has only ${chain.length} rules`);
  }

  private insert(chain: ChainState, command: Command): void {
    const { position = 1, rules } = command;
    chain.named = true;
    // Each rule of a list goes to the same place, before the one inserted last.
    for (const rule of rules) {
      if (position > chain.length + 1) return this.failPosition(chain, command);
      this.refer(rule, 1);
      chain.insert(position, rule);
    }
  }

  private replace(chain: ChainState, command: Command): void {
    const {
      position = 1,
      rules: [rule],
    } = command;
    if (rule === undefined) return;
    const old = chain.rules()[position - 1];
    if (old === undefined) return this.failPosition(chain, command);
    this.refer(old, -1);
    this.refer(rule, 1);
    chain.replace(position, rule);
  }

  private delete(chain: ChainState, command: Command): void {
    const { position, rules } = command;
    if (position !== undefined) {
      if (position > chain.length) return this.failPosition(chain, command);
      return this.removeAt(chain, position - 1);
    }
    for (const rule of rules) {
      const index = this.find(chain, rule, command);
      if (index !== undefined) this.removeAt(chain, index);
    }
  }

  private removeAt(chain: ChainState, index: number): void {
    const removed = chain.removeAt(index);
    if (removed !== undefined) this.refer(removed, -1);
  }

  /** The index of the first rule equal to this one; an error if there is none. */
  private find(chain: ChainState, wanted: IptablesRule, command: Command): number | undefined {
    const index = chain.find(wanted, this.keys);
    if (index !== -1) return index;
    this.fail("invalid-value", this.spanOf(command), `chain "${chain.name}" has no such rule`);
    return undefined;
  }

  private policy(chain: ChainState, command: Command): void {
    const { argument = "", counters } = command;
    const span = this.spanOf(command);
    if (this.name === "nat" && argument === "DROP") {
      return this.fail("invalid-policy", span, 'iptables does not let "-P" drop packets in the nat table');
    }
    this.setPolicy(chain, argument, span, counters);
  }

  private newChain(name: string, span: Span): void {
    if (this.chains.has(name)) this.fail("duplicate-chain", span, `chain "${name}" exists already`);
    else if (this.isValidName(name, span)) this.create(name, span);
  }

  private isValidName(name: string, span: Span): boolean {
    const reason = verdictNames.has(name)
      ? "is a target"
      : isTooLong(name)
        ? `is longer than ${longestChainName} bytes`
        : name === ""
          ? "is empty"
          : /^[-!]/.test(name)
            ? `starts with "${name.charAt(0)}"`
            : /[ \t]/.test(name)
              ? "holds a blank"
              : undefined;
    if (reason !== undefined) this.fail("invalid-chain-name", span, `the chain name "${name}" ${reason}`);
    return reason === undefined;
  }

  private rename(chain: ChainState, command: Command): void {
    const { argument = "" } = command;
    const span = this.spanOf(command);
    if (chain.builtIn) return this.fail("invalid-command", span, `"${chain.name}" is a built-in chain, which cannot be renamed`);
    if (this.chains.has(argument)) return this.fail("duplicate-chain", span, `chain "${argument}" exists already`);
    if (!this.isValidName(argument, span)) return;
    this.chains.delete(chain.name);
    chain.name = argument;
    this.chains.set(argument, chain);
    for (const jump of chain.jumps) jump.chain = argument;
    for (const other of this.chains.values()) other.forgetKeys();
  }

  /** `-F`, `-Z`, `-X`: of one chain, or of all. */
  private applyToChains(command: Command): void {
    const { name, chain: named, position } = command;
    let chains: Iterable<ChainState> = [...this.chains.values()];
    if (named !== undefined) {
      const chain = this.chains.get(named.text);
      if (chain === undefined) return this.failMissing(command);
      chains = [chain];
    }
    for (const chain of chains) {
      if (name === "flush") this.flush(chain);
      else if (name === "zero") zero(chain, position);
      else if (!chain.builtIn || named !== undefined) this.deleteChain(chain, this.spanOf(command));
    }
  }

  /** Takes all rules out of a chain that is there. */
  empty(name: string): void {
    const chain = this.chains.get(name);
    if (chain !== undefined) this.flush(chain);
  }

  private flush(chain: ChainState): void {
    for (const rule of chain.rules()) this.refer(rule, -1);
    chain.clear();
  }

  private deleteChain(chain: ChainState, span: Span): void {
    const reason = chain.builtIn
      ? "is built in"
      : chain.references > 0
        ? "is still jumped to"
        : chain.length > 0
          ? "still has rules"
          : undefined;
    if (reason === undefined) this.chains.delete(chain.name);
    else this.fail("invalid-command", span, `chain "${chain.name}" ${reason} and cannot be deleted`);
  }

  /** The table as it stands; chains without a word about them are left out. */
  build(): IptablesTable {
    const chains: IptablesChain[] = [];
    for (const chain of this.chains.values()) {
      if (!chain.named) continue;
      const rules = chain.rules();
      if (!chain.builtIn) chains.push({ name: chain.name, span: chain.span, rules });
      else if (chain.counters === undefined) chains.push({ name: chain.name, span: chain.span, policy: chain.policy, rules });
      else chains.push({ name: chain.name, span: chain.span, policy: chain.policy, counters: chain.counters, rules });
    }
    return { name: this.name, span: this.span, chains };
  }
}

/** Sets the counters of a chain to zero, those of its policy included, or of one rule. */
function zero(chain: ChainState, position: number | undefined): void {
  const rules = chain.rules();
  const zeroed = (rule: IptablesRule): IptablesRule => (rule.counters === undefined ? rule : { ...rule, counters: zeroCounters });
  if (position === undefined) {
    rules.forEach((rule, index) => {
      rules[index] = zeroed(rule);
    });
    if (chain.counters !== undefined) chain.counters = zeroCounters;
    return;
  }
  const rule = rules[position - 1];
  if (rule !== undefined) rules[position - 1] = zeroed(rule);
}

function isTooLong(name: string): boolean {
  return name.length * 3 > longestChainName && byteLength(name) > longestChainName;
}
