/** How answers follow from other answers, in one version of the rules and from one to the other. */

import { growsWithUse, implies, readsOf } from "../../extensions/described.js";
import { isMemory } from "../../extensions/facts.js";
import type { ExtensionUse } from "../../iptables/ast.js";
import type { Answer, Question, RecentAsk } from "../packets/box.js";

/**
 * How a memory of the new version stands to that of the old one, after the same packets: it has got all of the old one and more, or less,
 * or neither is known. A memory that is not here is the same in both.
 */
export type Drift = "more" | "less" | "unknown";
export type Drifts = Pick<ReadonlyMap<string, Drift>, "get">;

/** What the answers known so far say about another question; undefined if nothing. */
export function knownAnswer(
  tests: ReadonlyMap<string, Answer> | undefined,
  key: string,
  question: Question | undefined,
  drifts: Drifts,
): boolean | undefined {
  const own = tests?.get(key);
  if (own) return own.holds;
  if (!question || !tests) return undefined;
  for (const { holds, question: other } of tests.values()) {
    if (other?.memory !== question.memory || other.behind !== question.behind) continue;
    if (holds && follows(other, question, drifts)) return true;
    if (!holds && follows(question, other, drifts)) return false;
  }
  return undefined;
}

/** Whether the second is certainly true where the first is. */
function follows(first: Question, second: Question, drifts: Drifts): boolean {
  if (!isStricter(first, second)) return false;
  if (first.version === second.version) return true;
  const growth = growthOf(second);
  const drift = drifts.get(first.memory);
  if (growth === undefined || drift === undefined || drift === "unknown") return false;
  // More of what makes it hold, or less of what keeps it from holding.
  const holdsMoreInNew = (drift === "more") === growth;
  return holdsMoreInNew ? first.version === "old" : first.version === "new";
}

function isStricter({ asks: first }: Question, { asks: second }: Question): boolean {
  if (first.kind === "recent") return second.kind === "recent" && isStricterCheck(first, second);
  return second.kind === "match" && (sameOptions(first.use, second.use) || implies(first.use, second.use));
}

function isStricterCheck(first: RecentAsk, second: RecentAsk): boolean {
  return (
    first.side === second.side &&
    (first.rttl || !second.rttl) &&
    first.hits >= second.hits &&
    (second.seconds === undefined || (first.seconds !== undefined && first.seconds <= second.seconds))
  );
}

function sameOptions(first: ExtensionUse, second: ExtensionUse): boolean {
  const text = ({ options }: ExtensionUse): string =>
    JSON.stringify(
      Object.values(options)
        .map(({ name, value, inverted }) => [name, value, inverted])
        .sort(),
      (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part),
    );
  return first.extension === second.extension && text(first) === text(second);
}

/** Whether the answer is "yes" the more often, the more there is in the memory. */
function growthOf({ asks }: Question): boolean | undefined {
  if (asks.kind === "recent") return true;
  if (readsOf(asks.use).some((matter) => isMemory(matter) && matter.memory === "ipset")) return true;
  return growsWithUse(asks.use);
}

/** How the memory moved, from what one packet does to it in both versions: events as texts that begin with their kind. */
export function driftOf(old: readonly string[], current: readonly string[]): Drift | undefined {
  if (old.join("\n") === current.join("\n")) return undefined;
  const taking = (events: readonly string[]): string[] => events.filter((event) => event.startsWith("remove"));
  const putting = (events: readonly string[]): string[] => events.filter((event) => !event.startsWith("remove"));
  const [put, taken] = [partOf(putting(old), putting(current)), partOf(taking(old), taking(current))];
  if ((put === "same" || put === "less") && (taken === "same" || taken === "more")) return put === taken ? "unknown" : "less";
  if ((put === "same" || put === "more") && (taken === "same" || taken === "less")) return put === taken ? "unknown" : "more";
  return "unknown";
}

/** Whether the second has all of the first and more, or less. */
function partOf(first: readonly string[], second: readonly string[]): "same" | Drift {
  if (first.join("\n") === second.join("\n")) return "same";
  if (isPart(first, second)) return "more";
  return isPart(second, first) ? "less" : "unknown";
}

/** Whether the first is the second with some left out. */
function isPart(part: readonly string[], whole: readonly string[]): boolean {
  let next = 0;
  for (const event of whole) if (event === part[next]) next++;
  return next === part.length;
}

/** Both movements together. */
export function joinedDrift(first: Drift | undefined, second: Drift): Drift {
  return first === undefined || first === second ? second : "unknown";
}
