/**
 * What the limit form does otherwise, in numbers: the same attackers, and honest users behind one address, before both
 * firewalls.
 */

import type { RecentUse } from "../extensions/matches/recent.js";
import type { Diagnostic } from "../diagnostic.js";
import type { Family } from "../iptables/ast.js";
import type { Translation } from "../translate.js";
import { seededRandom } from "../random.js";
import { classesOf, listsTogether, rulesByList, usesOf } from "./classes.js";
import { cutRules, isWithin } from "./cut.js";
import { modelsOf, tableOf, type Models } from "./models.js";
import { millisecondsPerTick, NotModelled, ticksPerSecond, type Packet } from "./packet.js";
import { checkSearchOptions, SearchBudget, type SearchOptions } from "./search.js";
import { Witnesses } from "./witness.js";

/** A list whose hit count is written as a limit, before each kind of sender. */
export interface LimitComparison {
  readonly list: string;
  readonly family: Family;
  /** The window: so many hits in so many seconds. */
  readonly hits: number;
  readonly seconds: number;
  /** Empty where it was not compared. */
  readonly scenarios: readonly ScenarioResult[];
  /** Why it was not compared, or not with all senders; lower case, no full stop. */
  readonly leftOut?: string;
}

/** Steps for all lists together, as those of a search; some seconds. */
const usualSteps = 20_000_000;
const overBudget = "the budget for limits was used up";

export interface ScenarioResult {
  readonly name: string;
  /** What the sender does, in words. */
  readonly description: string;
  /** Packets. */
  readonly sent: number;
  readonly passed: Sides<number>;
  /** Packets that only one of them lets through. */
  readonly onlyNft: number;
  readonly onlyIptables: number;
  /** Seconds from the first packet to the first that is dropped; absent if none is. */
  readonly banAfter: Partial<Sides<number>>;
  /** Seconds of silence after the last packet until one is let through again; absent if none was dropped at the end. */
  readonly releaseAfter: Partial<Sides<number>>;
  /** Packets let through so far, over time. */
  readonly curve: readonly CurvePoint[];
}

export interface Sides<Value> {
  readonly iptables: Value;
  readonly nft: Value;
}

export interface CurvePoint extends Sides<number> {
  /** Seconds. */
  readonly at: number;
  readonly sent: number;
}

interface Scenario {
  readonly name: string;
  readonly description: string;
  readonly times: readonly number[];
}

/**
 * Compares every list of the translation that is written as a limit; lists that no packet reaches are left out. Throws a `RangeError`,
 * which names the option and its value, for an option that is not what it must be.
 */
export function compareLimits(
  { iptables, nft, diagnostics }: Translation,
  options: Pick<SearchOptions, "lists" | "translated" | "seed" | "steps"> = {},
): LimitComparison[] {
  checkSearchOptions(options);
  if (!nft) return [];
  const budget = new SearchBudget({ steps: options.steps ?? usualSteps });
  return iptables.flatMap((ruleset) => {
    const table = tableOf(ruleset, nft.tables);
    const limited = diagnostics.filter(({ code }) => code === "recent-limit-form");
    if (!table || limited.length === 0) return [];
    try {
      const models = modelsOf(ruleset, table, { ...options.translated, cut: cutRules(ruleset, diagnostics) });
      budget.watch([models.xtables, models.nft]);
      return compareLists(models, limited, options.lists, options.seed ?? 1, () => budget.used() >= 1);
    } catch (error) {
      // What cannot be modelled is said by the search.
      if (error instanceof NotModelled) return [];
      throw error;
    }
  });
}

function compareLists(
  models: Models,
  limited: readonly Diagnostic[],
  lists: readonly string[] | undefined,
  seed: number,
  isOver: () => boolean,
): LimitComparison[] {
  const { xtables } = models;
  const rules = rulesByList(xtables);
  const witnesses = new Witnesses(xtables, seededRandom(seed), isOver);
  return [...rules].flatMap(([list, own]) => {
    if (lists && !lists.includes(list)) return [];
    const uses = own
      .filter((rule) => limited.some(({ span }) => isWithin(span, rule.span)))
      .flatMap((rule) => usesOf(xtables, rule))
      .filter((use) => use.list === list && use.seconds !== undefined && use.hits > 1);
    const windows = uses.filter(
      (use, index) => uses.findIndex(({ hits, seconds }) => hits === use.hits && seconds === use.seconds) === index,
    );
    const packets =
      uses.length === 0 ? [] : classesOf(listsTogether(list, xtables, witnesses, rules), xtables, witnesses, rules, isOver).packets;
    return windows.flatMap((use) => compareWindow(models, use, packets, isOver));
  });
}

function compareWindow(models: Models, use: RecentUse, classes: readonly Packet[], isOver: () => boolean): LimitComparison[] {
  const { hits, list, seconds = 1 } = use;
  const comparison = { list, family: models.xtables.ruleset.family, hits, seconds };
  const packet = classes.find((one) => !isOver() && isLimited(models, one, hits));
  if (!packet) return isOver() ? [{ ...comparison, scenarios: [], leftOut: overBudget }] : [];
  const scenarios: ScenarioResult[] = [];
  for (const scenario of scenariosFor(hits, seconds * ticksPerSecond)) {
    const result = play(models, packet, scenario, seconds * ticksPerSecond, isOver);
    if (!result) return [{ ...comparison, scenarios, leftOut: overBudget }];
    scenarios.push(result);
  }
  return [{ ...comparison, scenarios }];
}

/** Whether packets of a kind are let through at first and dropped when there are many. */
function isLimited({ xtables }: Models, packet: Packet, hits: number): boolean {
  xtables.reset();
  const verdicts = Array.from({ length: hits + 2 }, (_, index) => xtables.send({ ...packet, time: index }).verdict);
  return verdicts[0] === "accept" && verdicts.at(-1) === "drop";
}

// ------------------------------------------------------------------------------------------------------ senders

/** @param window in ticks */
function scenariosFor(hits: number, window: number): Scenario[] {
  const every = (gap: number, from: number, to: number): number[] => {
    const times: number[] = [];
    for (let time = from; time < to; time += gap) times.push(Math.round(time));
    return times;
  };
  const gap = window / hits;
  const quick = Math.min(gap, ticksPerSecond / 10);
  const share = Math.max(1, Math.floor(0.7 * hits));
  const groups = (period: number, count: number): number[] =>
    Array.from({ length: count }, (_, group) =>
      Array.from({ length: share }, (__, index) => Math.round(group * period + index * quick)),
    ).flat();
  return [
    {
      name: "burst",
      description: `${3 * hits} packets at once`,
      times: Array.from({ length: 3 * hits }, (_, index) => Math.round(index * quick)),
    },
    { name: "persistent", description: `three times the rate, for five windows`, times: every(gap / 3, 0, 5 * window) },
    { name: "just over", description: `one and a quarter times the rate, for five windows`, times: every(gap / 1.25, 0, 5 * window) },
    // So slow that no window ever holds all the hits.
    {
      name: "slow and low",
      description: `a tenth slower than what xt_recent stops, for five windows`,
      times: every((1.1 * window) / (hits - 1), 0, 5 * window),
    },
    { name: "pulsing", description: `${share} at once, every six tenths of a window`, times: groups(0.6 * window, 9) },
    { name: "honest users", description: `behind one address, ${share} at once, every window and a fifth`, times: groups(1.2 * window, 5) },
  ];
}

const startOfTime = 1000;
/** Steps in which the moment of release is looked for, in parts of the window. */
const releaseSteps = 400;

/** Undefined where the budget ends in it. */
function play(
  { xtables, nft }: Models,
  packet: Packet,
  { name, description, times }: Scenario,
  window: number,
  isOver: () => boolean,
): ScenarioResult | undefined {
  xtables.reset();
  nft.reset();
  const curve: CurvePoint[] = [];
  const passed = { iptables: 0, nft: 0 };
  const banAfter: { iptables?: number; nft?: number } = {};
  const last = { iptables: "accept", nft: "accept" };
  let [onlyNft, onlyIptables] = [0, 0];
  for (const [index, time] of times.entries()) {
    if (isOver()) return undefined;
    const sent = { ...packet, time: startOfTime + time };
    const verdicts = { iptables: xtables.send(sent).verdict, nft: nft.send(sent).verdict };
    const at = secondsOf(time);
    for (const side of ["iptables", "nft"] as const) {
      last[side] = verdicts[side];
      if (verdicts[side] === "accept") passed[side] += 1;
      else banAfter[side] ??= at;
    }
    if (verdicts.iptables !== verdicts.nft) {
      if (verdicts.nft === "accept") onlyNft += 1;
      else onlyIptables += 1;
    }
    curve.push({ at, sent: index + 1, ...passed });
  }
  const end = startOfTime + (times.at(-1) ?? 0);
  const released = (send: (packet: Packet) => { readonly verdict: string }, save: () => () => void): number | undefined => {
    const restore = save();
    for (let step = 1; step <= 3 * releaseSteps; step++) {
      restore();
      const wait = Math.ceil((step * window) / releaseSteps);
      if (send({ ...packet, time: end + wait }).verdict === "accept") return secondsOf(wait);
    }
    return undefined;
  };
  const releaseAfter = {
    iptables:
      last.iptables === "drop"
        ? released(
            (one) => xtables.send(one),
            () => restoring(xtables),
          )
        : undefined,
    nft:
      last.nft === "drop"
        ? released(
            (one) => nft.send(one),
            () => restoring(nft),
          )
        : undefined,
  };
  return {
    name,
    description,
    sent: times.length,
    passed,
    onlyNft,
    onlyIptables,
    banAfter,
    curve,
    releaseAfter: {
      ...(releaseAfter.iptables !== undefined && { iptables: releaseAfter.iptables }),
      ...(releaseAfter.nft !== undefined && { nft: releaseAfter.nft }),
    },
  };
}

function restoring<State>(model: { save(): State; restore(state: State): void }): () => void {
  const state = model.save();
  return () => model.restore(state);
}

function secondsOf(ticks: number): number {
  return (ticks * millisecondsPerTick) / 1000;
}
