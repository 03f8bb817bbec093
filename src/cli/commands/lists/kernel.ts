/** The sets of the loaded table: read and changed by nft. */

import { readFile } from "node:fs/promises";

import { Failure } from "../../../failure.js";
import type { TableChange } from "../../../lists/changes.js";
import { labelsOfScript, readListing } from "../../../lists/listing.js";
import { findLists, type List, type Loaded } from "../../../lists/lists.js";
import { quoted } from "../../../lists/words.js";
import { readClock, type KernelClock } from "../../../lists/xt-recent-file.js";
import { emitSetCommands, type TableName } from "../../../nft/set-commands.js";
import { labelName } from "../../../rewrite/recent/set-label.js";
import { visible } from "../../../report/visible.js";
import { longestText, runProgram } from "../../../run-program.js";
import { readText, usualMaxInput } from "../../read-file.js";
import { systemReason } from "../../system-error.js";

export interface TableSettings {
  /** Of the table, in whichever families it is. */
  readonly table: string;
  /** Path of the script that was loaded, for a table without labels. */
  readonly script: string | undefined;
}

export interface Reading extends Loaded {
  /** Milliseconds of this process's clock at which it was read. */
  readonly at: number;
}

const families = ["ip", "ip6", "inet"] as const;

/** Reads the table. Throws a Failure where there is none, or none with lists. */
export async function readLists(settings: TableSettings, signal?: AbortSignal): Promise<Reading> {
  return read(settings, [], patience, signal);
}

/**
 * The names of the lists, without a look at who is on them. Throws a Failure where there is no table, or nft takes longer.
 * @param seconds for each question to nft
 */
export async function namesOfLists(settings: TableSettings, seconds: number): Promise<readonly string[]> {
  return (await read(settings, ["--terse"], seconds)).lists.map(({ name }) => name);
}

/** Seconds: more than the largest table takes. */
const patience = 120;

async function read(settings: TableSettings, words: readonly string[], seconds: number, signal?: AbortSignal): Promise<Reading> {
  const labels = settings.script === undefined ? new Map<string, string>() : labelsOfScript(readText(settings.script, usualMaxInput));
  const names = await nft(["list", "tables"], "", seconds, signal);
  const tables = names.split("\n").flatMap((line): TableName[] => {
    const [, family, name] = /^table ([^ ]+) (.*)$/.exec(line) ?? [];
    const found = families.find((one) => one === family);
    return found !== undefined && name === settings.table ? [{ family: found, name }] : [];
  });
  if (tables.length === 0) throw new Failure(`no table "${settings.table}" is loaded (--table names another)`);
  // Before, not after: a program takes about as long to read as the next one to write, so that ages neither grow nor shrink by a change.
  const at = performance.now();
  const text = await nft(
    [...words, "-f", "-"],
    tables.map(({ family, name }) => `list sets table ${family} ${name}\n`).join(""),
    seconds,
    signal,
  );
  const listings = text.split(/^(?=table (?:ip|ip6|inet) )/m);
  const loaded = tables.map((table) => ({
    table,
    sets: readListing(listings.filter((listing) => listing.startsWith(`table ${table.family} ${table.name} {`)).join("")),
  }));
  const found = findLists(loaded, labels);
  if (found.unreadable.length > 0)
    throw new Failure(
      `some sets of lists lack others, or their labels: ${found.unreadable.slice(0, 5).join(", ")} ` +
        "(load the script again, or give it with --script)",
    );
  return { ...found, at };
}

/** Throws a Failure where the table holds no list. */
export async function withLists(settings: TableSettings): Promise<Reading> {
  const reading = await readLists(settings);
  if (reading.lists.length === 0)
    throw new Failure(
      `no set of the table "${settings.table}" says that it belongs to a list of recent: its script has none, ` +
        "or was made for an nft without comments of sets (give it with --script)",
    );
  return reading;
}

/** By its name in the rules, or as it is shown; undefined where there is none. */
export function findList({ lists }: Pick<Reading, "lists">, name: string): List | undefined {
  const key = labelName(name);
  return lists.find((list) => list.key === key) ?? lists.find((list) => list.name === name);
}

/** The same; throws a Failure where there is none. */
export function listNamed(reading: Pick<Reading, "lists">, name: string): List {
  const found = findList(reading, name);
  if (found) return found;
  const { lists } = reading;
  const known = lists.map((list) => visible(list.name)).slice(0, 20);
  throw new Failure(`no list ${quoted(name)} is loaded; there ${known.length === 0 ? "is none" : `are ${known.join(", ")}`}`);
}

/** Makes all changes in one transaction. */
export async function change(changes: readonly TableChange[], signal?: AbortSignal): Promise<void> {
  const text = changes.map(({ table, commands }) => emitSetCommands(table, commands)).join("");
  if (text !== "") await nft(["-f", "-"], text, patience, signal);
}

async function nft(words: readonly string[], input: string, seconds: number, signal: AbortSignal | undefined): Promise<string> {
  const outcome = await runProgram({ program: "nft", arguments: words, input, seconds, mostOutput: longestText, signal });
  switch (outcome.kind) {
    case "missing":
      throw new Failure("nft is not installed");
    case "stopped":
      throw new Failure(`nft: ${outcome.reason}`);
    case "ended": {
      if (outcome.status === 0) return outcome.stdout.toString("utf8");
      const said = outcome.stderr.toString("utf8").trim().split("\n")[0] ?? "";
      if (/Operation not permitted/.test(said)) throw new Failure("the firewall is for root to read and change");
      if (/Too many open files in system/.test(said)) throw new Failure("a set of the list is full; nothing is changed");
      throw new Failure(`nft failed: ${said}`);
    }
  }
}

/** The kernel's clock, for root. */
export async function kernelClock(): Promise<KernelClock> {
  try {
    return readClock(await readFile("/proc/timer_list", "utf8"));
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`/proc/timer_list cannot be read: ${systemReason(error)}`);
  }
}
