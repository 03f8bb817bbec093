/** Hooks that nft limits an expression to: a script that breaks such a limit does not load. */

import type { Hook } from "../../nft/ast.js";
import type { RuleContext, Untranslatable } from "../extension.js";

/** Why the rule cannot hold `expression`, if its chain is reached from a hook where nft has none; `undefined` if it can. */
export function outsideHooks(context: RuleContext, allowed: readonly Hook[], expression: string): Untranslatable | undefined {
  const strange = [...context.hooks].filter((hook) => !allowed.includes(hook));
  if (strange.length === 0) return undefined;
  return { untranslatable: `nft has "${expression}" only in ${allowed.join(", ")}, and this chain is reached from ${strange.join(", ")}` };
}
