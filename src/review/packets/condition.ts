/** Which packets a rule matches, as one box. */

import { printable } from "../../diagnostic.js";
import { readsOf } from "../../extensions/described.js";
import { isMemory, mayChangeOnTheWay } from "../../extensions/facts.js";
import type { RecentUse } from "../../extensions/matches/recent.js";
import type { ExtensionUse, Family, IptablesRule } from "../../iptables/ast.js";
import { intersect, type Answer, type Box, type RecentAsk } from "./box.js";
import { answered, json, stepsOf, type Step } from "./steps.js";

/** Undefined if no packet can match. */
export function conditionOf(rule: IptablesRule, family: Family): Box | undefined {
  return boxOf(stepsOf(rule, family));
}

/**
 * Packets that a rule may do something with or to: those that it matches, or, where a match of it counts or remembers, those that come to
 * that match, whatever the tests behind it say. Undefined if there are none.
 */
export function reachOf(rule: IptablesRule, family: Family): Box | undefined {
  const steps = stepsOf(rule, family);
  const counting = steps.findIndex((step) => step.kind === "recent" || (step.kind === "opaque" && isVolatile(step.use)));
  return boxOf(counting < 0 ? steps : steps.slice(0, counting));
}

function boxOf(steps: readonly Step[]): Box | undefined {
  let box: Box | undefined = {};
  for (const step of steps) {
    const part = partOf(step);
    box = box && part && intersect(box, part);
  }
  return box;
}

function partOf(step: Step): Box | undefined {
  switch (step.kind) {
    case "fields":
      return step.box;
    case "carried":
      return answered(carriedKey(step, "as it is there"), step.words, !step.inverted);
    case "opaque":
      return answered(step.key, step.words, step.holds);
    case "recent": {
      const { use } = step;
      if (use.operation === "set") return use.inverted ? undefined : {};
      const asks = recentAsk(use);
      return { tests: new Map([[recentKey(asks), { ...recentAnswer(asks), holds: !use.inverted }]]) };
    }
  }
}

/** The same for the same test of the same value. */
export function carriedKey({ of, values }: Step & { readonly kind: "carried" }, value: string): string {
  return `${of} ${value}: ${json(values)}`;
}

/** What a check, or a `--remove`, asks of its list; `own`: hits of the packet itself that are recorded before. */
export function recentAsk({ operation, list, side, seconds, hits, rttl }: RecentUse, own = 0): RecentAsk {
  return operation === "remove"
    ? { kind: "recent", list, side, seconds: undefined, hits: 1 - own, own, rttl: false }
    : { kind: "recent", list, side, seconds, hits: hits - own, own, rttl };
}

export function recentKey({ list, side, seconds, hits, rttl }: RecentAsk): string {
  return `list ${JSON.stringify(list)} ${side} ${seconds ?? "ever"} ${hits}${rttl ? " ttl" : ""}`;
}

/** The answer "yes" to a question of a list, with its words. */
export function recentAnswer(asks: RecentAsk): Answer & { readonly question: NonNullable<Answer["question"]> } {
  const { list, side, seconds, rttl } = asks;
  const hits = asks.hits + asks.own;
  const host = side === "saddr" ? "the source" : "the destination";
  const often = hits <= 1 ? "is" : `has ${hits} hits`;
  const window = seconds === undefined ? "" : hits <= 1 ? `, seen in the last ${seconds} s` : ` in ${seconds} s`;
  return {
    holds: true,
    words: `${host} ${often} on list "${list}"${window}${rttl ? ", with the same TTL" : ""}`,
    question: { memory: listMemory(list), asks },
  };
}

/** The name of a list's memory. */
export const listMemory = (list: string): string => `recent ${list}`;

const ipsetPrefix = "ipset ";

/** The name of the memory that is a set of ipset. */
export const ipsetMemory = (set: string): string => `${ipsetPrefix}${set}`;

/** The set of ipset that a memory is; undefined for other memories. */
export const setOfMemory = (memory: string): string | undefined =>
  memory.startsWith(ipsetPrefix) ? memory.slice(ipsetPrefix.length) : undefined;

/** The memories with a name that a match asks, by these names. */
export function memoriesOf(use: ExtensionUse): readonly string[] {
  return readsOf(use).flatMap((matter) => (isMemory(matter) && matter.name !== undefined ? [`${matter.memory} ${matter.name}`] : []));
}

/** Whether the memory is an object of the kernel that counts packets of both families. */
export const isObjectOfBoth = (memory: string): boolean => /^(?:nfacct|rateest) /u.test(memory);

/** A memory with a name, as a reader knows it. */
export function memoryWords(memory: string): string {
  const set = setOfMemory(memory);
  if (set !== undefined) return `set "${printable(set)}"`;
  return memory.startsWith("nfacct ") ? `the counter "${printable(memory.slice("nfacct ".length))}"` : "a rate estimator";
}

/** Whether the same test may have another answer a rule later: it counts or remembers, or a rule between may change what it reads. */
export function isVolatile(use: ExtensionUse): boolean {
  return use.unknown === true || readsOf(use).some(mayChangeOnTheWay);
}
