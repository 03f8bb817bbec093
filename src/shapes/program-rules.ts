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
  for (let run = 0; run < rules.runCount; run++) {
    const maker = makers(rules.runs[run]!);
    if (maker === undefined) continue;
    for (let rule = rules.runs[run]!; rule < rules.runs[run + 1]!; rule++) {
      const owner = maker === "its comment tells" ? ownerByComment(textOfRule(scan, rule)) : maker;
      if (!owner) continue;
      const line = rules.line[rule]!;
      found.add(owner, file, line, () => ({ file, line, ...placeOfRule(scan, rule) }));
    }
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

/** Whose all rules of a run are that begins with this one. */
function makersOf(scan: Scan): (rule: number) => Owner | "its comment tells" | undefined {
  const { rules, chains, shapes } = scan;
  const ofChains = chains.map(({ name }) => ownerOfChain(name));
  // Of the names of chains those of programs and those of the kernel tell whose a rule is; to the others a shape is one.
  let kindCount = 1;
  const kinds = Int32Array.from(chains, ({ name }, chain) => (ofChains[chain] || builtInNames.has(name) ? kindCount++ : 0));
  const known = new Map<number, Owner | undefined>();
  const commented = Uint8Array.from(shapes, ({ first }) => (textOfRule(scan, first).includes(" --comment ") ? 1 : 0));
  const makerOfKind = (rule: number, chain: number, called: number, shape: number): Owner | undefined => {
    const key = (shape * kindCount + kinds[chain]!) * kindCount + (called === -1 ? 0 : kinds[called]!);
    // Between two rules of a shape differ addresses, ports, counters, comments and the chains that they call.
    if (!known.has(key)) known.set(key, makerByWords(textOfRule(scan, rule)));
    return known.get(key);
  };
  /** Shapes whose rules nobody makes where neither their chain nor the one that they call tells it. */
  const nobodys = new Uint8Array(shapes.length);
  return (rule) => {
    const chain = rules.chain[rule]!;
    const shape = rules.shape[rule]!;
    const called = rules.called[rule]!;
    const ofChain = ofChains[chain];
    if (ofChain && ofChain.administrators === undefined) return ofChain;
    const isOfShape = kinds[chain] === 0 && (called === -1 || kinds[called] === 0);
    let maker: Owner | undefined;
    if (!isOfShape || nobodys[shape] === 0) {
      maker = makerOfKind(rule, chain, called, shape);
      if (isOfShape && !maker) nobodys[shape] = 1;
    }
    return maker ?? (commented[shape] === 1 ? "its comment tells" : undefined);
  };
}
