/**
 * One list of xt_recent as nft sets: which sets it needs, how a packet's host is recorded in all of them ("touched"), looked
 * up, and removed.
 *
 * xt_recent keeps one ring of time stamps per host and every rule reads it with its own window. nft has no such thing, so
 * each distinct question that the rules ask gets a store of its own, and every touch feeds all of them:
 *
 *   was the host ever seen?                 `seen`: a set without timeout
 *   was it seen in the last N seconds?      a set with timeout N s + 1 tick
 *   H hits in the last N seconds?           a ring (see ring.ts), or a limit with a ban
 *   H hits ever?                            H sets without timeout, filled one after the other
 *   with the TTL of its last hit?           see last-ttl.ts
 */

import { payload, updateSet, deleteFromSet, concatenation, goto, type Expression, type Statement } from "../../nft/ast.js";
import { declaredSize } from "../../nft/set-size.js";
import { formatAddress } from "../../extensions/values/address.js";
import type { RecentUse } from "../../extensions/matches/recent.js";
import type { ExtensionUse, Family } from "../../iptables/ast.js";
import {
  callStatement,
  exitStatement,
  exitTo,
  type ChainBuilder,
  type ChainGroup,
  type Exit,
  type Key,
  type TableBuilder,
} from "../table-builder.js";
import { greatest } from "../../append.js";
import { printable } from "../../diagnostic.js";
import { nameable } from "../../nft/names.js";
import { passesIn, type Bounds } from "./bounds.js";
import { isTooLarge, keptFor, touchesOfOnePacket, windowId, type ListForm } from "./form.js";
import type { HostStore } from "./host-stores.js";
import { lastTtl, type LastTtl, type TtlPiece } from "./last-ttl.js";
import { limitTouch, limitRate, type HitLimit } from "./limit.js";
import { listKey, member, Ring, type SetFactory, type SetPurpose } from "./ring.js";
import { writeLabel } from "./set-label.js";
import { asksForPresence, isCheck, isQuietRemoval, type ListUsage, type PlacedUse } from "./usage.js";
import { windowTime, type Window } from "./window.js";

type Side = RecentUse["side"];

/** Sets that one rule feeds beside its other tests: a kernel rule is full with 30. */
const mostInline = 8;

/** What a check asks of its list. */
export type Question =
  | { readonly kind: "inline"; readonly tests: readonly Statement[]; readonly refresh?: readonly Statement[] }
  /** `absent`: where hosts go that with another TTL count as not on the list; as those under the limit unless told. */
  | {
      readonly kind: "chain";
      check(wish: string, over: Exit, under: Exit, absent?: Exit): string;
      /** The check that also records a hit of what leaves by `over`, where one walk can do both. */
      readonly checkAndTouch?: (wish: string, over: Exit, under: Exit) => string;
    };

/** How a host is taken off its list. */
export interface Removal {
  readonly first: readonly (readonly Statement[])[];
  /** Whether the host is on the list: the packet would not be here otherwise, or one test says so, or none of `absence` may hold. */
  readonly presence: "known" | Statement | "in one of several";
  readonly last: readonly Statement[];
}

/** The kinds of questions, each of which counts its own from 1: the first has no number in the names of its sets. */
type QuestionKind = "window" | "hits" | "count" | "ttl";

/** A mask as labels have it: a number of bits where it has no gaps. */
function maskWords(mask: bigint, family: Family): string {
  const bits = mask.toString(2).padStart(family === "ipv4" ? 32 : 128, "0");
  return /^1*0*$/.test(bits) ? String(bits.replace(/0+$/, "").length) : formatAddress(mask, family);
}

const secondsId = (seconds: number): string => `${seconds}s`;
const countId = (hits: number): string => `${hits}_hits`;

export class RecentList {
  /** Prefix of all names. */
  readonly base: string;
  private readonly windows = new Map<number, string>();
  private readonly rings = new Map<string, Ring>();
  private readonly limits = new Map<string, HitLimit>();
  private readonly counts = new Map<number, readonly string[]>();
  private timedTtls: LastTtl | undefined;
  private keptTtls: LastTtl | undefined;
  private seen: string | undefined;
  /** The sets of this list, those of a fused group too. */
  readonly sets: string[] = [];
  /** What they hold of a host. */
  readonly hostStores: HostStore[] = [];
  private readonly knownPresent: ReadonlySet<ExtensionUse>;
  private readonly asksTtl: ReadonlySet<ExtensionUse>;
  private readonly touchChains = new Map<Side, string>();
  private readonly ttlTouchChains = new Map<Side, readonly string[]>();
  private readonly ttlRemovals = new Map<Side, string>();
  private readonly stores = new Map<Side, readonly string[]>();
  /** Of the only store of a list, where that is a ring. */
  private readonly puts = new Map<Side, readonly string[]>();
  private readonly stops = new Map<ExtensionUse, () => string>();
  private readonly mask: Expression | undefined;
  /** As a label has it. */
  private readonly maskText: string | undefined;
  /** Questions of each kind in the order in which rules ask them. */
  private readonly asked = new Map<QuestionKind, string[]>();

  /** `group` gets the chains that only serve this list. */
  constructor(
    readonly usage: ListUsage,
    readonly table: TableBuilder,
    readonly form: ListForm,
    readonly group: ChainGroup,
    private readonly bounds: Bounds,
  ) {
    const { family } = form;
    const name = nameable(usage.name);
    // What is made of it always has something behind it and so is never a keyword; a first digit has to be covered.
    this.base = table.names.unique(/^[A-Za-z_]/.test(name) ? name : `list_${name}`);
    this.mask =
      usage.mask === (1n << (family === "ipv4" ? 32n : 128n)) - 1n
        ? undefined
        : { kind: "address", address: formatAddress(usage.mask, family) };
    this.maskText = this.mask === undefined ? undefined : maskWords(usage.mask, family);
    this.knownPresent = new Set(usage.uses.filter(({ knownPresent }) => knownPresent).map(({ use }) => use));
    this.asksTtl = new Set(usage.uses.filter(({ rttl }) => rttl).map(({ use }) => use));
    // A fused group makes its own sets; everything else is declared here, in a fixed order.
  }

  // --------------------------------------------------------------------------------------------------- names

  /**
   * What the names of a question's chains begin with: the list, and a number from the second question of its kind on. Seconds and hits
   * are not in it, so that a rule in which they change changes no names.
   */
  prefix(kind: QuestionKind, id: string): string {
    const asked = this.asked.get(kind) ?? [];
    this.asked.set(kind, asked);
    if (!asked.includes(id)) asked.push(id);
    const number = asked.indexOf(id) + 1;
    return number === 1 ? this.base : `${this.base}_${number}`;
  }

  /** What the names of chains that answer this use begin with. */
  prefixFor({ seconds, hits, operation }: RecentUse): string {
    if (operation === "set" || operation === "remove" || (seconds === undefined && hits === 1)) return this.base;
    if (seconds === undefined) return this.prefix("count", countId(hits));
    return hits === 1 ? this.prefix("window", secondsId(seconds)) : this.prefix("hits", windowId({ seconds, hits }));
  }

  /** The same for its sets. */
  private setPrefix(kind: QuestionKind, id: string): string {
    const prefix = this.prefix(kind, id);
    return this.form.windowsInNames && id !== "" ? `${this.base}_${id}` : prefix;
  }

  /** How a description speaks of it where a list has several of a kind. */
  private numbered(kind: QuestionKind, id: string, words: string): string {
    const prefix = this.setPrefix(kind, id);
    return (this.asked.get(kind) ?? []).length > 1 ? `${words} (${prefix}_…)` : words;
  }

  // -------------------------------------------------------------------------------------------------- stores

  /** Declares the sets for every question that the rules ask. Not called for a list that is one fused group. */
  declare(): this {
    const { uses } = this.usage;
    const checks = uses.filter((use) => isCheck(use) && !isTooLarge(use, this.form));
    const kept = this.keptTime;
    for (const use of checks) {
      const { seconds, hits } = use;
      if (seconds !== undefined && hits === 1 && !this.windows.has(seconds)) {
        const prefix = this.setPrefix("window", secondsId(seconds));
        const purpose: SetPurpose = { role: "recent", details: { seconds } };
        this.windows.set(seconds, this.set(`${prefix}_recent`, windowTime(seconds), purpose, this.numberOf("window", secondsId(seconds))));
      }
      if (seconds !== undefined && hits > 1) this.declareWindow({ seconds, hits });
      if (seconds === undefined && hits > 1 && !this.counts.has(hits)) {
        const prefix = this.untimedPrefix(this.setPrefix("count", countId(hits)));
        this.counts.set(
          hits,
          Array.from({ length: hits }, (_, index) =>
            this.set(
              `${prefix}_count_${index}`,
              kept,
              { role: "count", index, ...(index === 0 && { details: { hits, ...this.keptDetails } }) },
              this.numberOf("count", countId(hits)),
            ),
          ),
        );
      }
    }
    // A host that was merely removed from timed sets, in a rule that does nothing else, need not be remembered for ever.
    const timed = checks.length > 0 && checks.every(({ seconds, hits }) => seconds !== undefined && hits === 1);
    if (checks.length === 0 || uses.some((use) => asksForPresence(use) && !(timed && isQuietRemoval(use))))
      this.seen = this.set(`${this.untimedPrefix(this.base)}_seen`, kept, { role: "seen", details: this.keptDetails }, 1);
    this.declareTtls(checks.filter(({ rttl }) => rttl));
    this.hostStores.push(...this.declaredStores());
    return this;
  }

  private declaredStores(): HostStore[] {
    const time = this.keptTime;
    return [
      ...[...this.windows].map(([seconds, set]): HostStore => ({ kind: "seen", set, time: windowTime(seconds) })),
      ...[...this.rings.values()].map((ring) => ring.hostStore()),
      ...[...this.limits.values()].map(({ window, rate, banned }): HostStore => ({ kind: "limit", window, tokens: rate, banned })),
      ...[...this.counts.values()].map((sets): HostStore => ({ kind: "count", sets, time })),
      ...(this.seen === undefined ? [] : [{ kind: "seen" as const, set: this.seen, time }]),
      ...[this.timedTtls, this.keptTtls].flatMap((ttls) => ttls?.hostStore() ?? []),
    ];
  }

  /** Checks with seconds have TTLs of their own beside those that are kept without a timeout, which may be full. */
  private declareTtls(checks: readonly PlacedUse[]): void {
    const { ttl, windowsInNames } = this.form;
    if (!ttl) return;
    const basis = windowsInNames && ttl.header === "forwarded" ? "_forwarded_ttl" : "_ttl";
    const declare = (name: string, time: number | undefined, roles: "ttl" | "kept-ttl"): LastTtl => {
      const add = (suffix: string, timeout: number | undefined, withTtl: boolean, { kind, ...piece }: TtlPiece): string => {
        const details = kind === "known" && { details: { header: ttl.header } };
        return this.set(`${name}${basis}_${suffix}`, timeout, { role: `${roles}-${kind}`, ...piece, ...details }, 1, undefined, withTtl);
      };
      return lastTtl(ttl, { add }, time, this.timeToLive());
    };
    const longest = greatest(
      checks.flatMap((use) => (asksKeptTtl(use) ? [] : use.seconds!)),
      0,
    );
    if (longest > 0) this.timedTtls = declare(`${this.setPrefix("ttl", secondsId(longest))}_recent`, windowTime(longest), "ttl");
    if (checks.some(asksKeptTtl)) this.keptTtls = declare(`${this.untimedPrefix(this.base)}_seen`, this.keptTime, "kept-ttl");
  }

  /** How long hosts stay in the sets that are asked without seconds, in milliseconds; undefined: for ever. */
  private get keptDetails(): { readonly seconds?: number } {
    const seconds = keptFor(this.usage, this.form);
    return seconds === undefined ? {} : { seconds };
  }

  private get keptTime(): number | undefined {
    const seconds = keptFor(this.usage, this.form);
    return seconds === undefined ? undefined : windowTime(seconds);
  }

  /** Of the names of these sets: kept elements have the time they were made with, and nft refuses a set of that name that had none. */
  private untimedPrefix(prefix: string): string {
    const seconds = keptFor(this.usage, this.form);
    return this.form.windowsInNames && seconds !== undefined ? `${prefix}_${secondsId(seconds)}` : prefix;
  }

  private declareWindow(window: Window): void {
    const id = windowId(window);
    if (this.rings.has(id) || this.limits.has(id)) return;
    if (this.form.asLimit(window)) {
      const prefix = this.setPrefix("hits", id);
      const number = this.numberOf("hits", id);
      const details = { ...window, own: 0, form: "limit" } as const;
      const banned = this.set(`${prefix}_banned`, windowTime(window.seconds), { role: "banned", details }, number);
      // Not `rate`, as in a ring: elements keep their limit, and under --keep-sets the one form must not meet those of the other.
      const rate = this.set(`${prefix}_tokens`, windowTime(window.seconds), { role: "tokens" }, number);
      this.limits.set(id, { window, rate, banned });
    } else {
      this.rings.set(
        id,
        new Ring(window, this.setFactory(window), {
          own: 0,
          pushes: touchesOfOnePacket(this.usage),
          flat: this.form.flat,
          passes: passesIn(this.bounds, window),
        }),
      );
    }
  }

  /** Declares sets named after this list and the window. */
  setFactory(window: Window): SetFactory {
    const prefix = this.setPrefix("hits", windowId(window));
    return {
      add: (suffix, timeout, purpose, gcInterval) =>
        this.set(`${prefix}_${suffix}`, timeout, purpose, this.numberOf("hits", windowId(window)), gcInterval),
      undeleted: !this.usage.uses.some((use) => use.operation === "remove"),
      kept: this.form.windowsInNames,
    };
  }

  /** Which of its kind a question is, from 1. */
  private numberOf(kind: QuestionKind, id: string): number {
    return (this.asked.get(kind) ?? []).indexOf(id) + 1;
  }

  private set(
    name: string,
    timeout: number | undefined,
    purpose: SetPurpose,
    number: number,
    gcInterval?: number,
    withTtl = false,
  ): string {
    const { family, setSize } = this.form;
    const address = family === "ipv4" ? "ipv4_addr" : "ipv6_addr";
    const declared = this.table.set(name, {
      ...(withTtl ? { typeof: concatenation(this.address("saddr"), this.timeToLive()) } : { type: [address] }),
      ...declaredSize(setSize),
      flags: timeout === undefined ? ["dynamic"] : ["dynamic", "timeout"],
      ...(timeout !== undefined && { timeout }),
      ...(gcInterval !== undefined && { gcInterval }),
      label: writeLabel({
        list: this.usage.name,
        number,
        ...purpose,
        ...(purpose.details !== undefined && this.maskText !== undefined && { mask: this.maskText }),
      }),
    });
    this.sets.push(declared);
    return declared;
  }

  private address(side: Side): Expression {
    return payload(this.form.family === "ipv4" ? "ip" : "ip6", side);
  }

  private timeToLive(): Expression {
    return this.form.family === "ipv4" ? payload("ip", "ttl") : payload("ip6", "hoplimit");
  }

  key(side: Side): Key {
    return listKey(this.address(side), this.mask);
  }

  // --------------------------------------------------------------------------------------- touch, look, remove

  /**
   * Statements that record a hit; they always let the rule go on, except that a set at its size breaks the rule. `alone`
   * demands that the statements be the last of their rule.
   */
  touch(side: Side): { readonly statements: readonly Statement[]; readonly alone: boolean } {
    const inline = this.inlineTouch(side);
    const stores = this.storeTouches(side);
    if (!this.keepsTtl && stores.length === 0 && inline.length <= mostInline) return { statements: inline, alone: false };
    if (!this.keepsTtl && inline.length === 0 && stores.length === 1) return { statements: [callStatement(stores[0]!)], alone: true };
    let chain = this.touchChains.get(side);
    if (chain === undefined) {
      const builder = this.group.chain(this.touchName(side));
      builder.comment.push(`one hit for list "${printable(this.usage.name)}"`);
      for (const statements of this.touchRules(side)) builder.rule(statements);
      this.touchChains.set(side, (chain = builder.name));
    }
    return { statements: [callStatement(chain)], alone: true };
  }

  /** The same as rules, for a chain in which nothing else has to be asked: a level of jumps less. */
  touchRules(side: Side): Statement[][] {
    return [
      ...this.ttlTouches(side).map((chain) => [callStatement(chain)]),
      ...this.inlineTouch(side).map((statement) => [statement]),
      ...this.storeTouches(side).map((store) => [callStatement(store)]),
    ];
  }

  /** The chains that keep the TTL: before the hit, which a check may count only where it finds the TTL too. */
  private ttlTouches(side: Side): readonly string[] {
    let chains = this.ttlTouchChains.get(side);
    if (chains === undefined) {
      chains = [
        { ttls: this.timedTtls, kind: "recent", known: this.hostsWithTtl },
        { ttls: this.keptTtls, kind: "seen", known: [] },
      ].flatMap(({ ttls, kind, known }) => {
        const chain = ttls?.touch(this.group, `${this.touchName(side)}_${kind}_ttl`, this.key(side), known);
        chain?.comment.push(`the TTL of a hit for list "${printable(this.usage.name)}"`);
        return chain?.name ?? [];
      });
      this.ttlTouchChains.set(side, chains);
    }
    return chains;
  }

  /**
   * Sets one of which a host is in whose TTL may be asked after its next hit; empty where that is every host. A check for two hits or more
   * that finds one hit is answered without the TTL, so the first hit, the only one of most hosts, needs to keep none.
   */
  private get hostsWithTtl(): readonly string[] {
    const asked = this.usage.uses.filter((use) => isCheck(use) && use.rttl && !asksKeptTtl(use));
    const [first] = asked;
    if (!first || asked.some((use) => use.hits !== first.hits || use.seconds !== first.seconds)) return [];
    return this.rings.get(windowId({ hits: first.hits, seconds: first.seconds! }))?.presenceSets ?? [];
  }

  private touchName(side: Side, prefix = this.base): string {
    return `${prefix}${side === "daddr" ? "_destination" : ""}_touch`;
  }

  private inlineTouch(side: Side): Statement[] {
    const key = this.key(side);
    // A full set ends the rule: what keeps its elements longer fills up first and comes later, what never loses them comes last.
    const touches = [
      ...[...this.windows].map(([seconds, set]) => ({ seconds, touch: updateSet(set, key) })),
      ...(this.seen === undefined ? [] : [{ seconds: Infinity, touch: updateSet(this.seen, key) }]),
    ];
    return touches.sort((a, b) => (a.seconds === b.seconds ? 0 : a.seconds - b.seconds)).map(({ touch }) => touch);
  }

  /** The touch chains of the stores that need one, made when first asked for. */
  private storeTouches(side: Side): readonly string[] {
    const known = this.stores.get(side);
    if (known) return known;
    const key = this.key(side);
    const nameFor = (kind: QuestionKind, id: string): string => this.touchName(side, this.prefix(kind, id));
    const names: string[] = [];
    for (const [id, ring] of this.rings) {
      const { start, puts } = ring.touch(this.group, `${nameFor("hits", id)}_hits`, key);
      start.comment.push(
        `one hit for list "${printable(this.usage.name)}", window of ${ring.window.hits} hits in ${ring.window.seconds} s`,
      );
      names.push(start.name);
      if (this.isOneRing) this.puts.set(side, puts);
    }
    for (const [id, limit] of this.limits) names.push(limitTouch(this.group, `${nameFor("hits", id)}_limit`, key, limit).name);
    for (const [hits, sets] of this.counts) names.push(this.countTouch(key, `${nameFor("count", countId(hits))}_count`, sets));
    this.stores.set(side, names);
    return names;
  }

  /**
   * Fills the first free of the sets: from the top down, so that a full set ends the count and nothing else. Where hosts are forgotten
   * after some time without a hit, each hit begins that time again for those before it.
   */
  private countTouch(key: Key, wish: string, sets: readonly string[]): string {
    const chain = this.group.chain(wish);
    const refresh = (to: ChainBuilder, known: readonly string[]): void => {
      if (this.form.forgetAfter === undefined) return;
      for (const some of inGroups(known)) to.rule(some.map((set) => updateSet(set, key)));
    };
    if (this.form.forgetAfter === undefined) chain.rule([member(key, sets.at(-1)!), { kind: "verdict", verdict: "return" }]);
    else {
      const all = this.group.chain(`${wish}_${sets.length}`);
      refresh(all, sets);
      chain.rule([member(key, sets.at(-1)!), exitStatement(exitTo(all.name))]);
    }
    for (let index = sets.length - 2; index >= 0; index--) {
      const next = this.group.chain(`${wish}_${index + 1}`).rule([updateSet(sets[index + 1]!, key)]);
      refresh(next, sets.slice(0, index + 1));
      chain.rule([member(key, sets[index]!), exitStatement(exitTo(next.name))]);
    }
    chain.rule([updateSet(sets[0]!, key)]);
    return chain.name;
  }

  /** Whether one store holds all there is to record, so that what was just found in it needs no more than its refresh. */
  private get isOnlyStore(): boolean {
    const { windows, limits, rings, counts, keepsTtl, seen } = this;
    return windows.size + limits.size + (seen === undefined ? 0 : 1) === 1 && rings.size + counts.size === 0 && !keepsTtl;
  }

  /** Whether a ring holds all there is to record. */
  private get isOneRing(): boolean {
    const { windows, limits, rings, counts, keepsTtl, seen } = this;
    return rings.size === 1 && windows.size + limits.size + counts.size === 0 && seen === undefined && !keepsTtl;
  }

  /** Is the condition of this `--rcheck` or `--update` true, leaving its inversion aside? */
  question(use: RecentUse): Question {
    const question = this.hitsQuestion(use);
    if (!this.comparesTtl(use)) return question;
    const { group } = this;
    const ttls = (asksKeptTtl(use) ? this.keptTtls : this.timedTtls)!;
    const asChain = (wish: string, over: Exit, under: Exit): string => {
      if (question.kind === "chain") return question.check(wish, over, under);
      const chain = group.chain(wish).rule([...question.tests, exitStatement(over)]);
      if (under.kind === "goto") chain.rule([exitStatement(under)]);
      return chain.name;
    };
    const compare = (wish: string, same: Exit, other: Exit): string =>
      ttls.check(group, `${wish}_ttl`, this.key(use.side), same, other).name;
    return {
      kind: "chain",
      check: (wish, over, under, absent = under) =>
        absent === under
          ? asChain(wish, exitTo(compare(wish, over, under)), under)
          : compare(wish, exitTo(asChain(wish, over, under)), absent),
    };
  }

  /** Whether what this check answers depends on the packet's TTL. */
  private comparesTtl({ use }: RecentUse): boolean {
    return this.keepsTtl && this.asksTtl.has(use);
  }

  private get keepsTtl(): boolean {
    return this.timedTtls !== undefined || this.keptTtls !== undefined;
  }

  private hitsQuestion(use: RecentUse): Question {
    const key = this.key(use.side);
    const { seconds, hits } = use;
    if (hits === 1) {
      const store = seconds === undefined ? this.seen! : this.windows.get(seconds)!;
      return { kind: "inline", tests: [member(key, store)], ...(this.isOnlyStore && { refresh: [updateSet(store, key)] }) };
    }
    if (seconds === undefined) return { kind: "inline", tests: [member(key, this.counts.get(hits)!.at(-1)!)] };
    const id = windowId({ seconds, hits });
    const limit = this.limits.get(id);
    if (limit)
      return {
        kind: "inline",
        tests: [member(key, limit.banned)],
        ...(this.isOnlyStore && { refresh: [updateSet(limit.banned, key)] }),
      };
    const ring = this.rings.get(id)!;
    const bounded = (this.bounds.get(use.use) ?? []).length > 0;
    return {
      kind: "chain",
      check: (wish, over, under) => ring.check(this.group, wish, key, over, under, bounded).name,
      ...(this.isOneRing &&
        (this.form.oneWalk || this.usage.uses.filter(({ operation }) => operation === "update").length === 1) && {
          checkAndTouch: (wish, over, under) => {
            this.storeTouches(use.side);
            return ring.check(this.group, wish, key, over, under, bounded, this.puts.get(use.side)).name;
          },
        }),
    };
  }

  /**
   * Remembers the chain for packets that a check stops: what its `--set` must not let pass goes there.
   *
   * @param touches packets come to that chain with their hit recorded
   */
  stopsAt(check: RecentUse, chain: string, touches: boolean): void {
    let refused: string | undefined;
    const recording = (): string => {
      const builder = this.group.chain(`${chain}_refused`);
      for (const statements of this.touchRules(check.side)) builder.rule(statements);
      return builder.rule([goto(chain)]).name;
    };
    this.stops.set(check.use, () => (touches ? (refused ??= recording()) : chain));
  }

  /** Rules in front of this `--set`: they take what must not pass to the check that should have stopped it. */
  refusals({ use, side }: RecentUse): Statement[][] {
    return (this.bounds.get(use) ?? []).flatMap((bound) => {
      const stop = bound.kind === "set" ? this.stops.get(bound.check) : undefined;
      const ring = this.rings.get(windowId(bound.window));
      return stop === undefined || ring === undefined ? [] : [[ring.noToken(this.key(side)), goto(stop())]];
    });
  }

  /**
   * The sets that tell whether a host is on the list at all: who is in one of them is. `seen` alone would do if there were always
   * room in it; who finds none is on the list as long as the widest window lasts. Where nothing depends on hosts that have grown too
   * old for every check, they count as gone.
   */
  private get presenceSets(): readonly string[] {
    const timed = [
      ...[...this.windows].map(([seconds, set]) => ({ seconds, sets: [set] })),
      ...[...this.limits.values()].map(({ window: { seconds }, rate, banned }) => ({ seconds, sets: [rate, banned] })),
      ...[...this.rings.values()].map((ring) => ({ seconds: ring.window.seconds, sets: ring.presenceSets })),
    ];
    const widest = timed.reduce<(typeof timed)[number] | undefined>(
      (best, one) => (best && best.seconds >= one.seconds ? best : one),
      undefined,
    );
    return [...(this.seen === undefined ? [] : [this.seen]), ...(widest?.sets ?? [])];
  }

  /** Tests all of which hold for a host that is not on the list. */
  absence(side: Side): Statement[] {
    return this.presenceSets.map((set) => member(this.key(side), set, true));
  }

  /**
   * Takes the host off the list: first, whether it is on the list or not, off the sets that do not tell; in groups small enough for one
   * rule each. Then, if it is on the list, off those that do.
   */
  removal({ side, use }: RecentUse): Removal {
    const key = this.key(side);
    const known = this.knownPresent.has(use);
    const ttl = this.ttlRemoval(side);
    const telling = known ? [] : this.presenceSets;
    const sets = [
      ...(this.seen === undefined ? [] : [this.seen]),
      ...this.windows.values(),
      ...[...this.counts.values()].flat(),
      ...[...this.limits.values()].flatMap(({ rate, banned }) => [rate, banned]),
      ...[...this.rings.values()].flatMap((ring) => ring.sets),
    ].filter((set) => !telling.includes(set));
    return {
      first: [
        ...(ttl === undefined ? [] : [[callStatement(ttl)]]),
        ...inGroups(sets).map((some) => some.map((set) => deleteFromSet(set, key))),
      ],
      presence: known ? "known" : telling.length === 1 ? member(key, telling[0]!) : "in one of several",
      last: telling.map((set) => deleteFromSet(set, key)),
    };
  }

  /** The chain that forgets the TTL; none where it goes by itself, since the next hit writes over what is left of it. */
  private ttlRemoval(side: Side): string | undefined {
    if (!this.keptTtls) return undefined;
    let chain = this.ttlRemovals.get(side);
    if (chain === undefined) {
      chain = this.keptTtls.remove(this.group, `${this.base}${side === "daddr" ? "_destination" : ""}_ttl_remove`, this.key(side)).name;
      this.ttlRemovals.set(side, chain);
    }
    return chain;
  }

  /** What the sets are for, for a reader of the script. */
  describe(): string[] {
    const details = new Set([
      ...[...this.rings.values()].flatMap((ring) => ring.describe()),
      ...[this.timedTtls, this.keptTtls].flatMap((ttls) => ttls?.describe() ?? []),
    ]);
    return [`list "${printable(this.usage.name)}": ${this.purposes().join(", ")}`, ...details];
  }

  private purposes(): string[] {
    const parts: string[] = [];
    for (const seconds of this.windows.keys())
      parts.push(this.numbered("window", secondsId(seconds), `hosts seen in the last ${seconds} s`));
    for (const [id, { window }] of this.rings)
      parts.push(this.numbered("hits", id, `exact window of ${window.hits} hits in ${window.seconds} s`));
    for (const [id, { window }] of this.limits)
      parts.push(
        this.numbered("hits", id, `limit of ${limitRate(window).text} with a ban, for ${window.hits} hits in ${window.seconds} s`),
      );
    for (const hits of this.counts.keys()) parts.push(this.numbered("count", countId(hits), `hosts with ${hits} hits at any time`));
    const kept = keptFor(this.usage, this.form);
    if (this.seen !== undefined) parts.push(kept === undefined ? "hosts ever seen" : `hosts seen in the last ${kept} s`);
    if (this.keepsTtl) parts.push("the TTL of each host's last hit");
    return parts;
  }
}

/** `! --update` records a hit of a host that is on the list with the packet's TTL, however long it has been there. */
function asksKeptTtl({ seconds, inverted, operation }: RecentUse): boolean {
  return seconds === undefined || (inverted && operation === "update");
}

/** Set statements in a rule: it holds 36, 30 with a mask (measured on nft 1.0.6), and there may be other tests beside them. */
const mostInRule = 16;

function inGroups(sets: readonly string[]): string[][] {
  const groups: string[][] = [];
  for (let start = 0; start < sets.length; start += mostInRule) groups.push(sets.slice(start, start + mostInRule));
  return groups;
}
