/** A rule as iptables writes it. */

import { diffArrays } from "diff";
import { element, type Child } from "./element.js";

/** The words of a rule, with options kept on one line: a browser would break them at their hyphens. */
export function ruleText(rule: string): readonly Child[] {
  return rule
    .split(/(?<=^|\s)(--?[a-z][a-z-]{0,30})(?=\s|$)/i)
    .map((part, index) => (index % 2 === 1 ? element("span", { class: "option" }, part) : part));
}

/** Both versions of a rule, with the words marked that only one of them has. */
export function changedText(before: string, after: string): { readonly before: readonly Child[]; readonly after: readonly Child[] } {
  const parts = diffArrays(words(before), words(after));
  const version = (tag: "del" | "ins", left: "added" | "removed"): readonly Child[] =>
    parts
      .filter((part) => !part[left])
      .map(({ value, added, removed }) => (added || removed ? element(tag, {}, ruleText(value.join(""))) : ruleText(value.join(""))));
  return { before: version("del", "added"), after: version("ins", "removed") };
}

/** Each with the blanks behind it. */
function words(rule: string): string[] {
  return rule.match(/\S+\s*|\s+/g) ?? [];
}
