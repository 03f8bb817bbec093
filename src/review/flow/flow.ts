/**
 * Sends sets of packets through all tables of a version, in the order of the hooks.
 *
 * A question that fields of the packet do not tell is answered both ways, and both ways are followed. The same question has the same answer
 * in both versions, unless its memory differs between them: then it is a question of one version, and what its answer says about the other
 * version's is known as far as `questions.ts` knows it.
 */

import { asksOnlyForHeader, effectsOf, readsOf, refusalOf } from "../../extensions/described.js";
import { isMemory, type FieldValues } from "../../extensions/facts.js";
import type { RecentUse } from "../../extensions/matches/recent.js";
import { markWords } from "../../extensions/values/mask.js";
import type { ExtensionUse, IptablesRule, TableName } from "../../iptables/ast.js";
import { addressRange, intersect, meet, stateBits, subtract, type Answer, type Box, type RecentAsk } from "../packets/box.js";
import { listMemory, recentAnswer, recentAsk, recentKey, setOfMemory } from "../packets/condition.js";
import { containsIntervals, intervalsMeet, type Intervals } from "../packets/intervals.js";
import { deepest, TooManyPieces, type Effort, type FollowedChain, type FollowedRule, type FollowedTable } from "../packets/paths.js";
import { stepsOf, type Step } from "../packets/steps.js";
import { knownAnswer, type Drifts } from "./questions.js";
import type { Side, Stage } from "./side.js";
import { arriving, changed, changedOnTheWay, ownHits, withEvent, withOwnHits, type State } from "./state.js";
import { testOf } from "./terms.js";

export interface Piece {
  readonly box: Box;
  readonly state: State;
}

/** What becomes of packets at the end of their way; `elsewhere …`: a program or the kernel decides by itself. */
export type Fate = "accept" | "drop" | `elsewhere ${string}`;

export interface Outcome extends Piece {
  readonly fate: Fate;
  /** What the sender of dropped packets is told; absent: nothing. */
  readonly refusal?: string;
}

/** Pieces at which following a set of packets is given up. */
const mostPieces = 4000;

/** What is known of the two memories, and how much may be looked at. */
export interface FlowContext {
  readonly drifts: Drifts;
  readonly effort: Pick<Effort, "spend">;
}

/** Sends packets through these stages. Throws `TooManyPieces`. */
export function flow(side: Side, stages: readonly Stage[], start: Piece, context: FlowContext): Outcome[] {
  const walk = new Walk(side, context);
  let here: readonly Piece[] = [start];
  for (const { table, chain } of stages) {
    const followed = side.table(table);
    if (here.length === 0) break;
    // The other version may have the table, and then decides there.
    if (!followed) here = side.isOnlyInOther(table) ? here.map(diverged) : here;
    else here = walk.table(here, chain, followed);
  }
  return [...walk.ended, ...here.map((piece): Outcome => ({ ...piece, fate: "accept" }))];
}

interface Split {
  readonly matched: readonly Piece[];
  readonly missed: readonly Piece[];
}

class Walk {
  readonly ended: Outcome[] = [];
  private pieces = 1;

  constructor(
    private readonly side: Side,
    private readonly context: FlowContext,
  ) {}

  /** What gets through a table. */
  table(pieces: readonly Piece[], chain: string, table: FollowedTable): readonly Piece[] {
    // Packets that are not tracked have no connection whose addresses could be translated.
    const skipping = table.table.name === "nat" ? pieces.filter(({ state }) => state.tracking === "untracked") : [];
    const entering = skipping.length === 0 ? pieces : pieces.filter(({ state }) => state.tracking !== "untracked");
    const accepted: Piece[] = [];
    const back = this.chain(entering, chain, table, accepted, 0);
    return [...skipping, ...accepted, ...back];
  }

  /** Those that come back from the chain undecided; what it accepts goes into `accepted`. */
  private chain(pieces: readonly Piece[], name: string, table: FollowedTable, accepted: Piece[], level: number): readonly Piece[] {
    if (level > deepest) throw TooManyPieces.thrown;
    const followed = table.chains.get(name);
    if (!followed) return pieces.map(diverged);
    const difference = this.side.firstDifference(table.table.name, name);
    const back: Piece[] = [];
    let here = pieces;
    let untouched = true;
    for (const index of candidatesOf(pieces, followed)) {
      const rule = followed.rules[index]!;
      if (index >= difference && untouched) {
        here = here.map(diverged);
        untouched = false;
      }
      if (here.length === 0) break;
      this.context.effort.spend(here.length);
      if (isAsideOf(here, rule)) continue;
      const { matched, missed } = this.rule(here, rule, table);
      here = missed;
      if (matched.length === 0) continue;
      const moved = this.affected(matched, rule.rule, table.table.name);
      const { action } = rule;
      switch (action.kind) {
        case "next":
          here = [...here, ...moved];
          break;
        case "accept":
          accepted.push(...moved);
          break;
        case "drop":
          this.ended.push(...moved.map((piece): Outcome => ({ ...piece, fate: "drop", ...refusing(rule.rule) })));
          break;
        case "elsewhere":
          this.ended.push(...moved.map((piece): Outcome => ({ ...piece, fate: `elsewhere ${programOf(rule.rule)}` })));
          break;
        case "return":
          back.push(...moved);
          break;
        case "jump": {
          const returned = this.chain(moved, action.chain, table, accepted, level + 1);
          if (action.goto) back.push(...returned);
          else here = [...here, ...returned];
        }
      }
      this.count(here.length + back.length + accepted.length);
    }
    if (untouched && difference < followed.rules.length) here = here.map(diverged);
    const { policy } = followed.chain;
    // What returned early meets a policy that differs, too.
    const meetsDifference = difference !== Infinity && (policy !== undefined || difference >= followed.rules.length);
    const undecided = meetsDifference ? [...back, ...here].map(diverged) : [...back, ...here];
    if (policy !== "DROP") return undecided;
    this.ended.push(...undecided.map((piece): Outcome => ({ ...piece, fate: "drop" })));
    return [];
  }

  private count(pieces: number): void {
    this.pieces = Math.max(this.pieces, pieces + this.ended.length);
    if (this.pieces > mostPieces) throw TooManyPieces.thrown;
  }

  private affected(pieces: readonly Piece[], { target }: IptablesRule, table: TableName): readonly Piece[] {
    if (target?.kind !== "extension") return pieces;
    const effects = effectsOf(target, this.side.family).filter(({ kind }) => kind !== "translate" || table === "nat");
    if (effects.length === 0) return pieces;
    return pieces.map(({ box, state }) => ({ box, state: effects.reduce(changed, state) }));
  }

  // --------------------------------------------------------------------------------------------------- tests

  private rule(pieces: readonly Piece[], { rule, condition, first }: FollowedRule, table: FollowedTable): Split {
    const { effort } = this.context;
    const steps = stepsOf(rule, table.family);
    const missed: Piece[] = [];
    let here: Piece[] = [];
    for (const piece of pieces) (isApart(piece, first) ? missed : here).push(piece);
    if (condition === undefined && !steps.some(({ kind }) => kind === "recent" || kind === "opaque"))
      return { matched: [], missed: pieces };
    for (const [index, step] of steps.entries()) {
      if (here.length === 0) break;
      const matched: Piece[] = [];
      for (const piece of here) {
        effort.spend(1 + (piece.box.tests?.size ?? 0));
        const split = this.step(piece, step, rule, index);
        matched.push(...split.matched);
        missed.push(...split.missed);
      }
      here = matched;
    }
    return { matched: here, missed };
  }

  private step(piece: Piece, step: Step, rule: IptablesRule, index: number): Split {
    switch (step.kind) {
      case "fields":
        return this.fields(piece, step.box);
      case "carried": {
        const { carried, tracking } = piece.state;
        // A packet without a connection meets no test of its mark, inverted or not (connmark_mt in xt_connmark.c).
        if (step.of === "connmark" && tracking === "untracked") return allMissed(piece);
        const test = testOf(carried[step.of], step.values);
        if (typeof test === "boolean") return test !== step.inverted ? allMatched(piece) : allMissed(piece);
        const treated = step.of === "connmark" && tracking !== "tracked" ? ` ${tracking}` : "";
        return this.ask(piece, `${test.key}${treated}`, { holds: !step.inverted, words: wordsOf(step, test) });
      }
      case "opaque":
        return this.opaque(
          piece,
          step,
          `${this.side.idOf(rule)}.${questionNumber(stepsOf(rule, this.side.family), index)}`,
          rule.span.line,
        );
      case "recent":
        return this.recent(piece, step);
    }
  }

  private fields(piece: Piece, box: Box | undefined): Split {
    if (!box) return allMissed(piece);
    if (isRewritten(piece.state)) return this.rewrittenFields(piece, box);
    const both = intersect(piece.box, box);
    if (!both) return allMissed(piece);
    const { state } = piece;
    return { matched: [{ box: both, state }], missed: subtract(piece.box, box).map((rest) => ({ box: rest, state })) };
  }

  /** Fields that a rule before has changed are not those of the box any more. */
  private rewrittenFields(piece: Piece, box: Box): Split {
    const { state } = piece;
    const { state: states, destination, destinationPort, source, sourcePort, ...others } = box;
    const kept: { -readonly [Field in keyof Box]: Box[Field] } = others;
    const questions: { readonly key: string; readonly words: string }[] = [];
    const decide = (wanted: Intervals, is: readonly [bigint, bigint] | undefined, key: string, words: string): boolean => {
      if (is && containsIntervals(wanted, [is])) return true;
      if (is && !intervalsMeet(wanted, [is])) return false;
      questions.push({ key: `${key} ${wanted.map(([from, to]) => `${from}-${to}`).join(",")}`, words });
      return true;
    };
    for (const [translation, address, port, addresses, ports] of [
      ["destination", "destination", "destinationPort", destination, destinationPort],
      ["source", "source", "sourcePort", source, sourcePort],
    ] as const) {
      const change = state[translation];
      if (addresses) {
        const known = change?.address && addressRange(change.address.from, change.address.to, this.side.family);
        if (!change || (!change.address && !change.toMachine && change.text === "")) kept[address] = addresses;
        else if (change.port && !change.address && !change.toMachine) kept[address] = addresses;
        else if (!decide(addresses, known, `${change.text} ${address}`, `the new ${address} address is one of those tested`))
          return allMissed(piece);
      }
      if (ports) {
        const known = change?.port && ([BigInt(change.port.from), BigInt(change.port.to)] as const);
        if (!change || !change.port) kept[port] = ports;
        else if (!decide(ports, known, `${change.text} ${port}`, `the new ${translation} port is one of those tested`))
          return allMissed(piece);
      }
    }
    if (states !== undefined) {
      if (state.tracking === "tracked") kept.state = states;
      else if (state.tracking === "untracked") {
        if ((states & untrackedBit) === 0n) return allMissed(piece);
      } else questions.push({ key: `${state.tracking} state ${states}`, words: `its state is one of those tested (${state.tracking})` });
    }
    const both = intersect(piece.box, kept);
    if (!both) return allMissed(piece);
    const missed: Piece[] = subtract(piece.box, kept).map((rest) => ({ box: rest, state }));
    let here: readonly Piece[] = [{ box: both, state }];
    for (const { key, words } of questions) {
      const splits = here.map((one) => this.ask(one, key, { holds: true, words }));
      here = splits.flatMap(({ matched }) => matched);
      missed.push(...splits.flatMap(({ missed: out }) => out));
    }
    return { matched: here, missed };
  }

  private opaque(piece: Piece, { use, key, words, holds }: Step & { readonly kind: "opaque" }, place: string, line: number): Split {
    if (this.side.reassembles && asksOnlyForHeader(use)) return holds ? allMatched(piece) : allMissed(piece);
    const matters = readsOf(use);
    const memory = matters.find(isMemory);
    // What every rule counts for itself, and what it draws, is its own.
    const own = memory ? memory.name === undefined && memory.memory !== "geoip" : matters.includes("chance");
    const name = memory && `${memory.memory} ${own ? `of ${place}` : (memory.name ?? "")}`;
    const asked =
      name !== undefined && counts.has(memory!.memory)
        ? { ...piece, state: withEvent(piece.state, { memory: name, kind: "ask", text: "" }) }
        : piece;
    const terms = matters.flatMap((matter) => (isMemory(matter) ? [] : changedOnTheWay(matter, piece.state)));
    // What the packet itself has done to the memory on its way may have changed the answer.
    const events = name === undefined ? "" : eventsOf(piece.state, name);
    const behind = [...(events === "" ? [] : [`after ${events}`]), ...terms].join(" ");
    const full = [key, ...(own ? [place] : []), ...(behind === "" ? [] : [`behind ${behind}`])].join(" ");
    const whose = own ? { place: `line ${line}` } : {};
    return this.ask(asked, full, {
      holds,
      words: events === "" ? words : `${words} after what the rules before did`,
      ...whose,
      ...(name !== undefined && { question: { memory: name, asks: { kind: "match", use }, ...(behind !== "" && { behind }) } }),
    });
  }

  private recent(piece: Piece, { use }: Step & { readonly kind: "recent" }): Split {
    const { list, side, operation, inverted, hits, reap, seconds } = use;
    // Where rules gave the packet another address, it is another host.
    const address = translationOf(piece.state, side);
    const host = address === "" ? side : `${side} ${address}`;
    const hostsOfPacket = address === "" ? list : `${list} ${address}`;
    const otherSide = side === "saddr" ? "daddr" : "saddr";
    const own = ownHits(piece.state, hostsOfPacket)[side];
    const memory = listMemory(list);
    const withOwn = ({ box, state }: Piece, kind: "add" | "remove"): Piece => {
      const hits = ownHits(state, hostsOfPacket);
      const { [side]: same, [otherSide]: other } = hits;
      return {
        box,
        state: withOwnHits(withEvent(state, { memory, kind, text: host }), hostsOfPacket, {
          ...hits,
          [side]: kind === "add" ? { ...same, hits: same.hits + 1 } : { ...same, hits: 0, removed: true },
          [otherSide]: { hits: kind === "add" ? other.hits : 0, removed: false, behind: `${other.behind} ${kind} ${side}` },
        }),
      };
    };
    const add = (one: Piece): Piece => withOwn(one, "add");
    if (operation === "set") return inverted ? { matched: [], missed: [add(piece)] } : { matched: [add(piece)], missed: [] };
    // Behind a hit of its own a packet has the TTL of the host's last hit, as long as nothing changes it on the way.
    const rttl = use.rttl && (own.hits === 0 || piece.state.carried.ttl !== arriving.carried.ttl);
    const ask = (one: Piece, asked: RecentUse): Split => {
      const plain = recentAnswer(recentAsk(asked, own.hits));
      const behind = `${address}${own.behind}`;
      const answer = behind === "" ? plain : { ...plain, question: { ...plain.question, behind } };
      return this.ask(one, `${recentKey(plain.question.asks as RecentAsk)}${rttl ? ` ${piece.state.carried.ttl}` : ""}${behind}`, answer);
    };
    const reaped = reap
      ? { ...piece, state: withEvent(piece.state, { memory, kind: "remove", text: `${host} older than ${seconds}` }) }
      : piece;
    const needed = operation === "remove" ? 1 : hits;
    const known = own.hits >= needed ? true : own.removed ? false : undefined;
    const { matched: yes, missed: no } =
      known === undefined ? ask(reaped, { ...use, rttl }) : known ? allMatched(reaped) : allMissed(reaped);
    if (operation === "remove") {
      const removed = yes.map((one) => withOwn(one, "remove"));
      return inverted ? { matched: no, missed: removed } : { matched: removed, missed: no };
    }
    const [matched, missed] = inverted ? [no, yes] : [yes, no];
    if (operation !== "update") return { matched, missed };
    if (!inverted || own.hits > 0) return { matched: matched.map(add), missed };
    // `! --update` matches a host that is not on the list, too, and records none then.
    if (own.removed) return { matched, missed };
    const anyHit: RecentUse = { ...use, rttl, seconds: undefined, hits: 1 };
    const onList = matched.map((one) => ask(one, anyHit));
    return { matched: onList.flatMap((split) => [...split.matched.map(add), ...split.missed]), missed };
  }

  /** Splits packets by a question whose answer is wanted to be `holds`. */
  private ask(piece: Piece, key: string, answer: Answer): Split {
    const drift = answer.question && this.context.drifts.get(answer.question.memory);
    const versioned = drift === undefined ? answer : this.inThisVersion(answer);
    const fullKey = drift === undefined ? key : `${this.side.version}: ${key}`;
    const state = drift === undefined ? piece.state : diverged(piece).state;
    const known = knownAnswer(piece.box.tests, fullKey, versioned.question, this.context.drifts);
    if (known !== undefined) return known === answer.holds ? allMatched({ box: piece.box, state }) : allMissed({ box: piece.box, state });
    const with_ = (holds: boolean): Piece => ({
      box: { ...piece.box, tests: new Map(piece.box.tests).set(fullKey, { ...versioned, holds }) },
      state,
    });
    return { matched: [with_(answer.holds)], missed: [with_(!answer.holds)] };
  }

  private inThisVersion(answer: Answer): Answer {
    return { ...answer, question: { ...answer.question!, version: this.side.version } };
  }
}

/** Of a test behind rules that changed what it reads: what it asks of the packet as it came, if that is all it asks. */
function wordsOf(
  { of, values, words }: Step & { readonly kind: "carried" },
  asked: { readonly values: FieldValues; readonly of: string },
): string {
  if (asked.values === values) return words;
  const { value, mask } = asked.values as FieldValues & { readonly kind: "bits" };
  const found =
    of === "mark" && asked.of === arriving.carried.mark ? markWords("its mark", { value: Number(value), mask: Number(mask) }) : undefined;
  return found === undefined ? `${words} after what the rules before did` : `${found} as it came`;
}

/** The packet's own events of a memory as a text; of all sets of ipset, since one may be a member of another. */
function eventsOf({ events }: State, name: string): string {
  const isSet = setOfMemory(name) !== undefined;
  return events
    .filter(({ memory }) => memory === name || (isSet && setOfMemory(memory) !== undefined))
    .map(({ memory, kind, text }) => `${memory} ${kind} ${text}`)
    .join(", ");
}

/** What rules made of the address on this side; empty where it is as it came. */
function translationOf({ source, destination }: State, side: "saddr" | "daddr"): string {
  const translation = side === "saddr" ? source : destination;
  return translation === undefined ? "" : ` made ${translation.text}`;
}

/** How many questions of a rule come before this one: the number under which a rule's own memory is known. */
export function questionNumber(steps: readonly Step[], index: number): number {
  return steps.slice(0, index).filter(({ kind }) => kind === "opaque").length;
}

/** Memories that a match changes by asking them. */
const counts: ReadonlySet<string> = new Set(["limit", "hashlimit", "quota", "turns", "connections", "nfacct"]);

const allMatched = (piece: Piece): Split => ({ matched: [piece], missed: [] });
const allMissed = (piece: Piece): Split => ({ matched: [], missed: [piece] });

/** The rules that may match any of the packets. */
function candidatesOf(pieces: readonly Piece[], { rules, index }: FollowedChain): Iterable<number> {
  const asked = pieces.some(({ state }) => isRewritten(state)) ? undefined : index.candidates(pieces.map(({ box }) => box));
  return asked ?? rules.keys();
}

/** Most rules have nothing to do with most packets, and say so in their first step. */
function isAsideOf(pieces: readonly Piece[], { first }: FollowedRule): boolean {
  if (first === undefined) return false;
  for (const piece of pieces) if (!isApart(piece, first)) return false;
  return true;
}

function isApart({ box, state }: Piece, first: Box | undefined): boolean {
  return first !== undefined && !isRewritten(state) && !meet(box, first);
}

export const diverged = (piece: Piece): Piece =>
  piece.state.diverged ? piece : { box: piece.box, state: { ...piece.state, diverged: true } };

const untrackedBit = stateBits(["untracked"]);

function isRewritten({ destination, source, tracking }: State): boolean {
  return destination !== undefined || source !== undefined || tracking !== "tracked";
}

function refusing({ target }: IptablesRule): Pick<Outcome, "refusal"> {
  const words = target?.kind === "extension" ? refusalOf(target)?.words : undefined;
  return words === undefined ? {} : { refusal: words };
}

function programOf({ target }: IptablesRule): string {
  const { extension, options } = target as ExtensionUse;
  return [extension, ...Object.values(options).map(({ name, text }) => `--${name} ${text}`)].sort().join(" ");
}
