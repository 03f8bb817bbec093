/** The rules of programs in a dump of which most rules are left out: whose a rule is, its shape and its chain tell. */

import type { Diagnostic } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import { writtenRules } from "../iptables/written-rules.js";
import { builtInChains } from "../iptables/tables.js";
import { ownerByComment, ownerOfChain, type Owner } from "../owners/owners.js";
import { makerByWords, makerOf, ProgramRules } from "../owners/program-rules.js";
import type { Dump } from "./dump.js";
import { placeOfRule, textOfRule, type Scan } from "./scan.js";

/**
 * The notes that the whole dump would have.
 * @param ruleset of the reduced dump
 */
export function programRulesByShapes(dump: Dump, ruleset: IptablesRuleset): Diagnostic[] {
  const found = new ProgramRules();
  const {
    scanned: scan,
    source: { file },
  } = dump;
  const { rules, chains } = scan;
  const makers = makersOf(scan);
  for (let rule = 0; rule < rules.count; rule++) {
    const owner = makers(rule);
    if (!owner) continue;
    const line = rules.line[rule]!;
    found.add(owner, file, line, () => ({ file, line, ...placeOfRule(scan, rule) }));
  }
  // Each of those is one line, and is there as in the whole dump.
  for (const { chains: read } of ruleset.tables) {
    for (const { rules: all } of read) {
      for (const { span, text } of writtenRules(all)) {
        const owner = dump.ruleAt(span.line) === undefined ? makerOf(text) : undefined;
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
  let kindCount = 1;
  const kinds = chains.map(({ name }, chain) => (ofChains[chain] || builtInNames.has(name) ? kindCount++ : 0));
  const known = new Map<number, Owner | undefined>();
  const commented = shapes.map(({ first }) => textOfRule(scan, first).includes(" --comment "));
  const makerOfKind = (rule: number, chain: number, shape: number): Owner | undefined => {
    const ofChain = ofChains[chain];
    if (ofChain && ofChain.administrators === undefined) return ofChain;
    const called = rules.called[rule]!;
    const key = (shape * kindCount + kinds[chain]!) * kindCount + (called === -1 ? 0 : kinds[called]!);
    // Between two rules of a shape differ addresses, ports, counters, comments and the chains that they call.
    if (!known.has(key)) known.set(key, makerByWords(textOfRule(scan, rule)));
    return known.get(key);
  };
  let [lastChain, lastShape, lastCalled] = [-1, -1, -1];
  let last: Owner | undefined;
  return (rule) => {
    const chain = rules.chain[rule]!;
    const shape = rules.shape[rule]!;
    const called = rules.called[rule]!;
    if (chain !== lastChain || shape !== lastShape || called !== lastCalled) {
      last = makerOfKind(rule, chain, shape);
      [lastChain, lastShape, lastCalled] = [chain, shape, called];
    }
    return last ?? (commented[shape] === true ? ownerByComment(textOfRule(scan, rule)) : undefined);
  };
}
