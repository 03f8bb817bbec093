/** Sends one schedule through both models and tells where they part. */

import type { IptablesRuleset } from "../iptables/ast.js";
import type { NftMachine } from "./nft-machine.js";
import { sameOutcome, type Outcome, type Packet } from "./packet.js";
import type { XtModel } from "./xt-model.js";

export interface Difference {
  /** Index of the packet in the schedule. */
  readonly index: number;
  readonly packet: Packet;
  readonly xtables: Outcome;
  readonly nft: Outcome;
}

/** All packets that the two decide or log otherwise. Both models start empty. */
export function differences(xtables: XtModel, nft: NftMachine, schedule: readonly Packet[]): Difference[] {
  xtables.reset();
  nft.reset();
  return schedule.flatMap((packet, index) => {
    const [expected, found] = [xtables.send(packet), nft.send(packet)];
    return sameOutcome(expected, found) ? [] : [{ index, packet, xtables: expected, nft: found }];
  });
}

/**
 * Rules whose counters stand differently after a comparison. A rule is known by the bytes its counter starts with, so the
 * dump must give each rule a number of its own there.
 */
export function countDifferences(
  ruleset: IptablesRuleset,
  xtables: XtModel,
  nft: NftMachine,
): { readonly rule: string; readonly xtables: number; readonly nft: number }[] {
  return ruleset.tables
    .flatMap(({ chains }) => chains)
    .flatMap(({ rules }) => rules)
    .flatMap((rule) => {
      const [expected, found] = [xtables.counts.get(rule) ?? 0, nft.counts.get(rule.counters?.bytes ?? 0n) ?? 0];
      return expected === found ? [] : [{ rule: rule.text, xtables: expected, nft: found }];
    });
}
