/** Whether it tells that iptables remembers no more than 100 hosts for a list. */

import { printable } from "../diagnostic.js";
import { mostHits, type RecentUse } from "../extensions/matches/recent.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import { longestBurst } from "./explore.js";
import { withNeighbour } from "./packet-fields.js";
import type { Packet } from "./packet.js";
import type { XtModel, XtOptions } from "./xt-model.js";

const usualListSize = 100;
/** Ticks between packets: slower than a flood. */
const spacing = 13;
/** Rules that packets are held against. */
const mostSteps = 20_000_000;
const words = { accept: "accepts", drop: "drops" } as const;

/** Two firewalls of the model's ruleset: one forgets hosts, the other does not. They serve all lists. */
export class Memories {
  private readonly ruleset: IptablesRuleset;
  private readonly few: XtModel;
  private readonly many: XtModel;

  constructor(model: XtModel, options: Pick<XtOptions, "forgetAfter">) {
    this.ruleset = model.ruleset;
    this.few = model.another({ ...options, listSize: usualListSize });
    this.many = model.another({ ...options, listSize: Infinity });
  }

  /** Steps of both. */
  get asked(): number {
    return this.few.asked + this.many.asked;
  }

  /** What a host sees of it whose list has seen 100 others since, in words; empty if nothing, or if there was no time to find out. */
  forgetting(list: string, classes: readonly Packet[], uses: readonly RecentUse[], isOver: () => boolean = () => false): string[] {
    const { few, many, ruleset } = this;
    const steps = this.asked + mostSteps;
    const hits = Math.min(longestBurst, mostHits(uses));
    const side = uses.some((use) => use.list === list && use.side === "daddr") ? "destination" : "source";
    const step = many.lists.stepOf(list);
    for (const touching of classes) {
      few.reset();
      many.reset();
      const time = spacing * (hits + 1);
      const others = Array.from({ length: usualListSize }, (_, index) => ({
        ...withNeighbour(touching, side, BigInt(index + 1) * step, ruleset.family),
        time,
      }));
      for (const before of [...Array.from({ length: hits + 1 }, (_, index) => ({ ...touching, time: spacing * index })), ...others]) {
        if (isOver() || this.asked > steps) return [];
        few.send(before);
        many.send(before);
      }
      const [fewAfter, manyAfter] = [few.save(), many.save()];
      for (const packet of classes) {
        if (isOver() || this.asked > steps) return [];
        few.restore(fewAfter);
        many.restore(manyAfter);
        const last = { ...packet, time: spacing * (hits + 2) };
        const [forgetful, other] = [few.send(last).verdict, many.send(last).verdict];
        if (forgetful === other) continue;
        return [
          `more than ${usualListSize} hosts: iptables forgets a host once ${usualListSize} others are on list "${printable(list)}" and ` +
            `${words[forgetful]} its packets, the script ${words[other]} them`,
        ];
      }
    }
    return [];
  }
}
