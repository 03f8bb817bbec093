/**
 * Rules that stand side by side, ask the same and then set and check the same list, and are the only ones to use it: nearly
 * every login throttle. Set and check become one walk.
 *
 * Three encodings: where one blocked try records so many stamps that the next try is over the limit whatever else the
 * window holds, a set of banned hosts is exact and needs no ring (H <= own + pushes, see below); where a blocked try records
 * nothing, a timer for each hit that passed is exact; else the ring.
 *
 * With `--recent ban` a host that was over the limit is banned where that is not exact, too, until it has kept silent for the window. Up
 * to its first try over the limit it is treated as by xt_recent, and nothing passes that xt_recent stops: if the first such packet had no
 * stopped one in the window before it, all hits of that window have passed and are in their timers; else the ban still runs.
 */

import { goto, updateSet, type Statement } from "../../nft/ast.js";
import { isFinal, isStable, leavesChain, type RecentStep, type RuleParts, type Step } from "../parts.js";
import { exitStatement, exitTo, type ChainBuilder, type ChainGroup, type Key } from "../table-builder.js";
import type { RecentList } from "./list.js";
import { windowId, type ListForm } from "./form.js";
import { startTimer } from "./processors.js";
import { member, Ring } from "./ring.js";
import type { ListUsage } from "./usage.js";
import { windowTime, type Window } from "./window.js";

export interface FusedGroup {
  readonly usage: ListUsage;
  readonly window: Window;
  /** `--set` comes first, so the packet's own stamp counts. */
  readonly setFirst: boolean;
  readonly set: RuleParts;
  readonly checks: readonly RuleParts[];
  /** Stamps a packet over the limit pushes in all. */
  readonly pushes: number;
  /** What all rules of the group ask before they turn to the list. */
  readonly conditions: readonly Statement[];
  /** Rules taken. */
  readonly length: number;
}

interface Candidate {
  readonly parts: RuleParts;
  readonly conditions: readonly Statement[];
  readonly step: RecentStep;
  readonly after: readonly Step[];
}

/** Rules of one group: nobody writes more side by side, and looking for them takes the square of it. */
const mostFused = 50;

/** The group that begins at `rules[index]`, if there is one. */
export function findFusedGroup(
  rules: readonly (RuleParts | undefined)[],
  index: number,
  lists: ReadonlyMap<string, ListUsage>,
): FusedGroup | undefined {
  const first = candidate(rules[index]);
  if (!first) return undefined;
  const { use } = first.step;
  const usage = lists.get(use.list)!;
  const { uses } = usage;
  if (
    uses.length < 2 ||
    uses.length > mostFused ||
    uses.some((one) => one.side !== use.side || one.inverted || one.rttl || one.operation === "remove")
  )
    return undefined;
  if (uses.filter((one) => one.operation === "set").length !== 1) return undefined;
  const members: Candidate[] = [];
  for (let at = index; at < index + uses.length; at++) {
    const next = candidate(rules[at]);
    if (!next || next.step.use.list !== use.list || !sameStatements(next.conditions, first.conditions)) return undefined;
    members.push(next);
  }
  const setFirst = use.operation === "set";
  const set = setFirst ? members[0]! : members.at(-1)!;
  if (set.step.use.operation !== "set" || set.after.length > 0) return undefined;
  const checks = members.filter((one) => one !== set);
  const { seconds, hits } = checks[0]!.step.use;
  if (seconds === undefined || hits < 2) return undefined;
  if (checks.some(({ step, parts }) => step.use.seconds !== seconds || step.use.hits !== hits || leavesChain(parts.body.end)))
    return undefined;
  const last = checks.at(-1)!;
  // Behind a check that decides, the next one would not push; behind one that changes the packet, its conditions may not hold.
  if (checks.slice(0, -1).some(({ parts: { body } }) => body.end || body.effects.some(({ kind }) => kind !== "log"))) return undefined;
  if (setFirst && (set.parts.body.end || set.parts.body.effects.length > 0)) return undefined;
  // What is over the limit must not come to a `--set` that follows.
  if (!setFirst && (!isFinal(last.parts.body.end) || last.after.length > 0)) return undefined;
  const updates = checks.filter(({ step }) => step.use.operation === "update").length;
  return {
    usage,
    setFirst,
    window: { seconds, hits },
    set: set.parts,
    checks: checks.map(({ parts }) => parts),
    pushes: updates + (setFirst ? 1 : 0),
    conditions: first.conditions,
    length: members.length,
  };
}

/** A rule with one `recent`, and only repeatable conditions before it. */
function candidate(parts: RuleParts | undefined): Candidate | undefined {
  if (!parts) return undefined;
  const at = parts.steps.findIndex((step) => step.kind === "recent");
  const step = parts.steps[at];
  if (step?.kind !== "recent" || parts.steps.slice(at + 1).some((other) => other.kind === "recent")) return undefined;
  const conditions: Statement[] = [];
  for (const before of parts.steps.slice(0, at)) {
    if (before.kind !== "statements" || !before.statements.every(isStable)) return undefined;
    conditions.push(...before.statements);
  }
  return { parts, conditions, step, after: parts.steps.slice(at + 1) };
}

function sameStatements(a: readonly Statement[], b: readonly Statement[]): boolean {
  const text = (statements: readonly Statement[]): string =>
    JSON.stringify(statements, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
  return text(a) === text(b);
}

/** Whether a set of banned hosts is exact: a blocked try and the next one's own stamp make H. */
function bansSuffice(group: FusedGroup): boolean {
  return group.window.hits <= (group.setFirst ? 1 : 0) + group.pushes;
}

/** A blocked packet looks at all timers: above this count of hits the ring, which looks at six sets or so, is cheaper. */
const mostTimers = 6;

/** Whether a timer for each hit is exact: nothing is recorded over the limit, so no hit ever takes the place of another. */
function timersSuffice({ setFirst, pushes, window }: FusedGroup): boolean {
  return !setFirst && pushes === 0 && window.hits <= mostTimers;
}

/** From so many hits on, a hit that passes looks for its timer on a ring: looking at all of them costs 0.2 µs each. */
const fewestOnRing = 10;

/**
 * How a group is written. `ban` stands for one that is exact, `short ban` and `short ban on a ring` for those that keep a host out longer
 * than xt_recent does.
 */
export type FusedForm = "ban" | "timers" | "ring" | "short ban" | "short ban on a ring";

export function formOfGroup(group: FusedGroup, { bans, mayDelete }: ListForm): FusedForm {
  if (bansSuffice(group)) return "ban";
  if (timersSuffice(group)) return "timers";
  // Where a blocked try records nothing, xt_recent lets a host that goes on trying in again all the time.
  if (!bans || group.pushes === 0) return "ring";
  return group.window.hits < fewestOnRing || !mayDelete ? "short ban" : "short ban on a ring";
}

export function isShortBan(form: FusedForm): boolean {
  return form === "short ban" || form === "short ban on a ring";
}

/** Hits of one host that may pass in a window. */
export function passesOf({ window, setFirst }: Pick<FusedGroup, "window" | "setFirst">): number {
  return window.hits - (setFirst ? 1 : 0);
}

export interface FusedChains {
  readonly entry: ChainBuilder;
  readonly over: ChainBuilder;
  /** What the sets are for, for a reader of the script. */
  readonly description: readonly string[];
  readonly isExact: boolean;
}

/**
 * The chains of a group; returns the first. `over`, in `group`, gets what the checks do when the limit is reached; the
 * others only serve the list and stand with its chains.
 */
export function buildFused(fused: FusedGroup, list: RecentList, group: ChainGroup): FusedChains {
  const form = formOfGroup(fused, list.form);
  return { ...build(fused, form, list, group), isExact: !isShortBan(form) };
}

function build(fused: FusedGroup, form: FusedForm, list: RecentList, group: ChainGroup): Omit<FusedChains, "isExact"> {
  const { window, setFirst, pushes } = fused;
  const key = list.key(fused.set.steps.find((step) => step.kind === "recent")?.use.side ?? "saddr");
  const wish = `${list.prefix("hits", windowId(window))}_hits`;
  const over = group.chain(`${wish}_over`);
  const passes = passesOf(fused);
  switch (form) {
    case "ring": {
      const ring = new Ring(window, list.setFactory(window), { own: setFirst ? 1 : 0, pushes, flat: list.form.flat, passes, fused: true });
      list.hostStores.push(ring.hostStore());
      return { entry: ring.fused(list.group, wish, key, over.name), over, description: ring.describe() };
    }
    case "timers":
      return {
        entry: timerChains(fused, list, wish, key, over),
        over,
        description: ["    passed: hits that passed, a set each; a host in all of them is over the limit"],
      };
    case "ban":
    case "short ban":
      return {
        entry: banChains(fused, list, wish, key, over, form === "ban"),
        over,
        description: ["    passed: hits that passed, a set each; banned: hosts that were over the limit less than the window ago"],
      };
    case "short ban on a ring": {
      const ring = new Ring({ ...window, hits: passes }, list.setFactory(window), {
        own: 0,
        pushes: 0,
        flat: list.form.flat,
        passes,
        fused: true,
      });
      const { entry, banned } = banEntry(fused, list, wish, key, over);
      list.hostStores.push(ring.hostStore({ banned, exact: false }));
      const ban = list.group
        .chain(`${wish}_ban`)
        .rule([updateSet(banned, key)])
        .rule([goto(over.name)]);
      entry.rule([goto(ring.fused(list.group, `${wish}_passed`, key, ban.name).name)]);
      list.group.moveToEnd(ban);
      return { entry, over, description: [...ring.describe(), "    banned: hosts that were over the limit less than the window ago"] };
    }
  }
}

/** A hit takes the first timer that has run out; where none has, the host is over the limit. */
function timerChains({ window }: FusedGroup, list: RecentList, wish: string, key: Key, over: ChainBuilder): ChainBuilder {
  const { group } = list;
  const sets = list.setFactory(window);
  const slots = Array.from({ length: window.hits }, (_, hit) => sets.add(`passed_${hit}`, windowTime(window.seconds)));
  list.hostStores.push({ kind: "timers", window, passed: slots, ban: undefined });
  const entry = group.chain(wish);
  if (list.form.flat) {
    for (const slot of slots) takeTimer(entry, slot, key);
    return entry.rule([goto(over.name)]);
  }
  // A blocked packet looks once for each timer; only one that lost the timer it had found free to another processor goes on to the next.
  const puts = slots.map((slot, hit) => ({ slot, chain: group.chain(`${wish}_put_${hit}`) }));
  for (const [hit, { slot, chain }] of puts.entries()) {
    entry.rule([member(key, slot, true), exitStatement(exitTo(chain.name))]);
    takeTimer(chain, slot, key).rule([goto((puts[hit + 1]?.chain ?? over).name)]);
  }
  return entry.rule([goto(over.name)]);
}

/** Hits that pass sit in timers in no order; the one that is too many, and every later one, bans for the window. */
function banChains(fused: FusedGroup, list: RecentList, wish: string, key: Key, over: ChainBuilder, exact: boolean): ChainBuilder {
  const { entry, banned, sets, timeout } = banEntry(fused, list, wish, key, over);
  const passed = Array.from({ length: passesOf(fused) }, (_, hit) => sets.add(`passed_${hit}`, timeout));
  for (const timer of passed) takeTimer(entry, timer, key);
  list.hostStores.push({ kind: "timers", window: fused.window, passed, ban: { banned, exact } });
  // A rule of its own, so that the verdict does not depend on room in the set.
  return entry.rule([updateSet(banned, key)]).rule([goto(over.name)]);
}

function banEntry({ window }: FusedGroup, list: RecentList, wish: string, key: Key, over: ChainBuilder) {
  const sets = list.setFactory(window);
  const timeout = windowTime(window.seconds);
  const banned = sets.add("banned", timeout);
  const entry = list.group.chain(wish).rule([member(key, banned), updateSet(banned, key), goto(over.name)]);
  return { entry, banned, sets, timeout };
}

/** Lets a packet that finds the timer free pass; the rules behind are for those that do not. */
function takeTimer(chain: ChainBuilder, timer: string, key: Key): ChainBuilder {
  const passes: Statement = { kind: "verdict", verdict: "return" };
  return (
    chain
      .rule([member(key, timer, true), startTimer(timer, key), passes])
      // Still not in the set: it is full. The host passes unrecorded, and does not spill into the next set.
      .rule([member(key, timer, true), passes])
  );
}
