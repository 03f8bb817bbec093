/**
 * Tries schedules on two firewalls side by side: first all of them, by growing length, then longer ones at random.
 *
 * A schedule is made of moves: a pause, and a packet or a burst. Pauses end where an answer may change: when a stamp that decides
 * gets as old as a window, one tick later, when an element of a set runs out, and one tick before that; besides, a short pause,
 * half a window, and one so long that all is over. States that go on in the same way are followed once.
 *
 * Floods are left out: there the script is stricter for a moment, as the translator says.
 */

import { mostHits, type RecentUse } from "../extensions/matches/recent.js";
import type { Random } from "../random.js";
import type { Firewall } from "./firewall.js";
import { withNeighbour } from "./packet-fields.js";
import { sameOutcome, ticksPerSecond, type Outcome, type Packet } from "./packet.js";
import { exactBurst, triesPerSecond } from "./schedule.js";
import type { XtModel, XtState } from "./xt-model.js";

export interface Subject {
  readonly xtables: XtModel;
  /** What it is held against: the script, or another version of the rules. */
  readonly other: Firewall;
  /** Whether the packet is what is looked for; each packet that the two decide, log or alter otherwise unless told. */
  readonly differs?: Differs;
  /** The packets to send, at any time. */
  readonly classes: readonly Packet[];
  /** The questions asked of the lists in play. */
  readonly uses: readonly RecentUse[];
}

/** Compares what the two firewalls do with one packet; that of `xtables` stands first. */
export type Differs = (xtables: Outcome, other: Outcome) => boolean;

export const otherwise: Differs = (xtables, other) => !sameOutcome(xtables, other);

export interface Budget {
  /** Schedules to try. */
  readonly schedules: number;
  /** When to stop, by `now`, which need not be a time. */
  readonly deadline: number;
  readonly now: () => number;
}

export interface Exploration {
  /** Schedules tried. */
  readonly schedules: number;
  /** Packets sent to each firewall. */
  readonly packets: number;
  /** All schedules of so many moves were tried. */
  readonly exhaustiveMoves: number;
  /** Packets of the longest schedule. */
  readonly hits: number;
  /** Packets up to the first that is what is looked for. */
  readonly difference?: readonly Packet[];
}

/** A schedule so far. */
interface Trail {
  /** Of the last packet, in ticks. */
  readonly time: number;
  /** Tries left before a host is one that floods. */
  readonly tries: number;
  readonly sent: number;
  readonly packets: readonly Packet[];
  readonly before?: Trail;
}

/** What both firewalls remember after a schedule; not part of it, so that it goes when it is not needed any more. */
interface Node {
  readonly trail: Trail;
  readonly xtables: XtState;
  readonly other: unknown;
}

type Played = Trail | "flood" | { readonly difference: readonly Packet[] };

/** Shares of the budget: what the exhaustive search leaves goes to chance. */
const exhaustiveShare = 0.6;
/** Bursts in a move beside a single packet. */
const mostBursts = 3;
/** Moments in a move. */
const mostMoments = 12;
/** Packets between two looks at the clock. */
const packetsBetweenLooks = 20;
/** Packets of a burst; a hit count beyond is not reached. */
export const longestBurst = 2100;
const startOfTime = 1000;

export class Explorer {
  private schedules = 0;
  private packets = 0;
  private hits = 0;
  private nextLook = 0;
  private readonly windows: readonly number[];
  private readonly horizon: number;
  private readonly spacing: number;
  private readonly bursts: readonly number[];
  private readonly burst: number;
  private readonly differs: Differs;

  constructor(
    private readonly subject: Subject,
    private readonly random: Random,
  ) {
    const { uses, differs = otherwise } = subject;
    this.differs = differs;
    this.windows = [...new Set(uses.flatMap(({ seconds }) => (seconds === undefined ? [] : [seconds * ticksPerSecond])))].sort(
      (a, b) => a - b,
    );
    this.horizon = (this.windows.at(-1) ?? ticksPerSecond) + 1;
    const most = mostHits(uses);
    this.burst = exactBurst(most);
    // Slow enough not to be a flood, if the window has room for that.
    this.spacing = Math.max(
      1,
      Math.min(Math.ceil(ticksPerSecond / triesPerSecond), Math.floor((this.windows[0] ?? ticksPerSecond) / (most + 2))),
    );
    const counts = [...new Set(uses.map(({ hits }) => hits))]
      .flatMap((hits) => [hits - 1, hits, hits + 1])
      .filter((count) => count > 1 && count <= longestBurst);
    this.bursts = [...new Set(counts)].sort((a, b) => b - a).slice(0, mostBursts);
  }

  run(budget: Budget): Exploration {
    const { xtables, other } = this.subject;
    xtables.reset();
    other.reset();
    const start = budget.now();
    const { difference, moves } = this.searchAll({
      ...budget,
      schedules: budget.schedules * exhaustiveShare,
      deadline: start + (budget.deadline - start) * exhaustiveShare,
    });
    this.nextLook = 0;
    const found = difference ?? this.searchAtRandom(budget);
    return {
      schedules: this.schedules,
      packets: this.packets,
      exhaustiveMoves: moves,
      hits: this.hits,
      ...(found && { difference: found }),
    };
  }

  private isOver({ schedules, deadline, now }: Budget): boolean {
    if (this.schedules >= schedules) return true;
    if (this.packets < this.nextLook) return false;
    this.nextLook = this.packets + packetsBetweenLooks;
    return now() >= deadline;
  }

  // ----------------------------------------------------------------------------------------------- all schedules

  /** Breadth first, so that what is found is short. */
  private searchAll(budget: Budget): { readonly difference?: readonly Packet[]; readonly moves: number } {
    const { xtables, other } = this.subject;
    const nodeOf = (trail: Trail): Node => ({ trail, xtables: xtables.save(), other: other.save() });
    let level: Node[] = [nodeOf(this.start())];
    const seen = new Set<string>();
    for (let moves = 0; ; moves++) {
      const next: Node[] = [];
      for (const node of level) {
        for (const move of this.movesFrom(node)) {
          if (this.isOver(budget)) return { moves };
          xtables.restore(node.xtables);
          other.restore(node.other);
          const played = this.play(move, node.trail);
          if (played === "flood") continue;
          if ("difference" in played) return { difference: played.difference, moves };
          const text = this.describe(played);
          if (seen.has(text)) continue;
          seen.add(text);
          next.push(nodeOf(played));
        }
      }
      // Nothing new can happen any more: longer schedules repeat these.
      if (next.length === 0) return { moves: Infinity };
      level = next;
    }
  }

  private *movesFrom(node: Node): Generator<Packet[]> {
    this.subject.xtables.restore(node.xtables);
    this.subject.other.restore(node.other);
    const { sent, time } = node.trail;
    const moments = sent === 0 ? [time] : this.momentsAfter(time);
    for (const [index, moment] of moments.entries()) {
      for (const packet of this.subject.classes) {
        yield [{ ...packet, time: moment }];
        if (index > 0) continue;
        for (const count of this.bursts)
          yield Array.from({ length: count }, (_, nth) => ({ ...packet, time: moment + nth * this.spacing }));
      }
    }
  }

  /** The moments worth trying from now on, in ticks, the next first. */
  private momentsAfter(time: number): number[] {
    const { xtables, other, uses } = this.subject;
    const chosen = new Set<number>([time + this.spacing]);
    const edges = new Set<number>();
    for (const { list, seconds, hits } of uses) {
      if (seconds === undefined) continue;
      for (const firewall of [xtables, other]) {
        const stamps = [...firewall.allStamps(list)].sort((a, b) => b - a);
        // The stamps that decide: those next to the hit count, the oldest, the newest.
        for (const index of [hits - 1, hits - 2, hits, 0, stamps.length - 1]) {
          const stamp = stamps[index];
          if (stamp === undefined) continue;
          edges.add(stamp + seconds * ticksPerSecond);
          edges.add(stamp + seconds * ticksPerSecond + 1);
        }
      }
    }
    // Elements of a right translation run out when stamps do.
    for (const expiry of other.expiries(time)) {
      if (edges.has(expiry)) continue;
      edges.add(expiry - 1);
      edges.add(expiry);
    }
    for (const edge of [...edges].sort((a, b) => a - b)) if (edge > time && chosen.size < mostMoments) chosen.add(edge);
    const [narrowest] = this.windows;
    if (narrowest !== undefined) chosen.add(time + Math.max(1, Math.floor(narrowest / 2)));
    chosen.add(time + this.horizon + 3 * ticksPerSecond);
    return [...chosen].sort((a, b) => a - b);
  }

  private describe({ time, tries }: Trail): string {
    const { xtables, other } = this.subject;
    return `${tries}\n${xtables.describeState(time, this.horizon)}\n${other.describeState(time, this.horizon)}`;
  }

  // --------------------------------------------------------------------------------------------------- by chance

  private searchAtRandom(budget: Budget): readonly Packet[] | undefined {
    const longest = Math.min(200, 4 * mostHits(this.subject.uses) + 12);
    while (!this.isOver(budget)) {
      const { xtables, other } = this.subject;
      xtables.reset();
      other.reset();
      let trail = this.start();
      const length = 2 + Math.floor(this.random() * longest);
      const hosts = 1 + Math.floor(this.random() * 3);
      while (trail.sent < length) {
        const played: Played = this.play(this.moveAtRandom(trail, hosts), trail);
        if (played === "flood") break;
        if ("difference" in played) return played.difference;
        trail = played;
      }
    }
    return undefined;
  }

  private moveAtRandom({ time }: Trail, hosts: number): Packet[] {
    const { classes } = this.subject;
    const moments = this.momentsAfter(time);
    const packet = classes[Math.floor(this.random() * classes.length)]!;
    const host = this.anotherHost(packet, Math.floor(this.random() * hosts));
    const choice = this.random();
    const moment =
      choice < 0.5
        ? time + this.spacing
        : choice < 0.8
          ? moments[Math.floor(this.random() * moments.length)]!
          : time + 1 + Math.floor(this.random() * 1.5 * this.horizon);
    const count = this.bursts.length > 0 && this.random() < 0.15 ? this.bursts[Math.floor(this.random() * this.bursts.length)]! : 1;
    return Array.from({ length: count }, (_, nth) => ({ ...host, time: moment + nth * this.spacing }));
  }

  /** The packet of a neighbour: one that the list takes for the same host, or one that it does not. */
  private anotherHost(packet: Packet, number: number): Packet {
    const { uses, xtables } = this.subject;
    const { list, side } = uses[Math.floor(this.random() * uses.length)]!;
    const step = this.random() < 0.5 ? 1n : xtables.lists.stepOf(list);
    const offset = BigInt(number) * step;
    return withNeighbour(packet, side === "saddr" ? "source" : "destination", offset, xtables.ruleset.family);
  }

  // ----------------------------------------------------------------------------------------------------- playing

  private start(): Trail {
    return { time: startOfTime, tries: this.burst, sent: 0, packets: [] };
  }

  /** Sends the packets of a move to both firewalls, which stand where `trail` left them. */
  private play(move: readonly Packet[], trail: Trail): Played {
    const { xtables, other } = this.subject;
    let { time, tries } = trail;
    for (const [index, packet] of move.entries()) {
      // All hosts together: a schedule left out too many does no harm.
      tries = Math.min(this.burst, tries + ((packet.time - time) * triesPerSecond) / ticksPerSecond);
      // In steps of a quarter, so that states with nearly the same number count as one.
      tries = Math.floor(4 * (tries - 1)) / 4;
      if (tries < 0) return "flood";
      time = packet.time;
      this.packets += 1;
      this.hits = Math.max(this.hits, trail.sent + index + 1);
      if (!this.differs(xtables.send(packet), other.send(packet))) continue;
      this.schedules += 1;
      return { difference: [...packetsOf(trail), ...move.slice(0, index + 1)] };
    }
    this.schedules += 1;
    return { time, tries, sent: trail.sent + move.length, packets: move, before: trail };
  }
}

function packetsOf(trail: Trail): Packet[] {
  const moves: (readonly Packet[])[] = [];
  for (let one: Trail | undefined = trail; one; one = one.before) moves.push(one.packets);
  return moves.reverse().flat();
}
