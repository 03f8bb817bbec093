/** What a rule would need of an nft newer than the one its script is for (`--target-nft`). */

import { printable, type Span } from "../diagnostic.js";
import type { IptablesRule } from "../iptables/ast.js";
import type { Statement } from "../nft/ast.js";
import { addFeaturesOfSet, addFeaturesOfStatements } from "../nft/requirements.js";
import { features, isLoadable, isOlder, type FeatureName } from "../nft/versions.js";
import { analyse, derived, type AnalysisContext } from "./analyse.js";
import type { Step } from "./parts.js";

export interface LateFeature {
  readonly feature: FeatureName;
  /** What needs it, within a sentence. */
  readonly blamed: string;
  readonly span: Span;
  /** Matches in front of that one. */
  readonly matchesBefore: number;
}

/**
 * The newest thing the rule is made of, if `targetNft` does not have it. The lists of `recent` are not looked at: they belong to
 * many rules.
 */
export function lateFeature(rule: IptablesRule, context: AnalysisContext, targetNft: string): LateFeature | undefined {
  const feature = newestBeyond(rule, context, targetNft);
  if (feature === undefined) return undefined;
  const { target, ...withoutTarget } = rule;
  const index = rule.matches.findIndex((use) => newestBeyond({ ...withoutTarget, matches: [use] }, context, targetNft) !== undefined);
  const match = rule.matches[index];
  if (match) {
    const own = newestBeyond({ ...withoutTarget, matches: [match] }, context, targetNft)!;
    return { feature: own, blamed: `match "${printable(match.extension)}"`, span: match.span, matchesBefore: index };
  }
  const blamed = target?.kind === "extension" ? `target "${printable(target.extension)}"` : "the rule";
  return { feature, blamed, span: (target ?? rule).span, matchesBefore: rule.matches.length };
}

/** Analyses the rule without a trace of it in the table. */
function newestBeyond(rule: IptablesRule, context: AnalysisContext, targetNft: string): FeatureName | undefined {
  const found = new Set<FeatureName>();
  const addSet: AnalysisContext["addSet"] = (wish, set) => {
    addFeaturesOfSet(set, found);
    return wish;
  };
  const analysis = analyse(
    rule,
    derived(context, {
      addSet,
      sharedSet: addSet,
      addHelper: ({ type }: { readonly type: string }) => type,
      addChain: (wish: string, rules: readonly (readonly Statement[])[]) => {
        for (const statements of rules) addFeaturesOfStatements(statements, found);
        return wish;
      },
      report: () => undefined,
    }),
  );
  if (analysis.kind === "parts") {
    const { steps, body } = analysis.parts;
    for (const step of steps) for (const statements of groupsOf(step)) addFeaturesOfStatements(statements, found);
    addFeaturesOfStatements([...body.effects, ...(body.end ? [body.end] : [])], found);
  }
  return [...found]
    .filter((name) => !isLoadable(name, targetNft))
    .reduce<
      FeatureName | undefined
    >((newest, name) => (newest === undefined || isOlder(features[newest].nft, features[name].nft) ? name : newest), undefined);
}

function groupsOf(step: Step): readonly (readonly Statement[])[] {
  switch (step.kind) {
    case "statements":
      return [step.statements];
    case "alternatives":
      return step.alternatives;
    case "any":
    case "unless":
      return step.groups;
    case "recent":
      return [];
  }
}
