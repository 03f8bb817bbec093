/**
 * Deliberately wrong translations: each mutation spoils a table that is right, the way a hasty translator would write it.
 *
 * They work on the AST that is emitted and go by the names of our sets and chains: `L_hit_0` is slot 0 of list L's
 * window, and the description above the sets says which one that is. `undefined` where a table has nothing of the kind.
 */

import type { NftChain, NftRule, NftSet, NftTable, Statement } from "../../src/nft/ast.js";

export interface Mutant {
  readonly name: string;
  apply(table: NftTable): NftTable | undefined;
}

export const mutants: readonly Mutant[] = [
  { name: "a token bucket instead of the window", apply: tokenBucket },
  { name: "the second stamp of a blocked try is missing", apply: withoutSecondStamp },
  {
    name: "`add` instead of `update`",
    apply: (table) =>
      onStatements(table, (one) =>
        updates(one, /_(hit_\d+|passed_\d+|few_\d+|banned|tokens|recent)$/) ? ({ ...one, operation: "add" } as Statement) : one,
      ),
  },
  { name: "a hit count one too small", apply: (table) => shiftedSlot(table, 1) },
  { name: "a hit count one too large", apply: (table) => shiftedSlot(table, -1) },
  { name: "timeouts without the tick", apply: (table) => onTimeouts(table, (timeout) => timeout - 4) },
  { name: "timeouts twice as long", apply: (table) => onTimeouts(table, (timeout) => 2 * (timeout - 4) + 4) },
  { name: "hits are never recorded: the jump is missing", apply: withoutJumps },
  {
    name: "a turn of the ring is not written",
    apply: (table) => onStatements(table, (one) => (updates(one, /_turn_0$/) ? undefined : one)),
  },
  {
    name: "a turn of the ring is not taken back",
    apply: (table) =>
      onStatements(table, (one) => (one.kind === "set" && one.operation === "delete" && /_turn_\d+$/.test(one.set) ? undefined : one)),
  },
  { name: "hosts are kept by destination instead of source", apply: byDestination },
  { name: "packets over the limit are accepted", apply: acceptingOver },
];

// ------------------------------------------------------------------------------------------------ what they do

/** The way into a ring, `L_hits`, becomes one limit of H hits in N seconds with a burst of H. */
function tokenBucket(table: NftTable): NftTable | undefined {
  const busy = table.sets.map(({ name }) => name).find((name) => name.endsWith("_busy") && fusedEntry(table, entryName(name)));
  if (busy === undefined) return undefined;
  const window = entryName(busy);
  const over = `${window}_over`;
  const [, hits, seconds] = /now has (\d+) hits in (\d+) s|already had (\d+) hits in (\d+) s/
    .exec(fusedEntry(table, window)!.comment!.join("\n"))!
    .filter((part) => part !== undefined);
  const key = keyOf(table, busy);
  if (!key) return undefined;
  const bucket: NftRule = {
    kind: "rule",
    statements: [
      {
        kind: "set",
        operation: "update",
        set: busy,
        key,
        statements: [
          {
            kind: "limit",
            over: true,
            rate: Math.max(1, Math.round((3600 * Number(hits)) / Number(seconds))),
            unit: "hour",
            burst: Number(hits) - 1,
          },
        ],
      },
      { kind: "jump", goto: true, chain: over },
    ],
  };
  return { ...table, chains: table.chains.map((chain) => (chain.name === window ? { ...chain, entries: [bucket] } : chain)) };
}

/** The chain into which hits go that a set `L_busy` serves. */
const entryName = (busy: string): string => busy.replace(/_busy$/, "_hits");

function fusedEntry(table: NftTable, window: string): NftChain | undefined {
  return table.chains.some(({ name }) => name === `${window}_over`) ? table.chains.find(({ name }) => name === window) : undefined;
}

/** `set` and a matching `update` of one packet are two stamps; here the second is forgotten. */
function withoutSecondStamp(table: NftTable): NftTable | undefined {
  const records = new Map<string, string>();
  const inRing = onChains(table, ({ name, entries }) => {
    if (!/_over_\d+$/.test(name)) return entries;
    return entries.map((entry) => {
      if (entry.kind === "comment") return entry;
      const [first, ...others] = entry.statements.filter((one) => updates(one, /_hit_\d+$/));
      const record = entry.statements.find((one) => one.kind === "jump" && /_record_\d+$/.test(one.chain));
      if (!first || others.length > 0 || record?.kind !== "jump") return entry;
      const slot = /\d+$/.exec((first as { readonly set: string }).set)![0];
      const own = record.chain.replace(/\d+$/, slot);
      records.set(name, own);
      return {
        ...entry,
        statements: entry.statements.flatMap((one) => (one === first ? [] : one === record ? [{ ...record, chain: own }] : [one])),
      };
    });
  });
  if (inRing && [...records.values()].every((name) => table.chains.some((chain) => chain.name === name))) return inRing;
  return onChains(table, ({ name, entries }) =>
    /_over(_\d+)?$/.test(name)
      ? entries.filter(
          (entry) => entry.kind === "comment" || !entry.statements.some((one) => one.kind === "jump" && /_touch/.test(one.chain)),
        )
      : entries,
  );
}

/** Asks whether another slot than the right one is still alive. */
function shiftedSlot(table: NftTable, by: number): NftTable | undefined {
  return onChains(table, ({ entries }) =>
    entries.map((entry) => {
      const last = entry.kind === "rule" ? entry.statements.at(-1) : undefined;
      if (entry.kind === "comment" || last?.kind !== "jump" || !last.goto || !/_over(_\d+)?$/.test(last.chain)) return entry;
      return {
        ...entry,
        statements: entry.statements.map((one) => {
          if (one.kind !== "match" || one.right.kind !== "set-reference") return one;
          const found = /^(.*_hit_)(\d+)$/.exec(one.right.set);
          if (!found) return one;
          const slots = table.sets.filter((set) => set.name.startsWith(found[1]!)).length;
          return { ...one, right: { ...one.right, set: `${found[1]}${(Number(found[2]) + by + slots) % slots}` } };
        }),
      };
    }),
  );
}

/** All that hits pass through on their way to the list's sets, but for the way itself. */
function withoutJumps(table: NftTable): NftTable | undefined {
  return onStatements(table, (one) => (one.kind === "jump" && !one.goto && /_touch|_hits$/.test(one.chain) ? undefined : one));
}

function byDestination(table: NftTable): NftTable | undefined {
  return onStatements(table, (one) => {
    if (one.kind !== "set" || one.key.kind !== "payload" || one.key.field !== "saddr") return one;
    return { ...one, key: { ...one.key, field: "daddr" } };
  });
}

function acceptingOver(table: NftTable): NftTable | undefined {
  return onChains(table, ({ name, entries }) =>
    /_over$/.test(name)
      ? entries.map((entry) =>
          entry.kind === "comment"
            ? entry
            : {
                ...entry,
                statements: entry.statements.map((one): Statement => (decidesDrop(one) ? { kind: "verdict", verdict: "accept" } : one)),
              },
        )
      : entries,
  );
}

function decidesDrop(statement: Statement): boolean {
  return statement.kind === "reject" || (statement.kind === "verdict" && statement.verdict === "drop");
}

// ------------------------------------------------------------------------------------------------ how it is done

function updates(statement: Statement, set: RegExp): boolean {
  return statement.kind === "set" && statement.operation === "update" && set.test(statement.set);
}

function keyOf(table: NftTable, set: string): (Statement & { kind: "set" })["key"] | undefined {
  for (const { entries } of table.chains) {
    for (const entry of entries) {
      if (entry.kind === "comment") continue;
      for (const statement of entry.statements) if (statement.kind === "set" && statement.set === set) return statement.key;
    }
  }
  return undefined;
}

/** The table with other rules; `undefined` if all are as they were. */
function onChains(table: NftTable, change: (chain: NftChain) => NftChain["entries"]): NftTable | undefined {
  const chains = table.chains.map((chain) => {
    const entries = change(chain);
    const same =
      entries.length === chain.entries.length &&
      entries.every((entry, index) => JSON.stringify(entry, text) === JSON.stringify(chain.entries[index], text));
    return same ? chain : { ...chain, entries };
  });
  return chains.some((chain, index) => chain !== table.chains[index]) ? { ...table, chains } : undefined;
}

function text(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** Every statement changed; where `change` gives nothing, the statement is left out, and a rule with it if nothing else is in it. */
function onStatements(table: NftTable, change: (statement: Statement) => Statement | undefined): NftTable | undefined {
  return onChains(table, ({ entries }) =>
    entries.flatMap((entry): NftChain["entries"] => {
      if (entry.kind === "comment") return [entry];
      const statements = entry.statements.flatMap((one) => change(one) ?? []);
      return statements.length === 0 ? [] : [{ ...entry, statements }];
    }),
  );
}

/** The timeouts of windows, which end in the tick that makes their end inclusive; `change` gets milliseconds. */
function onTimeouts(table: NftTable, change: (timeout: number) => number): NftTable | undefined {
  const isWindow = ({ name, timeout }: NftSet): boolean =>
    /_(hit_\d+|few_\d+|banned|\d+s)$/.test(name) && timeout !== undefined && timeout % 1000 === 4;
  if (!table.sets.some(isWindow)) return undefined;
  return { ...table, sets: table.sets.map((set) => (isWindow(set) ? { ...set, timeout: change(set.timeout!) } : set)) };
}
