/** What a list does, in plain words. */

import { printable } from "../../diagnostic.js";
import { wordsOf } from "../../extensions/described.js";
import { addressBits, prefixLength } from "../../extensions/values/address.js";
import { consequenceOf, type ReviewedList, type ReviewedUse } from "./list-use.js";

/** "SSH: 4 hits in 60 s from one address are dropped". */
export function listSentence(list: ReviewedList): string {
  const fates = new Map<string, Set<string>>();
  for (const check of list.checks) {
    const what = askedWords(check, list);
    fates.set(what, (fates.get(what) ?? new Set()).add(fateWords(check)));
  }
  const parts = [...fates].map(([what, done]) => `${what} are ${[...done].join(" and ")}`);
  if (parts.length === 0)
    parts.push(
      list.sets.length > 0 ? "hosts are recorded, and nothing asks for them" : "hosts are taken off, and nothing else is done with it",
    );
  else if (list.sets.length === 0) parts.push("no rule records hosts on it");
  if (list.removes.length > 0 && list.checks.length > 0) parts.push("some packets take their host off it");
  return `${listTitle(list)}: ${parts.join("; ")}`;
}

/** The service if there is one, and the name of the list. */
export function listTitle({ name, service, family }: ReviewedList): string {
  const called = `list "${printable(name)}"`;
  const title =
    service === undefined ? `L${called.slice(1)}` : service.toLowerCase() === name.toLowerCase() ? service : `${service} (${called})`;
  return family === "ipv6" ? `${title}, IPv6` : title;
}

function fateWords(check: ReviewedUse): string {
  const { target } = check.rule;
  if (!target) return "counted";
  if (target.kind === "extension") return wordsOf(target)?.done ?? `given to ${printable(target.extension)}`;
  const consequence = consequenceOf(check);
  return consequence === "stops" ? "stopped" : consequence === "passes" ? "let through" : `sent to chain "${printable(target.chain)}"`;
}

function askedWords(check: ReviewedUse, list: ReviewedList): string {
  const { seconds, hits } = check;
  const host = hostWords(check, list);
  const window = seconds === undefined ? "at any time" : `in ${seconds} s`;
  const recently = seconds === undefined ? "before" : `in the last ${seconds} s`;
  if (check.inverted)
    return hits === 1 ? `packets ${host} that was not seen ${recently}` : `packets ${host} without ${hits} hits ${window}`;
  return hits === 1 ? `packets ${host} that was seen ${recently}` : `${hits} hits ${window} ${host}`;
}

function hostWords({ side }: ReviewedUse, { usage, family }: ReviewedList): string {
  const direction = side === "saddr" ? "from" : "to";
  const length = prefixLength(usage.mask, family);
  if (length === addressBits[family]) return `${direction} one address`;
  if (usage.mask === 0n) return `${direction} all addresses together`;
  return length === undefined ? `${direction} one group of addresses` : `${direction} one /${length} network`;
}
