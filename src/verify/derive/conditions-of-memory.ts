/** Conditions that earlier packets decide, or data from outside: limits, turns, lists of hosts. */

import { readsOf, recollectionOf } from "../../extensions/described.js";
import { isMemory, type MemoryKind, type Recollection } from "../../extensions/facts.js";
import { recentUse } from "../../extensions/matches/recent.js";
import type { ExtensionUse, Family } from "../../iptables/ast.js";
import type { ListUsage } from "../../rewrite/recent/usage.js";
import type { Condition } from "./condition.js";
import { setConditions, type Ipsets } from "./conditions-of-sets.js";
import { keyOf } from "./fields.js";

/** What conditions may ask beside the rule they stand in. */
export interface Surroundings {
  readonly family: Family;
  /** The lists of `recent`. */
  readonly lists: ReadonlyMap<string, ListUsage>;
  /** What ipset holds. */
  readonly sets: Ipsets;
}

/** The conditions of matches that ask a memory which is led through here, by its kind; a kind that is not here is left to chance. */
const byKind: Readonly<Partial<Record<MemoryKind, (use: ExtensionUse, surroundings: Surroundings) => Condition[]>>> = {
  recent: (use, surroundings) => [recentCondition(use, surroundings)],
  ipset: (use, { family, sets }) => setConditions(use, family, sets),
};

/** Undefined for a match that asks no memory, or one of which nothing is known here. */
export function memoryConditions(use: ExtensionUse, surroundings: Surroundings): Condition[] | undefined {
  const recollection = recollectionOf(use);
  if (recollection !== undefined) return [recollected(recollection, use)];
  const kinds = readsOf(use).filter(isMemory);
  return kinds.map(({ memory }) => byKind[memory]).find((make) => make !== undefined)?.(use, surroundings);
}

// --------------------------------------------------------------------------------------------- limits and turns

/** Names what a rule counts for itself. */
const placeOf = ({ span }: ExtensionUse): string => `${span.file}:${span.line}:${span.column}`;

function recollected(recollection: Recollection, use: ExtensionUse): Condition {
  if (recollection.kind === "bucket") return bucket(recollection, recollection.name ?? placeOf(use));
  return turn(recollection, placeOf(use));
}

/** Tokens that do not come back while the packets last. */
function bucket({ burst, above, by, rate }: Recollection & { kind: "bucket" }, name: string): Condition {
  return {
    label: rate ? `--${rate.option}` : "",
    kind: "bucket",
    test(view, world) {
      const place = `${name} ${keyOf(view, by)}`;
      const used = world.count(place);
      if (used < burst) world.setCount(place, used + 1);
      return used >= burst === above;
    },
  };
}

/** Of every so many packets the one of this position, counted from 0. */
function turn({ every, position, inverted }: Recollection & { kind: "turn" }, name: string): Condition {
  return {
    label: "--every",
    kind: "bucket",
    test(_view, world) {
      const count = world.count(name);
      world.setCount(name, count + 1);
      return (count % every === position) !== inverted;
    },
  };
}

// ------------------------------------------------------------------------------------------------------- lists

/** See /src/rewrite/recent/README.md; here every stamp is in the window. */
function recentCondition(use: ExtensionUse, { family, lists }: Surroundings): Condition {
  const { operation, inverted, hits, rttl, list, side, mask: own } = recentUse(use, family);
  const mask = lists.get(list)?.mask ?? own;
  const key = side === "saddr" ? "source" : "destination";
  return {
    label: `${inverted ? "! " : ""}--${operation}`,
    kind: "list",
    list: { name: list, side: key, sets: operation === "set", hits, inverted },
    test(view, world) {
      const host = view[key] & mask;
      const entry = world.entry(list, host);
      const touch = (): void => world.setEntry(list, host, { stamps: (entry?.stamps ?? 0) + 1, ttl: view.ttl });
      if (operation === "set") {
        touch();
        return !inverted;
      }
      if (entry === undefined || (rttl && entry.ttl !== view.ttl && entry.ttl !== 0 && view.ttl !== 0)) return inverted;
      if (operation === "remove") {
        world.setEntry(list, host, undefined);
        return !inverted;
      }
      const held = entry.stamps >= hits !== inverted;
      if (operation === "update" && held) touch();
      return held;
    },
  };
}
