/** The families of a dump, read from what is left of it without the rules that are like others. */

import type { Family } from "../iptables/ast.js";
import { readRulesets, type Source, type TranslateOptions } from "../translate.js";
import { Dump } from "./dump.js";

/** Those that `translate` finds; none for a text that is no ruleset. */
export function familiesByShapes(source: Source, options: TranslateOptions): ReadonlySet<Family> {
  return new Set(readRulesets([Dump.of(source)?.reduced() ?? source], options).map(({ family }) => family));
}
