/**
 * What iptables-save prints, as far as a change of firewalls looks at it: whole lines, by table. What the rules mean is the
 * translation's to know.
 */

export interface SavedTable {
  readonly name: string;
  readonly chains: readonly SavedChain[];
  /** Without counters. */
  readonly rules: readonly string[];
  /** What stands in front of each rule: its counters and a blank, or nothing. */
  readonly counters: readonly string[];
}

export interface SavedChain {
  readonly name: string;
  /** A dash for a chain of the user. */
  readonly policy: string;
  /** With its brackets. */
  readonly counters: string;
}

export function readSaved(text: string): SavedTable[] {
  const tables: { name: string; chains: SavedChain[]; rules: string[]; counters: string[] }[] = [];
  for (const line of text.split("\n")) {
    const counters = /^\[[0-9]+:[0-9]+\] /.exec(line)?.[0] ?? "";
    const bare = line.slice(counters.length);
    if (bare.startsWith("*")) tables.push({ name: bare.slice(1), chains: [], rules: [], counters: [] });
    const table = tables.at(-1);
    if (!table) continue;
    const [, name, policy, ofPolicy = "[0:0]"] = /^:(\S+) (\S+)(?: (\[[0-9]+:[0-9]+\]))?/.exec(bare) ?? [];
    if (name !== undefined) table.chains.push({ name, policy: policy!, counters: ofPolicy });
    else if (bare.startsWith("-")) {
      table.rules.push(bare);
      table.counters.push(counters);
    }
  }
  return tables;
}

/** Whether any packet could meet another fate by these rules than without them: rules in chains that nothing leads to do not count. */
export function decides(text: string): boolean {
  return readSaved(text).some(({ chains, rules }) => {
    if (chains.some(({ policy }) => policy !== "ACCEPT" && policy !== "-")) return true;
    const builtIn = new Set(chains.flatMap(({ name, policy }) => (policy === "-" ? [] : [name])));
    return rules.some((rule) => builtIn.has(rule.split(" ")[1] ?? ""));
  });
}

/** The tables that iptables-nft names and cannot show, since something else has made them. */
export function unshownTables(text: string): string[] {
  return [...text.matchAll(/^# Table [`'](\S+)' is incompatible/gm)].map(([, name]) => name!);
}

/** A rule without the texts in quotes, which may look like options. */
export function withoutQuotes(rule: string): string {
  return rule.replace(/"(?:[^"\\]|\\.)*"/g, '""');
}

/** The rules without what differs from one reading to the next: counters and comments. */
export function rulesOf(text: string): string {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.replace(/^\[[0-9]+:[0-9]+\] /, "").replace(/^(:.*) \[[0-9]+:[0-9]+\]$/, "$1"))
    .join("\n");
}

/** A chain that no packet comes to, whose rules keep the kernel from forgetting lists of `recent`. */
export interface KeptLists {
  readonly table: string;
  readonly chain: string;
}

export interface EmptiedRules {
  /** For the restore program: the same tables without rules, and with policies that accept. */
  readonly text: string;
  /** Undefined where no rule names a list. */
  readonly kept: KeptLists | undefined;
  /** The built-in chains that are emptied, by table; all unless told. The text is then for a program with --noflush. */
  readonly only?: ReadonlyMap<string, readonly string[]>;
}

/**
 * The tables without their rules. The kernel drops a list of `recent` with the last rule that names it; rules in a chain that nothing
 * jumps to keep the hosts on it, with the times at which they were seen, until the change is confirmed or taken back.
 */
export function emptiedRules(text: string): EmptiedRules {
  const tables = readSaved(text);
  const lists = new Map<string, string>();
  let kept: KeptLists | undefined;
  for (const table of tables) {
    for (const rule of table.rules) {
      for (const [, words] of withoutQuotes(rule).matchAll(/ -m recent((?: (?!-[mjg] )\S+)+)/g)) {
        const name = / --name ([A-Za-z0-9_.:+-]+)(?= |$)/.exec(`${words!} `)?.[1];
        if (name === undefined || lists.has(name)) continue;
        kept ??= { table: table.name, chain: freeChain(table) };
        const mask = / --mask ([0-9a-fA-F.:]+)/.exec(words!)?.[1];
        lists.set(name, `-A ${kept.chain} -m recent --rcheck --name ${name}${mask === undefined ? "" : ` --mask ${mask}`} --rsource`);
      }
    }
  }
  const lines = tables.flatMap(({ name, chains }) => [
    `*${name}`,
    ...chains.flatMap((chain) => (chain.policy === "-" ? [] : [`:${chain.name} ACCEPT [0:0]`])),
    ...(kept?.table === name ? [`:${kept.chain} - [0:0]`, ...lists.values()] : []),
    "COMMIT",
  ]);
  return { text: lines.map((line) => `${line}\n`).join(""), kept };
}

function freeChain({ chains }: SavedTable): string {
  const taken = new Set(chains.map(({ name }) => name));
  for (let number = 0; ; number += 1) {
    const name = `ipt2nft-kept${number === 0 ? "" : number}`;
    if (!taken.has(name)) return name;
  }
}

/** Whether the text is that of tables which `emptiedRules` has emptied: no rule is left that a packet could meet. */
export function isEmptied(text: string, { kept, only }: Pick<EmptiedRules, "kept" | "only">): boolean {
  return readSaved(text).every(({ name, chains, rules }) => {
    const wanted = only?.get(name);
    if (only && !wanted) return true;
    const isConcerned = (chain: string): boolean => wanted?.includes(chain) ?? !(kept?.table === name && kept.chain === chain);
    return (
      chains.every((chain) => chain.policy === "ACCEPT" || chain.policy === "-" || !isConcerned(chain.name)) &&
      rules.every((rule) => !isConcerned(rule.split(" ")[1] ?? ""))
    );
  });
}

/** What `ipset save` prints, cut into one piece for each set, in the order in which they can be made. */
export function ipsetsApart(text: string): string[] {
  const pieces: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("create ")) pieces.push(`${line}\n`);
    else if (line.startsWith("add ") && pieces.length > 0) pieces[pieces.length - 1] += `${line}\n`;
  }
  return pieces;
}
