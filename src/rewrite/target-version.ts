/** What a rule would need of an nft newer than the one its script is for (`--target-nft`). */

import { printable, type Span } from "../diagnostic.js";
import type { IptablesRule } from "../iptables/ast.js";
import type { Statement } from "../nft/ast.js";
import { addFeaturesOfSet, addFeaturesOfStatements } from "../nft/requirements.js";
import { features, isLoadable, isOlder, type FeatureName } from "../nft/versions.js";
import type { RuleParts, Step } from "./parts.js";

export interface LateFeature {
  readonly feature: FeatureName;
  /** What needs it, within a sentence. */
  readonly blamed: string;
  readonly span: Span;
  /** Matches in front of that one. */
  readonly matchesBefore: number;
}

/**
 * The newest thing that a rule's first match with such a thing is made of, if `targetNft` does not have it; else that of the target. The
 * lists of `recent` are not looked at: they belong to many rules.
 */
export function lateFeature(rule: IptablesRule, pieces: Pieces, targetNft: string): LateFeature | undefined {
  for (const [position, match] of rule.matches.entries()) {
    const feature = newestBeyond(pieces, position, targetNft);
    if (feature !== undefined)
      return { feature, blamed: `match "${printable(match.extension)}"`, span: match.span, matchesBefore: position };
  }
  const feature = newestBeyond(pieces, undefined, targetNft);
  if (feature === undefined) return undefined;
  const { target } = rule;
  const blamed = target?.kind === "extension" ? `target "${printable(target.extension)}"` : "the rule";
  return { feature, blamed, span: (target ?? rule).span, matchesBefore: rule.matches.length };
}

/** What the analysis found. */
type Pieces = Pick<RuleParts, "steps" | "body" | "declarations">;

/** Of one match, or of the rule's own tests and its target. */
function newestBeyond({ steps, body, declarations }: Pieces, match: number | undefined, targetNft: string): FeatureName | undefined {
  const found = new Set<FeatureName>();
  for (const declaration of declarations) {
    if (declaration.match !== match) continue;
    if (declaration.kind === "set") addFeaturesOfSet(declaration.set, found);
    if (declaration.kind === "chain") for (const statements of declaration.rules) addFeaturesOfStatements(statements, found);
  }
  for (const step of steps) if (step.match === match) for (const statements of groupsOf(step)) addFeaturesOfStatements(statements, found);
  if (match === undefined) addFeaturesOfStatements([...body.effects, ...(body.end ? [body.end] : [])], found);
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
