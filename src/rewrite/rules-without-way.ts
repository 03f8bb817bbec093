/** Files that hold a part of a firewall only, such as ufw's user.rules: nothing leads to their rules. */

import { diagnostic, type Diagnostic } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";

/** A note for each table that has rules, and none of them in a built-in chain. */
export function rulesWithoutWay(rulesets: readonly IptablesRuleset[]): Diagnostic[] {
  return rulesets
    .flatMap(({ tables }) => tables)
    .flatMap(({ name, span, chains }) => {
      const count = chains.reduce((sum, { rules }) => sum + rules.length, 0);
      const isPart = count > 0 && chains.every(({ policy, rules }) => policy === undefined || rules.length === 0);
      if (!isPart) return [];
      const rules = count === 1 ? "the rule" : `the ${count} rules`;
      return [
        diagnostic(
          "no-built-in-chain",
          span,
          `no built-in chain leads to ${rules} of table "${name}": the script decides no packet by them`,
          "this is a part of a firewall: give what iptables-save prints of all of it",
        ),
      ];
    });
}
