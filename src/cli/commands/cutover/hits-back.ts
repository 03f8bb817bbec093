/** Writes down what the new firewall has seen, for the way back: nothing but the folder of the change is needed there. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hitsSince, type NewHits, type OldList } from "../../../cutover/hits-since.js";
import type { List } from "../../../lists/lists.js";
import { readLists } from "../lists/kernel.js";
import { placeHere, uptime, type StateDirectory } from "./state-directory.js";

/** Hosts and hits that are written down for the old lists. */
export interface HitsBack {
  readonly hosts: number;
  readonly hits: number;
}

/** Throws an Error where the lists of the new firewall cannot be read, or nothing can be written. */
export async function writeHitsBack(state: StateDirectory): Promise<HitsBack> {
  const old = oldLists(state);
  if (old.length === 0) return { hosts: 0, hits: 0 };
  const found = hitsSince(await loadedLists(state), old, { decided: decidedFor(state), now: Date.now() / 1000, mostHosts: mostHosts() });
  const encoding = state.readDecoded("windows")?.encoding;
  const files = found.map((one, index) => [`${String(index).padStart(5, "0")}.hits`, Buffer.from(fileOf(one), encoding)] as const);
  state.writeFolder("since", new Map(files));
  return {
    hosts: found.reduce((sum, { hits }) => sum + new Set(hits.map(({ address }) => address)).size, 0),
    hits: found.reduce((sum, { hits }) => sum + hits.length, 0),
  };
}

async function loadedLists(state: StateDirectory): Promise<readonly List[]> {
  const table = /^table \S+ (\S+)$/m.exec(state.read("tables") ?? "")?.[1];
  if (table === undefined) return [];
  const { lists } = await readLists({ table, script: undefined });
  // An old nft keeps no comments of sets; the script has them.
  return lists.length > 0 ? lists : (await readLists({ table, script: join(state.run, "script.nft") })).lists;
}

function oldLists(state: StateDirectory): OldList[] {
  const before = new Map(
    state.readFolder("lists").map((text): [string, Map<string, number>] => {
      const [name, ...lines] = text.trimEnd().split("\n");
      const hits = new Map<string, number>();
      for (const line of lines) {
        const [address] = line.split(" ");
        hits.set(address!, (hits.get(address!) ?? 0) + 1);
      }
      return [name!, hits];
    }),
  );
  return [...(state.read("windows") ?? "").matchAll(/^(-|[0-9]+) (.+)$/gm)].map(([, window, name]) => ({
    name: name!,
    window: window === "-" ? Infinity : Number(window),
    before: before.get(name!) ?? new Map<string, number>(),
  }));
}

/** Seconds for which the new firewall has decided; since the machine was started where that was later. */
function decidedFor(state: StateDirectory): number {
  const since = state.place()?.boot === placeHere().boot ? Number(state.read("waiting") ?? Infinity) : 0;
  return Math.max(0, uptime() - since);
}

/** Read from the kernel's module; its default where that does not say. */
function mostHosts(): number {
  try {
    return Number(readFileSync("/sys/module/xt_recent/parameters/ip_list_tot", "latin1"));
  } catch {
    return 100;
  }
}

function fileOf({ list, hits }: NewHits): string {
  return `${list}\n${hits.map(({ address, until }) => `${address} ${until ?? "-"}\n`).join("")}`;
}
