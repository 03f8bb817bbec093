/**
 * Packets out of rulesets: for every rule some that reach it and match, and some that miss it by one field; and others at random.
 *
 * Nothing here decides what a packet's fate is: the kernel does. A wrong guess costs coverage and no correctness.
 */

import type { Family, IptablesRule, IptablesRuleset } from "../../iptables/ast.js";
import type { Frame, Interface } from "../frame.js";
import type { Random } from "../../random.js";
import { Chooser } from "./chooser.js";
import type { Ipsets } from "./conditions-of-sets.js";
import { frameOf, icmpNumber, tcpNumber, udpNumber, type Draft, type Step } from "./draft.js";
import { firewallOf, type BuiltIn, type Firewall, type FirewallRule, type Place } from "./firewall.js";
import { netOf, noNeeds, prepareScript, type Needs } from "./net.js";
import { draftFor } from "./shape.js";
import { mergeNeeds, Solver, type Obstacle, type Solution } from "./solve.js";
import { World } from "./world.js";

export interface Derivation {
  readonly rulesets: readonly IptablesRuleset[];
  readonly interfaces: readonly Interface[];
  /** What `-m set` asks. */
  readonly sets?: Ipsets;
  readonly random: Random;
  /** About the most packets. */
  readonly packets: number;
  /** Rules to find packets for; all unless told. */
  readonly wanted?: ReadonlySet<IptablesRule>;
  /**
   * Rules that packets are held against in search of such as match, for all rules together; unless told, 20 million, and more for many
   * rules.
   */
  readonly steps?: number;
  /** Asked before each rule: no packets are looked for any more. */
  late?(): boolean;
  /** Drafts at random beside those made for rules; a fifth of the packets unless told. */
  readonly extra?: number;
}

/** Packets for one pair of namespaces, in order, timed from 0. */
export interface Batch {
  readonly frames: readonly Frame[];
  /** Shell lines for both namespaces. */
  readonly prepare: string;
}

export interface Derived {
  readonly batches: readonly Batch[];
  /** Rules for which no packet was found, and what was in the way. */
  readonly obstacles: ReadonlyMap<IptablesRule, Obstacle>;
}

/**
 * Seconds between two packets, and before and after one that a socket of the firewall sends. Where there are lists a host does
 * not send so fast that nft's sets lose updates of its key (some hundred a second).
 */
const spacing = 0.0005;
const listSpacing = 0.003;
const socketSpacing = 0.004;

/** xt_recent forgets the least recently seen of more than a hundred hosts. */
const mostHosts = 85;
const mostPackets = 8000;
const usualSteps = 20_000_000;
/** A packet that reaches a rule at once is held against all rules a few times: at their own place, missed, and in variety. */
const asksPerPacketAndRule = 20;
/** For one rule: a rule that is hard to reach may take what easy ones leave, and some of what the later ones would get. */
const share = 4;
const mostStepsOfRule = 2_000_000;

export function derive(input: Derivation): Derived {
  return new Deriver(input).all();
}

/** What one family's packets of a batch share. */
interface Side {
  readonly firewall: Firewall;
  readonly chooser: Chooser;
  readonly solver: Solver;
  readonly world: World;
}

class Deriver {
  private readonly obstacles = new Map<IptablesRule, Obstacle>();
  private readonly firewalls: readonly Firewall[];
  private readonly remembersHosts: boolean;
  private readonly ruleCount: number;
  private total = 0;

  constructor(private readonly input: Derivation) {
    this.firewalls = input.rulesets.map((ruleset) => firewallOf(ruleset, netOf(input.interfaces, ruleset.family), input.sets));
    this.ruleCount = this.firewalls.reduce((sum, { rules }) => sum + rules.length, 0);
    this.remembersHosts = this.firewalls.some(({ rules }) =>
      rules.some(({ conditions }) => conditions.some(({ kind }) => kind === "list")),
    );
  }

  all(): Derived {
    const { wanted, packets, extra = Math.ceil(packets / 5) } = this.input;
    const late = (): boolean => this.input.late?.() ?? false;
    let waiting = this.firewalls.flatMap((firewall) =>
      firewall.rules.filter(({ rule }) => wanted?.has(rule) ?? true).map((rule) => ({ firewall, rule })),
    );
    const batches: Batch[] = [];
    // Without a rule that can be hit there are still packets at random.
    for (let round = 0; (waiting.length > 0 || (round === 0 && !wanted)) && this.total < packets; round += 1) {
      const batch = this.newBatch();
      const left: typeof waiting = [];
      for (const job of waiting) {
        if (batch.full() || this.total + batch.count() >= packets || late()) left.push(job);
        else if (this.stepsFor(waiting.length) <= 0) left.push(job);
        else if (!batch.add(job.firewall, job.rule, this.stepsFor(waiting.length)) && !batch.fresh) left.push(job);
      }
      if (batch.count() === 0 && (round > 0 || wanted)) break;
      this.total += batch.count();
      batch.addRandom(Math.round(extra / (round + 1)));
      batches.push(batch.done());
      waiting = left;
      if (late() || this.stepsFor(1) <= 0) break;
    }
    for (const {
      rule: { rule },
    } of waiting)
      if (!this.obstacles.has(rule)) this.obstacles.set(rule, { kind: "time" });
    return { batches, obstacles: this.obstacles };
  }

  /** What the search for one of so many rules may cost. */
  private stepsFor(waiting: number): number {
    const { packets, steps = usualSteps + asksPerPacketAndRule * packets * this.ruleCount } = this.input;
    const left = steps - this.firewalls.reduce((sum, { effort }) => sum + effort.asked, 0);
    return Math.min(left, mostStepsOfRule, Math.ceil((share * left) / waiting));
  }

  private newBatch(): BatchBuilder {
    return new BatchBuilder(this.firewalls, this.input, this.remembersHosts ? mostHosts : Infinity, this.obstacles);
  }
}

class BatchBuilder {
  private readonly sides = new Map<Firewall, Side>();
  private readonly frames: Frame[] = [];
  private readonly ownPorts = new Set<number>();
  private readonly hosts = new Set<string>();
  private at = 0;
  /** Nothing was added yet: what fails now fails for good. */
  fresh = true;

  constructor(
    firewalls: readonly Firewall[],
    private readonly input: Derivation,
    private readonly hostLimit: number,
    private readonly obstacles: Map<IptablesRule, Obstacle>,
  ) {
    for (const firewall of firewalls) {
      const chooser = new Chooser(input.random, firewall.net, noNeeds);
      this.sides.set(firewall, { firewall, chooser, solver: new Solver(firewall, chooser), world: new World() });
    }
  }

  count(): number {
    return this.frames.length;
  }
  full(): boolean {
    return this.hosts.size >= this.hostLimit || this.frames.length >= mostPackets;
  }

  /**
   * Packets that match the rule, at one place for each built-in chain that leads to it, and that miss it; false if there are none within
   * so many steps.
   */
  add(firewall: Firewall, rule: FirewallRule, steps: number): boolean {
    const { solver, world } = this.sides.get(firewall)!;
    solver.allow(steps);
    const places = firewall.places.get(rule)!;
    let found = false;
    for (const hook of new Set(places.map((place) => place.hook))) {
      for (const place of places.filter((one) => one.hook === hook)) {
        if (solver.exhausted) break;
        const solution = solver.solve(place, world);
        if ("kind" in solution) {
          if (!found && (!this.obstacles.has(rule.rule) || solver.exhausted))
            this.obstacles.set(rule.rule, solver.exhausted ? { kind: "time" } : solution);
          continue;
        }
        if (!this.keep(firewall, solution)) continue;
        found = true;
        this.addMiss(firewall, place, solution);
        this.addVariety(firewall, place);
        break;
      }
    }
    if (found) this.obstacles.delete(rule.rule);
    if (found) this.fresh = false;
    return found;
  }

  /** More packets for a condition that can be met in several ways, and that miss it in several. */
  private addVariety(firewall: Firewall, place: Place): void {
    const { solver, world } = this.sides.get(firewall)!;
    const variety = Math.max(1, ...place.goal.conditions.map((condition) => condition.variety ?? 1));
    for (let more = 1; more < variety && !this.full(); more += 1) {
      const solution = solver.solve(place, world);
      if (!("kind" in solution) && this.keep(firewall, solution)) this.addMiss(firewall, place, solution);
    }
  }

  private addMiss(firewall: Firewall, place: Place, solution: Solution): void {
    const { solver, world } = this.sides.get(firewall)!;
    const missing = solver.miss(place, solution, world);
    if (missing !== undefined) this.keep(firewall, missing);
  }

  addRandom(count: number): void {
    const hooks: readonly BuiltIn[] = ["INPUT", "INPUT", "FORWARD", "FORWARD", "OUTPUT"];
    for (const side of this.sides.values()) {
      for (let number = 0; number < count && this.frames.length < mostPackets; number += this.sides.size) {
        const { chooser, solver, world, firewall } = side;
        const draft = varied(draftFor(chooser.pick(hooks), chooser), chooser);
        if (this.hostLimit !== Infinity)
          draft.source =
            draft.shape === "inward" || draft.shape === "through" ? chooser.net.locals[0]! + BigInt(chooser.number(3, 8)) : draft.source;
        const steps = solver.wander(draft, firewall.rules.length === 0 ? undefined : chooser.pick(firewall.rules), world);
        if (steps !== undefined) this.keep(firewall, steps);
      }
    }
  }

  /** Takes the packets into the batch, unless they do not go with those before. */
  private keep(firewall: Firewall, { steps, needs, world }: Pick<Solution, "steps" | "needs" | "world">): boolean {
    const { chooser } = this.sides.get(firewall)!;
    const merged = mergeNeeds(chooser.needs, needs);
    const ports = steps.filter(({ own }) => own).map(({ fields }) => fields.sourcePort);
    // No socket sends to port 0.
    if (steps.some(({ own, fields }) => own && fields.destinationPort === 0)) return false;
    if (merged === undefined || new Set(ports).size < ports.length || ports.some((port) => this.ownPorts.has(port))) return false;
    chooser.needs = merged;
    world.keep();
    for (const port of ports) this.ownPorts.add(port);
    for (const step of steps) this.send(step, firewall.family);
    return true;
  }

  private send(step: Step, family: Family): void {
    if (step.own) this.at += socketSpacing;
    const frame = frameOf(step, family, this.at);
    this.hosts.add(frame.packet.source);
    this.frames.push(frame);
    this.at += step.own ? socketSpacing : this.hostLimit === Infinity ? spacing : listSpacing;
  }

  done(): Batch {
    const needs: Record<Family, Needs> = { ipv4: noNeeds, ipv6: noNeeds };
    for (const { firewall, chooser } of this.sides.values()) needs[firewall.family] = chooser.needs;
    return { frames: this.frames, prepare: prepareScript(needs, this.input.interfaces) };
  }
}

/** The draft with some of its fields as rules seldom have them. */
function varied(draft: Draft, chooser: Chooser): Draft {
  const { family } = chooser.net;
  const ipv6 = family === "ipv6";
  const icmp = ipv6 ? [128, 128, 129, 1, 3, 135, 200] : [8, 8, 0, 3, 11, 13, 17];
  const protocol = chooser.pick([tcpNumber, tcpNumber, udpNumber, icmpNumber[family], chooser.pick([47, 132, 136, 253])]);
  return {
    ...draft,
    protocol,
    flags: chooser.pick([2, 2, 2, 16, 18, 4, 20, 1, 0, 41, 63, 3, 6, 24, 0xc2]),
    tcpOptions: chooser.pick([[], [2, 4, 5, 0xb4], [1, 3, 3, 7], [2, 4, 2, 0, 4, 2, 1, 1], [8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1]]),
    icmpType: chooser.pick(icmp),
    icmpCode: chooser.chance(0.2) ? chooser.number(0, 4) : 0,
    ttl: chooser.pick([64, 64, 2, 5, 128, 200, 255]),
    tos: chooser.pick([0, 0, 0x10, 0x08, 0xb8, 2, chooser.number(0, 255)]),
    length: chooser.pick([0, 0, 84, 100, 300, 1000, 1400]),
    fragmented: chooser.chance(0.02),
    extensionHeaders: ipv6 && chooser.chance(0.04) ? [[60, Uint8Array.of(0, 1, 4, 0, 0, 0, 0)]] : [],
    state: chooser.pick(["new", "new", "new", "established", "reply", "related"]),
  };
}
