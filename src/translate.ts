/** The whole way from iptables-save text to an nft script. */

import { append } from "./append.js";
import { splitCaptured } from "./captured-file.js";
import { diagnostic, effectOf, sortDiagnostics, type Diagnostic } from "./diagnostic.js";
import type { Family, IptablesRuleset } from "./iptables/ast.js";
import type { Geoip } from "./geoip/ranges.js";
import { build } from "./iptables/build.js";
import type { Ipset } from "./ipset/ast.js";
import { IpsetReader } from "./ipset/read-ipsets.js";
import { unusedIpsets } from "./ipset/use.js";
import type { NftScript, NftTable } from "./nft/ast.js";
import { emit } from "./nft/emit.js";
import { readEarlierScript } from "./nft/earlier-script.js";
import { requirements, type Requirements } from "./nft/requirements.js";
import type { KernelPartName } from "./nft/kernel-parts.js";
import type { Feature } from "./nft/versions.js";
import { checkOptions, checkSources } from "./option-checks.js";
import { optimise, type LeftOut, type Merge } from "./optimise/optimise.js";
import { isInvalid, rewriteRuleset, type RecentForm, type Rewriting } from "./rewrite/ruleset.js";
import { mergeFamilies, type Merging, type SetNames } from "./rewrite/inet.js";
import type { ListStores } from "./rewrite/write.js";
import { withOrigins } from "./rewrite/origins.js";
import { bothFamiliesRemarks, memoryRemarks } from "./rewrite/recent/remarks.js";
import { longLists } from "./optimise/long-lists.js";
import { programRules } from "./owners/program-rules.js";
import { rulesWithoutWay } from "./rewrite/rules-without-way.js";
import { mergeByFamily } from "./rewrite/families.js";
import { buildScript } from "./shell/run-script.js";
import { isScript } from "./shell/programs.js";
import { unfoldSpans } from "./shell/script-lines.js";

export interface Source {
  /** For diagnostics; nothing is read from it. A name like `rules.v6` tells the family of a text that does not. */
  readonly file: string;
  /** iptables-save text, what `capture` prints, or a shell script of plain commands. */
  readonly text: string;
  /** What the text itself says counts unless this is given. */
  readonly family?: Family;
}

export interface TranslateOptions {
  /** Name of our nft table in the families ip and ip6; `ipt2nft` unless told. */
  readonly table?: string;
  /** How hit counts of `recent` are written; `auto`, exact up to 100 hits, unless told. */
  readonly recent?: RecentForm;
  /** Elements that a dynamic set may hold; 65535 unless told. */
  readonly setSize?: number;
  /** Seconds without a hit after which a host is taken off a list that rules ask without seconds; 1 to 10 years; never unless told. */
  readonly forgetAfter?: number;
  /** Keep what the sets hold when the script is loaded again; false unless told. */
  readonly keepSets?: boolean;
  /** With `keepSets`, the script that was loaded last: what it made and this one does not is taken away. Nothing unless told. */
  readonly replaces?: string;
  /** Write counters, with the values of the dump; true unless told. */
  readonly counters?: boolean;
  /** What `ipset save` prints: the sets that the rules ask. */
  readonly ipsets?: readonly Source[];
  /** The addresses of countries, for rules with `-m geoip`; such rules are refused unless told. */
  readonly geoip?: Geoip;
  /** Of all sources that do not say themselves. */
  readonly family?: Family;
  /** The nft that has to load the script, from 0.9.1 on: what it cannot load is replaced, or refused. Any unless told. */
  readonly targetNft?: string;
  /** Parts that the kernel lacks, such as `queue`: rules that need them are refused; none unless told. */
  readonly without?: readonly KernelPartName[];
  /** One table of the family inet for the dumps of both families; a table for each unless told. */
  readonly inet?: boolean;
  /** Bring rules together in sets and maps where that decides the same and costs packets less; false unless told. */
  readonly optimize?: boolean;
  /** Say in the comment of each nft rule, which the kernel keeps, what iptables rule it comes from; false unless told. */
  readonly origins?: boolean;
}

/** The worst that happened to any rule. */
export type Outcome = "exact" | "approximated" | "refused" | "invalid";

export interface Translation {
  /** Undefined if the input is not a ruleset. */
  readonly script: string | undefined;
  /** By file, line and column. */
  readonly diagnostics: readonly Diagnostic[];
  readonly iptables: readonly IptablesRuleset[];
  readonly nft: NftScript | undefined;
  /** The sets of ipset by name, from files and from commands in a script. */
  readonly ipsets: ReadonlyMap<string, Ipset>;
  readonly outcome: Outcome;
  /** Where the hosts of lists of `recent` are kept. */
  readonly listStores: readonly TableStores[];
  /** With `optimize`: rules that are one rule of the script, in its order. */
  readonly merges: readonly Merge[];
  /** With `optimize`: rules that are not in the script because no packet reaches them. */
  readonly leftOut: readonly LeftOut[];
}

/** The lists of `recent` of one family, by their names. */
export interface TableStores {
  readonly family: Family;
  /** Where their sets are. */
  readonly table: Pick<NftTable, "family" | "name">;
  /** Sets that have another name in the table than in the stores below. */
  readonly renamed: ReadonlyMap<string, string>;
  readonly lists: ReadonlyMap<string, ListStores>;
}

/**
 * Translates one dump, or several that make one machine's ruleset.
 *
 * Never throws for any text: what is wrong with it is in the diagnostics. Throws a `RangeError`, which names the option and its
 * value, for an option that is not what it must be, or an input that is no text; for what `geoip` gives, too. What `geoip` throws
 * is not caught.
 */
export function translate(input: string | readonly Source[], options: TranslateOptions = {}): Translation {
  const trees = translateToTrees(input, options);
  return { script: trees.nft && emit(trees.nft), ...trees };
}

/** As `translate`, for what prints the script itself. */
export function translateToTrees(input: string | readonly Source[], options: TranslateOptions = {}): Omit<Translation, "script"> {
  const given = typeof input === "string" ? [{ file: "<input>", text: input }] : input;
  checkSources("input", given);
  checkOptions(options);
  const {
    table = "ipt2nft",
    recent = "auto",
    setSize = 65535,
    forgetAfter,
    keepSets = false,
    replaces,
    counters = true,
    family,
    targetNft,
    without = [],
    geoip,
    inet = false,
    optimize = false,
    origins = false,
  } = options;
  const { sources, scripts, sets, lists, rulesets, diagnostics } = readAll(given, { family, ipsets: options.ipsets ?? [] });
  if (!isInvalid(diagnostics)) append(diagnostics, unusedIpsets(rulesets, sets.sets));
  const ipsets = { sets: sets.sets, twoFamilies: rulesets.length > 1 };
  const missing = new Set(without);
  let rewritten: Rewriting[] = [];
  if (!isInvalid(diagnostics)) {
    rewritten = rulesets.map((ruleset) =>
      rewriteRuleset(ruleset, {
        table,
        recent,
        setSize,
        forgetAfter,
        keepSets,
        counters,
        targetNft,
        without: missing,
        ipsets,
        geoip,
        hosts: lists,
      }),
    );
    for (const one of rewritten) append(diagnostics, one.diagnostics);
    append(diagnostics, bothFamiliesRemarks(rulesets));
    append(diagnostics, rulesWithoutWay(rulesets));
    const fullLists = rewritten.reduce((bytes, one) => bytes + one.fullLists, 0);
    append(diagnostics, memoryRemarks(rulesets, fullLists, setSize));
    append(diagnostics, programRules(rulesets));
    if (!optimize) append(diagnostics, longLists(rulesets, { keepSets, counters, targetNft }));
  }
  let nft: NftScript | undefined;
  let setNames: SetNames = new Map();
  const merges: Merge[] = [];
  const leftOut: LeftOut[] = [];
  if (!isInvalid(diagnostics)) {
    let tables = rewritten.map((one) => one.table);
    if (inet) {
      const merged = oneTable(tables);
      if ("obstacle" in merged) diagnostics.push(diagnostic("inet-not-merged", rulesets[0]!.tables[0]!.span, merged.obstacle));
      else {
        tables = [merged.table];
        setNames = merged.setNames;
      }
    }
    if (optimize) {
      tables = tables.map((one) => {
        const optimised = optimise(one, { targetNft, keepSets });
        append(merges, optimised.merges);
        append(leftOut, optimised.leftOut);
        return optimised.table;
      });
    }
    // Only now: rules of both families that are equal are one whatever their lines.
    if (origins) tables = tables.map((one) => withOrigins(one, rulesets));
    nft = scriptOf(tables, keepSets, targetNft, replaces);
  }
  return {
    diagnostics: sortDiagnostics(
      unfoldSpans(diagnostics, scripts),
      [...sources, ...(options.ipsets ?? [])].map(({ file }) => file),
    ),
    iptables: rulesets,
    nft,
    ipsets: sets.sets,
    outcome: outcome(diagnostics),
    listStores: rewritten.flatMap(({ hostStores }, index) => {
      const { family } = rulesets[index]!;
      const own = nft?.tables.find((one) => one.family === "inet" || one.family === (family === "ipv4" ? "ip" : "ip6"));
      if (!own) return [];
      const renamed: SetNames = family === "ipv6" ? setNames : new Map();
      return [{ family, table: { family: own.family, name: own.name }, renamed, lists: hostStores }];
    }),
    merges,
    leftOut,
  };
}

/** The rulesets of dumps that make one machine's ruleset, as `translate` reads them. */
export function readRulesets(dumps: readonly Source[], { family, ipsets = [] }: TranslateOptions): readonly IptablesRuleset[] {
  return readAll(dumps, { family, ipsets }).rulesets;
}

interface Reading {
  /** What the dumps hold beside the sets. */
  readonly sources: ReturnType<typeof splitCaptured>["sources"];
  /** Those of them that are scripts. */
  readonly scripts: readonly Source[];
  readonly sets: IpsetReader;
  readonly lists: ReturnType<typeof splitCaptured>["lists"];
  readonly rulesets: IptablesRuleset[];
  readonly diagnostics: Diagnostic[];
}

function readAll(
  given: readonly Source[],
  { family, ipsets }: { readonly family: Family | undefined; readonly ipsets: readonly Source[] },
): Reading {
  const sets = new IpsetReader();
  const { sources, ipsets: captured, lists } = splitCaptured(given);
  for (const { file, text } of [...captured, ...ipsets]) sets.readFile(file, text);
  const scripts = sources.filter(({ text }) => isScript(text));
  const built = sources.map((source) =>
    scripts.includes(source)
      ? buildScript(source, sets)
      : build(source, optional("family", source.families === "told" ? undefined : (source.family ?? family))),
  );
  const { rulesets, diagnostics } = mergeByFamily(built);
  append(diagnostics, sets.diagnostics);
  return { sources, scripts, sets, lists, rulesets, diagnostics };
}

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: Value };
}

function outcome(diagnostics: readonly Diagnostic[]): Outcome {
  const effects = new Set(diagnostics.map(({ code }) => effectOf(code)));
  return (["invalid", "refused", "approximated"] as const).find((effect) => effects.has(effect)) ?? "exact";
}

/** One table of both families, or why not. */
function oneTable([ipv4, ipv6]: readonly NftTable[]): Merging {
  if (!ipv4 || !ipv6) return { obstacle: "the input has one family only, so the table is of that family and not inet" };
  const merged = mergeFamilies(ipv4, ipv6);
  return "table" in merged ? merged : { obstacle: `the tables of both families stay apart: ${merged.obstacle}` };
}

function scriptOf(tables: readonly NftTable[], keepSets: boolean, targetNft: string | undefined, replaces: string | undefined): NftScript {
  // Both forms at once would ask every packet twice. The other way round a script of one family would take the other's rules away.
  const replaced = tables.flatMap(({ family, name }) =>
    family === "inet" ? (["ip", "ip6"] as const).map((other) => ({ family: other, name })) : [],
  );
  return {
    header: header(tables, targetNft),
    tables,
    keepSets,
    ...(keepSets && replaces !== undefined && { earlier: readEarlierScript(replaces) }),
    ...optional("targetNft", targetNft),
    ...(replaced.length > 0 && { replaced }),
  };
}

function header(all: readonly NftTable[], targetNft: string | undefined): string[] {
  const tables = all.map(({ family, name }) => `${family} ${name}`).join(" and ");
  const inet = all.find(({ family }) => family === "inet");
  const alsoRemoved = inet ? `and the tables ip ${inet.name} and ip6 ${inet.name} of a script without --inet, ` : "";
  return [
    "An iptables ruleset in nft, by ipt2nft-recent.",
    `Loading it replaces the table ${tables} ${alsoRemoved}and touches nothing else; unload the iptables rules first, or both decide.`,
    ...(inet
      ? [`A script of the tables ip and ip6 does not remove this one: before loading such a script, nft delete table inet ${inet.name}`]
      : []),
    "Built-in chains that are empty and accept are left out.",
    ...needs(requirements({ tables: all, targetNft })),
  ];
}

/** What the script needs of nft and the kernel, and what for. */
function needs({ nft, kernel, by, modules }: Requirements): string[] {
  const because = (reasons: readonly Feature[]): string => (reasons.length === 0 ? "" : ` (${reasons.map(({ name }) => name).join(", ")})`);
  return [
    `Needs nft ${nft}${because(by.nft)} and Linux ${kernel}${because(by.kernel)}.`,
    ...(modules.length === 0 ? [] : [`Kernel modules beside nf_tables: ${modules.join(", ")}.`]),
  ];
}
