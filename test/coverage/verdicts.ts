/** What becomes of an option's rule: it is translated alone, and judged by what the translator says of it. */

import { requirements, type Requirements } from "../../src/nft/requirements.js";
import { lossOf } from "../../src/rewrite/analyse.js";
import { translate, type Outcome, type TranslateOptions, type Translation } from "../../src/translate.js";
import type { OptionRule } from "./options.js";

export interface Verdict {
  readonly outcome: Outcome;
  readonly requirements: Requirements | undefined;
  /** Why the rule is refused, or how it differs. */
  readonly reasons: readonly string[];
}

export function translateAlone({ dump, family, options }: OptionRule, more: TranslateOptions = {}): Translation {
  return translate(dump, { ...options, ...more, family });
}

export function judge(rule: OptionRule): Verdict {
  const { outcome, nft, diagnostics, iptables } = translateAlone(rule);
  const table = iptables[0]?.tables[0];
  const read = table?.chains[0]?.rules[0];
  const ending = table && read ? `; ${lossOf(read, table.name).told}` : "";
  const reasons = diagnostics
    .filter(({ severity }) => severity !== "note")
    .map(({ message }) => {
      const withoutEnd = ending !== "" && message.endsWith(ending) ? message.slice(0, -ending.length) : message;
      return withoutEnd.replace(/^.*? cannot be translated: /, "").replace(/^(?:match|target|list) "[^"]*": /, "");
    });
  return { outcome, requirements: nft && outcome !== "refused" ? requirements(nft) : undefined, reasons };
}
