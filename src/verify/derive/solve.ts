/**
 * The search for packets that reach a rule and match: a draft is led through the rules, and what stopped it is repaired, again
 * and again, until the rule says yes or the patience ends.
 */

import { wayOf } from "../../extensions/described.js";
import type { PacketField } from "../../extensions/facts.js";
import type { ExtensionUse, Family } from "../../iptables/ast.js";
import type { Chooser } from "./chooser.js";
import { viewOf, type Condition } from "./condition.js";
import { ack, echoReply, icmpNumber, isIcmpError, syn, tcpNumber, turned, udpNumber, type Draft, type Step } from "./draft.js";
import type { BuiltIn, Firewall, FirewallRule, Place } from "./firewall.js";
import type { Needs } from "./net.js";
import { draftFor, fitShape, stepsOf } from "./shape.js";
import { applyTarget, leavesMark, translatedSides } from "./targets.js";
import { walk, type Answer } from "./walk.js";
import { World, type Connection } from "./world.js";

/** Packets that match a rule, as far as can be told. */
export interface Solution {
  readonly draft: Draft;
  /** All packets in order; the last of them, or the kernel's answer to it, matches. */
  readonly steps: readonly Step[];
  /** Packets at the end of `steps` that are repeated to reach a count. */
  readonly repeats: number;
  readonly needs: Needs;
  readonly world: World;
}

/** What stood in the way most often. */
export type Obstacle =
  | { readonly kind: "rule"; readonly rule: FirewallRule }
  | { readonly kind: "condition"; readonly rule: FirewallRule; readonly condition: Condition }
  | { readonly kind: "shape"; readonly hook: BuiltIn }
  | { readonly kind: "time" };

const restarts = 8;
const repairs = 30;
/** Packets led through the rules for one place: fewer where there are many rules, each of which takes its time. */
const mostPatience = 3000;
const leastPatience = 150;
const patienceForAll = 600_000;
/** Packets sent only to fill lists or to empty buckets. */
const mostRepeats = 300;
const deepestPrelude = 8;

interface Trial {
  draft: Draft;
  /** Rules besides the place's that must match: they set a mark. */
  helpers: Place[];
  /** Packets that bring the host onto lists. */
  prelude: Step[];
  repeats: number;
  needs: Needs;
}

export class Solver {
  private readonly obstacles = new Map<string, { readonly obstacle: Obstacle; count: number }>();
  private patience = 0;
  /** Of the firewall's effort: where the search for the present rule ends. */
  private effortEnd = Infinity;
  /** The rule of a visit may say no for what its list holds. */
  private visited: FirewallRule | undefined;
  private answeredElsewhere: ReadonlySet<Condition> = new Set();
  private readonly markers: readonly Place[];
  private readonly markersByCondition = new Map<Condition, { readonly giving: readonly Place[]; readonly others: readonly Place[] }>();
  private readonly accepting: readonly Place[];
  private readonly setters: readonly Place[];

  constructor(
    private readonly firewall: Firewall,
    private readonly chooser: Chooser,
  ) {
    const places = [...firewall.places.values()].flat();
    const targets = ({ goal: { rule } }: Place, holds: (target: ExtensionUse) => boolean): boolean =>
      rule.target?.kind === "extension" && holds(rule.target);
    this.markers = places.filter((place) => targets(place, (target) => leavesMark(target, firewall.family)));
    this.accepting = places.filter((place) => place.goal.table === "filter" && targets(place, (target) => wayOf(target) === "accept"));
    this.setters = places.filter(({ goal }) => goal.conditions.some(({ list }) => list?.sets));
  }

  /** Limits what is looked for next: so many rules are held against packets, and no more. */
  allow(steps: number): void {
    this.effortEnd = this.firewall.effort.asked + steps;
  }

  /** Whether what was allowed is used up. */
  get exhausted(): boolean {
    return this.firewall.effort.asked >= this.effortEnd;
  }

  /** Packets for a rule at a place, after all that the world remembers; or what is in the way. */
  solve(place: Place, world: World, pinned: Partial<Draft> = {}, depth = 0): Solution | Obstacle {
    if (depth === 0) {
      this.obstacles.clear();
      this.patience = Math.min(mostPatience, Math.max(leastPatience, Math.floor(patienceForAll / this.firewall.rules.length)));
    }
    const rounds = depth === 0 ? restarts : 3;
    for (let round = 0; round < rounds; round += 1) {
      const trial: Trial = {
        draft: { ...draftFor(place.hook, this.chooser), ...pinned },
        helpers: [],
        prelude: [],
        repeats: 0,
        needs: this.chooser.needs,
      };
      for (let repair = 0; repair < repairs && this.patience > 0 && !this.exhausted; repair += 1) {
        const found = this.attempt(trial, place, world, pinned, depth);
        if (found === "restart") break;
        if (found !== undefined) return found;
      }
    }
    const worst = [...this.obstacles.values()].sort((a, b) => b.count - a.count)[0];
    return worst?.obstacle ?? { kind: "shape", hook: place.hook };
  }

  /** A packet that comes to a rule, whatever the rule's own lists say to it; undefined if none was found. */
  visit(place: Place, world: World, pinned: Partial<Draft>): Pick<Solution, "draft" | "needs"> | undefined {
    this.visited = place.goal;
    const found = this.solve(place, world, pinned);
    this.visited = undefined;
    return "kind" in found ? undefined : found;
  }

  /** A packet like the solution's that misses one condition of the rule, and its world; undefined if there is nothing to miss. */
  miss(place: Place, { draft }: Solution, world: World): Pick<Solution, "steps" | "needs" | "world"> | undefined {
    const missable = place.goal.conditions.filter(({ make, kind }) => make && (kind === "field" || kind === "state"));
    if (missable.length === 0) return undefined;
    const other = { ...draft, sourcePort: this.chooser.port() };
    this.chooser.pick(missable).make!(other, false, this.chooser);
    const needs = fitShape(other, this.chooser, () => true);
    if (needs === undefined) return undefined;
    const layer = new World(world);
    return { ...this.run(other, needs, layer, () => false), needs, world: layer };
  }

  /** The draft's packets once more, as a new connection where the place lets it. */
  again(place: Place, draft: Draft, needs: Needs, world: World): readonly Step[] {
    return this.run(this.afresh(draft, [...place.way, place.goal]), needs, world, () => true).steps;
  }

  /** A packet as it is, but for the conditions of one rule. */
  wander(draft: Draft, rule: FirewallRule | undefined, world: World): Pick<Solution, "steps" | "needs" | "world"> | undefined {
    if (rule !== undefined) for (const { make } of rule.conditions) make?.(draft, this.chooser.chance(0.7), this.chooser);
    const needs = fitShape(draft, this.chooser, () => false);
    if (needs === undefined) return undefined;
    const layer = new World(world);
    return { ...this.run(draft, needs, layer, () => false), needs, world: layer };
  }

  // ------------------------------------------------------------------------------------------------ one try

  private attempt(trial: Trial, place: Place, world: World, pinned: Partial<Draft>, depth: number): Solution | "restart" | undefined {
    const wishes = [...trial.helpers, place].flatMap(({ way, goal }) => [...way, goal]);
    const { family } = this.firewall;
    const redirected = trial.helpers.some(
      (helper) => redirects(helper, family) && helper.hook === "PREROUTING" && place.hook !== "PREROUTING",
    );
    // What the rules behind a translation ask of the destination, the translation answers.
    this.answeredElsewhere = redirected
      ? new Set([...place.way, place.goal].flatMap(({ conditions }) => conditions.filter(asksDestination)))
      : new Set();
    this.satisfy(trial.draft, wishes);
    this.settle(trial.draft, wishes);
    Object.assign(trial.draft, pinned);
    const constrains = (side: "source" | "destination"): boolean =>
      side in pinned || wishes.some(({ conditions }) => conditions.some(({ sides }) => sides?.includes(side)));
    const needs = fitShape(trial.draft, this.chooser, constrains, redirected);
    if (needs === undefined) {
      this.note({ kind: "shape", hook: place.hook });
      return this.reshape(trial, place);
    }
    const merged = mergeNeeds(trial.needs, needs);
    if (merged === undefined) return "restart";
    trial.needs = merged;

    const layer = new World(world);
    const wished = new Set(wishes);
    const hopes = (rule: FirewallRule): boolean => wished.has(rule);
    const steps = [...trial.prelude];
    for (const step of trial.prelude) walk(step, this.firewall, trial.needs, layer, hopes);
    let before = new World(layer);
    for (let repeat = 0; repeat < trial.repeats; repeat += 1) {
      steps.push(...this.run(this.afresh(trial.draft, wishes), trial.needs, layer, hopes).steps);
    }
    before = new World(layer);
    const last = this.run(trial.repeats > 0 ? this.afresh(trial.draft, wishes) : trial.draft, trial.needs, layer, hopes);
    steps.push(...last.steps);
    const satisfied = ({ rule, matched, failed, hook }: Answer): boolean =>
      rule === place.goal && hook === place.hook && (matched || (rule === this.visited && failed?.kind === "list"));
    if (last.answers.some(satisfied)) {
      return { draft: trial.draft, steps, repeats: trial.repeats, needs: trial.needs, world: layer };
    }
    return this.repair(trial, place, wishes, last.answers, { before, after: layer, world, depth, pinned });
  }

  private run(
    draft: Draft,
    needs: Needs,
    world: World,
    hopes: (rule: FirewallRule) => boolean,
  ): { readonly steps: Step[]; readonly answers: Answer[] } {
    const steps: Step[] = [];
    const answers: Answer[] = [];
    this.patience -= 1;
    const rest = stepsOf(draft, this.chooser);
    let known: Connection | undefined;
    for (let next = rest.next(); next.done !== true; next = rest.next(known)) {
      steps.push(next.value);
      const found = walk(next.value, this.firewall, needs, world, hopes);
      answers.push(...found.answers);
      known = found.connection;
    }
    return { steps, answers };
  }

  /** The same packet as a new connection, if the rules let it have another port. */
  private afresh(draft: Draft, wishes: readonly FirewallRule[]): Draft {
    const other = { ...draft, sourcePort: this.chooser.port() };
    return this.unmet(other, wishes).length === 0 ? other : draft;
  }

  // ---------------------------------------------------------------------------------------------- satisfying

  private satisfy(draft: Draft, wishes: readonly FirewallRule[]): void {
    for (let round = 0; round < 3; round += 1) {
      const unmet = this.unmet(draft, wishes);
      if (unmet.length === 0) return;
      for (const condition of unmet) condition.make?.(draft, true, this.chooser);
    }
  }

  /** Messages that belong to something earlier get the state in which they are no nonsense, unless the rules wish otherwise. */
  private settle(draft: Draft, wishes: readonly FirewallRule[]): void {
    const { family } = this.firewall;
    if (draft.protocol !== icmpNumber[family] || draft.state === "invalid" || draft.shape === "answer") return;
    const state = isIcmpError(draft.icmpType, family)
      ? ("related" as const)
      : draft.icmpType === echoReply[family]
        ? ("reply" as const)
        : undefined;
    if (state !== undefined && this.chooser.chance(0.8) && this.unmet({ ...draft, state }, wishes).length === 0) draft.state = state;
  }

  /** Conditions that the draft itself decides and does not meet. */
  private unmet(draft: Draft, wishes: readonly FirewallRule[]): Condition[] {
    const view = viewOf(draft, this.chooser);
    return wishes.flatMap(({ conditions }) =>
      conditions.filter(
        (condition) =>
          (condition.kind === "field" || condition.kind === "state") &&
          condition.make &&
          !this.answeredElsewhere.has(condition) &&
          condition.test(view, emptyWorld) === false,
      ),
    );
  }

  // ----------------------------------------------------------------------------------------------- repairing

  private repair(
    trial: Trial,
    place: Place,
    wishes: readonly FirewallRule[],
    answers: readonly Answer[],
    memory: {
      readonly before: World;
      readonly after: World;
      readonly world: World;
      readonly depth: number;
      readonly pinned: Partial<Draft>;
    },
  ): "restart" | undefined {
    const way = [...trial.helpers, place].flatMap((one) => [...one.way, one.goal].map((rule) => ({ rule, hook: one.hook })));
    const failed = answers.find(
      ({ matched, rule, hook }) =>
        !matched &&
        way.some((step) => step.rule === rule && step.hook === hook) &&
        !answers.some((other) => other.matched && other.rule === rule && other.hook === hook),
    );
    const blockers = answers.filter(
      ({ matched, rule, hook }) => matched && !wishes.includes(rule) && leadsAway(rule, place, hook, this.firewall.family),
    );
    const blocked = blockers.length > 0 && (failed === undefined || this.chooser.chance(0.5));
    if (!blocked && failed?.failed !== undefined) return this.repairCondition(trial, place, failed, failed.failed, memory);
    if (blockers.length > 0) return this.avoid(trial, this.chooser.pick(blockers), answers);
    this.note({ kind: "shape", hook: place.hook });
    // A policy ended it, or a hook was not reached.
    if (this.chooser.chance(0.5)) this.helpConnection(trial.draft);
    else this.reshape(trial, place);
    return undefined;
  }

  private repairCondition(
    trial: Trial,
    place: Place,
    { rule, at }: Answer,
    condition: Condition,
    {
      before,
      after,
      world,
      depth,
      pinned,
    }: { readonly before: World; readonly after: World; readonly world: World; readonly depth: number; readonly pinned: Partial<Draft> },
  ): "restart" | undefined {
    this.note({ kind: "condition", rule, condition });
    const { draft } = trial;
    switch (condition.kind) {
      case "closed":
        return "restart";
      case "bucket":
        if (trial.repeats >= mostRepeats) return "restart";
        trial.repeats = trial.repeats * 2 + 1;
        return undefined;
      case "mark": {
        const helped = this.help(
          trial,
          this.markersFor(condition).giving.filter(({ goal }) => goal !== place.goal),
        );
        return helped ? undefined : "restart";
      }
      case "state":
        this.helpConnection(draft);
        return undefined;
      case "field":
        // Translation changed the address that the route was made for.
        if (
          condition.fields?.includes("outInterface") === true &&
          at.destination !== draft.destination &&
          draft.outInterface !== undefined
        ) {
          const routes = new Map([...trial.needs.routes, [at.destination, draft.outInterface]]);
          const merged = mergeNeeds(trial.needs, { ...trial.needs, routes });
          if (merged === undefined) return "restart";
          trial.needs = merged;
          return undefined;
        }
        if (this.chooser.chance(0.5)) condition.make?.(draft, true, this.chooser);
        else this.shake(draft, place.hook);
        return undefined;
      case "list":
        return this.repairList(trial, condition.list!, at, { before, after, world, depth, pinned });
    }
  }

  /** Brings the host onto the list often enough, or takes one that is not on it. */
  private repairList(
    trial: Trial,
    list: NonNullable<Condition["list"]>,
    at: Answer["at"],
    {
      before,
      after,
      world,
      depth,
      pinned,
    }: { readonly before: World; readonly after: World; readonly world: World; readonly depth: number; readonly pinned: Partial<Draft> },
  ): "restart" | undefined {
    const host = at[list.side];
    if (list.inverted) {
      if ("source" in pinned || list.side !== "source") return "restart";
      trial.draft.source = this.chooser.source(trial.draft.inInterface);
      trial.prelude = [];
      trial.repeats = 0;
      return undefined;
    }
    const stamps = after.entry(list.name, host)?.stamps ?? 0;
    const missing = Math.max(1, list.hits - stamps);
    if (stamps > (before.entry(list.name, host)?.stamps ?? 0)) {
      if (trial.repeats + missing > mostRepeats) return "restart";
      trial.repeats += missing;
      return undefined;
    }
    const setters = this.setters.filter(({ goal }) =>
      goal.conditions.some((condition) => condition.list?.sets && condition.list.name === list.name),
    );
    if (setters.length === 0 || depth >= deepestPrelude) return "restart";
    const setter = this.chooser.pick(setters);
    const side = setter.goal.conditions.find((condition) => condition.list?.name === list.name)!.list!.side;
    const layer = new World(world);
    for (const step of trial.prelude) walk(step, this.firewall, trial.needs, layer, () => true);
    const pins = side === "source" && setter.hook !== "OUTPUT" ? { source: host, inInterface: trial.draft.inInterface } : { [side]: host };
    const found = this.solve(setter, layer, pins, depth + 1);
    if ("kind" in found) return this.chooser.chance(0.5) ? "restart" : undefined;
    trial.prelude.push(...found.steps);
    const merged = mergeNeeds(trial.needs, found.needs);
    if (merged === undefined) return "restart";
    trial.needs = merged;
    for (let more = 1; more < Math.min(missing, mostRepeats); more += 1) {
      const again = this.run({ ...found.draft, sourcePort: this.chooser.port() }, found.needs, layer, () => true);
      trial.prelude.push(...again.steps);
    }
    return undefined;
  }

  /** Makes the draft miss a rule that takes it away, or one that led to it. */
  private avoid(trial: Trial, blocker: Answer, answers: readonly Answer[]): "restart" | undefined {
    this.note({ kind: "rule", rule: blocker.rule });
    const { draft } = trial;
    const conditions = wayTaken(blocker, answers).flatMap((one) => one.conditions);
    if (conditions.length === 0) return "restart";
    const mark = conditions.find(({ kind }) => kind === "mark");
    if (mark !== undefined && this.chooser.chance(0.7) && this.help(trial, this.markersFor(mark).others)) return undefined;
    const fields = conditions.filter(({ make }) => make);
    const lists = conditions.filter(({ kind }) => kind === "list");
    if (conditions.some(({ kind }) => kind === "state") && draft.state !== "new" && this.chooser.chance(0.6)) this.helpConnection(draft);
    else if (conditions.some(({ kind }) => kind === "bucket") && this.chooser.chance(0.5)) {
      if (trial.repeats < mostRepeats) trial.repeats = trial.repeats * 2 + 1;
    } else if (lists.length > 0 && (fields.length === 0 || this.chooser.chance(0.5))) {
      draft.source = this.chooser.source(draft.inInterface);
      trial.prelude = [];
      trial.repeats = 0;
    } else if (fields.length > 0) this.chooser.pick(fields).make!(draft, false, this.chooser);
    else return "restart";
    return undefined;
  }

  /** Other fields at random, for where nobody knows better. */
  private shake(draft: Draft, hook: BuiltIn): void {
    const other = draftFor(hook, this.chooser);
    const fields = this.chooser.pick<readonly (keyof Draft)[]>([
      ["protocol"],
      ["destinationPort"],
      ["sourcePort"],
      ["inInterface"],
      ["outInterface", "destination"],
      ["flags"],
      ["state"],
      ["source"],
    ]);
    for (const field of fields) Object.assign(draft, { [field]: other[field] });
  }

  private reshape(trial: Trial, place: Place): undefined {
    const other = draftFor(place.hook, this.chooser);
    const { shape, source, destination, inInterface } = other;
    const wantsSocket = shape === "own" && ![tcpNumber, udpNumber].includes(trial.draft.protocol);
    Object.assign(
      trial.draft,
      { shape, source, destination, inInterface },
      wantsSocket && this.chooser.chance(0.5) ? { protocol: this.chooser.pick([tcpNumber, udpNumber]) } : {},
    );
  }

  /** Lets the connection's first packet be one that some rule accepts. */
  private helpConnection(draft: Draft): void {
    const { state } = draft;
    const back = draft.state === "reply" || draft.state === "related" || draft.shape === "answer";
    const hooks: readonly BuiltIn[] = draft.shape === "through" ? ["FORWARD"] : draft.shape === "answer" ? ["INPUT"] : ["INPUT", "OUTPUT"];
    const candidates = this.accepting.filter(
      ({ hook, goal }) => hooks.includes(hook) && goal.conditions.every(({ kind }) => kind !== "closed"),
    );
    if (candidates.length === 0 || (draft.shape !== "answer" && this.chooser.chance(0.25))) {
      draft.state = state === "established" ? "reply" : state === "reply" ? "established" : state;
      draft.protocol = this.chooser.pick([tcpNumber, udpNumber, icmpNumber[this.firewall.family]]);
      if (draft.protocol === tcpNumber) draft.flags = draft.state === "reply" ? syn | ack : ack;
      return;
    }
    const { way, goal } = this.chooser.pick(candidates);
    const first: Draft = {
      ...draft,
      ...(back ? turned(draft) : {}),
      state: "new",
      flags: syn,
      shape: draft.shape === "answer" ? "inward" : draft.shape,
      inInterface: back ? (draft.outInterface ?? draft.inInterface) : draft.inInterface,
      outInterface: back ? draft.inInterface : draft.outInterface,
    };
    this.satisfy(first, [...way, goal]);
    if (first.state !== "new" || (first.shape !== draft.shape && draft.shape !== "answer")) return;
    const again = back ? turned(first) : first;
    const { source, destination, protocol, sourcePort, destinationPort, icmpType } = again;
    Object.assign(
      draft,
      { source, destination, protocol, sourcePort, destinationPort, icmpType },
      back
        ? {
            inInterface: first.outInterface ?? draft.inInterface,
            outInterface: draft.shape === "through" ? first.inInterface : draft.outInterface,
          }
        : { inInterface: first.inInterface, outInterface: first.outInterface },
    );
    if (draft.shape === "answer") draft.outInterface = first.inInterface;
    if (draft.protocol === tcpNumber) draft.flags = draft.state === "reply" ? syn | ack : ack;
  }

  /** Wishes for one of the rules; false if there is none. */
  private help(trial: Trial, markers: readonly Place[]): boolean {
    if (markers.length === 0) return false;
    trial.helpers = [this.chooser.pick(markers)];
    return true;
  }

  /** The rules whose target makes a packet meet the condition, and those whose does not. */
  private markersFor(condition: Condition): { readonly giving: readonly Place[]; readonly others: readonly Place[] } {
    let known = this.markersByCondition.get(condition);
    if (known === undefined) {
      const giving = this.markers.filter((marker) => this.gives(marker, condition));
      this.markersByCondition.set(condition, (known = { giving, others: this.markers.filter((marker) => !giving.includes(marker)) }));
    }
    return known;
  }

  /** Whether the marker's target gives the packet the mark. */
  private gives(marker: Place, condition: Condition): boolean {
    const { target } = marker.goal.rule;
    if (target?.kind !== "extension") return false;
    const view = viewOf(draftFor(marker.hook, this.chooser), this.chooser);
    applyTarget(target, view, marker.hook);
    const changed = translatedSides(target, marker.hook, this.firewall.family);
    view.destinationChanged = changed.has("destination");
    view.sourceChanged = changed.has("source");
    return condition.test(view, emptyWorld) === true;
  }

  private note(obstacle: Obstacle): void {
    const key =
      obstacle.kind === "time"
        ? ""
        : obstacle.kind === "shape"
          ? obstacle.hook
          : `${obstacle.kind} ${obstacle.rule.table} ${obstacle.rule.chain} ${obstacle.rule.index}`;
    const known = this.obstacles.get(key);
    if (known) known.count += 1;
    else this.obstacles.set(key, { obstacle, count: 1 });
  }
}

const emptyWorld = new World();

function redirects({ hook, goal: { rule } }: Place, family: Family): boolean {
  return rule.target?.kind === "extension" && translatedSides(rule.target, hook, family).has("destination");
}

const fieldsOfDestination: readonly PacketField[] = ["destination", "destinationPort", "destinationType"];

function asksDestination({ fields = [], sides = [] }: Condition): boolean {
  return sides.includes("destination") || fields.some((field) => fieldsOfDestination.includes(field));
}

/** The rule that matched and the jumps by which the packet came to it. */
function wayTaken({ rule, hook }: Answer, answers: readonly Answer[]): FirewallRule[] {
  const way = [rule];
  let { chain } = rule;
  for (let index = answers.findIndex((answer) => answer.rule === rule && answer.matched) - 1; index >= 0; index -= 1) {
    const { rule: before, matched, hook: at } = answers[index]!;
    const { target } = before.rule;
    if (!matched || at !== hook || before.table !== rule.table || target?.kind !== "chain" || target.chain !== chain) continue;
    way.push(before);
    chain = before.chain;
  }
  return way;
}

/** The rule ends a packet's way before the place, or leads it elsewhere. */
function leadsAway({ rule: { target }, table }: FirewallRule, place: Place, hook: BuiltIn, family: Family): boolean {
  if (target === undefined) return false;
  const here = hook === place.hook && table === place.goal.table;
  if (target.kind === "chain") return target.goto && here;
  const way = wayOf(target);
  if (way === "drop" || translatedSides(target, hook, family).has("destination")) return true;
  return here && way !== "continue";
}

/** Both needs at once; undefined if an address would have to be in two places. */
export function mergeNeeds(one: Needs, other: Needs): Needs | undefined {
  const locals = new Set([...one.locals, ...other.locals]);
  const routes = new Map(one.routes);
  for (const [address, name] of other.routes) {
    if ((routes.get(address) ?? name) !== name) return undefined;
    routes.set(address, name);
  }
  return [...routes.keys()].some((address) => locals.has(address)) ? undefined : { locals, routes };
}
