/**
 * The iptables AST as text that iptables-restore loads. Each option is written by its full name behind the match or target it belongs
 * to, its argument as one word: nothing of a dump can become an option of iptables-restore itself (`-M PROGRAM` would run one).
 *
 *     -A INPUT -p tcp --dpor=22 -M /tmp/x -j ACCEPT   →   -A "INPUT" -p 6 -m "tcp" --destination-port "22" -j "ACCEPT"
 */

import type { Span } from "../diagnostic.js";
import * as extensions from "../extensions/registry.js";
import { formatAddress, prefixLength } from "../extensions/values/address.js";
import type { AddressMask, ExtensionUse, IptablesRule, IptablesRuleset, OptionUse } from "./ast.js";
import type { Extension } from "./option-table.js";

export interface Printed {
  /** Lines that end with a newline; counters are zero. */
  readonly text: string;
  /** Of each line the place of its rule; undefined for other lines. */
  readonly places: readonly (Span | undefined)[];
}

/** The ruleset as one dump; rules of which `unprintable` says something are left out. */
export function printRuleset({ tables }: IptablesRuleset): Printed {
  const lines: (readonly [text: string, place?: Span])[] = [];
  for (const { name, chains } of tables) {
    lines.push([`*${name}`]);
    for (const chain of chains) lines.push([`:${chain.name} ${chain.policy ?? "-"} [0:0]`]);
    for (const chain of chains) {
      for (const rule of chain.rules) if (unprintable(rule) === undefined) lines.push([printRule(chain.name, rule), rule.span]);
    }
    lines.push(["COMMIT"]);
  }
  return { text: lines.map(([text]) => `${text}\n`).join(""), places: lines.map(([, place]) => place) };
}

/** Why a rule cannot be written from the AST, as a phrase; undefined if it can. */
export function unprintable(rule: IptablesRule): string | undefined {
  for (const [use, what] of usesOf(rule)) {
    const extension = extensionOf(use, what);
    if (extension === undefined || extension.unavailable !== undefined || use.unknown === true)
      return `the options of ${what} "${use.extension}" are not known here, and what is not known is not given to iptables`;
    const misread = Object.values(use.options).find(({ name, text }) => extension.options[name]?.optional === true && /^[-!]/.test(text));
    if (misread !== undefined) return `the argument of option "--${misread.name}" would be taken for an option`;
    const repeated = Object.values(use.options).find(({ name }) => name === "next");
    if (repeated !== undefined)
      return `option "--next" of ${what} "${use.extension}" makes several of one option, of which the last alone is read`;
  }
  return undefined;
}

type Kind = "match" | "target";

function usesOf({ matches, target }: IptablesRule): (readonly [ExtensionUse, Kind])[] {
  return [...matches.map((use) => [use, "match"] as const), ...(target?.kind === "extension" ? [[target, "target"] as const] : [])];
}

function extensionOf({ extension }: ExtensionUse, kind: Kind): Extension | undefined {
  return kind === "match" ? extensions.findMatch(extension) : extensions.findTarget(extension);
}

function printRule(chain: string, rule: IptablesRule): string {
  const { source, destination, inInterface, outInterface, protocol, fragment, target } = rule;
  return [
    "-A",
    quoted(chain),
    ...builtIn("-s", source, source && addressText(source.value)),
    ...builtIn("-d", destination, destination && addressText(destination.value)),
    ...builtIn("-i", inInterface, inInterface?.value),
    ...builtIn("-o", outInterface, outInterface?.value),
    ...builtIn("-p", protocol, protocol && String(protocol.value)),
    ...(fragment ? [...inversion(fragment), "-f"] : []),
    ...rule.matches.flatMap((use) => ["-m", quoted(use.extension), ...optionWords(use, "match")]),
    ...(target?.kind === "chain" ? [target.goto ? "-g" : "-j", quoted(target.chain)] : []),
    ...(target?.kind === "extension" ? ["-j", quoted(target.extension), ...optionWords(target, "target")] : []),
  ].join(" ");
}

const inversion = ({ inverted }: OptionUse<unknown>): readonly string[] => (inverted ? ["!"] : []);

function builtIn(letter: string, use: OptionUse<unknown> | undefined, text: string | undefined): readonly string[] {
  return use === undefined || text === undefined ? [] : [...inversion(use), letter, quoted(text)];
}

function optionWords(use: ExtensionUse, kind: Kind): readonly string[] {
  const definitions = extensionOf(use, kind)!.options;
  return Object.values(use.options).flatMap((option) => {
    const { name, text } = option;
    const definition = definitions[name];
    const written = [...inversion(option), `--${name}`];
    if (definition?.value === undefined) return written;
    // Where it may be missing, `rateest` looks itself whether the next word is one.
    if (definition.optional === true && text === "") return written;
    if (definition.words !== 2) return [...written, quoted(text)];
    const blank = text.lastIndexOf(" ");
    return [...written, quoted(text.slice(0, blank)), quoted(text.slice(blank + 1))];
  });
}

function addressText({ family, address, mask }: AddressMask): string {
  return `${formatAddress(address, family)}/${prefixLength(mask, family) ?? formatAddress(mask, family)}`;
}

/** One word, whatever it holds: iptables-restore takes what is behind a backslash within quotes as it is. */
function quoted(word: string): string {
  return `"${word.replaceAll(/["\\]/g, "\\$&")}"`;
}
