/** Searches, list by list, for traffic that the translation decides otherwise than the rules. Pure: needs no kernel. */

import { effectOf, explainsTraffic, printable, type Diagnostic, type Span } from "../diagnostic.js";
import type { Family, IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import type { NftTable } from "../nft/ast.js";
import type { TranslateOptions, Translation } from "../translate.js";
import { seededRandom } from "../random.js";
import { classesOf, listsTogether, rulesByList, usesOf } from "./classes.js";
import { cutRules, isWithin } from "./cut.js";
import { timelineOf } from "./explain.js";
import { forgetting } from "./forgetting.js";
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
  /** Milliseconds for each list, by `now`; no limit unless told. */
  readonly milliseconds?: number;
  /** A clock in milliseconds; needed with `milliseconds`. */
  now?(): number;
  /** Of what is left to chance; 1 unless told. */
  readonly seed?: number;
  /** The lists to search; all unless told. */
  readonly lists?: readonly string[];
  /** What was translated with. */
  readonly translated?: Pick<TranslateOptions, "setSize" | "forgetAfter" | "geoip">;
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

/** Searches every list of the translation; empty if there is none, or the input was no ruleset. */
export function searchLists(translation: Translation, options: SearchOptions = {}): ListSearch[] {
  const { iptables, nft, diagnostics } = translation;
  if (!nft) return [];
  return iptables.flatMap((ruleset) => {
    const table = tableOf(ruleset, nft.tables);
    return table ? new RulesetSearch(ruleset, table, diagnostics, options).run() : [];
  });
}

class RulesetSearch {
  /** Of the list that is being searched. */
  private deadline = Infinity;

  constructor(
    private readonly ruleset: IptablesRuleset,
    private readonly table: NftTable,
    private readonly diagnostics: readonly Diagnostic[],
    private readonly options: SearchOptions,
  ) {}

  run(): ListSearch[] {
    const { seed = 1, lists, translated } = this.options;
    // Without a list there is nothing to search, whatever else the rules hold.
    const names = namesOfLists(this.ruleset).filter((list) => lists === undefined || lists.includes(list));
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
    const witnesses = new Witnesses(models.xtables, seededRandom(seed), () => this.now() >= this.deadline);
    return names.map((list) => this.searchList(list, models, rules, witnesses));
  }

  private now(): number {
    return this.options.now?.() ?? 0;
  }

  private about(
    list: string,
    rules: readonly IptablesRule[],
  ): Pick<ListSearch, "list" | "family" | "rules" | "announced" | "leftOut" | "known"> {
    return { list, family: this.ruleset.family, rules: rules.map(({ span }) => span), announced: [], leftOut: [], known: [] };
  }

  private searchList(list: string, models: Models, rules: ReadonlyMap<string, readonly IptablesRule[]>, witnesses: Witnesses): ListSearch {
    const { schedules = usualSchedules, milliseconds = Infinity, seed = 1 } = this.options;
    this.deadline = this.now() + milliseconds;
    const own = rules.get(list) ?? [];
    const about = this.about(list, own);
    const lists = listsTogether(list, models.xtables, witnesses, rules);
    const involved = lists.flatMap((one) => rules.get(one) ?? []);
    const leftOut = involved
      .filter((rule) => models.xtables.refused.has(rule))
      .map(({ span, text }) => `line ${span.line} is in the script only in part, and compared as it is there: ${printable(text)}`);
    const { packets, unreached: all } = classesOf(lists, models.xtables, witnesses, rules);
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
              reason: `no packet was found ${this.now() >= this.deadline ? "in the time " : ""}that comes to ${lines(own)}`,
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
    const exploration = new Explorer({ ...models, classes: packets, uses }, seededRandom(seed)).run({
      schedules,
      deadline: this.deadline,
      now: () => this.now(),
    });
    const { difference } = exploration;
    const most = Math.max(...uses.map(({ hits }) => hits));
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
        ...forgetting(this.ruleset, { ...this.options.translated, cut: cutRules(this.ruleset, this.diagnostics) }, list, packets, uses),
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
