/** The conditions of a match: of fields of the packet, of what earlier packets left behind, and those that nothing here can tell. */

import { alwaysMatches, fieldTestsOf, untoldOptions } from "../../extensions/described.js";
import type { ExtensionUse } from "../../iptables/ast.js";
import type { Condition } from "./condition.js";
import { memoryConditions, type Surroundings } from "./conditions-of-memory.js";
import { testCondition } from "./fields.js";

export function matchConditions(use: ExtensionUse, surroundings: Surroundings): Condition[] {
  const { family } = surroundings;
  if (alwaysMatches(use)) return [];
  const ofFields = fieldTestsOf(use, family).map((test) => testCondition(test));
  const others = memoryConditions(use, surroundings) ?? untold(untoldOptions(use, family));
  return [...ofFields, ...others].map((condition) => ({ ...condition, label: `-m ${use.extension} ${condition.label}` }));
}

/** One for each option that is left to chance, or one for all. */
function untold(options: ReturnType<typeof untoldOptions>): Condition[] {
  const labels = options === true ? [""] : options.map(({ name }) => `--${name}`);
  return labels.map((label) => ({ label, kind: "closed", test: () => undefined }));
}
