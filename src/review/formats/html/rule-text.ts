/** A rule as iptables writes it. */

import { wordDifference } from "../../../report/difference.js";
import { element, type Child } from "./element.js";

/** The words of a rule, with options kept on one line: a browser would break them at their hyphens. */
export function ruleText(rule: string): readonly Child[] {
  return rule
    .split(/(?<=^|\s)(--?[a-z][a-z-]{0,30})(?=\s|$)/i)
    .map((part, index) => (index % 2 === 1 ? element("span", { class: "option" }, part) : part));
}

/** Both versions of a rule, with the words marked that only one of them has. */
export function changedText(before: string, after: string): { readonly before: readonly Child[]; readonly after: readonly Child[] } {
  const parts = wordDifference(before, after);
  const version = (tag: "del" | "ins", side: "before" | "after"): readonly Child[] =>
    parts
      .filter((part) => part.in === "both" || part.in === side)
      .map((part) => (part.in === "both" ? ruleText(part.text) : element(tag, {}, ruleText(part.text))));
  return { before: version("del", "before"), after: version("ins", "after") };
}
