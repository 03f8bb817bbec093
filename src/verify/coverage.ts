/** Which rules a packet hit, and why the others were not. */

import type { IptablesRule, IptablesRuleset } from "../iptables/ast.js";
import type { Obstacle } from "./derive/solve.js";
import { rulesOf } from "./plan.js";

export interface MissedRule {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  /** Lower case, no full stop. */
  readonly reason: string;
  /** As far as can be told no packet hits it, whatever is sent. */
  readonly unreachable: boolean;
}

export interface Coverage {
  readonly rules: number;
  readonly hit: number;
  readonly missed: readonly MissedRule[];
}

/**
 * @param hits packets counted by iptables
 * @param cutShort some packets were made and not played
 */
export function coverageOf(
  rulesets: readonly IptablesRuleset[],
  hits: ReadonlyMap<IptablesRule, number>,
  obstacles: ReadonlyMap<IptablesRule, Obstacle>,
  cutShort = false,
): Coverage {
  const all = rulesOf(rulesets);
  const reachable = reachableChains(rulesets);
  const missed = all
    .filter(({ rule }) => (hits.get(rule) ?? 0) === 0)
    .map(
      ({ family, table, chain, rule }): MissedRule => ({
        file: rule.span.file,
        line: rule.span.line,
        rule: rule.text,
        ...(reachable.has(`${family} ${table} ${chain}`)
          ? reasonFor(rule, obstacles.get(rule), cutShort)
          : { reason: "no built-in chain leads to its chain", unreachable: true }),
      }),
    );
  return { rules: all.length, hit: all.length - missed.length, missed };
}

function reasonFor(rule: IptablesRule, obstacle: Obstacle | undefined, cutShort: boolean): Pick<MissedRule, "reason" | "unreachable"> {
  if (obstacle === undefined) {
    return {
      reason: cutShort
        ? "packets were made for it and took another way, or were not played within the budget"
        : "packets were made for it and took another way",
      unreachable: false,
    };
  }
  if (obstacle.kind === "time") return { reason: "--packets or --budget ended before packets were made for it", unreachable: false };
  if (obstacle.kind === "shape")
    return { reason: `no packet was found that passes ${obstacle.hook} and meets all its conditions`, unreachable: false };
  const where = obstacle.rule.rule === rule ? "its own" : `that of line ${obstacle.rule.rule.span.line}`;
  if (obstacle.kind === "rule") {
    return { reason: `the rule of line ${obstacle.rule.rule.span.line} takes every packet found for it before`, unreachable: true };
  }
  const { label, kind, list } = obstacle.condition;
  if (list !== undefined)
    return { reason: `no rule brings a host onto the list "${list.name}" as ${where} condition wants`, unreachable: false };
  if (kind === "closed") return { reason: `packets for "${label.trim()}" cannot be made here`, unreachable: false };
  return {
    reason:
      "no packet was found for the condition " +
      `"${label.trim()}"${where === "its own" ? "" : ` of line ${obstacle.rule.rule.span.line}`}`,
    unreachable: false,
  };
}

function reachableChains(rulesets: readonly IptablesRuleset[]): Set<string> {
  const reached = new Set<string>();
  for (const { family, tables } of rulesets) {
    for (const { name: table, chains } of tables) {
      const waiting = chains.filter(({ policy }) => policy !== undefined).map(({ name }) => name);
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        const key = `${family} ${table} ${name}`;
        if (reached.has(key)) continue;
        reached.add(key);
        for (const { target } of chains.find((chain) => chain.name === name)?.rules ?? [])
          if (target?.kind === "chain") waiting.push(target.chain);
      }
    }
  }
  return reached;
}
