/** Texts that are given in the place of a dump: what `iptables -S` prints, an nft script, prompts and prose around a dump. */

import type { TableName } from "./ast.js";
import { builtInChains } from "./tables.js";

/** The tables in the order in which they are tried: `security` has the chains of `filter`, and is hardly ever used. */
const tableNames: readonly TableName[] = ["filter", "nat", "mangle", "raw"];

/**
 * The tables of what `iptables -S` prints, one output or several, by the number of the line where each begins; undefined for other texts.
 * It names no table: its first lines are the policies of all built-in chains, and tell it.
 */
export function listedTables(text: string): ReadonlyMap<number, TableName> | undefined {
  const found = new Map<number, TableName>();
  let chains: string[] = [];
  let start = 0;
  const close = (): boolean => {
    const name = tableNames.find(
      (table) => builtInChains[table].length === chains.length && builtInChains[table].every((chain) => chains.includes(chain)),
    );
    if (name === undefined) return false;
    found.set(start, name);
    chains = [];
    return true;
  };
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf("\n", at);
    const line = text.slice(at, newline < 0 ? undefined : newline).trim();
    at = newline < 0 ? text.length : newline + 1;
    number += 1;
    if (line === "" || line.startsWith("#")) continue;
    const policy = /^-P (\S+) (?:ACCEPT|DROP)(?: -c \d+ \d+)?$/.exec(line)?.[1];
    if (policy === undefined) {
      if (!/^-[NA] /.test(line) || (found.size === 0 && chains.length === 0)) return undefined;
      if (chains.length > 0 && !close()) return undefined;
      continue;
    }
    // The policies of the next table may follow at once on those of one without rules.
    if (chains.includes(policy) && !close()) return undefined;
    if (chains.length === 0) start = number;
    chains.push(policy);
  }
  if (chains.length > 0 && !close()) return undefined;
  return found.size > 0 ? found : undefined;
}

/** Whether a text is an nft script, by its first line that says anything. */
export function isNftScript(text: string): boolean {
  if (/^\ufeff?#![^\n]*\bnft\b/.test(text)) return true;
  for (let at = text.startsWith("\ufeff") ? 1 : 0; at < text.length; ) {
    const newline = text.indexOf("\n", at);
    const line = text.slice(at, newline < 0 ? undefined : newline).trim();
    at = newline < 0 ? text.length : newline + 1;
    if (line === "" || line.startsWith("#")) continue;
    return /^(?:(?:add |create |delete |destroy |flush )?table (?:ip6?|inet|arp|bridge|netdev) |flush ruleset|define \w+ ?=)/.test(line);
  }
  return false;
}

/** Whether a line outside of every table is a prompt or prose: nothing for iptables, ipset or the file of a list. */
export function isProse(line: string): boolean {
  return !/^(?:[-+/:*[]|(?:add|create|del) )/.test(line) && !/\b(?:ip6?tables|ipset|nft|ebtables|arptables)(?!\S*save)/.test(line);
}
