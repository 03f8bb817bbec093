/** What a change of firewalls would do: everything that can be known before anything is touched. */

import { writeCaptured } from "../captured-file.js";
import { build } from "../iptables/build.js";
import { emit } from "../nft/emit.js";
import type { NftScript } from "../nft/ast.js";
import { gatherLists, isCheck } from "../rewrite/recent/usage.js";
import { tally, type Tally } from "../report/tally.js";
import type { Source, TranslateOptions, Translation } from "../translate.js";
import { leaveToOwners, type Parted, type StayingChain } from "./leave-to-owners.js";
import type { Machine, SavedRules, TableName } from "./machine.js";
import { decides, emptiedRules, ipsetsApart, readSaved, unshownTables, type EmptiedRules } from "./saved-rules.js";

type Translate = (input: readonly Source[], options: TranslateOptions) => Translation;

/** The old firewall of one family. */
export interface OldRules extends SavedRules {
  /**
   * Of legacy tables, and of those of which other programs keep chains: they are emptied after the new ones are loaded. Whole tables of
   * iptables-nft go in one transaction with them.
   */
  readonly emptied: EmptiedRules | undefined;
  /** Where chains stay with other programs. */
  readonly parted: Parted | undefined;
}

export interface Plan {
  /** What was translated. */
  readonly sources: readonly Source[];
  readonly old: readonly OldRules[];
  /** Old rules of a family that the files have nothing of. */
  readonly staying: readonly SavedRules[];
  /** Tables with rules that the files have nothing of, although they have rules of their family. */
  readonly missingTables: readonly string[];
  readonly translation: Translation;
  readonly rules: Tally;
  /** Tables of other programs and of the administrator, which stay and decide as well. */
  readonly otherTables: readonly TableName[];
  /** What nft loads, in one transaction with the hosts on lists. */
  readonly script: string;
  /** What the machine may load when it starts. */
  readonly lasting: string;
  /** Takes the new tables away, and puts back what was there before under their names. */
  readonly removal: string;
  readonly ipsets: readonly string[];
  /** Of each list of `recent`: seconds after which a stamp counts for no rule; infinite where some rule asks without. */
  readonly windows: ReadonlyMap<string, number>;
  readonly ownTables: readonly TableName[];
}

/** Why nothing can be changed. */
export interface Obstacle {
  readonly obstacle: string;
  readonly sources: readonly Source[];
  /** Undefined where it did not come so far. */
  readonly translation?: Translation;
}

export interface PlanRequest {
  readonly machine: Machine;
  /** The rules that the new firewall is made of; those of the machine unless told. */
  readonly sources?: readonly Source[] | undefined;
  readonly options: TranslateOptions;
  readonly translate: Translate;
  /** Rules that may be lost. */
  readonly acceptedLoss: number;
  /** Leave chains in which live programs have rules to iptables. */
  readonly leaveToOwners: boolean;
}

/** What is called the machine's rules in diagnostics. */
export const machineName = "<this machine>";

/** The rules that go, each with what stays of them; rules of which all stay, or that decide nothing, are left out. */
export function goingRules({ saved, live }: Machine, leaving: boolean): (SavedRules & { readonly parted: Parted | undefined })[] {
  return saved.flatMap((one) => {
    const parted = leaving ? leaveToOwners(one.text, live) : undefined;
    return decides(parted?.moving ?? one.text) ? [{ ...one, parted }] : [];
  });
}

/** The built-in chains that stay with other programs. */
export function stayingChains({ saved, live }: Machine): StayingChain[] {
  return saved.flatMap(({ text }) => leaveToOwners(text, live)?.staying ?? []);
}

export function planCutover(request: PlanRequest): Plan | Obstacle {
  const { machine, sources, options, translate, acceptedLoss } = request;
  const deciding = goingRules(machine, request.leaveToOwners);
  const obstacle = obstacleIn(machine.saved, deciding, options.table ?? "ipt2nft");
  if (obstacle !== undefined) return { obstacle, sources: [] };
  const given = sources ?? [{ file: machineName, text: capturedText(machine, deciding) }];
  const translation = translate(given, options);
  if (translation.nft === undefined || translation.script === undefined)
    return { obstacle: "the rules cannot be translated", sources: given, translation };
  const rules = tally(translation.iptables, translation.diagnostics);
  if (rules.refused > acceptedLoss) {
    const loss = rules.refused === 1 ? "1 rule would be lost" : `${rules.refused} rules would be lost`;
    return { obstacle: `${loss}; --accept-loss ${rules.refused} goes on without`, sources: given, translation };
  }
  const families = new Set(translation.iptables.map(({ family }) => family));
  // A family without new rules keeps its old ones: without any it would stand open.
  const leaving = deciding.filter(({ family }) => families.has(family));
  const own = translation.nft.tables.map(({ family, name }) => ({ family, name }));
  const replaced = leaving.flatMap((saved) => (saved.variant === "nft" && !saved.parted ? tablesOf(saved) : []));
  return {
    sources: given,
    old: leaving.map((saved) => ({ ...saved, emptied: emptiedOf(saved, saved.parted) })),
    translation,
    rules,
    staying: deciding.filter((saved) => !leaving.includes(saved)),
    missingTables: leaving.flatMap(({ family, text, parted }) => {
      const ruleset = translation.iptables.find((one) => one.family === family);
      const known: readonly string[] = ruleset?.tables.map(({ name }) => name) ?? [];
      return readSaved(parted?.moving ?? text).flatMap(({ name, rules: lines }) =>
        lines.length > 0 && !known.includes(name) ? [`${family} ${name}`] : [],
      );
    }),
    otherTables: machine.tables.filter((one) => ![...own, ...machine.saved.flatMap(tablesOf)].some((other) => isSame(one, other))),
    script: emit(withReplaced(translation.nft, replaced)),
    lasting: translation.script,
    removal: emit({ header: ["Takes the new firewall away."], tables: [], keepSets: false, replaced: own }) + machine.ownTables,
    ipsets: ipsetsApart(machine.ipsets),
    windows: windowsOf(deciding),
    ownTables: own,
  };
}

function emptiedOf({ variant, text }: SavedRules, parted: Parted | undefined): EmptiedRules | undefined {
  // Lists that go have no rule in the chains that stay.
  if (parted) return { text: parted.taking, kept: undefined, only: parted.going };
  return variant === "legacy" ? emptiedRules(text) : undefined;
}

const isSame = (a: TableName, b: TableName): boolean => a.family === b.family && a.name === b.name;

/** The tables of nf_tables that rules of iptables-nft are in. */
function tablesOf({ variant, family, text }: SavedRules): TableName[] {
  if (variant === "legacy") return [];
  return [...text.matchAll(/^\*(\S+)$/gm)].map(([, table]) => ({ family: family === "ipv4" ? "ip" : "ip6", name: table! }));
}

function withReplaced(script: NftScript, more: readonly TableName[]): NftScript {
  const tables = more.flatMap(({ family, name }) => (family === "ip" || family === "ip6" ? [{ family, name } as const] : []));
  return { ...script, replaced: [...tables, ...(script.replaced ?? [])] };
}

function obstacleIn(saved: readonly SavedRules[], deciding: readonly SavedRules[], table: string): string | undefined {
  for (const { variant, family, text } of saved) {
    const unshown = variant === "nft" ? unshownTables(text) : [];
    if (unshown.length > 0) {
      const named = `${family === "ipv4" ? "ip" : "ip6"} ${unshown.join(", ")}`;
      return `the nft table ${named} has a name of iptables and was made by something else: rename it first`;
    }
  }
  for (const { variant, family } of deciding) {
    if (variant === "legacy" && deciding.some((other) => other.variant === "nft" && other.family === family)) {
      const program = family === "ipv4" ? "iptables" : "ip6tables";
      return `two old firewalls decide: ${program}-legacy and ${program}-nft both have rules; merge them into one first`;
    }
  }
  const taken = deciding.flatMap((saved) => tablesOf(saved)).find(({ name }) => name === table);
  if (!taken) return undefined;
  return `the name ${JSON.stringify(table)} is that of a table of the old firewall: give another with --table`;
}

function windowsOf(saved: readonly SavedRules[]): Map<string, number> {
  const windows = new Map<string, number>();
  for (const ruleset of saved.flatMap(({ family, text }) => build({ file: machineName, text }, { family }).rulesets)) {
    for (const { name, uses } of gatherLists(ruleset).values()) {
      const longest = uses.filter(isCheck).reduce((most, { seconds }) => Math.max(most, seconds ?? Infinity), 0);
      windows.set(name, Math.max(windows.get(name) ?? 0, longest));
    }
  }
  // What no rule asks people may look at.
  return new Map([...windows].map(([name, seconds]) => [name, seconds === 0 ? Infinity : seconds]));
}

/** The machine's firewall as one file, as `capture` prints one. */
function capturedText({ ipsets }: Machine, deciding: readonly (SavedRules & { readonly parted: Parted | undefined })[]): string {
  const of = (family: SavedRules["family"]): string => {
    const saved = deciding.find((one) => one.family === family);
    if (!saved) return "";
    const program = family === "ipv4" ? "iptables" : "ip6tables";
    return saved.parted ? `# Generated by ${program}-save\n${saved.parted.moving}` : saved.text;
  };
  return writeCaptured({
    madeWith: "cutover",
    ipv4: of("ipv4"),
    ipv6: of("ipv6"),
    sets: ipsets,
    // Hosts are read at the last moment, and go with the load.
    lists: [],
  });
}
