/** Searches, list by list, for traffic that the translation decides otherwise than the rules. Pure: needs no kernel. */

import { mostHits } from "../extensions/matches/recent.js";
import { effectOf, explainsTraffic, printable, type Diagnostic, type Span } from "../diagnostic.js";
import type { Family, IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import type { NftTable } from "../nft/ast.js";
import type { TranslateOptions, Translation } from "../translate.js";
import { checkOptions, fault, wholeNumberFault } from "../option-checks.js";
import { seededRandom } from "../random.js";
import { classesOf, listsTogether, rulesByList, usesOf } from "./classes.js";
import { cutRules, isWithin } from "./cut.js";
import { timelineOf } from "./explain.js";
import { Memories } from "./forgetting.js";
import { Explorer, longestBurst, type Exploration } from "./explore.js";
import { modelsOf, tableOf, type Models } from "./models.js";
import { NotModelled } from "./packet.js";
import { RecentLists } from "./recent-lists.js";
import { shrink } from "./shrink.js";
import type { Timeline } from "./timeline.js";
import { Witnesses } from "./witness.js";

export interface SearchOptions {
  /** Schedules tried for each list; 20,000 unless told. */
  readonly schedules?: number;
  /**
   * Rules that the models hold packets against, and 20 for each packet, for all lists together; a hundred million, some minutes, unless
   * told.
   */
  readonly steps?: number;
  /** Milliseconds for all lists together, by `now`; no limit unless told. */
  readonly milliseconds?: number;
  /** A clock in milliseconds; needed with `milliseconds`. */
  readonly now?: () => number;
  /** Of what is left to chance; 1 unless told. */
  readonly seed?: number;
  /** The lists to search; all unless told. */
  readonly lists?: readonly string[];
  /** Is told again and again how far the search has come. */
  readonly progress?: (progress: SearchProgress) => void;
  /** What was translated with. */
  readonly translated?: Pick<TranslateOptions, "setSize" | "forgetAfter" | "geoip">;
}

export interface SearchProgress {
  readonly list: string;
  /** From 1 on, of so many lists. */
  readonly number: number;
  readonly lists: number;
}

/** What the search of one list came to. */
export interface ListSearch {
  readonly list: string;
  readonly family: Family;
  /** The rules that use the list, in the order of the dump. */
  readonly rules: readonly Span[];
  readonly result:
    | { readonly kind: "searched"; readonly effort: Effort }
    /** Why the list could not be searched; lower case, no full stop. */
    | { readonly kind: "not-searched"; readonly reason: string };
  /** The shortest traffic that the two decide otherwise. */
  readonly counterexample?: Timeline;
  /** What the translator had said of the list, where that explains the counterexample. */
  readonly announced: readonly string[];
  /** Rules of the list that were not searched, or not as a whole; lower case, no full stop. */
  readonly leftOut: readonly string[];
  /** Differences beyond what was searched, which the translator states: lower case, no full stop. */
  readonly known: readonly string[];
}

export interface Effort {
  /** Schedules tried, each a different one. */
  readonly schedules: number;
  /** Packets sent to each model. */
  readonly packets: number;
  /** All schedules of so many moves (a pause and a packet or a burst) were among them; `Infinity` if longer ones only repeat these. */
  readonly exhaustiveMoves: number;
  /** The most packets in any schedule. */
  readonly hits: number;
  /** Kinds of packets that the list's rules tell apart. */
  readonly classes: number;
}

const usualSchedules = 20_000;
const usualSteps = 100_000_000;
/** Of a list's share of the budget: after it, no more kinds of packets are looked for, so that those found are sent. */
const classShare = 0.4;

/** Throws a `RangeError` that names the option and its value. */
export function checkSearchOptions({ schedules, steps, milliseconds, now, seed, lists, progress, translated }: SearchOptions): void {
  for (const [name, value] of Object.entries({ schedules, steps })) {
    const wanted = value === undefined || value === Infinity ? undefined : wholeNumberFault(value, 1, Number.MAX_SAFE_INTEGER);
    if (wanted !== undefined) throw fault(name, wanted, value);
  }
  if (milliseconds !== undefined && !(milliseconds >= 0)) throw fault("milliseconds", "a number from 0 on", milliseconds);
  if (now !== undefined && typeof now !== "function") throw fault("now", "a function", now);
  if (milliseconds !== undefined && milliseconds !== Infinity && now === undefined)
    throw fault("now", "a function where milliseconds are given", now);
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw fault("seed", "a whole number", seed);
  if (lists !== undefined && !(Array.isArray(lists) && lists.every((list) => typeof list === "string")))
    throw fault("lists", "an array of strings", lists);
  if (progress !== undefined && typeof progress !== "function") throw fault("progress", "a function", progress);
  if (translated !== undefined) checkOptions(translated);
}

/**
 * Searches every list of the translation; empty if there is none, or the input was no ruleset. Throws a `RangeError`, which names the
 * option and its value, for an option that is not what it must be.
 */
export function searchLists(translation: Translation, options: SearchOptions = {}): ListSearch[] {
  checkSearchOptions(options);
  const { iptables, nft, diagnostics } = translation;
  if (!nft) return [];
  const families = iptables.flatMap((ruleset) => {
    const table = tableOf(ruleset, nft.tables);
    return table ? [new RulesetSearch(ruleset, table, diagnostics, options)] : [];
  });
  const lists = families.reduce((sum, { names }) => sum + names.length, 0);
  let listsLeft = lists;
  const budget = new SearchBudget(options);
  return families.flatMap((family) => {
    const found = family.run(budget, listsLeft, lists);
    listsLeft -= family.names.length;
    return found;
  });
}

/** What all lists may cost, in steps and in time: the part of it that is used is the clock of the search. */
export class SearchBudget {
  private readonly start: number;
  private readonly milliseconds: number;
  private readonly steps: number;
  private readonly clock: () => number;
  /** Steps of the models that are done with. */
  private before = 0;
  private counters: readonly { readonly asked: number }[] = [];

  constructor({ milliseconds = Infinity, steps = usualSteps, now = () => 0 }: SearchOptions) {
    this.clock = now;
    this.start = now();
    this.milliseconds = Math.max(milliseconds, Number.MIN_VALUE);
    this.steps = steps;
  }

  /** Counts what these models do from now on. */
  watch(counters: readonly { readonly asked: number }[]): void {
    this.before += stepsOf(this.counters);
    this.counters = counters;
  }

  /** The part that is used: 1 is all of it. */
  used(): number {
    return Math.max((this.before + stepsOf(this.counters)) / this.steps, (this.clock() - this.start) / this.milliseconds);
  }
}

function stepsOf(counters: readonly { readonly asked: number }[]): number {
  return counters.reduce((sum, { asked }) => sum + asked, 0);
}

class RulesetSearch {
  /** The lists to search. */
  readonly names: readonly string[];
  private budget!: SearchBudget;
  /** The part of the budget that is used when the list that is being searched has had its share. */
  private deadline = Infinity;
  /** The part that was used when its search began. */
  private begin = 0;
  /** What is searched now. */
  private position: SearchProgress | undefined;

  constructor(
    private readonly ruleset: IptablesRuleset,
    private readonly table: NftTable,
    private readonly diagnostics: readonly Diagnostic[],
    private readonly options: SearchOptions,
  ) {
    const wanted = options.lists && new Set(options.lists);
    this.names = namesOfLists(ruleset).filter((list) => wanted === undefined || wanted.has(list));
  }

  /** Searches the lists, which get equal shares of what so many lists have left of the budget. */
  run(budget: SearchBudget, listsLeft: number, lists: number): ListSearch[] {
    const { seed = 1, translated } = this.options;
    const { names } = this;
    this.budget = budget;
    // Without a list there is nothing to search, whatever else the rules hold.
    if (names.length === 0) return [];
    let models: Models;
    try {
      models = modelsOf(this.ruleset, this.table, { ...translated, cut: cutRules(this.ruleset, this.diagnostics) });
    } catch (error) {
      if (!(error instanceof NotModelled)) throw error;
      return names.map((list) => ({
        ...this.about(list, []),
        result: { kind: "not-searched", reason: `the models do not know ${error.message}` },
      }));
    }
    const rules = rulesByList(models.xtables);
    const witnesses = new Witnesses(models.xtables, seededRandom(seed), () => this.isOver());
    const { forgetAfter } = translated ?? {};
    const memories = new Memories(models.xtables, forgetAfter === undefined ? {} : { forgetAfter });
    budget.watch([models.xtables, models.nft, memories]);
    return names.map((list, index) => {
      const used = budget.used();
      if (used >= 1) {
        const reason = "the budget was used up by the lists before it";
        return { ...this.about(list, rules.get(list) ?? []), result: { kind: "not-searched", reason } };
      }
      this.begin = used;
      this.position = { list, number: lists - listsLeft + index + 1, lists };
      this.deadline = used + (1 - used) / (listsLeft - index);
      return this.searchList(list, models, rules, witnesses, memories);
    });
  }

  /** Asked again and again while a list is searched. */
  private used(): number {
    if (this.position) this.options.progress?.(this.position);
    return this.budget.used();
  }

  /** @param share of what the list may cost: it has been used */
  private isOver(share = 1): boolean {
    return this.used() >= this.begin + share * (this.deadline - this.begin);
  }

  private about(
    list: string,
    rules: readonly IptablesRule[],
  ): Pick<ListSearch, "list" | "family" | "rules" | "announced" | "leftOut" | "known"> {
    return { list, family: this.ruleset.family, rules: rules.map(({ span }) => span), announced: [], leftOut: [], known: [] };
  }

  private searchList(
    list: string,
    models: Models,
    rules: ReadonlyMap<string, readonly IptablesRule[]>,
    witnesses: Witnesses,
    memories: Memories,
  ): ListSearch {
    const { schedules = usualSchedules, seed = 1 } = this.options;
    const own = rules.get(list) ?? [];
    const about = this.about(list, own);
    const lists = listsTogether(list, models.xtables, witnesses, rules);
    const involved = lists.flatMap((one) => rules.get(one) ?? []);
    const leftOut = involved
      .filter((rule) => models.xtables.refused.has(rule))
      .map(({ span, text }) => `line ${span.line} is in the script only in part, and compared as it is there: ${printable(text)}`);
    const { packets, unreached: all } = classesOf(lists, models.xtables, witnesses, rules, () => this.isOver(classShare));
    if (packets.length === 0) {
      if (own.every((rule) => models.xtables.refused.has(rule))) {
        return { ...about, leftOut, result: { kind: "not-searched", reason: "none of its rules is translated" } };
      }
      const mayBeReached = own.some((rule) => witnesses.mayBeReached(rule));
      const effort = { schedules: 0, packets: 0, exhaustiveMoves: Infinity, hits: 0, classes: 0 };
      return mayBeReached
        ? {
            ...about,
            leftOut,
            result: {
              kind: "not-searched",
              reason: `no packet was found ${this.isOver() ? "within the budget " : ""}that comes to ${lines(own)}`,
            },
          }
        : {
            ...about,
            leftOut,
            known: ["no packet comes to its rules: nothing jumps to their chains, or only with other protocols"],
            result: { kind: "searched", effort },
          };
    }
    const unreached = all.filter((rule) => !models.xtables.refused.has(rule));
    const never = unreached.filter((rule) => !witnesses.mayBeReached(rule));
    const missed = unreached.filter((rule) => !never.includes(rule));
    if (missed.length > 0) leftOut.push(`no packet that comes to ${lines(missed)} was found and sent`);
    const uses = involved.flatMap((rule) => usesOf(models.xtables, rule));
    const exploration = new Explorer({ xtables: models.xtables, other: models.nft, classes: packets, uses }, seededRandom(seed)).run({
      schedules,
      deadline: this.deadline,
      now: () => this.used(),
    });
    const { difference } = exploration;
    if (exploration.schedules === 0)
      return { ...about, leftOut, result: { kind: "not-searched", reason: "its share of the budget ended before a schedule was tried" } };
    const most = mostHits(uses);
    const counterexample =
      difference &&
      timelineOf(`list "${printable(list)}"`, shrink(models.xtables, models.nft, difference), lists, models.xtables, models.nft);
    return {
      ...about,
      leftOut,
      result: { kind: "searched", effort: effortOf(exploration, packets.length) },
      ...(counterexample && { counterexample }),
      announced: counterexample ? this.announcedFor(involved) : [],
      known: [
        ...(never.length === 0 ? [] : [`no packet comes to ${lines(never)}: nothing jumps to the chain, or only with other protocols`]),
        ...(most > longestBurst ? [`a hit count of ${most} was not reached: the longest burst tried has ${longestBurst} packets`] : []),
        ...memories.forgetting(list, packets, uses, () => this.isOver()),
        ...this.notes(own),
      ],
    };
  }

  private announcedFor(rules: readonly IptablesRule[]): string[] {
    const found = this.diagnostics.filter(
      ({ code, span }) => effectOf(code) === "approximated" && explainsTraffic(code) && rules.some((rule) => isWithin(span, rule.span)),
    );
    return [...new Set(found.map(({ code, message }) => `${message} [${code}]`))];
  }

  private notes(rules: readonly IptablesRule[]): string[] {
    const found = this.diagnostics.filter(
      ({ code, span }) => code === "recent-flood-guard" && rules.some((rule) => isWithin(span, rule.span)),
    );
    return [...new Set(found.map(({ message }) => message))];
  }
}

function namesOfLists(ruleset: IptablesRuleset): string[] {
  return new RecentLists(ruleset, Infinity).names;
}

function effortOf({ schedules, packets, exhaustiveMoves, hits }: Exploration, classes: number): Effort {
  return { schedules, packets, exhaustiveMoves, hits, classes };
}

function lines(rules: readonly IptablesRule[]): string {
  const numbers = [...new Set(rules.map(({ span }) => span.line))];
  return `line${numbers.length === 1 ? "" : "s"} ${numbers.join(", ")}`;
}
