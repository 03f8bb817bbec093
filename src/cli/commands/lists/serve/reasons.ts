/** Who put a host on a list, and why, as the log of changes has it. */

import { Failure } from "../../../../failure.js";
import { placeOf } from "../../../../lists/changes.js";
import type { List } from "../../../../lists/lists.js";
import type { LoggedChange } from "./change-log.js";

export type Reason = Pick<LoggedChange, "at" | "who" | "why">;

/** By list and host; a host that was let go since has none. @param log the newest first */
export function reasonsOf(log: readonly LoggedChange[], lists: readonly List[]): (list: string, address: string) => Reason | undefined {
  const last = new Map<string, Reason | undefined>();
  const cleared = new Set<string>();
  const failed = new Set<string>();
  for (const { at, who, why, action, list, addresses, outcome } of log) {
    const attempt = JSON.stringify([action, list, addresses]);
    if (outcome === "failed") {
      failed.add(attempt);
      continue;
    }
    // What failed stands in the log before, as asked.
    if (failed.delete(attempt) || cleared.has(list)) continue;
    if (action === "clear") cleared.add(list);
    const told = who !== "" || why !== "";
    for (const address of addresses) {
      const key = keyOf(list, keptAs(lists, list, address));
      if (!last.has(key)) last.set(key, action !== "remove" && told ? { at, who, why } : undefined);
    }
  }
  return (list, address) => last.get(keyOf(list, address));
}

const keyOf = (list: string, address: string): string => JSON.stringify([list, address]);

/** As the list has it: in the canonical notation, and with its mask. */
function keptAs(lists: readonly List[], name: string, text: string): string {
  const list = lists.find((one) => one.name === name);
  try {
    return list ? placeOf(list, text).address : text;
  } catch (error) {
    // A line that somebody has written by hand.
    if (error instanceof Failure) return text;
    throw error;
  }
}
