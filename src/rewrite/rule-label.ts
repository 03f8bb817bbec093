/** A short name for a rule: chains and sets of its own are known by it, wherever in its chain the rule stands. */

import { fingerprint } from "../fingerprint.js";
import type { ExtensionUse, IptablesRule, OptionUse } from "../iptables/ast.js";

/** Enough for the rules of one chain that need one: of 300, one in 3,000 chains has two that look alike, and they get a number. */
const digits = 6;

/** Beyond it the name of a list is cut, so that what stands behind still fits. */
const longestAsked = 60;

/** What of a rule is not in its label: the numbers that people tune, and what says nothing about packets. */
const leftOut: Readonly<Record<string, readonly string[] | "all">> = { recent: ["seconds", "hitcount"], comment: "all" };

/**
 * Digits that what the rule says comes to, equal for equal rules of one chain: `3f2a91`, or `ssh_3f2a91` with the name of what it asks
 * first.
 */
export function ruleLabel(rule: IptablesRule, table: string, chain: string, asked?: string): string {
  const short = fingerprint([table, chain, ...content(rule)]).slice(0, digits);
  return asked === undefined ? short : `${asked.slice(0, longestAsked)}_${short}`;
}

function content({ source, destination, inInterface, outInterface, protocol, fragment, matches, target }: IptablesRule): string[] {
  const tests = [source, destination, inInterface, outInterface, protocol, fragment].flatMap((use) => (use ? [option(use)] : []));
  const end = !target ? "" : target.kind === "chain" ? `${target.goto ? "-g" : "-j"} ${target.chain}` : extensionText("-j", target);
  return [...tests, ...matches.filter(({ extension }) => leftOut[extension] !== "all").map((use) => extensionText("-m", use)), end];
}

function extensionText(letter: string, { extension, options }: ExtensionUse): string {
  const without = leftOut[extension] ?? [];
  const kept = Object.values(options).filter(({ name }) => !without.includes(name));
  return [letter, extension, ...kept.map(option)].join(" ");
}

function option({ name, text, inverted }: OptionUse<unknown>): string {
  return `${inverted ? "! " : ""}--${name} ${text}`;
}
