/** What a rule does, in plain words. */

import { printable } from "../diagnostic.js";
import { wordsOf } from "../extensions/described.js";
import type { Family, IptablesRule } from "../iptables/ast.js";
import { everything, intersect, type Box } from "./packets/box.js";
import { conditionOf } from "./packets/condition.js";
import { packetWords } from "./packets/words.js";

/**
 * "drops new TCP connections to port 22 (SSH)".
 * @param entry the packets that come into the rule's chain
 * @param base the built-in chain the rule stands in, if it stands in one
 */
export function ruleWords(rule: IptablesRule, family: Family, entry: Box = everything, base?: string): string {
  const own = conditionOf(rule, family);
  const condition = own && intersect(entry, own);
  if (!condition) return "can match no packet";
  return `${targetWords(rule)} ${packetWords(condition, family, base)}${recording(rule)}`;
}

/** What the target does with a packet. */
export function targetWords({ target, matches }: IptablesRule): string {
  if (!target) return matches.some(({ extension }) => extension === "recent") ? "records" : "counts";
  if (target.kind === "chain") return `sends to chain "${printable(target.chain)}"`;
  return wordsOf(target)?.does ?? `applies "${printable(target.extension)}" to`;
}

function recording({ matches, target }: IptablesRule): string {
  const lists = matches
    .filter(({ extension, unknown, options }) => extension === "recent" && !unknown && options["set"])
    .map(({ options }) => `"${printable((options["name"]?.value as string | undefined) ?? "DEFAULT")}"`);
  if (lists.length === 0) return "";
  return `${target ? ", and records the host" : ""} on list ${lists.join(" and ")}`;
}
