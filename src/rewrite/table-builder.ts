/** Collects the parts of one nft table while its rules are rewritten. */

import type { Span } from "../diagnostic.js";
import type { Family } from "../iptables/ast.js";
import type { Expression, Hook, NftChain, NftComment, NftHelper, NftRule, NftSet, NftTable, Statement } from "../nft/ast.js";
import { goto, jump } from "../nft/ast.js";
import { Names } from "../nft/names.js";
import { inOrderOfCost } from "../nft/test-order.js";
import { namesIn } from "../nft/walk.js";

/** A chain under construction. */
export class ChainBuilder {
  readonly entries: (NftRule | NftComment)[] = [];
  readonly comment: string[] = [];
  base: NftChain["base"];
  holds: NftChain["holds"];

  constructor(readonly name: string) {}

  /** The tests of a rule stand in the order of what they cost. */
  rule(tests: readonly Statement[], comment?: string): this {
    const statements = inOrderOfCost(tests);
    this.entries.push(comment === undefined ? { kind: "rule", statements } : { kind: "rule", statements, comment });
    return this;
  }

  /** Says of the entries from this one on, of which nothing is known yet, what they come of. */
  attribute(start: number, origins: readonly Span[]): void {
    for (let index = start; index < this.entries.length; index++) {
      const entry = this.entries[index]!;
      if (!entry.origins && !("above" in entry)) this.entries[index] = { ...entry, origins };
    }
  }

  /** Comment lines in front of what is added next. */
  remark(...lines: string[]): this {
    if (lines.length > 0) this.entries.push({ kind: "comment", lines });
    return this;
  }

  /** Comment lines in front of what becomes of these rules. */
  remarkAbove(rules: readonly { readonly span: Span }[], ...lines: string[]): this {
    if (lines.length > 0) this.entries.push({ kind: "comment", lines, above: rules.map(({ span }) => span) });
    return this;
  }

  /** Whether no packet gets past the last rule. */
  get isClosed(): boolean {
    const last = this.entries.at(-1);
    if (last?.kind !== "rule") return false;
    const end = last.statements.at(-1);
    const leaves = end?.kind === "verdict" || end?.kind === "reject" || (end?.kind === "jump" && end.goto);
    return leaves && last.statements.slice(0, -1).every(({ kind }) => kind === "counter" || kind === "log");
  }

  build(): NftChain {
    return {
      name: this.name,
      ...(this.base && { base: this.base }),
      ...(this.comment.length > 0 && { comment: this.comment }),
      ...(this.holds && { holds: this.holds }),
      entries: this.entries,
    };
  }
}

/** An ordered group of chains that are printed one after the other. */
export class ChainGroup {
  readonly chains: ChainBuilder[] = [];
  constructor(private readonly names: Names) {}

  /** A new chain at the end of the group. */
  chain(wish: string): ChainBuilder {
    const chain = new ChainBuilder(this.names.unique(wish));
    this.chains.push(chain);
    return chain;
  }

  /** A new chain at the end of the group, with a name that has been reserved before. */
  adopt(name: string): ChainBuilder {
    const chain = new ChainBuilder(name);
    this.chains.push(chain);
    return chain;
  }

  /** Prints a chain behind all that the group has so far. */
  moveToEnd(chain: ChainBuilder): void {
    this.chains.splice(this.chains.indexOf(chain), 1);
    this.chains.push(chain);
  }
}

export class TableBuilder {
  readonly names = new Names();
  private readonly sets: NftSet[] = [];
  /** Sets that one comment speaks of: from one position to another. */
  private readonly described: { readonly from: number; readonly to: number; readonly comment: readonly string[] }[] = [];
  private readonly shared = new Map<string, string>();
  private readonly helpers: NftHelper[] = [];
  private readonly groups: ChainGroup[] = [];
  private readonly serving: ChainGroup[] = [];

  constructor(
    readonly family: Family,
    private readonly tableName: string,
  ) {}

  /** Chains that hold the user's rules. */
  group(): ChainGroup {
    const group = new ChainGroup(this.names);
    this.groups.push(group);
    return group;
  }

  /** Chains that only serve others: printed behind all those of the user. */
  servingGroup(): ChainGroup {
    const group = new ChainGroup(this.names);
    this.serving.push(group);
    return group;
  }

  set(wish: string, set: Omit<NftSet, "name">): string {
    const name = this.names.unique(wish);
    this.sets.push({ name, ...set });
    return name;
  }

  /** Runs `declare` and puts comment lines above the first set it adds. */
  describedSets<Result>(declare: () => Result, describe: (result: Result) => readonly string[]): Result {
    const first = this.sets.length;
    const result = declare();
    if (this.sets.length > first) this.described.push({ from: first, to: this.sets.length, comment: describe(result) });
    return result;
  }

  /** A chain of our own with these rules; with `base` the kernel calls it at that hook, and the same wish makes one chain only. */
  ownChain(wish: string, rules: readonly (readonly Statement[])[], base?: { readonly hook: Hook; readonly priority: number }): string {
    const known = base && this.shared.get(wish);
    if (known !== undefined) return known;
    const chain = this.servingGroup().chain(wish);
    if (base) {
      chain.base = { type: "filter", policy: "accept", ...base };
      this.shared.set(wish, chain.name);
    }
    for (const statements of rules) chain.rule(statements);
    return chain.name;
  }

  sharedSet(wish: string, set: Omit<NftSet, "name">): string {
    let name = this.shared.get(wish);
    if (name === undefined) this.shared.set(wish, (name = this.set(wish, set)));
    return name;
  }

  helper(helper: Omit<NftHelper, "name">): string {
    const known = this.helpers.find((one) => one.type === helper.type && one.protocol === helper.protocol);
    if (known) return known.name;
    const name = this.names.unique(`helper_${helper.type}_${helper.protocol}`);
    this.helpers.push({ name, ...helper });
    return name;
  }

  build(): NftTable {
    return this.table(this.builtChains(), () => true);
  }

  /** Without the sets and helpers that no rule names: a list has some for questions that nobody asks. */
  buildUsed(): NftTable {
    const chains = this.builtChains();
    const used = new Set<string>();
    if (this.sets.length + this.helpers.length > 0) {
      for (const { entries } of chains) for (const entry of entries) if (entry.kind === "rule") namesIn(entry.statements, used);
    }
    return this.table(chains, ({ name }) => used.has(name));
  }

  private builtChains(): NftChain[] {
    return [...this.groups, ...this.serving].flatMap((group) => group.chains.map((chain) => chain.build()));
  }

  private table(chains: readonly NftChain[], isWanted: (object: { readonly name: string }) => boolean): NftTable {
    const comments = new Map<NftSet, readonly string[]>();
    for (const { from, to, comment } of this.described) {
      const first = this.sets.slice(from, to).find(isWanted);
      if (first) comments.set(first, comment);
    }
    return {
      family: this.family === "ipv4" ? "ip" : "ip6",
      name: this.tableName,
      helpers: this.helpers.filter(isWanted),
      sets: this.sets.filter(isWanted).map((set) => {
        const comment = comments.get(set);
        return comment ? { ...set, comment } : set;
      }),
      chains,
    };
  }
}

/**
 * What happens to a packet at the end of a piece of translation: go on to a chain, by jump or by goto, or back to where the
 * piece was called from.
 */
export type Exit = { readonly kind: "goto"; readonly chain: string } | { readonly kind: "return" };
export const exitTo = (chain: string): Exit => ({ kind: "goto", chain });
export const exitBack: Exit = { kind: "return" };

export function exitStatement(exit: Exit): Statement {
  return exit.kind === "goto" ? goto(exit.chain) : { kind: "verdict", verdict: "return" };
}

export const callStatement = (chain: string): Statement => jump(chain);

/** The expression under which a list keeps its hosts: the address, masked if the list is. */
export type Key = Expression;
