/** What an earlier script of ours has made: the names of its chains, and its sets. Nothing else of it is read. */

import type { NftSet, NftTable } from "./ast.js";

export interface EarlierTable {
  readonly family: NftTable["family"];
  readonly name: string;
  readonly chains: readonly string[];
  readonly sets: readonly NftSet[];
}

const name = String.raw`[A-Za-z_][\w.]*`;
const tableLine = new RegExp(String.raw`^table (ip|ip6|inet) (${name}) \{$`);
const chainLine = new RegExp(String.raw`^\tchain (${name}) \{$`);
const setLine = new RegExp(String.raw`^\tset (${name}) \{(.*)$`);
const keptSetLine = new RegExp(String.raw`^add set (ip|ip6|inet) (${name}) (${name}) \{(.*)$`);

/** The tables of a script as `emit` writes it; lines in any other form are passed over. Never throws. */
export function readEarlierScript(text: string): EarlierTable[] {
  const tables = new Map<string, { family: NftTable["family"]; name: string; chains: Set<string>; sets: Map<string, NftSet> }>();
  const tableOf = (family: string, tableName: string) => {
    const key = `${family} ${tableName}`;
    let table = tables.get(key);
    if (!table) tables.set(key, (table = { family: family as NftTable["family"], name: tableName, chains: new Set(), sets: new Map() }));
    return table;
  };
  let open: ReturnType<typeof tableOf> | undefined;
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    const table = tableLine.exec(line);
    if (table) open = tableOf(table[1]!, table[2]!);
    const chain = chainLine.exec(line)?.[1];
    if (chain !== undefined) open?.chains.add(chain);
    const [, setName, parts] = setLine.exec(line) ?? [];
    if (open && setName !== undefined) addSet(open.sets, setName, parts!, lines, index);
    const kept = keptSetLine.exec(line);
    if (kept) addSet(tableOf(kept[1]!, kept[2]!).sets, kept[3]!, kept[4]!, lines, index);
  }
  return [...tables.values()].map(({ chains, sets, ...table }) => ({ ...table, chains: [...chains], sets: [...sets.values()] }));
}

/** Lines of a set that has one for each of its parts. */
const mostParts = 8;

function addSet(sets: Map<string, NftSet>, setName: string, parts: string, lines: readonly string[], index: number): void {
  const behind = lines.slice(index + 1, index + 1 + mostParts);
  const end = behind.findIndex((line) => /^\t*(?:elements = \{|\})/.test(line));
  const declared = parts.trim() === "" ? behind.slice(0, end < 0 ? undefined : end).join(" ; ") : parts.replace(/elements = .*$/, "");
  const set = setOf(setName, declared.replace(/comment ".*?"/, ""));
  if (set) sets.set(setName, set);
}

/** Undefined for a set whose key is written as an expression. */
function setOf(setName: string, declared: string): NftSet | undefined {
  const type = /(?:^|[\s;])type ([a-z0-9_]+(?: \. [a-z0-9_]+)*)/.exec(declared)?.[1]?.split(" . ");
  if (type === undefined) return undefined;
  const flags = /(?:^|[\s;])flags ([a-z,]+)/.exec(declared)?.[1]?.split(",") ?? [];
  const timeout = /(?:^|[\s;])timeout ((?:\d+(?:d|h|ms|m|s))+)/.exec(declared)?.[1];
  const size = /(?:^|[\s;])size (\d+)/.exec(declared)?.[1];
  return {
    name: setName,
    type,
    flags: flags.filter((flag): flag is NftSet["flags"][number] => ["dynamic", "timeout", "interval", "constant"].includes(flag)),
    ...(timeout !== undefined && { timeout: milliseconds(timeout) }),
    ...(size !== undefined && { size: Number(size) }),
    ...(/(?:^|[\s;])counter(?:$|[\s;])/.test(declared) && { counter: true }),
  };
}

const units: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

function milliseconds(duration: string): number {
  return [...duration.matchAll(/(\d+)(d|h|ms|m|s)/g)].reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0);
}
