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
 */

import { binary, deleteFromSet, match, setReference, updateSet, type Expression, type Statement } from "../../nft/ast.js";
import { turnCode, type TurnCode } from "./turn-code.js";
import { callStatement, exitStatement, exitTo, type ChainBuilder, type ChainGroup, type Exit, type Key } from "../table-builder.js";

/** One tick of the kernel's clock on HZ=250, in milliseconds: xt_recent still counts a stamp that is exactly N seconds old. */
export const tick = 4;

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

export interface Window {
  readonly seconds: number;
  readonly hits: number;
}

/** How the sets of a list are declared: all of them alike but for name, timeout and collection. */
export interface SetFactory {
  /** Times in milliseconds; no timeout keeps elements for ever. */
  add(suffix: string, timeout: number | undefined, gcInterval?: number): string;
  /** Elements of these sets are never deleted by a packet. */
  readonly undeleted: boolean;
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
  private readonly lane: { readonly busy: string; readonly few: readonly [string, string] } | undefined;

  /**
   * @param own stamps that a packet has pushed itself when the check looks (1 if `--set` comes first)
   * @param pushes stamps that a packet over the limit pushes in all; 0 means that no guard is needed
   * @param flat find the slot in one long chain instead of a tree of chains: slower, and no levels of jumps
   */
  constructor(
    readonly window: Window,
    sets: SetFactory,
    private readonly own: number,
    private readonly pushes: number,
    private readonly flat: boolean,
  ) {
    const { seconds, hits } = window;
    this.turns = turnCode(hits);
    this.slots = this.turns.slots;
    this.tries = triesBeforeMute(hits, Math.max(1, pushes));
    const windowTime = seconds * 1000 + tick;
    const outliving = (seconds + 2) * 1000 + tick;
    // Nothing is ever deleted from these, so they need no quick collection.
    const lazy = sets.undeleted && seconds >= 8 ? Math.min(60, Math.floor(seconds / 4)) * 1000 : undefined;
    if (hits >= 3 + own) {
      this.lane = {
        busy: sets.add("busy", outliving, lazy),
        few: [sets.add("few_0", windowTime, lazy), sets.add("few_1", windowTime, lazy)],
      };
    }
    this.hit = Array.from({ length: this.slots }, (_, slot) => sets.add(`hit_${slot}`, windowTime, lazy));
    this.turn = Array.from({ length: this.turns.bits }, (_, bit) => sets.add(`turn_${bit}`, outliving));
    if (pushes > 0) {
      this.rate = sets.add("rate", 2000);
      this.flood = sets.add("flood", windowTime + muteTime);
      this.mute = sets.add("mute", muteTime);
    }
  }

  /** All sets, for `--remove`. */
  get sets(): readonly string[] {
    const optional = [this.rate, this.flood, this.mute].filter((name) => name !== undefined);
    return [...(this.lane ? [this.lane.busy, ...this.lane.few] : []), ...this.hit, ...this.turn, ...optional];
  }

  /** The sets one of which a host with a hit in the window is in. */
  get presenceSets(): readonly string[] {
    return this.lane ? [this.lane.busy, ...this.lane.few] : this.hit;
  }

  /** What the sets are for, for a reader of the script. */
  describe(): string[] {
    return [
      ...(this.lane ? ["    few: a host's first two hits; busy: hosts with more, whose hits are in the slots"] : []),
      `    hit: slots for the last ${this.slots} hits of each host, a set a slot; turn: the slot written last, as a Gray code`,
      ...(this.mute === undefined
        ? []
        : [
            `    rate, flood, mute: hosts over the limit that go on at more than ${this.tries} tries a second are not looked at for 0.25 s`,
          ]),
    ];
  }

  // ------------------------------------------------------------------------------------------ touch and check

  /** Chains that record one hit; returns the first. */
  touch(group: ChainGroup, wish: string, key: Key): ChainBuilder {
    const start = group.chain(wish);
    if (this.mute !== undefined) start.rule([member(key, this.mute), { kind: "verdict", verdict: "return" }]);
    const ring = this.slowLane(group, wish, key, start);
    const flooding = this.mute === undefined ? undefined : this.flooding(group, wish, key);
    const puts = this.hit.map((_, slot) => this.put(group, wish, key, slot, flooding));
    this.walk(group, wish, key, ring, (last) => [{ when: [], exit: exitTo(puts[(last + 1) % this.slots]!) }]);
    ring.rule(this.start(key));
    if (flooding) group.moveToEnd(flooding);
    return start;
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

  /** Chains that leave by `over` if the last H hits lie in the window, else by `under`; returns the first. */
  check(group: ChainGroup, wish: string, key: Key, over: Exit, under: Exit): ChainBuilder {
    const start = group.chain(wish);
    if (this.flood !== undefined) start.rule([member(key, this.flood), exitStatement(over)]);
    let ring = start;
    if (this.lane) {
      // Without the ring a host has two hits at most, and the lane exists only where two are not enough.
      ring = group.chain(`${wish}_ring`);
      start.rule([member(key, this.lane.busy), exitStatement(exitTo(ring.name))]);
      if (under.kind === "goto") start.rule([exitStatement(under)]);
    }
    this.walk(group, wish, key, ring, (last) => [
      ...this.overTests(key, (last + 1) % this.slots, 0).map((when) => ({ when, exit: over })),
      { when: [], exit: under },
    ]);
    if (under.kind === "goto") ring.rule([exitStatement(under)]);
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
    const ring = this.slowLane(group, wish, key, start);
    const flooding = this.mute === undefined ? undefined : this.flooding(group, wish, key);
    flooding?.rule([exitStatement(exitTo(over))]);
    const turns =
      this.pushes === 0
        ? undefined
        : this.hit.map((_, slot) => group.chain(`${wish}_turn_to_${slot}`).rule(this.turnTo(key, slot, this.pushes)));
    const puts = this.hit.map((_, slot) => this.fusedPut(group, wish, key, slot, over, turns, flooding));
    this.walk(group, wish, key, ring, (last) => [{ when: [], exit: exitTo(puts[(last + 1) % this.slots]!) }]);
    ring.rule(this.start(key));
    for (const turn of turns ?? []) group.moveToEnd(turn);
    if (flooding) group.moveToEnd(flooding);
    return start;
  }

  private fusedPut(
    group: ChainGroup,
    wish: string,
    key: Key,
    slot: number,
    over: string,
    turns: readonly ChainBuilder[] | undefined,
    flooding: ChainBuilder | undefined,
  ): string {
    const put = group.chain(`${wish}_put_${slot}`);
    const overChain = turns && group.chain(`${wish}_over_${slot}`);
    const exit = exitStatement(exitTo(overChain?.name ?? over));
    for (const when of this.overTests(key, slot, this.own)) put.rule([...when, exit]);
    if (this.flood !== undefined) put.rule([member(key, this.flood), exit]);
    if (!turns) return put.rule([updateSet(this.hitSet(slot), key), ...this.turnTo(key, slot, 1)]).name;
    put.rule([updateSet(this.hitSet(slot), key), exitStatement(exitTo(turns[slot]!.name))]);
    // Exactly one blocked try of a round crosses slot 0.
    if (flooding && (slot === 0 || slot + this.pushes > this.slots)) {
      overChain!.rule([this.tooFast(key), exitStatement(exitTo(flooding.name))]);
    }
    const written = Array.from({ length: this.pushes }, (_, step) => (slot + step) % this.slots);
    overChain!
      .rule([...written.map((one) => updateSet(this.hitSet(one), key)), callStatement(turns[written.at(-1)!]!.name)])
      .rule([exitStatement(exitTo(over))]);
    return put.name;
  }

  // --------------------------------------------------------------------------------------------------- pieces

  /** Sends hosts on the ring to it, and records the first two hits of the others; returns the chain of the ring. */
  private slowLane(group: ChainGroup, wish: string, key: Key, start: ChainBuilder): ChainBuilder {
    if (!this.lane) return start;
    const { busy, few } = this.lane;
    const second = group.chain(`${wish}_second`);
    const third = group.chain(`${wish}_third`);
    const ring = group.chain(`${wish}_ring`);
    start
      .rule([member(key, busy), exitStatement(exitTo(ring.name))])
      .rule([member(key, few[0]), exitStatement(exitTo(second.name))])
      .rule([updateSet(few[0], key)]);
    second.rule([member(key, few[1]), exitStatement(exitTo(third.name))]).rule([updateSet(few[1], key)]);
    third.rule([...this.start(key), ...this.turn.map((set) => deleteFromSet(set, key))]);
    return ring;
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
    if (!this.flat) return descend(start, 0, all);
    // A host is also in the sets of every code with fewer bits: the fullest codes come first.
    const bitsOf = (slot: number): number[] => this.turn.flatMap((_, bit) => ((this.turns.code(slot) >> bit) & 1 ? [bit] : []));
    for (const slot of all.sort((a, b) => bitsOf(b).length - bitsOf(a).length || a - b)) {
      const bits = bitsOf(slot);
      leave(start, bits.length === 0 ? [member(key, this.hitSet(0))] : bits.map((bit) => member(key, this.turn[bit]!)), leaf(slot));
    }
  }

  /**
   * Conditions, any of which says that H hits lie in the window when slot `next` is the next to be written and `own` more
   * hits than the ring holds count.
   */
  private overTests(key: Key, next: number, own: number): Statement[][] {
    const { hits } = this.window;
    const tests = [[member(key, this.hitSet((next - hits + own + 2 * this.slots) % this.slots))]];
    if (this.lane) {
      const [first, second] = this.lane.few;
      // In the first round the two hits of the slow lane are older than all on the ring.
      const older = hits - own - next;
      if (older === 1) tests.push([member(key, first)], [member(key, second)]);
      if (older === 2) tests.push([member(key, first), member(key, second)]);
    }
    return tests;
  }

  /** The first hit on the ring: slot 0, whose code has no bit. */
  private start(key: Key): Statement[] {
    return [updateSet(this.hitSet(0), key), ...this.busy(key)];
  }

  private busy(key: Key): Statement[] {
    return this.lane ? [updateSet(this.lane.busy, key)] : [];
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
    const rounds = this.pushes / this.slots;
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

  private hitSet(slot: number): string {
    return this.hit[slot]!;
  }
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
