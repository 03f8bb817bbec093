/** Rewrites a whole iptables ruleset of one family as one nft table. */

import { diagnostic, effectOf, printable, type Diagnostic } from "../diagnostic.js";
import type { RecentUse } from "../extensions/matches/recent.js";
import { findChainLoops } from "../iptables/chain-loops.js";
import type { IptablesChain, IptablesRule, IptablesRuleset, IptablesTable } from "../iptables/ast.js";
import type { Hook, NftTable } from "../nft/ast.js";
import { jump } from "../nft/ast.js";
import { baseChainOf } from "../nft/base-chains.js";
import { Names } from "../nft/names.js";
import { fitsOneRule } from "../nft/rule-size.js";
import { features, isLoadable } from "../nft/versions.js";
import type { Ipsets } from "../extensions/extension.js";
import type { Geoip } from "../geoip/ranges.js";
import { analyse, consequence, derived, recentUses, recordingOf, type Analysis, type AnalysisContext } from "./analyse.js";
import { deepestLevel, deepestPath, reachableHooks } from "./hooks.js";
import type { RuleParts } from "./parts.js";
import { placeMatched, placeRule } from "./place.js";
import { bansSuffice, buildFused, findFusedGroup, type FusedGroup } from "./recent/fused.js";
import { largestRing, RecentList } from "./recent/list.js";
import { recentRemarks, type ListFacts } from "./recent/remarks.js";
import { longestMute, type Window } from "./recent/ring.js";
import { gatherLists, sameTtl } from "./recent/usage.js";
import { TableBuilder, type ChainBuilder, type ChainGroup } from "./table-builder.js";
import { lateFeature } from "./target-version.js";

export type RecentForm = "auto" | "exact" | "limit";

export interface RewriteOptions {
  /** Name of our nft table. */
  readonly table: string;
  readonly recent: RecentForm;
  /** Elements a dynamic set may hold. */
  readonly setSize: number;
  /** Write a counter into every rule. */
  readonly counters: boolean;
  /** The nft that has to load the script; any if undefined. */
  readonly targetNft?: string | undefined;
  /** The sets of ipset that rules may ask. */
  readonly ipsets?: Ipsets;
  /** The addresses of countries that rules may ask; none if undefined. */
  readonly geoip?: Geoip | undefined;
}

export interface Rewriting {
  readonly table: NftTable;
  readonly diagnostics: readonly Diagnostic[];
}

/** `auto` writes a ring up to here and a limit above: a ring costs about as many sets as hits. */
const largestAutomaticRing = 100;

export function rewriteRuleset(ruleset: IptablesRuleset, options: RewriteOptions): Rewriting {
  const attempt: Attempt = { flat: new Set(), limited: new Set(), deepestCaller: Infinity, refused: new Set(), ringless: new Set() };
  for (;;) {
    const rewriter = new RulesetRewriter(ruleset, options, attempt);
    const rewriting = rewriter.run();
    const path = deepestPath(rewriting.table);
    const tooDeep = path.length - 1 > deepestLevel;
    const jumpsLeft = attempt.deepestCaller > 0;
    const hopeless = [...rewriter.tooLarge, ...(tooDeep && !jumpsLeft ? rewriter.rulesNesting(path) : [])];
    const undeletable = isLoadable("setDeletion", options.targetNft) ? [] : rewriter.listsThatDelete();
    if (hopeless.length === 0 && !(tooDeep && jumpsLeft) && undeletable.length === 0) return rewriting;
    for (const list of undeletable) attempt.ringless.add(list);
    for (const rule of hopeless) attempt.refused.add(rule);
    if (tooDeep && jumpsLeft) giveUpMore(attempt, rewriter.listsOn(path), options.recent);
  }
}

/** What is given up, in this order, to stay within the kernel's levels of jumps. */
interface Attempt {
  /** Lists whose slots are found without nesting chains. */
  readonly flat: Set<string>;
  /** Lists whose hit counts are written as limits. */
  readonly limited: Set<string>;
  /** Lists whose hit counts cannot be rings, because the target's nft does not delete from sets in rules. */
  readonly ringless: Set<string>;
  /** Jumps from chains at this depth below a built-in chain, or deeper, are refused. */
  deepestCaller: number;
  /** Rules that cannot be written within what the kernel takes. */
  readonly refused: Set<IptablesRule>;
}

function giveUpMore(attempt: Attempt, lists: readonly string[], form: RecentForm): void {
  const nested = lists.filter((list) => !attempt.flat.has(list));
  const exact = form === "exact" ? [] : lists.filter((list) => !attempt.limited.has(list));
  if (nested.length > 0) for (const list of nested) attempt.flat.add(list);
  else if (exact.length > 0) for (const list of exact) attempt.limited.add(list);
  else attempt.deepestCaller = Math.min(attempt.deepestCaller, deepestLevel) - 1;
}

class RulesetRewriter {
  private readonly builder: TableBuilder;
  private readonly diagnostics: Diagnostic[] = [];
  private readonly reported = new Set<string>();
  private readonly chainNames = new Map<IptablesTable, Map<string, string>>();
  private readonly hooks = new Map<IptablesTable, Map<string, Set<Hook>>>();
  private readonly depths = new Map<IptablesTable, Map<string, number>>();
  private readonly lists = new Map<string, RecentList>();
  /** The rule for which a chain of its own was made. */
  private readonly owners = new Map<string, IptablesRule>();
  /** Rules of which some part has more tests than one kernel rule holds. */
  readonly tooLarge: IptablesRule[] = [];

  private readonly deadLoops = new Set<IptablesRule>();
  private readonly reassembles: boolean;

  constructor(
    private readonly ruleset: IptablesRuleset,
    private readonly options: RewriteOptions,
    private readonly attempt: Attempt,
  ) {
    this.builder = new TableBuilder(ruleset.family, options.table);
    this.reassembles = tracksConnections(ruleset);
  }

  run(): Rewriting {
    this.nameChains();
    this.makeLists();
    const analysed = this.ruleset.tables.map((table) => ({
      table,
      chains: table.chains.map((chain) => ({ chain, analyses: this.analyseChain(table, chain) })),
    }));
    const fused = this.declareLists(analysed.flatMap(({ chains }) => chains.map(({ analyses }) => analyses)));
    for (const { table, chains } of analysed) for (const { chain, analyses } of chains) this.writeChain(table, chain, analyses, fused);
    return { table: this.builder.build(), diagnostics: this.diagnostics };
  }

  private report(found: Diagnostic): void {
    // A line with an address list makes several rules that all have the same to say.
    const id = `${found.code} ${found.span.file} ${found.span.line} ${found.span.column} ${found.message}`;
    if (this.reported.has(id)) return;
    this.reported.add(id);
    this.diagnostics.push(found);
  }

  // ------------------------------------------------------------------------------------------- what is where

  private nameChains(): void {
    for (const table of this.ruleset.tables) {
      const names = new Map<string, string>();
      for (const { name } of table.chains) names.set(name, this.builder.names.unique(`${table.name}_${name}`));
      this.chainNames.set(table, names);
      this.hooks.set(table, reachableHooks(table));
      for (const { rule } of findChainLoops(table, true)) this.deadLoops.add(rule);
      if (this.attempt.deepestCaller !== Infinity) this.depths.set(table, depthsOf(table));
    }
  }

  private makeLists(): void {
    for (const usage of gatherLists(this.ruleset).values()) {
      const hooks = usage.uses.flatMap(({ table, chain }) => [...(this.hooks.get(table)?.get(chain.name) ?? [])]);
      this.lists.set(
        usage.name,
        new RecentList(
          usage,
          this.builder,
          {
            family: this.ruleset.family,
            setSize: this.options.setSize,
            asLimit: (window) =>
              this.attempt.limited.has(usage.name) ||
              (this.attempt.ringless.has(usage.name) && this.options.recent === "auto") ||
              this.asLimit(window),
            flat: this.attempt.flat.has(usage.name),
            keepsTtl: sameTtl(hooks),
            forgetsTtl: !isLoadable("setTypeof", this.options.targetNft),
            ringless: this.attempt.ringless.has(usage.name),
          },
          this.builder.servingGroup(),
        ),
      );
    }
  }

  /** The lists that serve any of these chains. */
  listsOn(chains: readonly string[]): string[] {
    return [...this.lists.values()]
      .filter(({ group }) => group.chains.some(({ name }) => chains.includes(name)))
      .map(({ usage }) => usage.name);
  }

  /** The lists whose own chains delete from sets. */
  listsThatDelete(): string[] {
    const deletes = ({ entries }: ChainBuilder): boolean =>
      entries.some((entry) => entry.kind === "rule" && entry.statements.some((one) => one.kind === "set" && one.operation === "delete"));
    return [...this.lists.values()].filter(({ group }) => group.chains.some(deletes)).map(({ usage }) => usage.name);
  }

  /** The rules whose own chains make a path too deep, from its end; and all others that have as many chains. */
  rulesNesting(path: readonly string[]): IptablesRule[] {
    const chains = new Map<IptablesRule, number>();
    for (const name of path) {
      const owner = this.owners.get(name);
      if (owner) chains.set(owner, (chains.get(owner) ?? 0) + 1);
    }
    const found = new Set<IptablesRule>();
    const totals = new Map<IptablesRule, number>();
    for (const owner of this.owners.values()) totals.set(owner, (totals.get(owner) ?? 0) + 1);
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

  private asLimit({ hits }: Window): boolean {
    return this.options.recent === "limit" || (this.options.recent === "auto" && hits > largestAutomaticRing);
  }

  // ------------------------------------------------------------------------------------------------- analysis

  private analyseChain(table: IptablesTable, chain: IptablesChain): Analysis[] {
    const common = this.chainContext(table, chain);
    return chain.rules.map((rule) => {
      if (this.deadLoops.has(rule)) {
        return { kind: "never", reason: "a rule before it takes all packets; nft would refuse the circle of jumps all the same" };
      }
      const refusal = this.refusal(table, chain, rule);
      if (refusal && this.attempt.refused.has(rule)) {
        this.report(refusal);
        return { kind: "refused", diagnostic: refusal };
      }
      const { protocol } = rule;
      const context = derived(common, {
        rule,
        protocol: protocol && !protocol.inverted && protocol.value !== 0 ? protocol.value : undefined,
      });
      const analysis = (refusal && this.refused(rule, refusal, context)) ?? this.beyondTarget(rule, context) ?? analyse(rule, context);
      if (analysis.kind === "refused") this.report(analysis.diagnostic);
      return analysis;
    });
  }

  /** What cannot be written whatever its parts are. */
  private refusal(table: IptablesTable, chain: IptablesChain, rule: IptablesRule): Diagnostic | undefined {
    if (this.attempt.refused.has(rule)) {
      return diagnostic(
        "rule-too-large",
        rule.span,
        "the rule has more tests than nft can hold in one rule or nest in chains; " +
          `${consequence(rule, recentUses(rule, this.ruleset.family))}`,
        "write it as several rules",
      );
    }
    if (rule.target?.kind === "chain" && (this.depths.get(table)?.get(chain.name) ?? 0) >= this.attempt.deepestCaller) {
      return diagnostic(
        "too-many-levels",
        rule.target.span,
        `jump to "${printable(rule.target.chain)}" is deeper than the ${deepestLevel} levels that the kernel allows nft; ` +
          `${consequence(rule)}`,
      );
    }
    const uses = recentUses(rule, this.ruleset.family);
    const tooLarge = uses.findIndex((use) => this.isBeyond(use));
    const use = uses[tooLarge];
    if (!use) return undefined;
    if (use.operation === "remove" || use.hits <= largestRing) {
      const { nft } = features.setDeletion;
      return diagnostic(
        "needs-newer-nft",
        use.use.options[use.operation === "remove" ? "remove" : "hitcount"]?.span ?? use.use.span,
        `list "${printable(use.list)}": ${use.operation === "remove" ? "taking a host off it" : "an exact window"} needs nft ${nft}, ` +
          `which deletes from sets in rules, and the script is for ${this.options.targetNft}; ${consequence(rule, uses.slice(tooLarge))}`,
        use.operation === "remove" ? undefined : "--recent auto writes it as a limit with a ban",
      );
    }
    return diagnostic(
      "recent-too-large",
      use.use.options["hitcount"]?.span ?? use.use.span,
      `hit count ${use.hits} is over the ${largestRing} that an exact form can hold; ${consequence(rule, uses.slice(tooLarge))}`,
      "--recent auto writes it as a limit with a ban",
    );
  }

  /** Whether a use of `recent` cannot be written at all. */
  private isBeyond(use: RecentUse): boolean {
    return (use.operation === "remove" && !isLoadable("setDeletion", this.options.targetNft)) || this.lists.get(use.list)!.isTooLarge(use);
  }

  /** A refused rule, of which stays what it records in front of a use of `recent` that cannot be written. */
  private refused(rule: IptablesRule, found: Diagnostic, context: AnalysisContext): Analysis {
    const analysis = analyse(rule, derived(context, { report: () => undefined }));
    if (analysis.kind !== "parts")
      return { ...(analysis.recording && { recording: analysis.recording }), kind: "refused", diagnostic: found };
    const { steps } = analysis.parts;
    const end = steps.findIndex((step) => step.kind === "recent" && this.isBeyond(step.use));
    return { kind: "refused", diagnostic: found, ...recordingOf(rule, end < 0 ? steps : steps.slice(0, end)) };
  }

  /** A rule with something in it that the target's nft does not have. */
  private beyondTarget(rule: IptablesRule, context: AnalysisContext): Analysis | undefined {
    const { targetNft } = this.options;
    const late = targetNft === undefined ? undefined : lateFeature(rule, context, targetNft);
    if (!late) return undefined;
    const { name, nft } = features[late.feature];
    const lost = recentUses({ ...rule, matches: rule.matches.slice(late.matchesBefore) }, this.ruleset.family);
    const { target: _, ...front } = { ...rule, matches: rule.matches.slice(0, late.matchesBefore) };
    return this.refused(
      front,
      diagnostic(
        "needs-newer-nft",
        late.span,
        `${late.blamed} needs nft ${nft} (${name}), and the script is for ${targetNft}; ${consequence(rule, lost)}`,
      ),
      context,
    );
  }

  /** What all rules of a chain have in common. */
  private chainContext(table: IptablesTable, chain: IptablesChain): Omit<AnalysisContext, "rule" | "protocol"> {
    return {
      family: this.ruleset.family,
      table: table.name,
      ruleset: this.ruleset,
      hooks: this.hooks.get(table)?.get(chain.name) ?? new Set(),
      setSize: this.options.setSize,
      counters: this.options.counters,
      ...(this.options.ipsets && { ipsets: this.options.ipsets }),
      ...(this.options.geoip && { geoip: this.options.geoip }),
      reassembles: this.reassembles,
      lists: this.lists,
      addSet: (wish, set) => this.builder.set(wish, set),
      sharedSet: (wish, set) => this.builder.sharedSet(wish, set),
      addChain: (wish, rules, base) => this.builder.ownChain(wish, rules, base),
      addHelper: (helper) => this.builder.helper(helper),
      chainName: (name) => this.chainNames.get(table)?.get(name) ?? name,
      report: (found) => this.report(found),
    };
  }

  // ---------------------------------------------------------------------------------------------------- lists

  /** Finds the groups that set and check side by side; all other lists get their sets. */
  private declareLists(chains: readonly (readonly Analysis[])[]): Map<RuleParts, FusedGroup> {
    const fused = new Map<RuleParts, FusedGroup>();
    const fusedLists = new Map<RecentList, FusedGroup>();
    for (const analyses of chains) {
      const parts = analyses.map((analysis) => (analysis.kind === "parts" ? analysis.parts : undefined));
      parts.forEach((first, index) => {
        const group = first && findFusedGroup(parts, index);
        if (!group || group.list.options.asLimit(group.window) || !fitsOneRule(group.conditions)) return;
        fused.set(first, group);
        fusedLists.set(group.list, group);
      });
    }
    const facts: ListFacts[] = [];
    for (const list of this.lists.values()) {
      const group = fusedLists.get(list);
      if (!group)
        this.builder.describedSets(
          () => list.declare(),
          () => list.describe(),
        );
      const fusedMute = !group || bansSuffice(group) || group.pushes === 0 ? 0 : longestMute(group.window.hits, group.pushes);
      facts.push({ list, longestMute: group ? fusedMute : list.longestMute });
    }
    for (const remark of recentRemarks(facts, this.options.setSize)) this.report(remark);
    return fused;
  }

  // ------------------------------------------------------------------------------------------------ the chains

  private writeChain(
    table: IptablesTable,
    chain: IptablesChain,
    analyses: readonly Analysis[],
    fused: ReadonlyMap<RuleParts, FusedGroup>,
  ): void {
    const name = this.chainNames.get(table)!.get(chain.name)!;
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
    for (let index = 0; index < analyses.length; ) {
      const analysis = analyses[index]!;
      const together = analysis.kind === "parts" ? fused.get(analysis.parts) : undefined;
      if (together) {
        this.writeFused(together, current, group);
        index += together.length;
      } else {
        current = this.writeRule(chain.rules[index]!, analysis, current, group, name);
        index++;
      }
    }
  }

  private writeRule(rule: IptablesRule, analysis: Analysis, chain: ChainBuilder, group: ChainGroup, name: string): ChainBuilder {
    switch (analysis.kind) {
      case "never":
        attributed([rule], chain, group, () => chain.remark(`line ${rule.span.line} can never match (${analysis.reason}): ${rule.text}`));
        return this.writeRecording(analysis.recording, chain, group, name);
      case "refused":
        chain.remark(
          `line ${rule.span.line} is not translated [${analysis.diagnostic.code}]: ${analysis.diagnostic.message}`,
          `    ${rule.text}`,
        );
        return this.writeRecording(analysis.recording, chain, group, name);
      case "parts": {
        const { parts } = analysis;
        const simple = parts.steps.every(({ kind }) => kind === "statements");
        const empty = simple && parts.steps.length === 0 && !parts.body.counter && !parts.body.end && parts.body.effects.length === 0;
        if (!simple || empty) chain.remark(`line ${rule.span.line}: ${rule.text}`);
        return this.place(parts, chain, group, `${name}_line_${rule.span.line}`);
      }
    }
  }

  /** The hits that a rule records which does nothing else any more. */
  private writeRecording(recording: RuleParts | undefined, chain: ChainBuilder, group: ChainGroup, name: string): ChainBuilder {
    if (!recording) return chain;
    chain.remark("    what it records before that:");
    return this.place(recording, chain, group, `${name}_line_${recording.rule.span.line}`);
  }

  /** Writes the rule and remembers what came of it. */
  private place(parts: RuleParts, chain: ChainBuilder, group: ChainGroup, wish: string): ChainBuilder {
    const firstChain = group.chains.length;
    const firstEntry = chain.entries.length;
    const rest = attributed([parts.rule], chain, group, () => placeRule(parts, chain, group, wish));
    const own = group.chains.slice(firstChain);
    for (const { name } of own) this.owners.set(name, parts.rule);
    const entries = [...chain.entries.slice(firstEntry), ...own.flatMap((one) => one.entries)];
    if (entries.some((entry) => entry.kind === "rule" && !fitsOneRule(entry.statements))) this.tooLarge.push(parts.rule);
    return rest;
  }

  /** A call under the group's common conditions, and behind it what the `--set` does with packets within the limit. */
  private writeFused(fused: FusedGroup, chain: ChainBuilder, group: ChainGroup): void {
    const { list, window, setFirst, set, checks, conditions } = fused;
    const rules = (setFirst ? [set, ...checks] : [...checks, set]).map(({ rule }) => `line ${rule.span.line}: ${rule.text}`);
    const { entry, over } = this.builder.describedSets(
      () => buildFused(fused, group),
      ({ description }) => [
        `list "${printable(list.usage.name)}": exact window of ${window.hits} hits in ${window.seconds} s, lines ${lineNumbers(fused)}`,
        ...description,
      ],
    );
    entry.comment.push(
      `list "${printable(list.usage.name)}": records a hit and leaves to ${over.name} if the host ` +
        `${setFirst ? "now has" : "already had"} ` +
        `${window.hits} hits in ${window.seconds} s`,
    );
    chain.remark(...rules);
    const counted = setFirst && set.body.counter ? [set.body.counter] : [];
    attributed(
      [set, ...checks].map(({ rule }) => rule),
      chain,
      group,
      () => chain.rule([...conditions, ...counted, jump(entry.name)], setFirst ? set.body.comment : undefined),
    );
    if (!setFirst) {
      attributed([set.rule], chain, group, () =>
        placeMatched([{ kind: "statements", statements: conditions }], set.body, chain, group, over.name),
      );
    }
    for (const check of checks) {
      const at = check.steps.findIndex(({ kind }) => kind === "recent");
      over.remark(`line ${check.rule.span.line}`);
      attributed([check.rule], over, group, () => placeMatched(check.steps.slice(at + 1), check.body, over, group, over.name));
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

function lineNumbers({ set, checks }: FusedGroup): string {
  return [set, ...checks]
    .map(({ rule }) => rule.span.line)
    .sort((a, b) => a - b)
    .join(", ");
}

const trackingMatches = new Set(["conntrack", "state", "connmark", "connbytes", "connlabel", "connlimit", "helper", "cluster", "socket"]);
const trackingTargets = new Set([
  "CT",
  "NOTRACK",
  "CONNMARK",
  "CONNSECMARK",
  "SNAT",
  "DNAT",
  "MASQUERADE",
  "REDIRECT",
  "NETMAP",
  "SYNPROXY",
  "TPROXY",
  "CLUSTERIP",
]);

/** Whether any rule makes the kernel track connections. */
function tracksConnections(ruleset: IptablesRuleset): boolean {
  return ruleset.tables.some((table) =>
    table.chains.some((chain) =>
      chain.rules.some(
        ({ matches, target }) =>
          matches.some(({ extension }) => trackingMatches.has(extension)) ||
          (target?.kind === "extension" && trackingTargets.has(target.extension)),
      ),
    ),
  );
}

/** The longest way from a built-in chain to each chain, in jumps. */
function depthsOf(table: IptablesTable): Map<string, number> {
  const depths = new Map<string, number>(table.chains.filter(({ policy }) => policy !== undefined).map(({ name }) => [name, 0]));
  const callees = new Map(
    table.chains.map(({ name, rules }) => [
      name,
      [...new Set(rules.flatMap(({ target }) => (target?.kind === "chain" ? [target.chain] : [])))],
    ]),
  );
  // Loops among reachable chains have been refused, so as many rounds as there are chains reach the longest way.
  let waiting = [...depths.keys()];
  for (let round = 0; round <= callees.size && waiting.length > 0; round++) {
    const deeper = new Set<string>();
    for (const name of waiting) {
      for (const callee of callees.get(name) ?? []) {
        if ((depths.get(callee) ?? -1) >= depths.get(name)! + 1) continue;
        depths.set(callee, depths.get(name)! + 1);
        deeper.add(callee);
      }
    }
    waiting = [...deeper];
  }
  return depths;
}

/** Whether any diagnostic says that the input is no ruleset. */
export function isInvalid(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ code }) => effectOf(code) === "invalid");
}
