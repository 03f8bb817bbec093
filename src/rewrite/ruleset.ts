/**
 * Rewrites a whole iptables ruleset of one family as one nft table, in three phases: analyse what the rules say, decide in which form
 * each list and rule is written, write the table.
 */

import type { RecentHosts } from "../captured-file.js";
import { effectOf, type Diagnostic } from "../diagnostic.js";
import type { IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import type { NftTable } from "../nft/ast.js";
import { analyseRuleset, type AnalysisOptions } from "./analyse-ruleset.js";
import { decide, nothingGivenUp, type DecisionOptions, type GivenUp, type RecentForm } from "./decide.js";
import { deepestLevel, deepestPath } from "../nft/levels.js";
import { carryHosts } from "./recent/carried-hosts.js";
import { elementBytes } from "./recent/form.js";
import { write, type ListStores, type WriteOptions, type Written } from "./write.js";

export type { RecentForm } from "./decide.js";

export interface RewriteOptions extends AnalysisOptions, DecisionOptions, WriteOptions {
  /** Hosts that begin on lists; of all families. */
  readonly hosts: readonly RecentHosts[];
}

export interface Rewriting {
  readonly table: NftTable;
  readonly diagnostics: readonly Diagnostic[];
  /** Bytes of kernel memory that the lists of `recent` take when all their sets are full. */
  readonly fullLists: number;
  /** What the sets of each list hold of a host, by its name. */
  readonly hostStores: ReadonlyMap<string, ListStores>;
}

export function rewriteRuleset(ruleset: IptablesRuleset, options: RewriteOptions): Rewriting {
  const analysis = analyseRuleset(ruleset, options);
  // How deep the chains of a rule nest, and how much of it comes into one kernel rule, is known by the writer alone: a model of it beside
  // it would be a second writer. Nearly every ruleset is written once; one that exceeds a limit of the kernel is decided and written
  // again, and has lost a form, a rule or a level each time, so there is an end to it.
  for (let given = nothingGivenUp; ; ) {
    const plan = decide(analysis, options, given);
    const written = write(plan, options);
    const next = giveUpMore(given, written, options.recent);
    if (next === undefined) {
      const fullLists = written.listSets.length * options.setSize * elementBytes[ruleset.family];
      const { setSize, keepSets = false, targetNft } = options;
      const carrying = { family: ruleset.family, setSize, keepSets, targetNft };
      const carried = carryHosts(written.table, written.lists, options.hosts, carrying);
      return {
        table: carried.table,
        diagnostics: [...plan.diagnostics, ...carried.diagnostics],
        fullLists,
        hostStores: new Map([...written.lists].map(([name, { usage, stores }]) => [name, { mask: usage.mask, stores }])),
      };
    }
    given = next;
  }
}

/**
 * What has to be given up beside what is given up already; undefined if the kernel takes the table. Too many levels cost first some
 * lines, then the nesting of the lists on the way, then their exactness, then the deepest jumps, and at last the rules that nest.
 */
export function giveUpMore(given: GivenUp, { table, listChains, tooLarge, owners }: Written, form: RecentForm): GivenUp | undefined {
  const path = deepestPath(table);
  const tooDeep = path.length - 1 > deepestLevel;
  if (!tooDeep && tooLarge.length === 0) return undefined;
  const jumpsLeft = given.deepestCaller > 0;
  const hopeless = [...tooLarge, ...(tooDeep && !jumpsLeft ? rulesNesting(path, owners) : [])];
  const next = { ...given, refused: new Set([...given.refused, ...hopeless]) };
  if (!tooDeep || !jumpsLeft) return next;
  const onPath = new Set(path);
  const lists = [...listChains].filter(([, chains]) => chains.some((name) => onPath.has(name))).map(([name]) => name);
  const twoWalks = lists.filter((list) => !given.oneWalk.has(list));
  if (twoWalks.length > 0) return { ...next, oneWalk: new Set([...given.oneWalk, ...twoWalks]) };
  const nested = lists.filter((list) => !given.flat.has(list));
  if (nested.length > 0) return { ...next, flat: new Set([...given.flat, ...nested]) };
  const exact = form === "exact" ? [] : lists.filter((list) => !given.limited.has(list));
  if (exact.length > 0) return { ...next, limited: new Set([...given.limited, ...exact]) };
  return { ...next, deepestCaller: Math.min(given.deepestCaller, deepestLevel) - 1 };
}

/** The rules whose own chains make a path too deep, from its end; and all others that have as many chains. */
function rulesNesting(path: readonly string[], owners: ReadonlyMap<string, IptablesRule>): IptablesRule[] {
  const chains = new Map<IptablesRule, number>();
  for (const name of path) {
    const owner = owners.get(name);
    if (owner) chains.set(owner, (chains.get(owner) ?? 0) + 1);
  }
  const found = new Set<IptablesRule>();
  const totals = new Map<IptablesRule, number>();
  for (const owner of owners.values()) totals.set(owner, (totals.get(owner) ?? 0) + 1);
  let excess = path.length - 1 - deepestLevel;
  for (const [rule, count] of [...chains].reverse()) {
    if (excess <= 0) break;
    found.add(rule);
    excess -= count;
    // One by one would take as long as there are such rules.
    if (count < deepestLevel / 2) continue;
    for (const [other, total] of totals) if (total >= totals.get(rule)!) found.add(other);
  }
  return [...found];
}

/** Whether any diagnostic says that the input is no ruleset. */
export function isInvalid(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ code }) => effectOf(code) === "invalid");
}
