/** The third phase: a plan becomes a table. Only what some rule needs is declared. */

import { printable } from "../diagnostic.js";
import type { IptablesRule } from "../iptables/ast.js";
import type { NftTable } from "../nft/ast.js";
import { jump } from "../nft/ast.js";
import { baseChainOf } from "../nft/base-chains.js";
import { Names } from "../nft/names.js";
import { fitsOneRule } from "../nft/rule-size.js";
import type { Decision, Plan, PlannedChain } from "./decide.js";
import { Declarer } from "./declare.js";
import type { RuleParts } from "./parts.js";
import { placeMatched, placeRule } from "./place.js";
import { buildFused, type FusedGroup } from "./recent/fused.js";
import type { WrittenList } from "./recent/carried-hosts.js";
import type { HostStore } from "./recent/host-stores.js";
import { RecentList } from "./recent/list.js";
import { ruleLabel } from "./rule-label.js";
import { TableBuilder, type ChainBuilder, type ChainGroup } from "./table-builder.js";

export interface WriteOptions {
  /** Name of our nft table. */
  readonly table: string;
  /** Write a counter into every rule. */
  readonly counters: boolean;
}

export interface Written {
  readonly table: NftTable;
  /** The rule for which a chain of its own was made, by the name of the chain. */
  readonly owners: ReadonlyMap<string, IptablesRule>;
  /** Rules of which some part has more tests than one kernel rule holds. */
  readonly tooLarge: readonly IptablesRule[];
  /** The chains that only serve a list, by its name. */
  readonly listChains: ReadonlyMap<string, readonly string[]>;
  /** The sets that lists keep their hosts in. */
  readonly listSets: readonly string[];
  /** What these sets are for, by the list's name. */
  readonly lists: ReadonlyMap<string, WrittenList>;
}

/** Where the table keeps the hosts of a list. */
export interface ListStores {
  /** That the addresses of hosts are stored under. */
  readonly mask: bigint;
  readonly stores: readonly HostStore[];
}

export function write(plan: Plan, options: WriteOptions): Written {
  return new Writer(plan, options).run();
}

class Writer {
  private readonly builder: TableBuilder;
  private readonly declarer: Declarer;
  private readonly lists: ReadonlyMap<string, RecentList>;
  private readonly owners = new Map<string, IptablesRule>();
  private readonly tooLarge: IptablesRule[] = [];

  constructor(
    private readonly plan: Plan,
    private readonly options: WriteOptions,
  ) {
    this.builder = new TableBuilder(plan.family, options.table);
    this.declarer = new Declarer(this.builder);
    for (const { name } of plan.chains) this.builder.names.unique(name);
    this.lists = new Map(
      [...plan.lists].map(([name, { usage, form, bounds }]) => [
        name,
        new RecentList(usage, this.builder, form, this.builder.servingGroup(), bounds),
      ]),
    );
  }

  run(): Written {
    for (const chain of this.plan.chains) for (const { decision } of chain.rules) this.declareFor(chain, decision);
    for (const [name, { used, fused }] of this.plan.lists) if (used && !fused) this.declareList(this.lists.get(name)!);
    for (const chain of this.plan.chains) this.writeChain(chain);
    const table = this.builder.buildUsed();
    const listSets = new Set([...this.lists.values()].flatMap(({ sets }) => sets));
    return {
      table,
      owners: this.owners,
      tooLarge: this.tooLarge,
      listChains: new Map([...this.lists].map(([name, { group }]) => [name, group.chains.map((chain) => chain.name)])),
      lists: new Map([...this.lists].map(([name, { usage, hostStores }]) => [name, { usage, stores: hostStores }])),
      listSets: table.sets.map(({ name }) => name).filter((name) => listSets.has(name)),
    };
  }

  // ---------------------------------------------------------------------------------------------- declarations

  private declareFor({ table, chain }: PlannedChain, decision: Decision): void {
    const parts = decision.kind === "parts" ? decision.parts : decision.recording;
    if (parts && parts.declarations.length > 0) this.declarer.declare(parts, () => ruleLabel(parts.rule, table.name, chain.name));
  }

  private declareList(list: RecentList): void {
    this.builder.describedSets(
      () => list.declare(),
      () => list.describe(),
    );
  }

  // ------------------------------------------------------------------------------------------------ the chains

  private writeChain(planned: PlannedChain): void {
    const { table, chain, name, rules } = planned;
    const base = chain.policy === undefined ? undefined : baseChainOf(table.name, chain.name, chain.policy === "DROP" ? "drop" : "accept");
    // A hook that does nothing costs every packet something.
    if (base && base.base.policy === "accept" && chain.rules.length === 0) return;
    const group = this.builder.group();
    const start = group.adopt(name);
    start.base = base?.base;
    if (!Names.isNameable(chain.name)) start.comment.push(`chain ${JSON.stringify(chain.name)}`);
    if (base && this.options.counters && chain.counters && (chain.counters.packets > 0n || chain.counters.bytes > 0n)) {
      start.comment.push(`policy counters: packets ${chain.counters.packets} bytes ${chain.counters.bytes}`);
    }
    let current: ChainBuilder = start;
    for (let index = 0; index < rules.length; ) {
      const { rule, decision } = rules[index]!;
      const together = decision.kind === "parts" ? this.plan.fused.get(decision.parts) : undefined;
      if (together) {
        this.writeFused(together, current, group);
        index += together.length;
      } else {
        current = this.writeRule(rule, decision, current, group, planned);
        index++;
      }
    }
    start.holds = { table: table.name, chain: chain.name, inPart: current !== start };
  }

  private writeRule(rule: IptablesRule, decision: Decision, chain: ChainBuilder, group: ChainGroup, planned: PlannedChain): ChainBuilder {
    switch (decision.kind) {
      case "never":
        attributed([rule], chain, group, () => chain.remark(`can never match (${decision.reason}): ${rule.text}`));
        return this.writeRecording(decision.recording, chain, group, planned);
      case "refused":
        chain.remarkAbove([rule], `not translated [${decision.diagnostic.code}]: ${decision.diagnostic.message}`, `    ${rule.text}`);
        return this.writeRecording(decision.recording, chain, group, planned);
      case "parts": {
        const { parts } = decision;
        const simple = parts.steps.every(({ kind }) => kind === "statements");
        const empty = simple && parts.steps.length === 0 && !parts.body.counter && !parts.body.end && parts.body.effects.length === 0;
        if (!simple || empty) chain.remarkAbove([rule], rule.text);
        return this.place(parts, chain, group, planned);
      }
    }
  }

  /** The hits that a rule records which does nothing else any more. */
  private writeRecording(recording: RuleParts | undefined, chain: ChainBuilder, group: ChainGroup, planned: PlannedChain): ChainBuilder {
    if (!recording) return chain;
    chain.remarkAbove([recording.rule], "    what it records before that:");
    return this.place(recording, chain, group, planned);
  }

  /** Writes the rule and remembers what came of it. */
  private place(
    parts: RuleParts,
    chain: ChainBuilder,
    group: ChainGroup,
    { name, table, chain: { name: chainName } }: PlannedChain,
  ): ChainBuilder {
    const firstChain = group.chains.length;
    const firstEntry = chain.entries.length;
    const preferredName = (): string => `${name}_${ruleLabel(parts.rule, table.name, chainName, this.askedBy(parts))}`;
    const rest = attributed([parts.rule], chain, group, () => placeRule(this.named(parts), this.lists, chain, group, preferredName));
    const own = group.chains.slice(firstChain);
    for (const one of own) this.owners.set(one.name, parts.rule);
    const entries = [...chain.entries.slice(firstEntry), ...own.flatMap((one) => one.entries)];
    if (entries.some((entry) => entry.kind === "rule" && !fitsOneRule(entry.statements))) this.tooLarge.push(parts.rule);
    return rest;
  }

  /** What the names of the first list's sets that the rule asks begin with. */
  private askedBy({ steps }: RuleParts): string | undefined {
    const step = steps.find(({ kind }) => kind === "recent");
    return step?.kind === "recent" ? this.lists.get(step.use.list)!.prefixFor(step.use) : undefined;
  }

  private named(parts: RuleParts): RuleParts {
    const { steps, body, declarations } = parts;
    if (declarations.length === 0) return parts;
    // A use of `recent` holds a piece of the iptables rule, which is not to be walked through.
    const named = steps.map((step) => (step.kind === "recent" ? step : this.declarer.named(step, declarations)));
    return { ...parts, steps: named, body: this.declarer.named(body, declarations) };
  }

  /** A call under the group's common conditions, and behind it what the `--set` does with packets within the limit. */
  private writeFused(fused: FusedGroup, chain: ChainBuilder, group: ChainGroup): void {
    const { usage, window, setFirst } = fused;
    const set = this.named(fused.set);
    const checks = fused.checks.map((check) => this.named(check));
    const conditions = this.declarer.named(fused.conditions, fused.set.declarations);
    const rules = [set, ...checks].map(({ rule }) => rule).sort((a, b) => a.span.line - b.span.line);
    const { entry, over } = this.builder.describedSets(
      () => buildFused(fused, this.lists.get(usage.name)!, group),
      ({ description, isExact }) => [
        `list "${printable(usage.name)}": ` +
          (isExact
            ? `exact window of ${window.hits} hits in ${window.seconds} s`
            : `ban from ${window.hits} hits in ${window.seconds} s on, until ${window.seconds} s of silence`),
        ...description,
      ],
    );
    entry.comment.push(
      `list "${printable(usage.name)}": records a hit and leaves to ${over.name} if the host ${setFirst ? "now has" : "already had"} ` +
        `${window.hits} hits in ${window.seconds} s`,
    );
    chain.remarkAbove(rules, ...rules.map(({ text }) => text));
    const counted = setFirst && set.body.counter ? [set.body.counter] : [];
    attributed(rules, chain, group, () =>
      chain.rule([...conditions, ...counted, jump(entry.name)], setFirst ? set.body.comment : undefined),
    );
    const preferredName = (): string => over.name;
    if (!setFirst) {
      const within = { steps: [{ kind: "statements" as const, statements: conditions }], body: set.body };
      attributed([set.rule], chain, group, () => placeMatched(within, this.lists, chain, group, preferredName));
    }
    for (const { steps, body, rule } of checks) {
      const after = steps.slice(steps.findIndex(({ kind }) => kind === "recent") + 1);
      over.remark(rule.text);
      attributed([rule], over, group, () => placeMatched({ steps: after, body }, this.lists, over, group, preferredName));
    }
  }
}

/** Writes to the chain or to new chains of the group, and says of all that is written what it comes of. */
function attributed<Result>(rules: readonly IptablesRule[], chain: ChainBuilder, group: ChainGroup, write: () => Result): Result {
  const [firstEntry, firstChain] = [chain.entries.length, group.chains.length];
  const result = write();
  const origins = rules.map(({ span }) => span);
  chain.attribute(firstEntry, origins);
  for (const own of group.chains.slice(firstChain)) own.attribute(0, origins);
  return result;
}
