/** Searches, list by list, for traffic that two versions of a ruleset decide otherwise: what a change of a list comes to. */

import { printable } from "../diagnostic.js";
import { formatAddress } from "../extensions/values/address.js";
import type { Family, IptablesRuleset } from "../iptables/ast.js";
import type { TranslateOptions } from "../translate.js";
import { seededRandom, type Random } from "../random.js";
import { classesOf, listsTogether, rulesByList, usesOf } from "./classes.js";
import { describePacket, secondsOf, stampsOf } from "./explain.js";
import { Explorer, type Differs } from "./explore.js";
import { NotModelled, type Packet } from "./packet.js";
import { SearchBudget, type SearchOptions } from "./search.js";
import { shrink } from "./shrink.js";
import type { ChangeEvent, ChangeTimeline } from "./timeline.js";
import { Witnesses } from "./witness.js";
import { XtModel } from "./xt-model.js";

/** One version of the rules, with names of lists that the versions have in common. */
export interface RulesVersion {
  readonly rulesets: readonly IptablesRuleset[];
  readonly translated?: Pick<TranslateOptions, "geoip">;
}

/** The shortest traffic found that shows what a change of a list does; nothing found is no proof that there is none. */
export interface VersionSearch {
  readonly list: string;
  readonly family: Family;
  /** Dropped by the old rules, let through by the new. */
  readonly opens?: ChangeTimeline;
  readonly closes?: ChangeTimeline;
}

const directions: readonly { readonly name: "opens" | "closes"; readonly title: string; readonly differs: Differs }[] = [
  {
    name: "opens",
    title: "let through by the new rules alone",
    differs: (old, current) => old.verdict === "drop" && current.verdict === "accept",
  },
  {
    name: "closes",
    title: "let through by the old rules alone",
    differs: (old, current) => old.verdict === "accept" && current.verdict === "drop",
  },
];

const usualSchedules = 2_000;
/** Of a direction's share of the budget: after it, no more kinds of packets are looked for. */
const classShare = 0.4;

/** Searches the lists named in `options`. Lists whose rules the models know only in part are left out. */
export function searchVersions(old: RulesVersion, current: RulesVersion, options: SearchOptions): VersionSearch[] {
  const budget = new SearchBudget(options);
  const families = current.rulesets.flatMap((after) => {
    const before = old.rulesets.find(({ family }) => family === after.family);
    const search = before && VersionsOfFamily.of([before, old], [after, current], options, budget);
    return search ? [search] : [];
  });
  let left = families.reduce((sum, { names }) => sum + names.length, 0);
  return families.flatMap((family) => family.names.map((list) => family.search(list, left--)));
}

type Versions = readonly [XtModel, XtModel];

class VersionsOfFamily {
  readonly names: readonly string[];
  private readonly random: Random;
  private readonly rules: readonly ReturnType<typeof rulesByList>[];
  private readonly witnesses: readonly Witnesses[];
  /** Parts of the budget: what was used when the search of the direction began, and where it ends. */
  private begin = 0;
  private deadline = Infinity;

  private constructor(
    private readonly models: Versions,
    private readonly options: SearchOptions,
    private readonly budget: SearchBudget,
  ) {
    budget.watch(models);
    this.random = seededRandom(options.seed ?? 1);
    this.rules = models.map(rulesByList);
    this.witnesses = models.map((model) => new Witnesses(model, this.random, () => this.isOver()));
    const wanted = options.lists && new Set(options.lists);
    this.names = [...new Set(models.flatMap(({ lists }) => lists.names))].filter((name) => wanted?.has(name) ?? true);
  }

  /** Undefined where the models do not know the rules. */
  static of(
    [before, old]: readonly [IptablesRuleset, RulesVersion],
    [after, current]: readonly [IptablesRuleset, RulesVersion],
    options: SearchOptions,
    budget: SearchBudget,
  ): VersionsOfFamily | undefined {
    try {
      const modelOf = (ruleset: IptablesRuleset, { translated }: RulesVersion): XtModel =>
        new XtModel(ruleset, { listSize: Infinity, ...translated });
      return new VersionsOfFamily([modelOf(before, old), modelOf(after, current)], options, budget);
    } catch (error) {
      if (!(error instanceof NotModelled)) throw error;
      return undefined;
    }
  }

  private isOver(share = 1): boolean {
    return this.budget.used() >= this.begin + share * (this.deadline - this.begin);
  }

  /** @param listsLeft lists that share what is left of the budget */
  search(list: string, listsLeft: number): VersionSearch {
    const { family } = this.models[1].ruleset;
    const start = this.budget.used();
    const found: { opens?: ChangeTimeline; closes?: ChangeTimeline } = {};
    const lists = this.together(list);
    if (this.knows(lists)) {
      directions.forEach(({ name, title, differs }, index) => {
        this.begin = this.budget.used();
        this.deadline = start + ((1 - start) / listsLeft) * ((index + 1) / directions.length);
        const packets = this.shortest(lists, differs);
        if (packets) found[name] = this.timeline(`list "${printable(list)}": ${title}`, packets, lists);
      });
    }
    return { list, family, ...found };
  }

  /** The list and those on which it depends in either version. */
  private together(list: string): string[] {
    return [...new Set(this.models.flatMap((model, index) => listsTogether(list, model, this.witnesses[index]!, this.rules[index]!)))];
  }

  /** Whether the models know all of the rules of these lists. */
  private knows(lists: readonly string[]): boolean {
    return this.models.every(({ refused }, index) =>
      lists.every((one) => (this.rules[index]!.get(one) ?? []).every((rule) => !refused.has(rule))),
    );
  }

  private shortest(lists: readonly string[], differs: Differs): readonly Packet[] | undefined {
    const [old, current] = this.models;
    const kinds = this.models.map(
      (model, index) => classesOf(lists, model, this.witnesses[index]!, this.rules[index]!, () => this.isOver(classShare)).packets,
    );
    const classes = distinct(kinds.flat());
    if (classes.length === 0) return undefined;
    const uses = this.models.flatMap((model, index) =>
      lists.flatMap((one) => (this.rules[index]!.get(one) ?? []).flatMap((rule) => usesOf(model, rule))),
    );
    const { difference } = new Explorer({ xtables: old, other: current, differs, classes, uses }, this.random).run({
      schedules: Math.min(this.options.schedules ?? usualSchedules, usualSchedules),
      deadline: this.deadline,
      now: () => this.budget.used(),
    });
    return difference && shrink(old, current, difference, differs);
  }

  /** Plays the packets through both versions, from empty lists on. */
  private timeline(title: string, packets: readonly Packet[], lists: readonly string[]): ChangeTimeline {
    const [old, current] = this.models;
    const { family } = current.ruleset;
    for (const model of this.models) model.reset();
    const start = packets[0]?.time ?? 0;
    const events = packets.map((packet): ChangeEvent => {
      const [before, after] = this.models.map((model) => {
        const names = new Set(model.lists.names);
        const known = lists.filter((list) => names.has(list));
        return stampsOf(packet, known, model, family);
      });
      const memory = before === after ? after! : `old: ${before}; new: ${after}`;
      const verdicts = { old: old.send(packet).verdict, new: current.send(packet).verdict };
      return {
        at: secondsOf(packet.time - start),
        host: formatAddress(packet.source, family),
        packet: describePacket(packet, family),
        ...verdicts,
        ...(verdicts.old !== verdicts.new && { why: `${memory}; ${this.rulesThatDecide()}` }),
      };
    });
    return { title, events };
  }

  private rulesThatDecide(): string {
    const [old, current] = this.models.map(({ decidedBy }) => (decidedBy ? `line ${decidedBy.span.line}` : "no rule, but the policy"));
    return `decided by ${old} of the old rules and ${current} of the new`;
  }
}

function distinct(packets: readonly Packet[]): Packet[] {
  const text = (packet: Packet): string =>
    JSON.stringify(packet, (_, value: unknown) =>
      typeof value === "bigint" ? `${value}n` : value instanceof Set ? [...(value as Set<unknown>)] : value,
    );
  return [...new Map(packets.map((packet) => [text(packet), packet])).values()];
}
