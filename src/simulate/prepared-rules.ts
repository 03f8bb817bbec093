/** What the rules of a ruleset test and do, as far as it is the same for every model of them: a search runs three side by side. */

import type { Geoip } from "../geoip/ranges.js";
import type { ExtensionUse, IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import type { Statement } from "../nft/ast.js";
import { BorrowedStatements, type Groups, type Place } from "./borrowed.js";
import { matchTest, packetTests, type Test } from "./xt-matches.js";

export interface PreparingOptions {
  /** Elements of a dynamic set, for the state of borrowed matches; 65535 unless told. */
  readonly setSize?: number;
  /** What the rules were translated with. */
  readonly geoip?: Geoip;
  /** Rules that the script has only in part; all are whole unless told. */
  readonly cut?: ReadonlyMap<IptablesRule, Cut>;
}

/** What is left of a rule: so many of its matches, which record their hits, and no target; `undefined`: nothing. */
export type Cut = number | undefined;

export interface PreparedRule {
  readonly rule: IptablesRule;
  /** The matches in order, those of `recent` among them. */
  readonly tests: readonly PreparedTest[];
  /** Absent for a rule without target, or with one that has no translation. */
  readonly target?: PreparedTarget;
}

/** A test that asks the packet alone, a `-m recent`, or nft statements that are run for a match. */
export type PreparedTest = Test | { readonly recent: ExtensionUse } | { readonly groups: Groups };

export type PreparedTarget =
  | { readonly kind: "end"; readonly end: "accept" | "drop" | "return" }
  | { readonly kind: "effect"; readonly statements: readonly Statement[] }
  | { readonly kind: "call"; readonly chain: string; readonly goto: boolean };

export class PreparedRules {
  readonly borrowed: BorrowedStatements;
  readonly cut: ReadonlyMap<IptablesRule, Cut>;
  /** Of the matches that are nft statements here. */
  readonly groups = new Map<ExtensionUse, Groups>();
  /** Rules that the script has only in part, and that are here as they are there. */
  readonly refused = new Set<IptablesRule>();
  private readonly rules = new Map<IptablesRule, PreparedRule>();

  constructor(
    readonly ruleset: IptablesRuleset,
    { setSize = 65535, cut = new Map<IptablesRule, Cut>(), geoip }: PreparingOptions = {},
  ) {
    this.cut = cut;
    this.borrowed = new BorrowedStatements(ruleset, setSize, geoip);
    for (const table of ruleset.tables)
      for (const chain of table.chains) for (const rule of chain.rules) this.rules.set(rule, this.prepare({ table, chain, rule }));
  }

  of(rule: IptablesRule): PreparedRule {
    return this.rules.get(rule)!;
  }

  private prepare(place: Place): PreparedRule {
    const { rule } = place;
    const tests: PreparedTest[] = packetTests(rule);
    const { fragment } = rule;
    // Packets here are whole.
    if (fragment) tests.push(() => fragment.inverted);
    const isCut = this.cut.has(rule);
    const left = isCut ? this.cut.get(rule) : rule.matches.length;
    if (isCut) this.refused.add(rule);
    if (left === undefined) return { rule, tests: [never] };
    for (const match of rule.matches.slice(0, left)) {
      const test = this.match(match, place);
      tests.push(test ?? never);
      if (test) continue;
      // What stands in front of a match that has no translation still records its hits, on both sides.
      this.refused.add(rule);
      return { rule, tests };
    }
    if (isCut) return { rule, tests };
    const target = this.target(place);
    if (rule.target && !target) this.refused.add(rule);
    return { rule, tests, ...(target && { target }) };
  }

  private match(match: ExtensionUse, place: Place): PreparedTest | undefined {
    if (match.extension === "recent" && !match.unknown) return { recent: match };
    const own = match.unknown ? undefined : matchTest(match);
    if (own) return own;
    const groups = this.borrowed.match(match, place);
    if (groups) this.groups.set(match, groups);
    return groups && { groups };
  }

  private target(place: Place): PreparedTarget | undefined {
    const { target } = place.rule;
    if (!target) return undefined;
    if (target.kind === "chain") return { kind: "call", chain: target.chain, goto: target.goto };
    const end = ends[target.extension];
    if (end) return { kind: "end", end };
    const statements = this.borrowed.target(target, place);
    return statements && { kind: "effect", statements };
  }
}

const never: Test = () => false;

const ends: Readonly<Record<string, "accept" | "drop" | "return">> = { ACCEPT: "accept", DROP: "drop", REJECT: "drop", RETURN: "return" };
