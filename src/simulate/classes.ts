/** The packets that a list's rules tell apart: one for each way through them. */

import type { RecentUse } from "../extensions/matches/recent.js";
import type { IptablesRule } from "../iptables/ast.js";
import type { Packet } from "./packet.js";
import type { Witnesses } from "./witness.js";
import type { XtModel } from "./xt-model.js";

/** Packets that are tried in all orders; more would leave the search too little depth. The list's own rules go beyond that. */
const mostClasses = 8;
const mostOwnClasses = 64;
const mutations = 300;

export interface Classes {
  /** For the list's own rules first, then for the lists they depend on. */
  readonly packets: readonly Packet[];
  /** Rules of the list that no packet was found for, or not looked for, where they ask for too many kinds. */
  readonly unreached: readonly IptablesRule[];
}

/** Rules by the list that they use. */
export function rulesByList(model: XtModel): Map<string, IptablesRule[]> {
  const rules = new Map<string, IptablesRule[]>();
  for (const rule of model.ruleset.tables.flatMap(({ chains }) => chains).flatMap((chain) => chain.rules)) {
    for (const list of listsOf(model, rule)) {
      const known = rules.get(list);
      if (known) known.push(rule);
      else rules.set(list, [rule]);
    }
  }
  return rules;
}

export function usesOf(model: XtModel, rule: IptablesRule): RecentUse[] {
  return rule.matches.filter(({ extension, unknown }) => extension === "recent" && !unknown).map((match) => model.lists.useOf(match));
}

function listsOf(model: XtModel, rule: IptablesRule): Set<string> {
  return new Set(usesOf(model, rule).map(({ list }) => list));
}

/** A list and those on which it depends whether a rule of it is reached. */
export function listsTogether(
  list: string,
  model: XtModel,
  witnesses: Witnesses,
  rules: ReadonlyMap<string, readonly IptablesRule[]>,
): string[] {
  const found = new Set([list]);
  for (const one of found) {
    for (const rule of rules.get(one) ?? []) {
      for (const other of [rule, ...witnesses.callsTo(rule)]) for (const name of listsOf(model, other)) found.add(name);
    }
  }
  return [...found];
}

/** The classes of a list: `lists` are it and those it depends on. Once `isOver` says so, no more are looked for. */
export function classesOf(
  lists: readonly string[],
  model: XtModel,
  witnesses: Witnesses,
  rules: ReadonlyMap<string, readonly IptablesRule[]>,
  isOver: () => boolean = () => false,
): Classes {
  const seen = new Set<string>();
  const packets: Packet[] = [];
  const unreached: IptablesRule[] = [];
  const add = (packet: Packet, most = mostClasses): boolean => {
    if (packets.length >= most) return false;
    const way = wayOf(packet, model);
    // A packet that no list is asked for changes nothing; one that is decided the same way tells nothing new.
    if (!way.asks(lists) || seen.has(way.text)) return true;
    seen.add(way.text);
    packets.push(packet);
    return true;
  };
  for (const [index, list] of lists.entries()) {
    for (const rule of rules.get(list) ?? []) {
      const isOwn = index === 0;
      if (!isOwn && packets.length >= mostClasses) break;
      const packet = witnesses.reach(rule);
      const isAdded = packet !== undefined && add(packet, isOwn ? mostOwnClasses : mostClasses);
      if (isOwn && !isAdded) unreached.push(rule);
    }
  }
  const usesTtl = lists.some((list) => (rules.get(list) ?? []).some((rule) => usesOf(model, rule).some(({ rttl }) => rttl)));
  if (usesTtl && packets[0]) packets.push({ ...packets[0], ttl: packets[0].ttl > 1 ? packets[0].ttl - 1 : packets[0].ttl + 1 });
  const sources = [...packets];
  for (let index = 0; index < mutations && sources.length > 0 && !isOver(); index++)
    add(witnesses.mutate(sources[index % sources.length]!));
  return { packets, unreached };
}

interface Way {
  /** The same for packets that ask the same questions whatever the answers are. */
  readonly text: string;
  asks(lists: readonly string[]): boolean;
}

/** Which lists a packet asks, and what becomes of it, if all of them say no, and if all say yes. */
function wayOf(packet: Packet, model: XtModel): Way {
  const asked = new Set<string>();
  const texts = [false, true].map((answer) => {
    const questions: string[] = [];
    model.reset();
    const { verdict, logs } = model.send(packet, {
      recent(use, rule) {
        asked.add(use.list);
        questions.push(
          `${rule.span.line}:${use.use.span.column} ${model.lists.key(use.list, packet[use.side === "saddr" ? "source" : "destination"])}`,
        );
        return answer;
      },
    });
    return [...questions, verdict, ...logs].join("\n");
  });
  model.reset();
  return { text: texts.join("\n\n"), asks: (lists) => lists.some((list) => asked.has(list)) };
}
