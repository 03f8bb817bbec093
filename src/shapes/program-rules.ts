/** The rules of programs in a dump of which most rules are left out: whose a rule is, its shape and its chain tell. */

import type { Diagnostic } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import { builtInChains } from "../iptables/tables.js";
import { ownerByComment, ownerOfChain, type Owner } from "../owners/owners.js";
import { makerByWords, makerOf, ProgramRules } from "../owners/program-rules.js";
import type { Scan } from "./scan.js";

/**
 * The notes that the whole dump would have.
 * @param ruleset of the reduced dump
 * @param ruleAt the rule of a line that has a shape
 */
export function programRulesByShapes(
  scan: Scan,
  file: string,
  ruleset: IptablesRuleset,
  ruleAt: (line: number) => number | undefined,
): Diagnostic[] {
  const found = new ProgramRules();
  const { rules, chains } = scan;
  const makers = makersOf(scan);
  for (let rule = 0; rule < rules.count; rule++) {
    const owner = makers(rule);
    if (!owner) continue;
    const line = rules.line[rule]!;
    found.add(owner, file, line, () => ({ file, line, ...placeOf(scan, rule) }));
  }
  // Each of those is one line, and is there as in the whole dump.
  for (const { chains: read } of ruleset.tables) {
    for (const { rules: all } of read) {
      let before = -1;
      for (const { span, text } of all) {
        const isNew = span.line !== before && ruleAt(span.line) === undefined;
        before = span.line;
        const owner = isNew ? makerOf(text) : undefined;
        if (owner) found.add(owner, file, span.line, () => span);
      }
    }
  }
  return found.notes(chains.map(({ name }) => name));
}

const builtInNames = new Set(Object.values(builtInChains).flat());

function makersOf(scan: Scan): (rule: number) => Owner | undefined {
  const { rules, chains, shapes } = scan;
  const ofChains = chains.map(({ name }) => ownerOfChain(name));
  // Of the names of chains those of programs and those of the kernel tell whose a rule is; to the others a shape is one.
  const kinds = chains.map(({ name }, chain) => (ofChains[chain] || builtInNames.has(name) ? chain : chains.length));
  const known = new Map<number, Owner | undefined>();
  const commented = shapes.map(({ first }) => textOf(scan, first).includes(" --comment "));
  const makerOfKind = (rule: number, chain: number, shape: number): Owner | undefined => {
    const ofChain = ofChains[chain];
    if (ofChain && ofChain.administrators === undefined) return ofChain;
    const key = shape * (chains.length + 1) + kinds[chain]!;
    // Between two rules of a shape differ addresses, ports, counters and comments.
    if (!known.has(key)) known.set(key, makerByWords(textOf(scan, rule)));
    return known.get(key);
  };
  let [lastChain, lastShape] = [-1, -1];
  let last: Owner | undefined;
  return (rule) => {
    const chain = rules.chain[rule]!;
    const shape = rules.shape[rule]!;
    if (chain !== lastChain || shape !== lastShape) {
      last = makerOfKind(rule, chain, shape);
      [lastChain, lastShape] = [chain, shape];
    }
    return last ?? (commented[shape] === true ? ownerByComment(textOf(scan, rule)) : undefined);
  };
}

/** Where the rule begins in its line, behind its counters. */
export function placeOf(scan: Scan, rule: number): { readonly column: number; readonly length: number } {
  const length = textOf(scan, rule).length;
  return { column: scan.rules.end[rule]! - scan.rules.start[rule]! - length + 1, length };
}

/** A rule without its counters. */
export function textOf({ text, rules }: Scan, rule: number): string {
  const start = rules.start[rule]!;
  return text.slice(text[start] === "[" ? text.indexOf(" ", start) + 1 : start, rules.end[rule]);
}
