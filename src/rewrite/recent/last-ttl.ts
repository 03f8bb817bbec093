/**
 * The TTL that a host's last hit came with: what `--rttl` compares with.
 *
 * xt_recent keeps one byte a host. nft can look up what it can spell as a key, so the byte is kept in pieces: two hexadecimal digits,
 * each an element `address . digit`, or eight bits, each a set of the hosts whose TTL has it. Invariant: a host has one living element a
 * digit. A digit that changes deletes the fifteen others, for none can be asked which one is there; deleting what is not there costs a
 * look-up.
 *
 * xt_recent compares the TTL that a packet arrived with, and in FORWARD and POSTROUTING the header holds one less (measured: 64 is stored
 * as 64 by rules in all hooks). The difference is nothing to a list that is used in FORWARD only. Where a list sees both, its TTLs are
 * kept as bits: bit i of a number is 1 where its last i + 1 bits are 2^i or more, and a range of these tells that of the number
 * after it as well. Digits offer no such way: nft cannot add.
 *
 * TTL 0, which comes from the same link only, is a wildcard in xt_recent, in the packet as on the list.
 */

import { binary, compare, concatenation, deleteFromSet, hex, match, meta, number, range, updateSet } from "../../nft/ast.js";
import type { Expression, Statement } from "../../nft/ast.js";
import { exitBack, exitStatement, exitTo, type ChainBuilder, type ChainGroup, type Exit, type Key } from "../table-builder.js";
import type { TtlStore } from "./host-stores.js";
import { member } from "./ring.js";
import type { HeaderTtls } from "./usage.js";
import { tick } from "./window.js";

export interface TtlForm {
  readonly pieces: "digits" | "bits";
  readonly header: HeaderTtls;
}

/**
 * How often a host's TTL may change, in a second and at once. Each change deletes an element, which stays in the kernel's chain until
 * the next collection, once a second; a chain takes no more than 16 of one key, and a host that goes to and fro deletes each of two
 * keys at every second change.
 */
export const ttlChanges = { rate: 15, burst: 15 } as const;

/** How the sets are declared. */
export interface TtlSets {
  /** Of addresses, or of addresses and TTLs; a timeout in milliseconds, undefined: for ever. */
  add(suffix: string, timeout: number | undefined, withTtl: boolean, piece: TtlPiece): string;
}

/** What a set is for. */
export interface TtlPiece {
  readonly kind: "known" | "rate" | "low" | "high" | "bit";
  /** Of a bit. */
  readonly index?: number;
}

/** Deletions of digits in a rule. */
const deletionsInRule = 5;

/** How a list keeps and compares the TTL of each host's last hit. */
export interface LastTtl {
  /**
   * Chains that keep the packet's TTL for its host; returns the first.
   *
   * @param known sets one of which a host is in whose TTL may be asked after this hit; empty: it may be of every host
   */
  touch(group: ChainGroup, wish: string, key: Key, known: readonly string[]): ChainBuilder;
  /** Chains that leave by `same` if the packet came with the TTL of the host's last hit, else by `other`; returns the first. */
  check(group: ChainGroup, wish: string, key: Key, same: Exit, other: Exit): ChainBuilder;
  /** Chains that forget the host's TTL; returns the first. */
  remove(group: ChainGroup, wish: string, key: Key): ChainBuilder;
  /** What its sets hold of a host. */
  hostStore(): TtlStore;
  /** What the sets are for, for a reader of the script. */
  describe(): string[];
}

/**
 * @param time milliseconds for which a host's TTL is asked after its last hit; undefined: for ever
 * @param field the header's field
 */
export function lastTtl({ pieces, header }: TtlForm, sets: TtlSets, time: number | undefined, field: Expression): LastTtl {
  return pieces === "digits" ? new TtlDigits(sets, time, field, header) : new TtlBits(sets, time, field, header);
}

/** The hosts that have a TTL, and how often it may change. */
class TtlHosts {
  readonly known: string;
  readonly rate: string;

  constructor(sets: TtlSets, time: number | undefined) {
    // Who has a TTL must be known as long as any piece of it is there.
    this.known = sets.add("known", later(time, 2), false, { kind: "known" });
    // By then the bucket is full again.
    this.rate = sets.add("rate", (ttlChanges.burst / ttlChanges.rate + 1) * 1000, false, { kind: "rate" });
  }

  /** Ends a touch that would change the TTL once too often. */
  tooFast(key: Key): Statement[] {
    const { rate, burst } = ttlChanges;
    return [updateSet(this.rate, key, [{ kind: "limit", over: true, rate, unit: "second", burst }]), exitStatement(exitBack)];
  }

  describe(): string {
    return `    ttl_known: hosts with one; ttl_rate: where it changes more than ${ttlChanges.rate} times a second, an older one is kept`;
  }
}

const later = (time: number | undefined, ticks: number): number | undefined => (time === undefined ? undefined : time + ticks * tick);

class TtlDigits implements LastTtl {
  private readonly hosts: TtlHosts;
  private readonly low: string;
  private readonly high: string;

  constructor(
    sets: TtlSets,
    private readonly time: number | undefined,
    private readonly field: Expression,
    private readonly header: HeaderTtls,
  ) {
    this.hosts = new TtlHosts(sets, time);
    // The hit itself is recorded a little later.
    this.low = sets.add("low", later(time, 1), true, { kind: "low" });
    this.high = sets.add("high", later(time, 1), true, { kind: "high" });
  }

  touch(group: ChainGroup, wish: string, key: Key, known: readonly string[]): ChainBuilder {
    const start = group.chain(wish);
    leaveUnknown(start, key, known);
    const keep = group.chain(`${wish}_keep`);
    const kept = exitStatement(exitTo(keep.name));
    start
      .rule([member(key, this.hosts.known, true), kept])
      .rule([...this.same(key), kept])
      .rule(this.hosts.tooFast(key));
    for (const [set, mask, step] of [
      [this.low, 0x0f, 0x01],
      [this.high, 0xf0, 0x10],
    ] as const) {
      const others = Array.from({ length: 15 }, (_, other) => binary(this.digit(mask), "^", hex((other + 1) * step)));
      deleteDigits(
        start,
        others.map((other) => deleteFromSet(set, concatenation(key, other))),
      );
    }
    start.rule([kept]);
    keep.rule([
      updateSet(this.hosts.known, key),
      updateSet(this.low, concatenation(key, this.digit(0x0f))),
      updateSet(this.high, concatenation(key, this.digit(0xf0))),
    ]);
    return start;
  }

  check(group: ChainGroup, wish: string, key: Key, same: Exit, other: Exit): ChainBuilder {
    const start = group.chain(wish);
    const leave = exitStatement(same);
    // What routing would leave 0 of is not routed.
    if (this.header !== "forwarded") start.rule([match(this.field, number(0)), leave]);
    start.rule([...this.same(key), leave]);
    // So is what hosts have that were put on the list by hand.
    const none = concatenation(key, this.digit(0));
    start.rule([member(none, this.low), member(none, this.high), leave]);
    if (other.kind === "goto") start.rule([exitStatement(other)]);
    return start;
  }

  remove(group: ChainGroup, wish: string, key: Key): ChainBuilder {
    const chain = group.chain(wish).rule([member(key, this.hosts.known, true), exitStatement(exitBack)]);
    for (const [set, step] of [
      [this.low, 0x01],
      [this.high, 0x10],
    ] as const) {
      // A constant in a key has to come of the packet.
      const digits = Array.from({ length: 16 }, (_, digit) => binary(this.digit(0), "^", hex(digit * step)));
      deleteDigits(
        chain,
        digits.map((digit) => deleteFromSet(set, concatenation(key, digit))),
      );
    }
    return chain.rule([deleteFromSet(this.hosts.known, key)]);
  }

  hostStore(): TtlStore {
    const { low, high, hosts, header, time } = this;
    return { kind: "ttl", pieces: { kind: "digits", low, high }, known: hosts.known, rate: hosts.rate, header, time };
  }

  describe(): string[] {
    return ["    ttl_low, ttl_high: the hexadecimal digits of the TTL that a host's last hit came with", this.hosts.describe()];
  }

  private digit(mask: number): Expression {
    return binary(this.field, "&", hex(mask));
  }

  private same(key: Key): Statement[] {
    return [member(concatenation(key, this.digit(0x0f)), this.low), member(concatenation(key, this.digit(0xf0)), this.high)];
  }
}

/** Ends a touch of a host that is in none of the sets. */
function leaveUnknown(chain: ChainBuilder, key: Key, sets: readonly string[]): void {
  if (sets.length > 0) chain.rule([...sets.map((set) => member(key, set, true)), exitStatement(exitBack)]);
}

function deleteDigits(chain: ChainBuilder, deletions: readonly Statement[]): void {
  for (let from = 0; from < deletions.length; from += deletionsInRule) chain.rule(deletions.slice(from, from + deletionsInRule));
}

class TtlBits implements LastTtl {
  private readonly hosts: TtlHosts;
  private readonly bits: readonly string[];

  constructor(
    sets: TtlSets,
    private readonly time: number | undefined,
    private readonly field: Expression,
    private readonly header: HeaderTtls,
  ) {
    this.hosts = new TtlHosts(sets, time);
    this.bits = Array.from({ length: 8 }, (_, bit) => sets.add(`bit_${bit}`, later(time, 1), false, { kind: "bit", index: bit }));
  }

  touch(group: ChainGroup, wish: string, key: Key, known: readonly string[]): ChainBuilder {
    return this.eitherWay(group, wish, (chain, added) => {
      leaveUnknown(chain, key, known);
      const keep = group.chain(`${chain.name}_keep`);
      const changed = group.chain(`${chain.name}_changed`);
      const kept = exitStatement(exitTo(keep.name));
      chain.rule([member(key, this.hosts.known, true), kept]);
      for (const differs of this.differing(key, added)) chain.rule([...differs, exitStatement(exitTo(changed.name))]);
      chain.rule([kept]);
      changed.rule(this.hosts.tooFast(key)).rule([kept]);
      // Who finds no room among the known has no TTL.
      keep.rule([updateSet(this.hosts.known, key)]).rule([member(key, this.hosts.known, true), exitStatement(exitBack)]);
      for (const [bit, set] of this.bits.entries()) {
        keep.rule([this.has(bit, added, true), updateSet(set, key)]).rule([this.has(bit, added, false), deleteFromSet(set, key)]);
      }
    });
  }

  check(group: ChainGroup, wish: string, key: Key, same: Exit, other: Exit): ChainBuilder {
    const leave = exitStatement(same);
    return this.eitherWay(group, wish, (chain, added) => {
      // What routing would leave 0 of is not routed.
      if (added === 0 && this.header !== "forwarded") chain.rule([match(this.field, number(0)), leave]);
      chain.rule([member(key, this.hosts.known, true), exitStatement(other)]);
      chain.rule([...this.bits.map((set) => member(key, set, true)), leave]);
      for (const differs of this.differing(key, added)) chain.rule([...differs, exitStatement(other)]);
      chain.rule([leave]);
    });
  }

  remove(group: ChainGroup, wish: string, key: Key): ChainBuilder {
    return group.chain(wish).rule([...this.bits, this.hosts.known].map((set) => deleteFromSet(set, key)));
  }

  hostStore(): TtlStore {
    const { bits, hosts, header, time } = this;
    return { kind: "ttl", pieces: { kind: "bits", bits }, known: hosts.known, rate: hosts.rate, header, time };
  }

  describe(): string[] {
    return ["    ttl_bit: the bits of the TTL that a host's last hit came with, a set a bit", this.hosts.describe()];
  }

  /** The same for packets as they came and, where the list sees both, for those of which a router has taken one. */
  private eitherWay(group: ChainGroup, wish: string, write: (chain: ChainBuilder, added: number) => void): ChainBuilder {
    const start = group.chain(wish);
    if (this.header === "both") {
      const forwarded = group.chain(`${wish}_forwarded`);
      // Those that this machine sends came by no interface.
      const routed = [meta("iif"), meta("oif")].map((device) => compare(device, "!=", number(0)));
      start.rule([...routed, exitStatement(exitTo(forwarded.name))]);
      write(forwarded, 1);
    }
    write(start, 0);
    return start;
  }

  /** Conditions, one of which holds where the TTL of the packet and that of the list differ. */
  private differing(key: Key, added: number): Statement[][] {
    return this.bits.flatMap((set, bit) => [
      [this.has(bit, added, true), member(key, set, true)],
      [this.has(bit, added, false), member(key, set)],
    ]);
  }

  /** Whether a bit of the number that is by `added`, 0 or 1, above the header's TTL is set, or is not. */
  private has(bit: number, added: number, wanted: boolean): Statement {
    const half = 2 ** bit;
    const lastBits = bit === 7 ? this.field : binary(this.field, "&", hex(2 * half - 1));
    const [from, to] = [half - added, 2 * half - 1 - added];
    // nft takes no range of one number.
    if (from === to) return compare(lastBits, wanted ? "==" : "!=", number(from));
    return match(lastBits, range(number(from), number(to)), !wanted);
  }
}
