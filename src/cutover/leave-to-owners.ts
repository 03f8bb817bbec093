/**
 * Which chains stay in iptables because a live program keeps up rules in them, and which go.
 *
 * A packet is decided by each built-in chain on its way, one after the other, whatever keeps the chain. So a built-in chain that stays as a
 * whole, and others that go as a whole, decide every packet as before. A chain that was split, with the program's rules in iptables and the
 * rest in nft, would not: what the program accepts would still meet the rest, and a policy DROP behind it.
 *
 * What chains remember together (a list of `recent`, a set that rules write to, the buckets of a hashlimit) stays together.
 */

import { ownerOf } from "../owners/owners.js";
import { readSaved, withoutQuotes, type SavedTable } from "./saved-rules.js";

export interface Parted {
  /** The chains that go, as iptables-save would print them alone. */
  readonly moving: string;
  /** For a restore program with --noflush: takes those chains away. */
  readonly taking: string;
  /** For a restore program with --noflush: puts them back. */
  readonly restoring: string;
  /** Built-in chains that stay. */
  readonly staying: readonly StayingChain[];
  /** Built-in chains that go, by table. */
  readonly going: ReadonlyMap<string, readonly string[]>;
}

export interface StayingChain {
  readonly table: string;
  readonly chain: string;
  /** The programs whose rules are in it; none where it remembers something together with a chain that stays. */
  readonly owners: readonly string[];
  /** Rules of nobody that stay with it. */
  readonly others: number;
}

/** A built-in chain with all that it leads to. */
interface Tree {
  readonly table: SavedTable;
  readonly chain: string;
  readonly chains: ReadonlySet<string>;
  readonly rules: readonly string[];
  readonly memories: ReadonlySet<string>;
}

/**
 * Undefined where no live program has rules here.
 * @param live names of the programs that run
 */
export function leaveToOwners(text: string, live: ReadonlySet<string>): Parted | undefined {
  const tables = readSaved(text);
  const trees = tables.flatMap((table) => table.chains.flatMap(({ name, policy }) => (policy === "-" ? [] : [treeOf(table, name)])));
  const isOwned = (rule: string): boolean => live.has(ownerOf(rule)?.name ?? "");
  const staying = new Set(trees.filter(({ rules }) => rules.some(isOwned)));
  if (staying.size === 0) return undefined;
  for (let before = 0; before !== staying.size; ) {
    before = staying.size;
    const kept = new Set([...staying].flatMap(({ memories }) => [...memories]));
    for (const tree of trees) if ([...tree.memories].some((memory) => kept.has(memory))) staying.add(tree);
  }
  const going = trees.filter((tree) => !staying.has(tree));
  // A chain without rules that accepts is in nobody's way.
  const parts = tables.flatMap((table) => {
    const mine = going.filter((tree) => tree.table === table);
    if (mine.every(({ rules, chain }) => rules.length === 0 && policyOf(table, chain) === "ACCEPT")) return [];
    return [
      partOf(
        table,
        mine,
        [...staying].filter((tree) => tree.table === table),
        live,
      ),
    ];
  });
  return {
    moving: parts.map(({ moving }) => moving).join(""),
    taking: parts.map(({ taking }) => taking).join(""),
    restoring: parts.map(({ restoring }) => restoring).join(""),
    staying: [...staying].map(({ table, chain, rules }) => ({
      table: table.name,
      chain,
      owners: [...new Set(rules.flatMap((rule) => (isOwned(rule) ? [ownerOf(rule)!.name] : [])))],
      others: rules.filter((rule) => !isOwned(rule)).length,
    })),
    going: new Map(parts.map(({ name, chains }) => [name, chains])),
  };
}

function treeOf(table: SavedTable, chain: string): Tree {
  const byChain = new Map<string, string[]>();
  for (const rule of table.rules) byChain.set(chainOf(rule), [...(byChain.get(chainOf(rule)) ?? []), rule]);
  const users = new Set(table.chains.flatMap(({ name, policy }) => (policy === "-" ? [name] : [])));
  const chains = new Set([chain]);
  for (const name of chains) {
    for (const rule of byChain.get(name) ?? []) {
      const target = / -[jg] (\S+)/.exec(withoutQuotes(rule))?.[1];
      if (target !== undefined && users.has(target)) chains.add(target);
    }
  }
  const rules = table.rules.filter((rule) => chains.has(chainOf(rule)));
  // Two copies of such a rule would have two buckets, or count for themselves.
  const counting = rules.filter((rule) => chainOf(rule) !== chain && / -m (?:limit|quota|statistic|connlimit|hashlimit) /.test(rule));
  const shared = counting.map((rule) => `chain ${table.name} ${chainOf(rule)}`);
  return { table, chain, chains, rules, memories: new Set([...rules.flatMap(memoriesOf), ...shared]) };
}

const chainOf = (rule: string): string => rule.split(" ")[1] ?? "";

const policyOf = ({ chains }: SavedTable, chain: string): string => chains.find(({ name }) => name === chain)!.policy;

/** What a rule shares with others of the machine by a name. */
function memoriesOf(quoted: string): string[] {
  // Names in quotes are all one: better a chain too many stays.
  const rule = withoutQuotes(quoted);
  const named = (pattern: RegExp, kind: string): string[] => [...rule.matchAll(pattern)].map(([, name]) => `${kind} ${name}`);
  return [
    ...(rule.includes(" -m recent ") ? named(/ --name (\S+)/g, "recent") : []),
    ...named(/ --(?:match-set|add-set|del-set|map-set) (\S+)/g, "set"),
    ...named(/ --hashlimit-name (\S+)/g, "hashlimit"),
    ...named(/ --(?:rateest|rateest-name|rateest1|rateest2) (\S+)/g, "rateest"),
    ...named(/ --quota-name (\S+)/g, "quota"),
  ];
}

function partOf(table: SavedTable, going: readonly Tree[], staying: readonly Tree[], live: ReadonlySet<string>) {
  const chains = going.map(({ chain }) => chain);
  const reached = new Set(going.flatMap((tree) => [...tree.chains]));
  const kept = new Set(staying.flatMap((tree) => [...tree.chains]));
  // Chains of the user that nothing else leads to; those that both lead to are copied, and stay.
  const users = table.chains.filter(({ name, policy }) => policy === "-" && reached.has(name));
  const leaving = users.filter(({ name }) => !kept.has(name) && !live.has(ownerOf(`-A ${name}`)?.name ?? ""));
  const counted = (wanted: (chain: string) => boolean): string[] =>
    table.rules.flatMap((rule, index) => (wanted(chainOf(rule)) ? [`${table.counters[index]!}${rule}`] : []));
  const header = (one: SavedTable["chains"][number], policy = one.policy): string => `:${one.name} ${policy} ${one.counters}`;
  const builtIn = table.chains.filter(({ name }) => chains.includes(name));
  const others = table.chains.filter(({ name, policy }) => policy !== "-" && !chains.includes(name));
  const lines = (...all: readonly string[]): string => [`*${table.name}`, ...all, "COMMIT", ""].join("\n");
  const leavingNames = new Set(leaving.map(({ name }) => name));
  return {
    name: table.name,
    chains,
    moving: lines(
      ...builtIn.map((one) => header(one)),
      ...others.map((one) => header(one, "ACCEPT")),
      ...users.map((one) => header(one)),
      ...counted((chain) => reached.has(chain)),
    ),
    taking: lines(
      ...builtIn.map((one) => `:${one.name} ACCEPT [0:0]`),
      ...[...chains, ...leavingNames].map((chain) => `-F ${chain}`),
      ...[...leavingNames].map((chain) => `-X ${chain}`),
    ),
    restoring: lines(
      ...builtIn.map((one) => header(one)),
      // A chain that is there is emptied by its line.
      ...leaving.map((one) => header(one)),
      ...chains.map((chain) => `-F ${chain}`),
      ...counted((chain) => chains.includes(chain) || leavingNames.has(chain)),
    ),
  };
}
