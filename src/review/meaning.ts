/**
 * What a rule means, as a text that is equal for rules that mean the same: the order and spelling of options, defaults,
 * counters and comments do not count.
 */

import type { OptionDefinitions, OptionUses, RuleContext } from "../extensions/extension.js";
import { recentUse } from "../extensions/matches/recent.js";
import { findMatch, findTarget } from "../extensions/registry.js";
import type { ExtensionUse, Family, IptablesRule, OptionUse, TableName } from "../iptables/ast.js";
import type { AnonymousSet } from "../nft/ast.js";
import { optionsSayAll, readsOf } from "../extensions/described.js";
import { isVolatile } from "./packets/condition.js";
import { textOf } from "./packets/steps.js";

/** Where a rule stands. */
export interface Place {
  readonly family: Family;
  readonly table: TableName;
}

/** @param chainName the name under which a chain is compared, for chains that have only been renamed */
export function meaningOf(rule: IptablesRule, place: Place, chainName: (name: string) => string = (name) => name): string {
  const context = neutralContext(rule, place);
  const tests: string[] = [
    ...(says(rule.source, ({ mask }) => mask === 0n) ? [`source ${not(rule.source)}${text(rule.source.value)}`] : []),
    ...(says(rule.destination, ({ mask }) => mask === 0n) ? [`destination ${not(rule.destination)}${text(rule.destination.value)}`] : []),
    ...(says(rule.inInterface, (name) => name === "+") ? [`in ${not(rule.inInterface)}${rule.inInterface.value}`] : []),
    ...(says(rule.outInterface, (name) => name === "+") ? [`out ${not(rule.outInterface)}${rule.outInterface.value}`] : []),
    ...(says(rule.protocol, (protocol) => protocol === 0) ? [`protocol ${not(rule.protocol)}${rule.protocol.value}`] : []),
    ...(rule.fragment ? [`fragment ${not(rule.fragment)}`] : []),
    // Where the kernel puts no fragments together, later ones have no header that a match could read.
    ...(rule.matches.some((use) => readsOf(use).includes("transport")) ? ["header"] : []),
  ];
  // Tests that neither count nor remember may change places; nothing may pass one that does.
  const runs: string[][] = [tests];
  for (const use of rule.matches) {
    if (use.extension === "comment") continue;
    const meaning = matchMeaning(use, context);
    if (!isVolatile(use)) runs.at(-1)!.push(...meaning);
    else runs.push(meaning, []);
  }
  return JSON.stringify([
    runs.filter((run) => run.length > 0).map((run) => [...new Set(run)].sort()),
    targetMeaning(rule, context, chainName),
    ...(isRead(rule) ? [] : [textOf(rule)]),
  ]);
}

/** Whether the options of its extensions say all that the rule says. */
function isRead({ matches, target }: IptablesRule): boolean {
  return [...matches, ...(target?.kind === "extension" ? [target] : [])].every(optionsSayAll);
}

/** Whether an option keeps any packet away. One for all packets does when it is inverted: it takes none then. */
function says<Value>(option: OptionUse<Value> | undefined, isForAll: (value: Value) => boolean): option is OptionUse<Value> {
  return option !== undefined && (option.inverted || !isForAll(option.value));
}

const not = ({ inverted }: { readonly inverted: boolean }): string => (inverted ? "! " : "");

function matchMeaning(use: ExtensionUse, context: RuleContext): string[] {
  const extension = findMatch(use.extension);
  if (use.unknown || !extension) return [optionsText(use)];
  if (extension.name === "recent") {
    const { use: _, ...recent } = recentUse(use, context.family);
    return [text(["recent", recent])];
  }
  const translation = extension.translate(use.options as OptionUses<OptionDefinitions>, context);
  // Where nft has no exact form, different options may have the same one.
  if ("untranslatable" in translation || translation.approximations || translation.notes) return [optionsText(use)];
  return "statements" in translation ? translation.statements.map(text) : [text(translation)];
}

function targetMeaning({ target }: IptablesRule, context: RuleContext, chainName: (name: string) => string): string {
  if (!target) return "";
  if (target.kind === "chain") return `${target.goto ? "goto" : "jump"} ${chainName(target.chain)}`;
  const extension = findTarget(target.extension);
  if (target.unknown || !extension || extension.facts.dependsOnHook) return optionsText(target);
  const translation = extension.translate(target.options as OptionUses<OptionDefinitions>, context);
  return "untranslatable" in translation || translation.approximations || translation.notes
    ? optionsText(target)
    : `${extension.name} ${text(translation.statements)}`;
}

function optionsText({ extension, options }: ExtensionUse): string {
  return text([
    extension,
    Object.values(options)
      .map(({ name, value, text: written, inverted }) => [name, value ?? written, inverted])
      .sort(),
  ]);
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    return isSetOfValues(part) ? { ...part, elements: part.elements.map(text).sort() } : part;
  });
}

/** `{ 80, 443 }` is `{ 443, 80 }`. */
function isSetOfValues(value: unknown): value is AnonymousSet {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "anonymous-set";
}

/** The same for every rule of a place, so that equal options come out equal wherever the rule stands. */
function neutralContext(rule: IptablesRule, { family, table }: Place): RuleContext {
  const { protocol } = rule;
  return {
    family,
    table,
    rule,
    hooks: new Set(),
    protocol: protocol && !protocol.inverted && protocol.value !== 0 ? protocol.value : undefined,
    reassembles: true,
    counters: false,
    setSize: 65535,
    // What is declared stands in the text itself.
    declare: {
      set: (preferredName, set) => `${preferredName} ${text(set)}`,
      sharedSet: (preferredName, set) => `${preferredName} ${text(set)}`,
      helper: (helper) => text(helper),
      chain: (preferredName, rules) => `${preferredName} ${text(rules)}`,
    },
  };
}
