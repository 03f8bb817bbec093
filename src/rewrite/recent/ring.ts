/**
 * An exact sliding window over the last H hits of each host, made of timeout sets.
 *
 * Each host owns M slots, one set a slot: `hit_j` holds the host for the length of the window after it was written. Hits
 * go round the slots, so the slot to be written next holds the oldest hit, and "H hits in the window" is one look-up of the
 * slot written H hits ago. Which slot was written last is kept as a Gray code in the `turn` sets: a step changes one
 * of them, so two CPUs that read it at once disagree by one slot at most.
 *
 * Deleted elements stay in the kernel's hash chains until they are collected, once a second, and a chain takes no more than 16
 * elements of one key: an update that would make it longer is lost. So no bit may fall more than 16 times in a burst
 * of H hits (see `TurnCode`), and a step must not happen at line rate: a
 * host that goes round the ring faster than `triesBeforeMute` allows is answered by the `mute` set for a quarter of a second, and
 * the `flood` set then states that it was over the limit up to now.
 *
 * Most hosts knock once or twice. Their first two hits go to the `few` sets (the slow lane), which need no ring; a host on
 * the ring is `busy`.
 *
 * Where two processors look at once, both may find the same slot free, and two hits count as one. So what passes is counted a second
 * time in a way that no processor disturbs (see processors.ts): while a host's first hit lives with that, in `few_0`; and on the ring in
 * `pass`, a bucket.
 */

import { binary, deleteFromSet, goto, match, setReference, updateSet, type Expression, type Statement } from "../../nft/ast.js";
import { countWithFirst, findTimer, isTimed, takeToken } from "./processors.js";
import type { Ban, RingStore } from "./host-stores.js";
import type { SetLabel } from "./set-label.js";
import { turnCode, type TurnCode } from "./turn-code.js";
import { tick, type Window } from "./window.js";
import { callStatement, exitStatement, exitTo, type ChainBuilder, type ChainGroup, type Exit, type Key } from "../table-builder.js";

/**
 * Slots that a rule asks for beside the oldest: those next to it, which others most likely pass meanwhile. Every rule of a ring has them,
 * and a long transaction does not load in a user namespace. The kernel takes 128 expressions in a rule (NFT_RULE_MAXEXPRS); a look-up of a
 * masked address is three, and the flat walk of 255 hits asks for 19 turns before.
 */
const mostAsked = 8;

/** How long a muted host is answered without being looked at, in milliseconds. */
const muteTime = 250;

/**
 * How often a host that is over the limit may try, in a second, before it is muted: 20 times, and as often as it takes to go
 * round the ring twice. So a muted host is always one that xt_recent blocks too, and its last round took half a second at most.
 *
 * @param pushes stamps that each of its tries pushes
 */
function triesBeforeMute(hits: number, pushes: number): number {
  return Math.max(20, Math.ceil((2 * hits) / pushes));
}

/** How much longer than by xt_recent a muted host may stay blocked, in seconds: the mute, and the time of its last round. */
export function longestMute(hits: number, pushes: number): number {
  return muteTime / 1000 + hits / (triesBeforeMute(hits, pushes) * pushes);
}

/** How the sets of a list are declared: all of them alike but for name, timeout and collection. */
export interface SetFactory {
  /** Times in milliseconds; no timeout keeps elements for ever. */
  add(suffix: string, timeout: number | undefined, purpose: SetPurpose, gcInterval?: number): string;
  /** Elements of these sets are never deleted by a packet. */
  readonly undeleted: boolean;
  /** Elements outlive the script: sets in which they have another limit need another name. */
  readonly kept: boolean;
}

/** What a set is for, without what it shares with others of its list. */
export type SetPurpose = Pick<SetLabel, "role" | "index" | "details">;

export interface RingUse {
  /** Stamps that a packet has pushed itself when the check looks: 1 if `--set` comes first. */
  readonly own: number;
  /** Stamps that a packet over the limit pushes in all; 0 means that no guard is needed. */
  readonly pushes: number;
  /** Find the slot in one long chain instead of a tree of chains: slower, and no levels of jumps. */
  readonly flat: boolean;
  /** Hits that may pass in a window, where only what passes is recorded by packets within the limit; undefined where that is not known. */
  readonly passes?: number | undefined;
  /** Set and check are one walk. */
  readonly fused?: boolean;
}

export class Ring {
  readonly slots: number;
  private readonly turns: TurnCode;
  /** See `triesBeforeMute`. */
  private readonly tries: number;
  private readonly hit: readonly string[];
  private readonly turn: readonly string[];
  private readonly rate: string | undefined;
  private readonly flood: string | undefined;
  private readonly mute: string | undefined;
  /** With one or two sets of `few`. */
  private readonly lane: { readonly busy: string; readonly few: readonly string[] };
  private readonly pass: string | undefined;

  constructor(
    readonly window: Window,
    sets: SetFactory,
    private readonly use: RingUse,
  ) {
    const { own, pushes, passes } = use;
    const { seconds, hits } = window;
    // One slot more than hits may pass: a processor that looks while another is between writing a slot and turning to it must not take
    // that slot for an old hit.
    this.turns = turnCode(hits - own + 1);
    this.slots = this.turns.slots;
    this.tries = triesBeforeMute(hits, Math.max(1, pushes));
    const windowTime = seconds * 1000 + tick;
    const outliving = (seconds + 2) * 1000 + tick;
    // Nothing is ever deleted from these, so they need no quick collection.
    const lazy = sets.undeleted && seconds >= 8 ? Math.min(60, Math.floor(seconds / 4)) * 1000 : undefined;
    // Elements that are kept have the limit they were made with.
    const bounded = (suffix: string, most: number): string => (sets.kept ? `${suffix}_of_${most}` : suffix);
    this.lane = {
      busy: sets.add("busy", outliving, { role: "busy", details: { hits, seconds, own, form: "ring" } }, lazy),
      // So few that a host in the lane alone is never over the limit.
      few: Array.from({ length: Math.min(2, hits - 1 - own) }, (_, hit) =>
        sets.add(
          hit === 0 && use.fused && passes !== undefined ? bounded("few_0", passes) : `few_${hit}`,
          windowTime,
          { role: "few", index: hit },
          lazy,
        ),
      ),
    };
    this.pass = passes === undefined ? undefined : sets.add(bounded("pass", passes), windowTime, { role: "pass" }, lazy);
    this.hit = Array.from({ length: this.slots }, (_, slot) => sets.add(`hit_${slot}`, windowTime, { role: "hit", index: slot }, lazy));
    this.turn = Array.from({ length: this.turns.bits }, (_, bit) => sets.add(`turn_${bit}`, outliving, { role: "turn", index: bit }));
    if (pushes > 0) {
      this.rate = sets.add("rate", 2000, { role: "rate" });
      this.flood = sets.add("flood", windowTime + muteTime, { role: "flood" });
      this.mute = sets.add("mute", muteTime, { role: "mute" });
    }
  }

  /** All sets, for `--remove`. */
  get sets(): readonly string[] {
    const optional = [this.pass, this.rate, this.flood, this.mute].filter((name) => name !== undefined);
    return [this.lane.busy, ...this.lane.few, ...this.hit, ...this.turn, ...optional];
  }

  /** The sets one of which a host with a hit in the window is in. */
  get presenceSets(): readonly string[] {
    return [this.lane.busy, ...this.lane.few];
  }

  /** What its sets hold of a host. */
  hostStore(ban?: Ban): RingStore {
    const { busy, few } = this.lane;
    const guards = [this.pass, this.rate, this.flood, this.mute].filter((name) => name !== undefined);
    const { window, hit, turn, use } = this;
    return { kind: "ring", window, most: window.hits - use.own, few, busy, hit, turn, ban, guards };
  }

  /** What the sets are for, for a reader of the script. */
  describe(): string[] {
    return [
      `    few: a host's first ${this.lane.few.length === 1 ? "hit" : "two hits"}; busy: hosts with more, whose hits are in the slots`,
      `    hit: slots for the last ${this.slots} hits of each host, a set a slot; turn: the slot written last, as a Gray code`,
      ...(this.pass === undefined ? [] : [`    pass: ${this.use.passes} tokens for each host, one for a hit that passes`]),
      ...(this.mute === undefined
        ? []
        : [
            `    rate, flood, mute: hosts over the limit that go on at more than ${this.tries} tries a second are not looked at for 0.25 s`,
          ]),
    ];
  }

  // ------------------------------------------------------------------------------------------ touch and check

  /** Chains that record one hit; returns the first, and those that write a slot. */
  touch(group: ChainGroup, wish: string, key: Key): Touch {
    const start = group.chain(wish);
    if (this.mute !== undefined) start.rule([member(key, this.mute), { kind: "verdict", verdict: "return" }]);
    const ring = this.slowLane(group, wish, key, start);
    const flooding = this.mute === undefined ? undefined : this.flooding(group, wish, key);
    const puts = this.hit.map((_, slot) => this.put(group, wish, key, slot, flooding));
    this.walk(group, wish, key, ring, (last) => [{ when: [], exit: exitTo(puts[(last + 1) % this.slots]!) }]);
    ring.rule(this.start(key));
    if (flooding) group.moveToEnd(flooding);
    return { start, puts };
  }

  private put(group: ChainGroup, wish: string, key: Key, slot: number, flooding: ChainBuilder | undefined): string {
    const chain = group.chain(`${wish}_put_${slot}`);
    // Once a round is often enough to notice a flood.
    if (slot === 0 && flooding !== undefined) {
      chain.rule([member(key, this.hitSet(0)), this.tooFast(key), exitStatement(exitTo(flooding.name))]);
    }
    return chain.rule([updateSet(this.hitSet(slot), key), ...this.turnTo(key, slot, 1)]).name;
  }

  private flooding(group: ChainGroup, wish: string, key: Key): ChainBuilder {
    return group.chain(`${wish}_flooding`).rule(this.floodingStatements(key));
  }

  /**
   * Chains that leave by `over` if the last H hits lie in the window, else by `under`; returns the first.
   *
   * @param bounded what leaves by `under` has been recorded just before, and is counted a second time
   * @param puts where a packet over the limit records a hit: the chains of a touch that write a slot, so that nobody has to find it again.
   * What leaves by `over` for want of a token records none
   */
  check(group: ChainGroup, wish: string, key: Key, over: Exit, under: Exit, bounded: boolean, puts?: Touch["puts"]): ChainBuilder {
    const start = group.chain(wish);
    // Without the ring a host has two hits at most, and the lane has no more than are not enough.
    const ring = group.chain(`${wish}_ring`);
    start.rule([member(key, this.lane.busy), exitStatement(exitTo(ring.name))]);
    // A host with a single hit has no second packet that could pass beside it.
    const pass = bounded ? group.chain(`${wish}_pass`).rule([this.noToken(key), exitStatement(over)]) : undefined;
    const within = pass ? exitTo(pass.name) : under;
    if (pass) for (const set of this.lane.few.slice(1)) start.rule([member(key, set), exitStatement(within)]);
    if (under.kind === "goto") start.rule([exitStatement(under)]);
    // Who floods is busy; of who is muted nothing is recorded.
    const guard = puts === undefined ? this.flood : this.mute;
    if (guard !== undefined) ring.rule([member(key, guard), exitStatement(over)]);
    if (under.kind === "goto") pass?.rule([exitStatement(under)]);
    const recorded = puts?.map((put, slot) => {
      const chain = group.chain(`${wish}_over_${slot}`).rule([callStatement(put)]);
      if (over.kind === "goto") chain.rule([exitStatement(over)]);
      return exitTo(chain.name);
    });
    this.walk(group, wish, key, ring, (last) => {
      const next = (last + 1) % this.slots;
      const flooding = recorded === undefined || this.flood === undefined ? [] : [[member(key, this.flood)]];
      return [
        ...[...this.overTests(key, next), ...flooding].map((when) => ({ when, exit: recorded?.[next] ?? over })),
        { when: [], exit: within },
      ];
    });
    // A flood outlives its hits by a quarter of a second.
    if (recorded && this.flood !== undefined) ring.rule([member(key, this.flood), exitStatement(recorded[0]!)]);
    if (within.kind === "goto") ring.rule([exitStatement(within)]);
    if (pass) group.moveToEnd(pass);
    return start;
  }

  // ---------------------------------------------------------------------------------------------------- fused

  /**
   * Set and check in one walk, for rules that stand side by side; returns the first chain. It leaves by a goto to `over`,
   * and by its end when the packet is within the limit.
   */
  fused(group: ChainGroup, wish: string, key: Key, over: string): ChainBuilder {
    const start = group.chain(wish);
    if (this.mute !== undefined) start.rule([member(key, this.mute), exitStatement(exitTo(over))]);
    const ring = this.countedLane(group, wish, key, start, over);
    const flooding = this.mute === undefined ? undefined : this.flooding(group, wish, key);
    flooding?.rule([exitStatement(exitTo(over))]);
    const records = this.hit.map((set, slot) =>
      group.chain(`${wish}_record_${slot}`).rule([updateSet(set, key), ...this.turnTo(key, slot, Math.max(1, this.use.pushes))]),
    );
    const pass = this.passing(group, wish, key, over);
    const puts = this.hit.map((_, slot) => this.fusedPut(group, wish, key, slot, { over, records, flooding, pass }));
    this.walk(group, wish, key, ring, (last) => [{ when: [], exit: exitTo(puts[(last + 1) % this.slots]!) }]);
    ring.rule(this.start(key)).rule([goto(pass.name)]);
    for (const chain of [...records, pass, ...(flooding ? [flooding] : [])]) group.moveToEnd(chain);
    return start;
  }

  /** Counts a second time what the ring lets pass; what is too much has been recorded, and leaves by a goto to `over`. */
  private passing(group: ChainGroup, wish: string, key: Key, over: string): ChainBuilder {
    const [first] = this.lane.few;
    return group
      .chain(`${wish}_pass`)
      .rule([this.noToken(key), goto(over)])
      .rule([member(key, first!, true), leaveWithin])
      .rule([countWithFirst(first!, key, this.use.passes!), leaveWithin])
      .rule([goto(over)]);
  }

  private fusedPut(
    group: ChainGroup,
    wish: string,
    key: Key,
    slot: number,
    ways: {
      readonly over: string;
      readonly records: readonly ChainBuilder[];
      readonly flooding: ChainBuilder | undefined;
      readonly pass: ChainBuilder;
    },
  ): string {
    const { own, pushes } = this.use;
    const put = group.chain(`${wish}_put_${slot}`);
    const overChain = pushes === 0 ? undefined : group.chain(`${wish}_over_${slot}`);
    const stop = exitStatement(exitTo(overChain?.name ?? ways.over));
    const record = callStatement(ways.records[slot]!.name);
    const pass = exitStatement(exitTo(ways.pass.name));
    const oldest = slot - this.window.hits + own;
    put.rule([member(key, this.hitSet(oldest)), ...this.allWritten(key, oldest + 1, slot), stop]);
    if (this.flood !== undefined) put.rule([member(key, this.flood), stop]);
    // A look-up that finds a host in the set of its first hit would count there, so it is asked whether it is not.
    const [first, ...later] = this.lane.few;
    const unlessFirst = member(key, first!, true);
    const written = this.allWritten(key, 0, slot);
    const overWithFirst = (chain: ChainBuilder): ChainBuilder => {
      chain
        .rule([unlessFirst, record])
        .rule([unlessFirst, pass])
        .rule([...written, stop]);
      return written.length === 0 ? chain : chain.rule([record]).rule([pass]);
    };
    // In the first round the hits of the slow lane are older than all on the ring: how many of them make the host over the limit?
    const older = this.window.hits - own - slot;
    if (older === 1) {
      for (const set of later) put.rule([member(key, set), ...written, stop]);
      overWithFirst(put);
    } else {
      if (older === 2 && later.length === 1) {
        const both = overWithFirst(group.chain(`${wish}_put_${slot}_both`));
        put.rule([member(key, later[0]!), exitStatement(exitTo(both.name))]);
      }
      put.rule([record]).rule([pass]);
    }
    if (!overChain) return put.name;
    // Exactly one blocked try of a round crosses slot 0.
    if (ways.flooding && (slot === 0 || slot + pushes > this.slots)) {
      overChain.rule([this.tooFast(key), exitStatement(exitTo(ways.flooding.name))]);
    }
    const pushed = Array.from({ length: pushes }, (_, step) => (slot + step) % this.slots);
    const last = pushed.pop()!;
    overChain
      .rule([...pushed.map((one) => updateSet(this.hitSet(one), key)), callStatement(ways.records[last]!.name)])
      .rule([exitStatement(exitTo(ways.over))]);
    return put.name;
  }

  // --------------------------------------------------------------------------------------------------- pieces

  /** Sends hosts on the ring to it, and records the first hits of the others; returns the chain of the ring. */
  private slowLane(group: ChainGroup, wish: string, key: Key, start: ChainBuilder): ChainBuilder {
    const { busy, few } = this.lane;
    const ring = group.chain(`${wish}_ring`);
    let lane = start.rule([member(key, busy), exitStatement(exitTo(ring.name))]);
    for (const [hit, set] of few.entries()) {
      const next = group.chain(`${wish}_${laneNames[hit]}`);
      const onward = exitStatement(exitTo(next.name));
      if (hit === 0 && this.use.passes !== undefined && isTimed(this.window.seconds)) lane.rule([findTimer(set, key), onward]);
      else lane.rule([member(key, set), onward]).rule([updateSet(set, key)]);
      lane = next;
    }
    lane.rule(this.startFromLane(key));
    group.moveToEnd(ring);
    return ring;
  }

  /** The same where all that passes while the first hit lives is counted with it; leaves to `over` what is too much. */
  private countedLane(group: ChainGroup, wish: string, key: Key, start: ChainBuilder, over: string): ChainBuilder {
    const { busy, few } = this.lane;
    const [first, ...later] = few;
    const count = countWithFirst(first!, key, this.use.passes!);
    const [second, ...others] = later.map((_, hit) => group.chain(`${wish}_${laneNames[hit]}`));
    const last = group.chain(`${wish}_${laneNames[later.length]}`).rule(this.startFromLane(key));
    const ring = group.chain(`${wish}_ring`);
    start
      .rule([member(key, busy), exitStatement(exitTo(ring.name))])
      .rule([member(key, first!, true), count, leaveWithin])
      // Still not in the set: it is full, and the host passes unrecorded.
      .rule([member(key, first!, true), leaveWithin])
      .rule([count, exitStatement(exitTo((second ?? last).name))])
      .rule([goto(over)]);
    for (const [hit, chain] of [...(second ? [second] : []), ...others].entries()) {
      chain.rule([member(key, later[hit]!), exitStatement(exitTo((others[hit] ?? last).name))]).rule([updateSet(later[hit]!, key)]);
    }
    return ring;
  }

  /** Takes a token for a hit of a host that is not over the limit; goes on where there is none. */
  noToken(key: Key): Statement {
    return takeToken(this.pass!, key, this.use.passes!, this.window.seconds);
  }

  /**
   * Finds the slot written last. Tests the turn sets one after the other; hosts not in a set go on in the same
   * chain. Falls through to the chain's end for a host that has no living hit under code 0.
   */
  private walk(group: ChainGroup, wish: string, key: Key, start: ChainBuilder, leaf: (last: number) => readonly Leaf[]): void {
    const { order } = this.turns;
    const descend = (chain: ChainBuilder, from: number, candidates: readonly number[]): void => {
      for (let rest = candidates, at = from; at < order.length; at++) {
        const bit = order[at]!;
        const ones = rest.filter((last) => (this.turns.code(last) >> bit) & 1);
        const zeros = rest.filter((last) => !((this.turns.code(last) >> bit) & 1));
        if (ones.length === 0) continue;
        // The only candidate left needs no further test.
        if (zeros.length === 0 && ones.length === 1) return leave(chain, [], leaf(ones[0]!));
        if (zeros.length === 0) continue;
        const inTurn = member(key, this.turn[bit]!);
        if (ones.length === 1) leave(chain, [inTurn], leaf(ones[0]!));
        else {
          const deeper = group.chain(`${wish}_turns_${this.turns.label(ones[0]!, bit)}`);
          chain.rule([inTurn, exitStatement(exitTo(deeper.name))]);
          descend(deeper, at + 1, ones);
        }
        rest = zeros;
        if (rest.length === 1 && rest[0] !== 0) return leave(chain, [], leaf(rest[0]!));
        if (rest.length === 1) break;
      }
      if (candidates.includes(0)) leave(chain, [member(key, this.hitSet(0))], leaf(0));
    };
    const all = Array.from({ length: this.slots }, (_, slot) => slot);
    if (!this.use.flat) return descend(start, 0, all);
    // A host is also in the sets of every code with fewer bits: the fullest codes come first.
    const bitsOf = (slot: number): number[] => this.turn.flatMap((_, bit) => ((this.turns.code(slot) >> bit) & 1 ? [bit] : []));
    for (const slot of all.sort((a, b) => bitsOf(b).length - bitsOf(a).length || a - b)) {
      const bits = bitsOf(slot);
      leave(start, bits.length === 0 ? [member(key, this.hitSet(0))] : bits.map((bit) => member(key, this.turn[bit]!)), leaf(slot));
    }
  }

  /** Conditions, any of which says that H hits lie in the window when slot `next` is the next to be written. */
  private overTests(key: Key, next: number): Statement[][] {
    const { hits } = this.window;
    const oldest = next - hits;
    const tests = [[member(key, this.hitSet(oldest)), ...this.allWritten(key, oldest + 1, next)]];
    const { few } = this.lane;
    // In the first round the hits of the slow lane are older than all on the ring.
    const older = hits - next;
    const written = this.allWritten(key, 0, next);
    if (older === few.length) tests.push([...few.map((set) => member(key, set)), ...written]);
    else if (older === 1) for (const set of few) tests.push([member(key, set), ...written]);
    return tests;
  }

  /**
   * Whether hits live in the slots from one on and before another, as they do when the oldest of them lives: unless a processor was held up
   * between finding a slot and writing it. Others have passed that slot then, it is the last written again, and the slots behind
   * theirs are free: the host is not over the limit. A host that may send another packet has at least `free` of them in a row, so that one
   * look-up in so many slots is enough.
   */
  private allWritten(key: Key, from: number, to: number): Statement[] {
    const { own, passes } = this.use;
    const most = this.window.hits - own;
    const free = this.slots - most + 1;
    // Without a second count a lost hit would let another packet pass; and in a small ring too few slots are left for that to happen.
    if (passes === undefined || free >= most - 1) return [];
    const asked = Math.min(mostAsked, Math.floor((to - from) / free));
    return Array.from({ length: asked }, (_, index) => member(key, this.hitSet(from + free * (index + 1) - 1)));
  }

  private startFromLane(key: Key): Statement[] {
    return [...this.start(key), ...this.turn.map((set) => deleteFromSet(set, key))];
  }

  /** The first hit on the ring: slot 0, whose code has no bit. */
  private start(key: Key): Statement[] {
    return [updateSet(this.hitSet(0), key), ...this.busy(key)];
  }

  private busy(key: Key): Statement[] {
    return [updateSet(this.lane.busy, key)];
  }

  /** Makes a slot the one written last, coming from at most `steps` slots before it. */
  private turnTo(key: Key, slot: number, steps: number): Statement[] {
    const after = this.turns.code(slot);
    const before = Array.from({ length: steps }, (_, step) => this.turns.code((slot + 2 * this.slots - step - 1) % this.slots));
    const moved = this.turn.flatMap((set, bit): Statement[] => {
      // A bit that stays must be refreshed: one that dies in the middle of activity makes the ring jump.
      if ((after >> bit) & 1) return [updateSet(set, key)];
      return before.some((code) => (code >> bit) & 1) ? [deleteFromSet(set, key)] : [];
    });
    return [...this.busy(key), ...moved];
  }

  private floodingStatements(key: Key): Statement[] {
    return [...this.busy(key), updateSet(this.flood!, key), updateSet(this.mute!, key)];
  }

  /** True when the host goes round the ring faster than the guard allows; asked once a round. */
  private tooFast(key: Key): Statement {
    const rounds = this.use.pushes / this.slots;
    return updateSet(this.rate!, key, [
      {
        kind: "limit",
        over: true,
        rate: Math.max(1, Math.round(60 * this.tries * rounds)),
        unit: "minute",
        burst: Math.ceil(rounds * Math.max(this.tries, 2 * this.window.hits)) + 2,
      },
    ]);
  }

  /** Of any number, counted round the ring. */
  private hitSet(slot: number): string {
    return this.hit[(slot + 2 * this.slots) % this.slots]!;
  }
}

/** The end of a walk for a packet within the limit. */
const leaveWithin: Statement = { kind: "verdict", verdict: "return" };

/** Chains of the slow lane, behind the first. */
const laneNames = ["second", "third"] as const;

/** The chains of a touch. */
interface Touch {
  readonly start: ChainBuilder;
  /** Those that write a slot and turn to it, by the number of the slot. */
  readonly puts: readonly string[];
}

interface Leaf {
  readonly when: readonly Statement[];
  readonly exit: Exit;
}

function leave(chain: ChainBuilder, prefix: readonly Statement[], leaves: readonly Leaf[]): void {
  for (const { when, exit } of leaves) chain.rule([...prefix, ...when, exitStatement(exit)]);
}

export function member(key: Key, set: string, inverted = false): Statement {
  return match(key, setReference(set), inverted);
}

/** The key of a list: an address of the packet, masked unless the mask is all ones. */
export function listKey(address: Expression, mask: Expression | undefined): Key {
  return mask === undefined ? address : binary(address, "&", mask);
}
