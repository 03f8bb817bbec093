/**
 * Packets in rhythms around the windows of every list of `recent`: bursts, steady rates just under and over the limit, pauses.
 * Several hosts keep to a habit each, and visit the rules that set, check and clear the list in turns.
 */

import { recentUsesOf } from "../extensions/matches/recent.js";
import type { Family, IptablesRuleset } from "../iptables/ast.js";
import type { Batch } from "./derive/derive.js";
import { Chooser } from "./derive/chooser.js";
import type { Ipsets } from "./derive/conditions-of-sets.js";
import { frameOf, type Draft } from "./derive/draft.js";
import { firewallOf, type Firewall, type FirewallRule, type Place } from "./derive/firewall.js";
import { hostBehind, hostNumbers, netOf, noNeeds, prepareScript, type Needs } from "./derive/net.js";
import { mergeNeeds, Solver } from "./derive/solve.js";
import { World } from "./derive/world.js";
import type { Frame, Interface } from "./frame.js";
import type { Random } from "../random.js";
import { momentsOf, senderCount, type Limit } from "./rhythm.js";

export interface RhythmInput {
  readonly rulesets: readonly IptablesRuleset[];
  readonly interfaces: readonly Interface[];
  /** What `-m set` asks. */
  readonly sets?: Ipsets;
  readonly random: Random;
  /** The longest a batch may take, in seconds. */
  readonly seconds: number;
  /** Asked before each batch: no more are made. */
  late?(): boolean;
}

/** So few that xt_recent, which holds a hundred hosts, forgets none. */
const hostsInBatch = 84;
const listsInBatch = Math.floor(hostsInBatch / senderCount);
/** Hosts of one list at most. */
const mostSenders = 3 * senderCount;
/** Rules of a list that its hosts visit. */
const mostPlaces = 5;

/** Rules that are held against packets to find one host's way to a place: a tenth of a second. */
const mostAsked = 100_000;

interface List {
  readonly firewall: Firewall;
  readonly name: string;
  readonly limit: Limit;
  readonly rules: readonly FirewallRule[];
}

export function rhythms(input: RhythmInput): Batch[] {
  const lists = input.rulesets.flatMap((ruleset) =>
    listsOf(firewallOf(ruleset, netOf(input.interfaces, ruleset.family), input.sets), input.seconds),
  );
  const batches: Batch[] = [];
  for (let next = 0; next < lists.length && !(input.late?.() ?? false); next += listsInBatch) {
    const batch = batchOf(lists.slice(next, next + listsInBatch), input);
    if (batch.frames.length > 0) batches.push(batch);
  }
  return batches;
}

/** Lists with a window that goes round at least twice in the time there is. */
function listsOf(firewall: Firewall, seconds: number): List[] {
  const byName = new Map<string, FirewallRule[]>();
  for (const rule of firewall.rules) {
    for (const name of new Set(rule.conditions.flatMap(({ list }) => list?.name ?? [])))
      byName.set(name, [...(byName.get(name) ?? []), rule]);
  }
  return [...byName].flatMap(([name, rules]): List[] => {
    const uses = rules.flatMap(({ rule }) => recentUsesOf(rule, firewall.family)).filter(({ list }) => list === name);
    const checks = uses.flatMap((use) =>
      use.seconds !== undefined && use.seconds * 2 <= seconds ? [{ seconds: use.seconds, hits: use.hits }] : [],
    );
    if (checks.length === 0) return [];
    const tightest = checks.reduce((a, b) => (b.seconds / b.hits < a.seconds / a.hits ? b : a));
    return [
      { firewall, name, rules, limit: { windows: [...new Set(checks.map((check) => check.seconds))], hits: Math.max(2, tightest.hits) } },
    ];
  });
}

function batchOf(lists: readonly List[], { interfaces, random, seconds }: RhythmInput): Batch {
  const frames: Frame[] = [];
  const needs: Record<Family, Needs> = { ipv4: noNeeds, ipv6: noNeeds };
  const senders = Math.min(mostSenders, Math.floor(hostsInBatch / lists.length));
  lists.forEach((list, index) => {
    const {
      firewall: { family, net },
    } = list;
    const chooser = new Chooser(random, net, needs[family]);
    const duration = Math.min(seconds, Math.max(6, 4 * Math.max(...list.limit.windows)));
    const away = new Set<Place>();
    for (let sender = 0; sender < senders; sender += 1) {
      const visits = visitsOf(list, chooser, index * senders + sender, away);
      for (const at of visits.length === 0 ? [] : momentsOf(sender, list.limit, duration, random)) frames.push(...chooser.pick(visits)(at));
    }
    needs[family] = chooser.needs;
  });
  return { frames: frames.sort((a, b) => a.at - b.at), prepare: prepareScript(needs, interfaces) };
}

/**
 * Ways in which a host visits the list: each makes the packets of a moment.
 *
 * @param away places that no packet was found for: the next host has no better luck
 */
function visitsOf({ firewall, name, rules }: List, chooser: Chooser, number: number, away: Set<Place>): ((at: number) => Frame[])[] {
  const solver = new Solver(firewall, chooser);
  const host = hostBehind(
    firewall.net,
    number % firewall.net.interfaces.length,
    hostNumbers.rhythms + (Math.floor(number / firewall.net.interfaces.length) % 50),
  );
  const world = new World();
  const visits: ((at: number) => Frame[])[] = [];
  for (const rule of rules) {
    const place = firewall.places.get(rule)![0];
    if (place === undefined || visits.length >= mostPlaces || away.has(place)) continue;
    const draft = draftWith(place, host, name, solver, chooser);
    if (draft === undefined) {
      away.add(place);
      continue;
    }
    visits.push((at) =>
      solver.again(place, draft, chooser.needs, world).map((step, index) => frameOf(step, firewall.family, at + index * 0.001)),
    );
  }
  return visits;
}

function draftWith(place: Place, host: bigint, list: string, solver: Solver, chooser: Chooser): Draft | undefined {
  const side = place.goal.conditions.find((condition) => condition.list?.name === list)!.list!.side;
  const interfaceName = chooser.net.interfaces.find((_, index) => hostBehind(chooser.net, index, 1) >> 8n === host >> 8n)?.name;
  const pinned =
    side === "source" && place.hook !== "OUTPUT" && interfaceName !== undefined
      ? [{ source: host, inInterface: interfaceName }, { source: host }]
      : [{ [side]: host }];
  for (const pins of [...pinned, {}]) {
    solver.allow(mostAsked);
    const found = solver.visit(place, new World(), pins);
    if (!found) continue;
    const merged = mergeNeeds(chooser.needs, found.needs);
    if (merged === undefined) continue;
    chooser.needs = merged;
    return found.draft;
  }
  return undefined;
}
