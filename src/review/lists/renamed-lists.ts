/** Lists that only have another name: a name means nothing, and rules that differ in it alone are no change. */

import type { ExtensionUse, IptablesRuleset, OptionUse } from "../../iptables/ast.js";
import { listsOf, type ReviewedList } from "./list-use.js";

/** Old names with the new ones of lists that only the new rulesets have, and whose rules are the same but for the name. */
export function renamedLists(old: readonly IptablesRuleset[], current: readonly IptablesRuleset[]): ReadonlyMap<string, string> {
  const [before, after] = [byName(listsOf(old)), byName(listsOf(current))];
  const come = new Map([...after].filter(([name]) => !before.has(name)).map(([name, lists]) => [nameless(name, lists), name]));
  const renamed = new Map<string, string>();
  for (const [name, lists] of before) {
    if (after.has(name)) continue;
    const key = nameless(name, lists);
    const newName = come.get(key);
    if (newName === undefined) continue;
    renamed.set(name, newName);
    come.delete(key);
  }
  return renamed;
}

/** A list is one for both families. */
function byName(lists: readonly ReviewedList[]): Map<string, ReviewedList[]> {
  const found = new Map<string, ReviewedList[]>();
  for (const list of lists) found.set(list.name, [...(found.get(list.name) ?? []), list]);
  return found;
}

function nameless(name: string, lists: readonly ReviewedList[]): string {
  // As it stands in the meaning of a rule: JSON within JSON.
  const quoted = JSON.stringify(`"list":${JSON.stringify(name)}`).slice(1, -1);
  return lists.map(({ family, meaning }) => `${family} ${meaning.replaceAll(quoted, "")}`).join("\n");
}

/** The rulesets with these lists under their new names. */
export function withListNames(rulesets: readonly IptablesRuleset[], names: ReadonlyMap<string, string>): readonly IptablesRuleset[] {
  if (names.size === 0) return rulesets;
  const renamed = (use: ExtensionUse): ExtensionUse => {
    const option = use.options["name"] as OptionUse<string> | undefined;
    const name = use.extension === "recent" && !use.unknown ? names.get(option?.value ?? "DEFAULT") : undefined;
    if (name === undefined) return use;
    return {
      ...use,
      options: { ...use.options, name: { name: "name", inverted: false, span: use.span, ...option, value: name, text: name } },
    };
  };
  return rulesets.map((ruleset) => ({
    ...ruleset,
    tables: ruleset.tables.map((table) => ({
      ...table,
      chains: table.chains.map((chain) => ({
        ...chain,
        rules: chain.rules.map((rule) => ({ ...rule, matches: rule.matches.map(renamed) })),
      })),
    })),
  }));
}
