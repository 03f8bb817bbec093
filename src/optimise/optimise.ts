/**
 * Rules that differ in what they ask for alone become one rule with a set, or a map of verdicts (`--optimize`).
 *
 * Works on the nft tree, after everything else is decided: what is asked and done stands there, whatever it was in iptables. A table goes
 * through these passes, each chain by itself:
 *
 * 1. read (`read-rule.ts`): what each rule asks of which field, what else, and whether it does no more than count and end; without tests
 *    that no packet fails there (`excluded-interfaces.ts`);
 * 2. leave out (`unreachable.ts`): rules that no packet reaches;
 * 3. arrange (`shapes.ts`, `arrange.ts`): rules of one shape come together where that changes nothing;
 * 4. cut (`cut.ts`): where two want the same packet, the first has it;
 * 5. weigh (`cost.ts`): a look-up that is not clearly cheaper than its rules is not made;
 * 6. write (`merge.ts`): the rule, its set, and which rules of the input it holds;
 * 7. share (`shared-tests.ts`): tests that neighbours have in common are asked once;
 * 8. spell (`spelling.ts`): networks in what is left.
 *
 * What is not known stays as it is, and where it is.
 */

import type { Span } from "../diagnostic.js";
import type { NftChain, NftComment, NftRule, NftSet, NftTable, Statement } from "../nft/ast.js";
import { emitStatement } from "../nft/emit.js";
import { Names } from "../nft/names.js";
import { deepestLevel, levelsBelow } from "../nft/levels.js";
import { isLoadable } from "../nft/versions.js";
import { greatest } from "../append.js";
import { arrange, type Alone, type Group } from "./arrange.js";
import { fewestRules, paysOff, type LookUp } from "./cost.js";
import { ExcludedInterfaces } from "./excluded-interfaces.js";
import { bytesOfKey, longestKey, wordOfField } from "./fields.js";
import { linesOf } from "./lines.js";
import { cutGroup, lookUpOf, mergedRule, type Cut } from "./merge.js";
import { givenBy, readRule, type ReadRule } from "./read-rule.js";
import { gains, sharings, wordOfTest, writeSharing, type SharingCost } from "./shared-tests.js";
import { withMasks } from "./spelling.js";
import { coveredRules } from "./unreachable.js";

export interface OptimiseOptions {
  /** The nft that has to load the script; any unless told. */
  readonly targetNft?: string | undefined;
  /** The table is not made anew when the script is loaded again: sets then stand in the rules that ask them. */
  readonly keepSets: boolean;
  /** Whether a look-up is worth its rules, whose tests cost so many nanoseconds together; by what was measured unless told. */
  readonly pays?: (lookUp: LookUp, listed: number) => boolean;
  /** Whether tests that neighbours share are worth a chain of their own; by what was measured unless told. */
  readonly sharingPays?: (before: SharingCost, after: SharingCost) => boolean;
  /** Rules of one shape below which nothing is tried. */
  readonly fewest?: number;
}

/** Rules of the input that are one rule now. */
export interface Merge {
  readonly table: Pick<NftTable, "family" | "name">;
  readonly chain: string;
  readonly form: "set" | "verdict map" | "destination map" | "source map" | "port map" | "mark map" | "class map" | "shared tests";
  /** Of the set, the map, or the chain with rules that share tests; undefined where a set stands in the rule. */
  readonly name: string | undefined;
  readonly elements: number;
  readonly rules: readonly Span[];
}

/** A rule of the input that is not in the script: no packet reaches it. */
export interface LeftOut {
  readonly table: Pick<NftTable, "family" | "name">;
  readonly chain: string;
  readonly rules: readonly Span[];
  readonly coveredBy: readonly Span[];
}

export interface Optimised {
  readonly table: NftTable;
  readonly merges: readonly Merge[];
  readonly leftOut: readonly LeftOut[];
}

export function optimise(table: NftTable, options: OptimiseOptions): Optimised {
  if (changesFields(table)) return { table, merges: [], leftOut: [] };
  return new TableOptimiser(table, options).run();
}

/** Whether a rule writes to a field that rules are brought together by: nothing of iptables does. */
function changesFields({ chains }: NftTable): boolean {
  const writes = (statement: Statement): boolean =>
    statement.kind === "assignment" &&
    (statement.target.kind === "raw-payload" ||
      (statement.target.kind === "payload" && ["saddr", "daddr", "sport", "dport", "protocol"].includes(statement.target.field)));
  return chains.some(({ entries }) => entries.some((entry) => entry.kind === "rule" && entry.statements.some(writes)));
}

/** A rule with the comments that belong to it, or a comment by itself. */
interface Item {
  readonly comments: readonly NftComment[];
  readonly rule?: NftRule;
}

/** What stands in a chain for a rule or a group. */
interface Written {
  readonly entries: readonly (NftRule | NftComment)[];
  /** The rule, where there is nothing but one. */
  readonly alone?: NftRule;
}

/** Each chain of a row may come to call the next through one of ours, and the last may call one. */
const mostLevelsBefore = (deepestLevel - 1) / 2;

/** Times that a chain is arranged: each time without the shapes of which no group paid. */
const mostRounds = 4;

class TableOptimiser {
  private readonly names = new Names();
  private readonly sets: NftSet[] = [];
  private readonly merges: Merge[] = [];
  private readonly leftOut: LeftOut[] = [];
  private readonly pays: (lookUp: LookUp, listed: number) => boolean;
  private readonly sharingPays: (before: SharingCost, after: SharingCost) => boolean;
  private readonly fewest: number;
  private readonly mayCallMore: boolean;

  constructor(
    private readonly table: NftTable,
    private readonly options: OptimiseOptions,
  ) {
    this.pays = options.pays ?? paysOff;
    this.sharingPays = options.sharingPays ?? gains;
    this.fewest = options.fewest ?? fewestRules;
    this.mayCallMore = greatest(levelsBelow(table).values(), 0) <= mostLevelsBefore;
    for (const { name } of [...table.chains, ...table.sets, ...table.helpers]) this.names.unique(name);
  }

  run(): Optimised {
    const chains = this.table.chains.flatMap((chain) => this.chain(chain));
    return {
      table: { ...this.table, sets: [...this.table.sets, ...this.sets], chains },
      merges: this.merges,
      leftOut: this.leftOut,
    };
  }

  private chain(chain: NftChain): NftChain[] {
    const items = itemsOf(chain);
    const excluded = new ExcludedInterfaces();
    const all = items.map(({ comments, rule }) => {
      if (!rule) return undefined;
      const read = readRule(rule, (test) => excluded.holds(test));
      excluded.add(read);
      return withoutPlain(read, comments.length > 0);
    });
    const covered = coveredRules(all);
    const rules = all.map((read, place) => (covered.has(place) ? undefined : read));
    const written = this.arranged(rules).map((unit): Written => {
      if (unit.kind === "cut") return { entries: this.written(chain, unit.cut) };
      const { comments, rule } = items[unit.place]!;
      const by = covered.get(unit.place);
      if (rule && by !== undefined) return { entries: [this.leaveOut(chain, rule, [items[by]!.rule!])] };
      return { entries: [...comments, ...(rule ? [withMasks(rule)] : [])], ...(comments.length === 0 && rule && { alone: rule }) };
    });
    return this.withSharedTests(chain, written);
  }

  /** The chain, with chains in front of it that hold rules which share tests. */
  private withSharedTests(chain: NftChain, written: readonly Written[]): NftChain[] {
    const rules = this.mayCallMore ? aloneOfTheirLine(written) : [];
    const chains: NftChain[] = [];
    const entries: (NftRule | NftComment)[] = [];
    let done = 0;
    for (const sharing of sharings(rules, this.sharingPays, this.fewest)) {
      const { from, count, tests } = sharing;
      const name = this.names.unique([chain.name, ...[...tests.values()].map(wordOfTest)].join("_"));
      const { call, rules: moved } = writeSharing(sharing, rules.slice(from, from + count) as ReadRule[], name);
      const origins = moved.flatMap((rule): readonly Span[] => rule.origins ?? []);
      const { family, name: table } = this.table;
      this.merges.push({ table: { family, name: table }, chain: chain.name, form: "shared tests", name, elements: count, rules: origins });
      chains.push({ name, entries: moved.map(withMasks) });
      entries.push(
        ...written.slice(done, from).flatMap((one) => one.entries),
        { kind: "comment", lines: [`${count} rules that share tests: ${linesOf(origins)}`], above: origins },
        withMasks(call),
      );
      done = from + count;
    }
    return [...chains, { ...chain, entries: [...entries, ...written.slice(done).flatMap((one) => one.entries)] }];
  }

  /** Groups that pay, cut, and all other rules by themselves. */
  private arranged(rules: readonly (ReadRule | undefined)[]): (Alone | { readonly kind: "cut"; readonly cut: Cut })[] {
    const mapped = this.mayMap(rules);
    const without = new Set<string>();
    for (let round = 1; ; round++) {
      const units = arrange(rules, { mapped, fewest: this.fewest, without });
      const cuts = new Map<Group, Cut>();
      const [worth, poor] = [new Set<string>(), new Set<string>()];
      for (const unit of units) {
        if (unit.kind === "alone") continue;
        const cut = unit.members.length > 1 ? cutGroup(unit, rules) : undefined;
        if (cut && this.isWorthIt(cut)) {
          cuts.set(unit, cut);
          worth.add(unit.shape.key);
        } else poor.add(unit.shape.key);
      }
      const given = [...poor].filter((key) => !worth.has(key));
      for (const key of given) without.add(key);
      if (given.length > 0 && round < mostRounds) continue;
      return units.flatMap((unit): (Alone | { readonly kind: "cut"; readonly cut: Cut })[] => {
        if (unit.kind === "alone") return [unit];
        const cut = cuts.get(unit);
        return cut ? [{ kind: "cut", cut }] : unit.members.map((place) => ({ kind: "alone", place }));
      });
    }
  }

  /** Where verdicts of elements are counted, the nft must know maps that count. */
  private mayMap(rules: readonly (ReadRule | undefined)[]): boolean {
    const counted = rules.some((read) => read?.plain?.counter);
    return !counted || (!this.options.keepSets && isLoadable("mapCounter", this.options.targetNft));
  }

  private isWorthIt(cut: Cut): boolean {
    const { lookUp, listed } = lookUpOf(cut);
    if (lookUp.counted && !isLoadable("setCounter", this.options.targetNft)) return false;
    if (lookUp.fields.length === 0 || bytesOfKey(lookUp.fields) > longestKey) return false;
    const inBoxes = lookUp.intervals && lookUp.fields.length > 1;
    if (inBoxes && (this.options.keepSets || !isLoadable("boxes", this.options.targetNft))) return false;
    const [first, ...others] = cut.members.map(({ end }) => end);
    const gives = first && givenBy(first) && others.some((end) => emitStatement(end) !== emitStatement(first));
    const feature = first?.kind === "nat" ? "translationMap" : "valueMap";
    // A map of addresses, ports or marks has a name, and stays over a reload with what it held.
    if (gives && (this.options.keepSets || !isLoadable(feature, this.options.targetNft))) return false;
    // nft makes one of neighbours in a set that stands in a rule, and keeps the first counter only.
    if (lookUp.intervals && lookUp.counted && this.options.keepSets) return false;
    return this.pays(lookUp, listed);
  }

  private written(chain: NftChain, cut: Cut): (NftRule | NftComment)[] {
    const { keepSets } = this.options;
    const name = keepSets ? undefined : this.names.unique([chain.name, ...cut.fields.map((field) => wordOfField[field])].join("_"));
    const { rule, set } = mergedRule(cut, name, !keepSets);
    if (set) this.sets.push(set);
    const rules = rule.origins ?? [];
    const { family, name: table } = this.table;
    const form = formOf(rule.statements.at(-1)!);
    const elements = cut.found.length;
    this.merges.push({ table: { family, name: table }, chain: chain.name, form, name, elements, rules });
    return [
      { kind: "comment", lines: [`${cut.kept.length} rules in one look-up: ${linesOf(rules)}`], above: rules },
      rule,
      ...cut.covered.map((one) => this.leaveOut(chain, one.rule, one.by)),
    ];
  }

  private leaveOut(chain: NftChain, rule: NftRule, by: readonly NftRule[]): NftComment {
    const [rules, coveredBy] = [rule.origins ?? [], by.flatMap(({ origins = [] }) => origins)];
    const { family, name } = this.table;
    this.leftOut.push({ table: { family, name }, chain: chain.name, rules, coveredBy });
    const counter = rule.statements.find((statement) => statement.kind === "counter");
    const counted =
      counter && (counter.packets > 0n || counter.bytes > 0n) ? `; it counted ${counter.packets} packets, ${counter.bytes} bytes` : "";
    return {
      kind: "comment",
      lines: [`no packet reaches the rule of ${linesOf(rules)} behind ${linesOf(coveredBy)}${counted}`],
      origins: rules,
    };
  }
}

/** Of the look-up that a rule ends with. */
function formOf(end: Statement): Merge["form"] {
  switch (end.kind) {
    case "verdict-map":
      return "verdict map";
    case "assignment":
      if (end.value.kind !== "named-map") return "set";
      return end.target.kind === "meta" && end.target.key === "priority" ? "class map" : "mark map";
    case "nat":
      if (!end.found) return "set";
      return end.type === "dnat" ? "destination map" : end.type === "snat" ? "source map" : "port map";
    default:
      return "set";
  }
}

/** The rules that are by themselves what their line became: others count together, and do not move. */
function aloneOfTheirLine(written: readonly Written[]): (ReadRule | undefined)[] {
  const places = new Map<string, number>();
  const placesOf = ({ origins = [] }: NftRule): string[] => origins.map(({ file, line }) => `${file}:${line}`);
  for (const { entries } of written) {
    for (const entry of entries) {
      if (entry.kind === "rule") for (const place of placesOf(entry)) places.set(place, (places.get(place) ?? 0) + 1);
    }
  }
  return written.map(({ alone }) => {
    const own = alone ? placesOf(alone) : [];
    return alone && own.length > 0 && own.every((place) => places.get(place) === 1) ? readRule(alone) : undefined;
  });
}

/** A rule below a comment about it is one of several that belong together, and one of no line serves a list. */
function withoutPlain(read: ReadRule, isCommented: boolean): ReadRule {
  const { rule, selectors } = read;
  return !isCommented && rule.origins && rule.origins.length > 0 ? read : { rule, selectors };
}

function itemsOf({ entries }: NftChain): Item[] {
  const items: Item[] = [];
  let comments: NftComment[] = [];
  for (const entry of entries) {
    if (entry.kind === "rule") {
      items.push({ comments, rule: entry });
      comments = [];
    } else if (entry.origins && comments.length === 0) items.push({ comments: [entry] });
    else comments.push(entry);
  }
  if (comments.length > 0) items.push({ comments });
  return items;
}
