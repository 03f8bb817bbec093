/**
 * Where what passes can be counted a second time for rules that set and check a list apart (see processors.ts): of which checks every
 * packet has just been recorded, and of which `--set` every packet has just been checked. Only there it is known how many hits of a host
 * may pass in a window.
 */

import type { ExtensionUse } from "../../iptables/ast.js";
import type { Expression, Statement } from "../../nft/ast.js";
import { isFinal, isStable, leavesChain, type RecentStep, type RuleParts } from "../parts.js";
import { windowId } from "./form.js";
import { isCheck, type ListUsage } from "./usage.js";
import type { Window } from "./window.js";

/** A token is taken for what passes this check. */
export interface CheckBound {
  readonly kind: "check";
  readonly window: Window;
  readonly passes: number;
}

/** A token is taken for what this `--set` records; without one the packet goes the way of those that the check stops. */
export interface SetBound {
  readonly kind: "set";
  readonly window: Window;
  readonly passes: number;
  readonly check: ExtensionUse;
}

export type Bounds = ReadonlyMap<ExtensionUse, readonly (CheckBound | SetBound)[]>;

export interface BoundChain {
  readonly name: string;
  readonly rules: readonly (RuleParts | undefined)[];
}

/** Chains that call a chain, and levels of them, that are looked at. */
const most = { callers: 50, levels: 16 };

interface Place {
  readonly chain: string;
  readonly index: number;
}

interface PlacedStep extends Place {
  readonly parts: RuleParts;
  readonly step: RecentStep;
  /** What the rule asks before it turns to the list; undefined where that is more than plain tests. */
  readonly conditions: readonly Statement[] | undefined;
}

export class BoundFinder {
  private readonly callers = new Map<string, (Place & { readonly parts: RuleParts })[]>();
  private readonly firstWayOut = new Map<string, number>();
  private readonly steps = new Map<string, PlacedStep[]>();

  constructor(chains: readonly BoundChain[]) {
    for (const { name, rules } of chains) rules.forEach((parts, index) => parts && this.add(parts, { chain: name, index }));
  }

  private add(parts: RuleParts, place: Place): void {
    const { end } = parts.body;
    if (leavesChain(end) && !this.firstWayOut.has(place.chain)) this.firstWayOut.set(place.chain, place.index);
    if (end?.kind === "jump") append(this.callers, end.chain, { ...place, parts });
    for (const [index, step] of parts.steps.entries()) {
      if (step.kind !== "recent") continue;
      const before = parts.steps.slice(0, index);
      const conditions = before.every(({ kind }) => kind === "statements") ? statementsIn(before) : undefined;
      append(this.steps, step.use.list, { ...place, parts, step, conditions });
    }
  }

  /** The bounds of a list whose rules do not stand side by side. */
  find({ name, uses }: ListUsage, windows: readonly Window[]): Bounds {
    const bounds = new Map<ExtensionUse, (CheckBound | SetBound)[]>();
    const steps = this.steps.get(name) ?? [];
    // Where a check may hold for other reasons than the hits, or of other hosts, no number of them bounds what passes.
    if (windows.length === 0 || uses.some(({ rttl, side }) => rttl || side !== uses[0]!.side)) return bounds;
    const sets = steps.filter(({ step: { use } }) => use.operation === "set" && !use.inverted);
    for (const window of windows) {
      const checks = steps.filter(
        ({ step: { use }, parts }) =>
          isCheck(use) &&
          use.seconds !== undefined &&
          windowId({ seconds: use.seconds, hits: use.hits }) === windowId(window) &&
          parts.body.end,
      );
      const taken: PlacedStep[] = [];
      for (const check of checks) {
        // A packet that meets two of them would pay twice.
        if (!taken.every((other) => excludes(other.conditions, check.conditions))) continue;
        const { operation, inverted, use } = check.step.use;
        if (sets.some((set) => this.precedes(set, check))) {
          // One that lets pass by `! --update` records a second time.
          const passes = inverted && operation === "update" ? Math.floor(window.hits / 2) : window.hits - 1;
          append(bounds, use, { kind: "check", window, passes });
          taken.push(check);
        } else if (!inverted && isFinal(check.parts.body.end) && check.parts.steps.at(-1) === check.step) {
          const set = sets.find((one) => this.precedes(check, one));
          if (!set) continue;
          append(bounds, set.step.use.use, { kind: "set", window, passes: window.hits, check: use });
          taken.push(check);
        }
      }
    }
    return samePasses(bounds);
  }

  /** Whether every packet that comes to the second has met the first on its way, in the same hook. */
  private precedes(first: PlacedStep, second: PlacedStep): boolean {
    if (!first.conditions || !first.conditions.every(isLasting)) return false;
    const known = textsOf(statementsIn(second.parts.steps.slice(0, second.parts.steps.indexOf(second.step))));
    if (first.chain === second.chain && first.index === second.index)
      return first.parts.steps.indexOf(first.step) < second.parts.steps.indexOf(second.step);
    const covered = this.covered(first, known);
    return this.isBehind(second, covered, most.levels);
  }

  /** The rules behind which a packet of which so much is known has met this one: itself, and those that call its chain. */
  private covered(place: PlacedStep, known: ReadonlySet<string>): ReadonlyMap<string, number> {
    const covered = new Map<string, number>();
    const visit = ({ chain, index }: Place, conditions: readonly Statement[], levels: number): void => {
      if (!conditions.every((statement) => isLasting(statement) && known.has(textOf(statement)))) return;
      covered.set(chain, Math.min(covered.get(chain) ?? Infinity, index));
      const callers = this.callers.get(chain) ?? [];
      if (levels === 0 || callers.length > most.callers || (this.firstWayOut.get(chain) ?? Infinity) < index) return;
      for (const { parts, ...at } of callers) {
        const plain = parts.steps.every(({ kind }) => kind === "statements");
        if (plain && !leavesChain(parts.body.end)) visit(at, statementsIn(parts.steps), levels - 1);
      }
    };
    visit(place, place.conditions!, most.levels);
    return covered;
  }

  private isBehind({ chain, index }: Place, covered: ReadonlyMap<string, number>, levels: number): boolean {
    if ((covered.get(chain) ?? Infinity) < index) return true;
    const [caller, ...others] = this.callers.get(chain) ?? [];
    // A packet that comes twice has met the first rule but once.
    return caller !== undefined && others.length === 0 && levels > 0 && this.isBehind(caller, covered, levels - 1);
  }
}

/** A ring has one bucket: rules that would count by different numbers keep none. */
function samePasses(bounds: ReadonlyMap<ExtensionUse, readonly (CheckBound | SetBound)[]>): Bounds {
  const passes = new Map<string, number>();
  for (const { window, passes: own } of [...bounds.values()].flat()) {
    const id = windowId(window);
    passes.set(id, passes.has(id) && passes.get(id) !== own ? NaN : own);
  }
  return new Map([...bounds].map(([use, all]) => [use, all.filter(({ window }) => !Number.isNaN(passes.get(windowId(window))))]));
}

/** The passes of a window's bucket; undefined where it has none. */
export function passesIn(bounds: Bounds, window: Window): number | undefined {
  return [...bounds.values()].flat().find((bound) => windowId(bound.window) === windowId(window))?.passes;
}

function statementsIn(steps: RuleParts["steps"]): readonly Statement[] {
  return steps.flatMap((step) => (step.kind === "statements" ? step.statements : []));
}

function textOf(statement: Statement): string {
  return JSON.stringify(statement, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
}

function textsOf(statements: readonly Statement[]): ReadonlySet<string> {
  return new Set(statements.map(textOf));
}

/** Whether a test gives the same answer at two places of one hook, whatever rules between change. */
function isLasting(statement: Statement): boolean {
  return statement.kind === "match" && isStable(statement) && isFixed(statement.left);
}

const changing: ReadonlySet<string> = new Set(["ttl", "hoplimit", "dscp", "ecn"]);

function isFixed(expression: Expression): boolean {
  switch (expression.kind) {
    case "payload":
      return !changing.has(expression.field);
    case "meta":
      return ["iif", "oif", "iifname", "oifname", "l4proto", "length", "protocol", "pkttype"].includes(expression.key);
    case "ct":
      return expression.key === "state";
    case "binary":
      return isFixed(expression.left);
    default:
      return false;
  }
}

/** Whether no packet meets the conditions of both: they want different values of one field. */
function excludes(a: readonly Statement[] | undefined, b: readonly Statement[] | undefined): boolean {
  if (!a || !b) return false;
  const wanted = (statement: Statement): readonly [string, string] | undefined =>
    statement.kind === "match" && statement.operator === "==" && isLasting(statement) && statement.right.kind === "number"
      ? [JSON.stringify(statement.left), String(statement.right.value)]
      : undefined;
  const values = new Map(a.flatMap((statement) => [wanted(statement)].filter((one) => one !== undefined)));
  return b.some((statement) => {
    const [left, right] = wanted(statement) ?? [];
    return left !== undefined && values.has(left) && values.get(left) !== right;
  });
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}
