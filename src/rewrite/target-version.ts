/** What a rule would need that the nft or the kernel of its script does not have (`--target-nft`, `--without`). */

import { printable, type Span } from "../diagnostic.js";
import type { IptablesRule } from "../iptables/ast.js";
import type { Statement } from "../nft/ast.js";
import type { KernelPartName } from "../nft/kernel-parts.js";
import { addFeaturesOfSet, addFeaturesOfStatements, partOf } from "../nft/requirements.js";
import { features, isLoadable, isOlder, type FeatureName } from "../nft/versions.js";
import type { RuleParts, Step } from "./parts.js";

/** What the script is for. */
export interface Target {
  /** Any if undefined. */
  readonly targetNft?: string | undefined;
  /** Parts that the kernel lacks. */
  readonly without?: ReadonlySet<KernelPartName> | undefined;
}

export interface MissingFeature {
  readonly feature: FeatureName;
  /** The part of the kernel that is not there; undefined where nft is too old. */
  readonly part: KernelPartName | undefined;
  /** What needs it, within a sentence. */
  readonly blamed: string;
  readonly span: Span;
  /** Matches in front of that one. */
  readonly matchesBefore: number;
}

/**
 * Of what a rule's first match with such a thing is made of, what the kernel lacks, or what needs the newest nft; else of the target. The
 * lists of `recent` are not looked at: they belong to many rules.
 */
export function missingFeature(rule: IptablesRule, pieces: Pieces, target: Target): MissingFeature | undefined {
  if (target.targetNft === undefined && (target.without ?? none).size === 0) return undefined;
  for (const [position, match] of rule.matches.entries()) {
    const found = missingIn(pieces, position, target);
    if (found !== undefined)
      return { ...found, blamed: `match "${printable(match.extension)}"`, span: match.span, matchesBefore: position };
  }
  const found = missingIn(pieces, undefined, target);
  if (found === undefined) return undefined;
  const { target: end } = rule;
  const blamed = end?.kind === "extension" ? `target "${printable(end.extension)}"` : "the rule";
  return { ...found, blamed, span: (end ?? rule).span, matchesBefore: rule.matches.length };
}

const none: ReadonlySet<KernelPartName> = new Set();

/** What the analysis found. */
type Pieces = Pick<RuleParts, "steps" | "body" | "declarations">;

/** Of one match, or of the rule's own tests and its target. */
function missingIn(
  { steps, body, declarations }: Pieces,
  match: number | undefined,
  { targetNft, without = none }: Target,
): Pick<MissingFeature, "feature" | "part"> | undefined {
  const found = new Set<FeatureName>();
  for (const declaration of declarations) {
    if (declaration.match !== match) continue;
    if (declaration.kind === "set") addFeaturesOfSet(declaration.set, found);
    if (declaration.kind === "chain") for (const statements of declaration.rules) addFeaturesOfStatements(statements, found);
  }
  for (const step of steps) if (step.match === match) for (const statements of groupsOf(step)) addFeaturesOfStatements(statements, found);
  if (match === undefined) addFeaturesOfStatements([...body.effects, ...(body.end ? [body.end] : [])], found);
  for (const feature of found) {
    const part = partOf(feature);
    if (part !== undefined && without.has(part)) return { feature, part };
  }
  const newest = [...found]
    .filter((name) => !isLoadable(name, targetNft))
    .reduce<
      FeatureName | undefined
    >((latest, name) => (latest === undefined || isOlder(features[latest].nft, features[name].nft) ? name : latest), undefined);
  return newest && { feature: newest, part: undefined };
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
