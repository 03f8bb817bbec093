/**
 * The second phase: which rules stand, in which form each list is written, and which rules become one. A plan is a value; nothing of a
 * rule is looked at again that the analysis has said.
 */

import { printable, type Diagnostic } from "../diagnostic.js";
import type { RecentUse } from "../extensions/matches/recent.js";
import type { Family, IptablesRule, TableName } from "../iptables/ast.js";
import { fitsOneRule } from "../nft/rule-size.js";
import { features, isLoadable } from "../nft/versions.js";
import { lossOf, recentUses, recordingOf, refusal, type Analysis, type Remains } from "./analyse.js";
import { deadLoop, type AnalysedChain, type AnalysedList, type RulesetAnalysis } from "./analyse-ruleset.js";
import { deepestLevel } from "../nft/levels.js";
import type { RuleParts, Step } from "./parts.js";
import { BoundFinder, type Bounds } from "./recent/bounds.js";
import { isTooLarge, largestRing, longestMuteOf, windowsOf, type ListForm } from "./recent/form.js";
import { findFusedGroup, formOfGroup, type FusedGroup } from "./recent/fused.js";
import type { TtlForm } from "./recent/last-ttl.js";
import { checksOfOwnTtl } from "./recent/own-ttl.js";
import { recentRemarks } from "./recent/remarks.js";
import { longestMute } from "./recent/ring.js";
import type { Window } from "./recent/window.js";
import type { HeaderTtls, ListUsage, PlacedUse } from "./recent/usage.js";
import { missingFeature, type Target } from "./target-version.js";

export type RecentForm = "auto" | "exact" | "limit" | "ban";

export interface DecisionOptions extends Target {
  readonly recent: RecentForm;
  /** Elements a dynamic set may hold. */
  readonly setSize: number;
  /** Seconds without a hit after which a host is taken off a list that would keep it for ever; never if undefined. */
  readonly forgetAfter?: number | undefined;
  /** What the sets hold is kept when the script is loaded. */
  readonly keepSets?: boolean;
}

/** What is given up to stay within the kernel's limits. */
export interface GivenUp {
  /** Lists of which every `--update` records with the walk of its check: longer, and less deep. */
  readonly oneWalk: ReadonlySet<string>;
  /** Lists whose slots are found without nesting chains. */
  readonly flat: ReadonlySet<string>;
  /** Lists whose hit counts are written as limits. */
  readonly limited: ReadonlySet<string>;
  /** Jumps from chains at this depth below a built-in chain, or deeper, are refused. */
  readonly deepestCaller: number;
  /** Rules that cannot be written within what the kernel takes. */
  readonly refused: ReadonlySet<IptablesRule>;
}

export const nothingGivenUp: GivenUp = {
  oneWalk: new Set(),
  flat: new Set(),
  limited: new Set(),
  deepestCaller: Infinity,
  refused: new Set(),
};

/** What becomes of a rule. */
export type Decision =
  | { readonly kind: "parts"; readonly parts: RuleParts }
  | ({ readonly kind: "never"; readonly reason: string } & Remains)
  | ({ readonly kind: "refused"; readonly diagnostic: Diagnostic } & Remains);

export interface PlannedChain extends Omit<AnalysedChain, "rules"> {
  readonly rules: readonly { readonly rule: IptablesRule; readonly decision: Decision }[];
}

export interface PlannedList {
  readonly usage: ListUsage;
  readonly form: ListForm;
  /** The rules that set and check it stand side by side, and become one walk. */
  readonly fused: FusedGroup | undefined;
  /** Where what passes is counted a second time, of rules that do not become one walk. */
  readonly bounds: Bounds;
  /** Some rule that is written asks it, or records in it. */
  readonly used: boolean;
}

export interface Plan {
  readonly family: Family;
  readonly chains: readonly PlannedChain[];
  readonly lists: ReadonlyMap<string, PlannedList>;
  /** By the first rule of the group. */
  readonly fused: ReadonlyMap<RuleParts, FusedGroup>;
  readonly diagnostics: readonly Diagnostic[];
}

/** `auto` writes a ring up to here and a limit above: a ring costs about as many sets as hits. */
const largestAutomaticRing = 100;

export function decide(analysis: RulesetAnalysis, options: DecisionOptions, given: GivenUp): Plan {
  const ringless = new Set<string>();
  // A rule that is refused for one list may hold another, whose rules then no longer become one and need a ring: as many rounds as
  // there are lists, at most, and one where rules may delete from sets.
  for (;;) {
    const plan = new Decider(analysis, options, given, ringless).run();
    const undeletable = isLoadable("setDeletion", options.targetNft) ? [] : deletingLists(plan);
    if (undeletable.length === 0) return plan;
    for (const name of undeletable) ringless.add(name);
  }
}

class Decider {
  private readonly forms: ReadonlyMap<string, ListForm>;

  constructor(
    private readonly analysis: RulesetAnalysis,
    private readonly options: DecisionOptions,
    private readonly given: GivenUp,
    private readonly ringless: ReadonlySet<string>,
  ) {
    this.forms = new Map([...analysis.lists].map(([name, list]) => [name, this.formOf(name, list)]));
  }

  run(): Plan {
    const diagnostics = new DiagnosticList();
    const chains = this.analysis.chains.map((chain) => this.chain(chain, diagnostics));
    const usages = this.usages(chains);
    const fused = this.fusedGroups(chains, usages);
    const lists = this.lists(chains, usages, fused);
    const facts = [...lists.values()].map((list) => ({
      usage: list.usage,
      form: list.form,
      fused: list.fused,
      longestMute: longestMuteIn(list),
    }));
    for (const remark of recentRemarks(facts, this.options.setSize)) diagnostics.add(remark);
    return { family: this.analysis.ruleset.family, chains, lists, fused, diagnostics: diagnostics.all };
  }

  // ---------------------------------------------------------------------------------------------------- lists

  private formOf(name: string, { headerTtls }: AnalysedList): ListForm {
    const { options, given } = this;
    const ringless = this.ringless.has(name);
    const limited = given.limited.has(name) || (ringless && (options.recent === "auto" || options.recent === "ban"));
    return {
      family: this.analysis.ruleset.family,
      setSize: options.setSize,
      forgetAfter: options.forgetAfter,
      asLimit: (window) => limited || this.isLimitByItself(window),
      bans: options.recent === "ban",
      mayDelete: isLoadable("setDeletion", options.targetNft),
      oneWalk: given.oneWalk.has(name),
      flat: given.flat.has(name),
      ttl: this.ttlForm(headerTtls),
      ringless,
      windowsInNames: options.keepSets === true,
    };
  }

  private ttlForm(header: HeaderTtls): TtlForm | undefined {
    const { targetNft } = this.options;
    if (!isLoadable("setDeletion", targetNft)) return undefined;
    return { pieces: header !== "both" && isLoadable("lengthlessKey", targetNft) ? "digits" : "bits", header };
  }

  private isLimitByItself({ hits }: Window): boolean {
    const largest = { exact: Infinity, ban: largestRing, auto: largestAutomaticRing, limit: 0 };
    return hits > largest[this.options.recent];
  }

  /** Who uses which list, with `--rttl` only where it can make a difference. */
  private usages(chains: readonly PlannedChain[]): Map<string, ListUsage> {
    const usages = new Map([...this.analysis.lists].map(([name, { usage }]) => [name, usage]));
    if (![...usages.values()].some(({ uses }) => uses.some(({ rttl }) => rttl))) return usages;
    const ownTtl = checksOfOwnTtl(
      chains.map(({ name, rules }) => ({
        name,
        rules: rules.map(({ decision }) =>
          decision.kind === "parts" ? decision.parts : decision.kind === "never" ? "nothing" : "unknown",
        ),
      })),
    );
    const relevant = (use: PlacedUse): PlacedUse => (ownTtl.has(use.use) ? { ...use, rttl: false } : use);
    return new Map([...usages].map(([name, usage]) => [name, { ...usage, uses: usage.uses.map(relevant) }]));
  }

  private fusedGroups(chains: readonly PlannedChain[], usages: ReadonlyMap<string, ListUsage>): Map<RuleParts, FusedGroup> {
    const fused = new Map<RuleParts, FusedGroup>();
    for (const { rules } of chains) {
      const parts = rules.map(({ decision }) => (decision.kind === "parts" ? decision.parts : undefined));
      parts.forEach((first, index) => {
        const group = first && findFusedGroup(parts, index, usages);
        if (group && !this.forms.get(group.usage.name)!.asLimit(group.window) && fitsOneRule(group.conditions)) fused.set(first, group);
      });
    }
    return fused;
  }

  private lists(
    chains: readonly PlannedChain[],
    usages: ReadonlyMap<string, ListUsage>,
    fused: ReadonlyMap<RuleParts, FusedGroup>,
  ): Map<string, PlannedList> {
    const groups = new Map([...fused.values()].map((group) => [group.usage.name, group]));
    const used = new Set(writtenUses(chains).map(({ list }) => list));
    const finder = new BoundFinder(
      chains.map(({ name, rules }) => ({
        name,
        rules: rules.map(({ decision }) => (decision.kind === "parts" ? decision.parts : undefined)),
      })),
    );
    return new Map(
      [...usages].map(([name, usage]) => {
        const form = this.forms.get(name)!;
        const group = groups.get(name);
        const windows = group ? [] : windowsOf(usage, form).filter((window) => !form.asLimit(window));
        return [name, { usage, form, fused: group, bounds: finder.find(usage, windows), used: used.has(name) }];
      }),
    );
  }

  // ---------------------------------------------------------------------------------------------------- rules

  private chain(chain: AnalysedChain, diagnostics: DiagnosticList): PlannedChain {
    const rules = chain.rules.map(({ rule, analysis }) => {
      const refusal = analysis === deadLoop ? undefined : this.refusal(rule, analysis, chain.depth ?? 0, chain.table.name);
      // What else there is to say of a rule has no meaning once it is refused for this.
      for (const remark of refusal ? [] : analysis.remarks) diagnostics.add(remark);
      const decision = refusal ?? analysis;
      if (decision.kind === "refused") diagnostics.add(decision.diagnostic);
      return { rule, decision };
    });
    return { ...chain, rules };
  }

  /** Why a rule is refused that the analysis found nothing wrong with. */
  private refusal(rule: IptablesRule, analysis: Analysis, depth: number, table: TableName): Decision | undefined {
    if (this.given.refused.has(rule)) {
      const found = refusal(
        "rule-too-large",
        rule.span,
        "the rule has more tests than nft can hold in one rule or nest in chains",
        lossOf(rule, table, this.recentUses(rule)),
        "write it as several rules",
      );
      return { kind: "refused", diagnostic: found };
    }
    const pieces = analysis.kind === "parts" ? analysis.parts : analysis.recording;
    const refused = (found: Diagnostic, isLost: (step: Step) => boolean): Decision => {
      const { steps, declarations } = pieces ?? { steps: [], declarations: [] };
      const end = steps.findIndex(isLost);
      return { kind: "refused", diagnostic: found, ...recordingOf(rule, end < 0 ? steps : steps.slice(0, end), declarations) };
    };
    const isBeyond = (step: Step): boolean => step.kind === "recent" && this.isBeyond(step.use);
    const found = this.tooDeep(rule, depth, table) ?? this.beyondLists(rule, table);
    if (found) return refused(found, isBeyond);
    const missing = pieces && missingFeature(rule, pieces, this.options);
    if (!missing) return undefined;
    const { name, nft } = features[missing.feature];
    const lost = this.recentUses({ ...rule, matches: rule.matches.slice(missing.matchesBefore) });
    const [code, reason] =
      missing.part === undefined
        ? (["needs-newer-nft", `nft ${nft} (${name}), and the script is for ${this.options.targetNft}`] as const)
        : (["needs-kernel-part", `"${missing.part}", and the script is for a kernel without it`] as const);
    return refused(
      refusal(code, missing.span, `${missing.blamed} needs ${reason}`, lossOf(rule, table, lost)),
      ({ match = -1 }) => match >= missing.matchesBefore,
    );
  }

  private tooDeep(rule: IptablesRule, depth: number, table: TableName): Diagnostic | undefined {
    if (rule.target?.kind !== "chain" || depth < this.given.deepestCaller) return undefined;
    return refusal(
      "too-many-levels",
      rule.target.span,
      `jump to "${printable(rule.target.chain)}" is deeper than the ${deepestLevel} levels that the kernel allows nft`,
      lossOf(rule, table),
    );
  }

  /** What its list cannot be asked, whatever else the rule is made of. */
  private beyondLists(rule: IptablesRule, table: TableName): Diagnostic | undefined {
    const uses = this.recentUses(rule);
    const tooLarge = uses.findIndex((use) => this.isBeyond(use));
    const use = uses[tooLarge];
    if (!use) return undefined;
    if (use.operation === "remove" || use.hits <= largestRing) {
      const { nft } = features.setDeletion;
      return refusal(
        "needs-newer-nft",
        use.use.options[use.operation === "remove" ? "remove" : "hitcount"]?.span ?? use.use.span,
        `list "${printable(use.list)}": ${use.operation === "remove" ? "taking a host off it" : "an exact window"} needs nft ${nft}, ` +
          `which deletes from sets in rules, and the script is for ${this.options.targetNft}`,
        lossOf(rule, table, uses.slice(tooLarge)),
        use.operation === "remove" ? undefined : "--recent auto writes it as a limit with a ban",
      );
    }
    return refusal(
      "recent-too-large",
      use.use.options["hitcount"]?.span ?? use.use.span,
      `hit count ${use.hits} is over the ${largestRing} that an exact form can hold`,
      lossOf(rule, table, uses.slice(tooLarge)),
      "--recent auto writes it as a limit with a ban",
    );
  }

  /** Whether a use of `recent` cannot be written at all. */
  private isBeyond(use: RecentUse): boolean {
    return (use.operation === "remove" && !isLoadable("setDeletion", this.options.targetNft)) || isTooLarge(use, this.forms.get(use.list)!);
  }

  private recentUses(rule: IptablesRule): RecentUse[] {
    return recentUses(rule, this.analysis.ruleset.family);
  }
}

/** The uses of `recent` that are written. */
function writtenUses(chains: readonly PlannedChain[]): RecentUse[] {
  const uses: RecentUse[] = [];
  for (const { rules } of chains) {
    for (const { decision } of rules) {
      const parts = decision.kind === "parts" ? decision.parts : decision.recording;
      for (const step of parts?.steps ?? []) if (step.kind === "recent") uses.push(step.use);
    }
  }
  return uses;
}

/** The lists that take hosts off their sets by themselves: those with a ring in which something is recorded. */
function deletingLists({ chains, lists }: Plan): string[] {
  const recorded = new Set(
    writtenUses(chains)
      .filter(recordsInAllStores)
      .map(({ list }) => list),
  );
  return [...lists.values()]
    .filter(({ usage, form, fused }) => {
      if (fused) return ["ring", "short ban on a ring"].includes(formOfGroup(fused, form));
      return recorded.has(usage.name) && windowsOf(usage, form).some((window) => !form.asLimit(window));
    })
    .map(({ usage }) => usage.name);
}

/** `! --update` of a host ever seen records nothing: it matches where there is none. */
function recordsInAllStores({ operation, inverted, seconds, hits }: RecentUse): boolean {
  return operation === "set" || (operation === "update" && !(inverted && seconds === undefined && hits === 1));
}

function longestMuteIn({ usage, form, fused }: PlannedList): number {
  if (!fused) return longestMuteOf(usage, form);
  return formOfGroup(fused, form) === "ring" && fused.pushes > 0 ? longestMute(fused.window.hits, fused.pushes) : 0;
}

/** A line with an address list makes several rules that all have the same to say. */
class DiagnosticList {
  readonly all: Diagnostic[] = [];
  private readonly known = new Set<string>();

  add(found: Diagnostic): void {
    const id = `${found.code} ${found.span.file} ${found.span.line} ${found.span.column} ${found.message}`;
    if (this.known.has(id)) return;
    this.known.add(id);
    this.all.push(found);
  }
}
