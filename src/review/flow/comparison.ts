/**
 * Sends the packets that a change can concern through both versions, and gathers what becomes otherwise of them.
 *
 * Packets that no change concerns directly may be concerned by what other packets leave behind: a list that is fed otherwise,
 * tokens that are taken otherwise, a connection's mark. Every memory that is found to differ makes the rules that ask it a concern of
 * the next round, until no other memory differs.
 */

import { append } from "../../append.js";
import { readsOf } from "../../extensions/described.js";
import { isMemory } from "../../extensions/facts.js";
import type { Family, IptablesRule, IptablesRuleset, TableName } from "../../iptables/ast.js";
import { tracksConnections } from "../../rewrite/tracking.js";
import type { ChainPair } from "../changes/chain-pairs.js";
import { everything, intersect, type Box } from "../packets/box.js";
import { ipsetMemory, listMemory, setOfMemory } from "../packets/condition.js";
import { entriesOf } from "../packets/entries.js";
import { Effort, TooManyPieces, type FollowedTable } from "../packets/paths.js";
import { stepsOf } from "../packets/steps.js";
import { flow, questionNumber, type FlowContext, type Outcome } from "./flow.js";
import { driftOf, joinedDrift, type Drift, type Drifts } from "./questions.js";
import { paths, Side, type PathName, type Stage } from "./side.js";
import { answering, arriving, placed, type State, type Translation } from "./state.js";

/** Packets that meet something that differs. */
export interface Concern {
  readonly table: TableName;
  /** The chain of the place, in the version that has it. */
  readonly chain: string;
  readonly rule?: IptablesRule;
}

/** What one change brings about. */
export interface Consequences {
  readonly opens: readonly Found[];
  readonly closes: readonly Found[];
  /** Decided alike, and sent elsewhere. */
  readonly translated: readonly Redirected[];
  /** Decided alike, and marked or altered otherwise when they leave. */
  readonly altered: readonly Found[];
  /** Stopped in both, and the sender is told something else. */
  readonly refused: readonly Refused[];
  /** Why not all could be worked out; absent where all was. */
  readonly unjudged?: string;
  /** Memories that it feeds or asks otherwise. */
  readonly memories: ReadonlySet<string>;
}

export interface Found {
  readonly box: Box;
  readonly path: PathName;
  /** Where the packets are sent in the new version, if rules send them elsewhere than they were sent. */
  readonly sentTo?: Translation;
  /** It follows from what other packets leave behind, and only later. */
  readonly inTurn: boolean;
}

export interface Redirected extends Found {
  readonly before: Pick<State, "source" | "destination">;
  readonly after: Pick<State, "source" | "destination">;
}

export interface Refused extends Found {
  /** What the sender is told; undefined: nothing. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

interface Start {
  readonly path: PathName;
  readonly index: number;
  readonly box: Box;
  readonly old: State;
  readonly current: State;
}

/** Comparisons for one set of packets: about a tenth of a second. */
const effortPerStart = 300_000;

/** Rounds after which memories that still come to differ are taken for different in every way. */
const mostRounds = 6;

/** Sets of packets whose answers are followed, because the packets are tracked in one version only. */
const mostAnswers = 60;

/** What a comparison is about: one change with its places, or a memory whose contents differ from the beginning. */
export interface Subject {
  readonly old?: Concern;
  readonly current?: Concern;
}

export class Comparison {
  private readonly old: Side;
  private readonly current: Side;
  private readonly drifts = new Map<string, Drift>();
  private driftsOfRound: ReadonlyMap<string, Drift> = new Map();
  /** The subjects that make a memory differ. */
  readonly causes = new Map<string, Set<Subject>>();
  /** Packets of which the other direction is tracked in one version only, by what tells them apart. */
  private readonly answers = new Map<string, Start>();
  private connectionMarks = false;

  constructor(
    private readonly family: Family,
    old: IptablesRuleset | undefined,
    current: IptablesRuleset | undefined,
    pairs: ReadonlyMap<TableName, readonly ChainPair[]>,
    /** Shared by all that is compared. */
    private readonly effort: Effort,
    /** The sets of ipset that hold other elements as soon as one does. */
    private readonly setsChangingWith: (set: string) => readonly string[],
  ) {
    const reassembles = [old, current].every((version) => version && tracksConnections(version));
    this.old = new Side("old", family, old, pairs, reassembles);
    this.current = new Side("new", family, current, pairs, reassembles);
  }

  /** Gives rules of both versions one name: they count on together. */
  sameRule(old: IptablesRule, current: IptablesRule): void {
    const id = `${old.span.file}:${old.span.line}:${old.span.column}`;
    this.old.nameRule(old, id);
    this.current.nameRule(current, id);
  }

  /** A memory whose contents differ from the beginning. */
  differsFromTheBeginning(memory: string, drift: Drift, subject: Subject): void {
    this.note(memory, drift, subject);
  }

  /** The memories that are known to differ, and how. */
  get differing(): ReadonlyMap<string, Drift> {
    return this.drifts;
  }

  /** Which directions each change had before any memory was known to differ. */
  private readonly first = new Map<Subject, Directions>();

  /** May be run again, with more subjects, when a memory has come to differ for a reason outside of these rules. */
  run(subjects: readonly Subject[]): ReadonlyMap<Subject, Consequences> {
    const { first } = this;
    let last = new Map<Subject, Gathered>();
    for (let round = 0; round < mostRounds; round++) {
      // What is found in this round counts from the next one on: until then the memories are as they were.
      this.driftsOfRound = new Map(this.drifts);
      const before = this.known();
      last = new Map(subjects.map((subject) => [subject, new Gathered().with(this.of(subject, subject, () => this.startsOf(subject)))]));
      if (round === 0) {
        for (const [subject, { opens, closes }] of last) {
          if (!first.has(subject)) first.set(subject, { opens: opens.length > 0, closes: closes.length > 0 });
        }
      }
      this.followMemories(last);
      if (this.known() === before) break;
      if (round === mostRounds - 2) for (const memory of this.drifts.keys()) this.drifts.set(memory, "unknown");
    }
    return new Map([...last].map(([subject, gathered]) => [subject, gathered.finished(first.get(subject)!)]));
  }

  private known(): string {
    return JSON.stringify([[...this.drifts].sort(), this.answers.size, this.connectionMarks]);
  }

  // ------------------------------------------------------------------------------------------------ memories

  private note(memory: string, drift: Drift, subject: Subject): void {
    const set = setOfMemory(memory);
    const others = set === undefined ? [] : this.setsChangingWith(set);
    for (const one of [memory, ...others.map(ipsetMemory)]) {
      this.drifts.set(one, joinedDrift(this.drifts.get(one), drift));
      const causes = this.causes.get(one) ?? new Set();
      this.causes.set(one, causes.add(subject));
    }
  }

  /** What follows for rules that ask memories that differ; told as of the first subject that makes them differ. */
  private followMemories(found: ReadonlyMap<Subject, Gathered>): void {
    const of = (subject: Subject): Gathered => found.get(subject) ?? [...found.values()][0]!;
    for (const memory of this.driftsOfRound.keys()) {
      const [cause] = this.causes.get(memory) ?? [];
      if (cause && found.size > 0) of(cause).with(this.of(memory, cause, () => this.startsOfReaders(memory)));
    }
    const [cause] = found.keys();
    if (!cause) return;
    const answers = [...this.answers].slice(0, mostAnswers);
    const trackingCause = this.trackingCause ?? cause;
    for (const [text, start] of answers) of(trackingCause).with(this.of(text, trackingCause, () => [start]));
    if (this.answers.size > mostAnswers) of(trackingCause).unjudged ??= "the answers to its packets are in too many pieces to be followed";
    if (this.connectionMarks) of(this.markCause ?? cause).with(this.of(marks, cause, () => this.startsOfConnectionMarks()));
  }

  private readonly results = new Map<unknown, Result>();

  /** What the packets of these starts come to, in this round; not worked out again where no memory that they ask has changed since. */
  private of(key: unknown, subject: Subject, starts: () => readonly Start[]): Gathered {
    const before = this.results.get(key);
    if (before && [...before.asked].every(([memory, drift]) => this.driftsOfRound.get(memory) === drift)) return before.gathered;
    const asked = new Map<string, Drift | undefined>();
    const drifts: Drifts = {
      get: (memory) => {
        const drift = this.driftsOfRound.get(memory);
        asked.set(memory, drift);
        return drift;
      },
    };
    const places = before?.starts ?? starts();
    const gathered = this.gather(places, subject, drifts);
    this.results.set(key, { starts: places, gathered, asked });
    return gathered;
  }

  private trackingCause: Subject | undefined;
  private markCause: Subject | undefined;

  private startsOfReaders(memory: string): Start[] {
    return this.startsAtRules(this.readersOf().get(memory) ?? []);
  }

  private readers: ReadonlyMap<string, readonly PlacedRule[]> | undefined;

  /** The rules that ask each memory: there may be thousands of both. */
  private readersOf(): ReadonlyMap<string, readonly PlacedRule[]> {
    if (this.readers) return this.readers;
    const readers = new Map<string, PlacedRule[]>();
    for (const placed of this.allRules()) {
      for (const memory of asks(placed.rule, this.family, placed.side)) {
        const known = readers.get(memory);
        if (known) known.push(placed);
        else readers.set(memory, [placed]);
      }
    }
    return (this.readers = readers);
  }

  private startsOfConnectionMarks(): Start[] {
    const reads = (rule: IptablesRule): boolean =>
      stepsOf(rule, this.family).some((step) => step.kind === "carried" && step.of === "connmark") || restores(rule);
    const marked = (version: string): State => ({
      ...arriving,
      diverged: true,
      carried: { ...arriving.carried, connmark: `as the ${version} rules left it` },
    });
    return this.startsAtRules(this.allRules().filter(({ rule }) => reads(rule))).map((start) => ({
      ...start,
      old: marked("old"),
      current: marked("new"),
    }));
  }

  private allRules(): PlacedRule[] {
    return [this.old, this.current].flatMap((side) =>
      [...side.followed].flatMap((followed) =>
        [...followed.chains.values()].flatMap(({ chain, rules }) => rules.map(({ rule }) => ({ side, followed, chain: chain.name, rule }))),
      ),
    );
  }

  /** A rule that both versions have is asked once. */
  private startsAtRules(placed: readonly PlacedRule[]): Start[] {
    const starts: Start[] = [];
    const known = new Set<string>();
    for (const { side, followed, chain, rule } of placed) {
      const id = side.idOf(rule);
      if (known.has(id)) continue;
      known.add(id);
      append(starts, this.startsAt({ table: followed.table.name, chain, rule }, side, followed));
    }
    return starts;
  }

  // -------------------------------------------------------------------------------------------------- starts

  private startsOf({ old, current }: Subject): readonly Start[] {
    const starts: Start[] = [];
    for (const [concern, side] of [
      [old, this.old],
      [current, this.current],
    ] as const) {
      const table = concern && side.table(concern.table);
      if (concern && table) starts.push(...this.startsAt(concern, side, table));
    }
    return withoutRepeats(starts);
  }

  /** The packets that come to a place, at each built-in chain that leads there. */
  private startsAt({ chain, rule }: Concern, side: Side, table: FollowedTable): Start[] {
    const entry = entriesOf(table).get(chain);
    const box = entry && (rule ? intersect(withoutTests(entry), regionOf(rule, this.family) ?? entry) : withoutTests(entry));
    if (!box || (rule && regionOf(rule, this.family) === undefined)) return [];
    return side.basesOf(table, chain).flatMap((base) =>
      (Object.entries(paths) as [PathName, readonly Stage[]][]).flatMap(([path, stages]): Start[] => {
        const index = stages.findIndex((stage) => stage.table === table.table.name && stage.chain === base);
        return index < 0 ? [] : [{ path, index, box: onPath(box, path), old: arriving, current: arriving }];
      }),
    );
  }

  // ------------------------------------------------------------------------------------------------- playing

  private gather(starts: readonly Start[], subject: Subject, drifts: Drifts): Gathered {
    const into = new Gathered();
    for (const start of starts) {
      try {
        const left = new Effort(effortPerStart);
        const spend = (comparisons: number): void => {
          left.spend(comparisons);
          this.effort.spend(comparisons);
        };
        this.play(start, subject, into, { drifts, effort: { spend } });
      } catch (error) {
        if (!(error instanceof TooManyPieces)) throw error;
        into.unjudged = "its packets are in too many pieces to be followed";
      }
    }
    return into;
  }

  private play({ path, index, box, old, current }: Start, subject: Subject, into: Gathered, context: FlowContext): void {
    const stages = paths[path].slice(index);
    for (const before of flow(this.old, stages, { box, state: old }, context)) {
      // Packets that were decided before the first difference are decided alike.
      if (!before.state.diverged && current === old) continue;
      for (const after of flow(this.current, stages, { box: before.box, state: current }, context)) {
        this.compare(before, after, path, subject, into, old.tracking !== "tracked" || current.tracking !== "tracked");
      }
    }
  }

  /** @param areAnswers the packets began as answers to others: what they are answered with has come the way of the first already */
  private compare(before: Outcome, after: Outcome, path: PathName, subject: Subject, into: Gathered, areAnswers: boolean): void {
    const { box } = after;
    this.compareEvents(before.state, after.state, subject, into);
    if (before.state.tracking !== after.state.tracking && !areAnswers) this.untrackOtherDirection(box, before.state, after.state, subject);
    if (before.state.carried.connmark !== after.state.carried.connmark && !this.connectionMarks) {
      this.connectionMarks = true;
      this.markCause = subject;
    }
    const [was, is] = [before.fate, after.fate];
    const [from, to] = [placed(before.state).destination, placed(after.state).destination];
    const sentTo = from?.text !== to?.text && to ? { sentTo: to } : {};
    const programs = was.startsWith("elsewhere") && is.startsWith("elsewhere");
    if (was !== is && programs) {
      into.unjudged ??= "a program decides about its packets, and now another one";
    } else if (was === "drop" && is !== "drop") into.opens.push({ box, path, ...sentTo });
    else if (was !== "drop" && is === "drop") into.closes.push({ box, path });
    else if (was !== is) into[is === "accept" ? "opens" : "closes"].push({ box, path });
    else if (was === "drop") this.compareRefusals(before, after, { box, path }, into);
    else this.compareStates(before.state, after.state, { box, path, ...sentTo }, into);
  }

  private compareRefusals(before: Outcome, after: Outcome, found: Omit<Found, "inTurn">, into: Gathered): void {
    if (before.refusal !== after.refusal) into.refused.push({ ...found, before: before.refusal, after: after.refusal });
  }

  private compareStates(before: State, after: State, found: Omit<Found, "inTurn">, into: Gathered): void {
    const text = (translation: Translation | undefined): string => translation?.text ?? "";
    const [from, to] = [placed(before), placed(after)];
    if (text(from.destination) !== text(to.destination) || text(from.source) !== text(to.source)) {
      into.translated.push({ ...found, before: from, after: to });
    } else if (
      before.tracking !== after.tracking ||
      before.outside !== after.outside ||
      carriedNames.some((name) => before.carried[name] !== after.carried[name])
    ) {
      into.altered.push(found);
    }
  }

  private compareEvents(before: State, after: State, subject: Subject, into: Gathered): void {
    if (before.events.length === 0 && after.events.length === 0) return;
    for (const memory of new Set([...before.events, ...after.events].map((event) => event.memory))) {
      const [old, current] = [before, after].map(({ events }) =>
        events.filter((event) => event.memory === memory).map(({ kind, text }) => `${kind} ${text}`),
      );
      const drift = driftOf(old!, current!);
      if (drift === undefined) continue;
      into.memories.add(memory);
      this.note(memory, drift, subject);
    }
  }

  /** Answers to packets that are tracked in one version only are in another state there. */
  private untrackOtherDirection(box: Box, before: State, after: State, subject: Subject): void {
    const mirrored = mirror(box);
    const stateOf = (tracking: string): State => ({
      ...arriving,
      diverged: true,
      tracking: tracking === "tracked" ? "tracked" : `${answering} ${tracking}`,
    });
    for (const path of Object.keys(paths) as PathName[]) {
      const start = { path, index: 0, box: onPath(mirrored, path), old: stateOf(before.tracking), current: stateOf(after.tracking) };
      if (this.answers.size <= mostAnswers) this.answers.set(textOf(start), start);
      this.trackingCause ??= subject;
    }
  }
}

interface Directions {
  readonly opens: boolean;
  readonly closes: boolean;
}

/** Connections whose marks differ, as a name of what comes of them. */
const marks = Symbol("marks of connections");

/** What packets came to, and what was known of the memories that they asked: it holds as long as that does. */
interface Result {
  readonly starts: readonly Start[];
  readonly gathered: Gathered;
  readonly asked: ReadonlyMap<string, Drift | undefined>;
}

const carriedNames = ["mark", "connmark", "tos", "ttl"] as const;

class Gathered {
  readonly opens: Omit<Found, "inTurn">[] = [];
  readonly closes: Pick<Found, "box" | "path">[] = [];
  readonly translated: Omit<Redirected, "inTurn">[] = [];
  readonly altered: Omit<Found, "inTurn">[] = [];
  readonly refused: Omit<Refused, "inTurn">[] = [];
  readonly memories = new Set<string>();
  unjudged: string | undefined;

  /** Adds what other packets came to. */
  with(other: Gathered): this {
    append(this.opens, other.opens);
    append(this.closes, other.closes);
    append(this.translated, other.translated);
    append(this.altered, other.altered);
    append(this.refused, other.refused);
    for (const memory of other.memories) this.memories.add(memory);
    this.unjudged ??= other.unjudged;
    return this;
  }

  /** @param first which directions there were before any memory was known to differ */
  finished(first: Directions): Consequences {
    const inTurn = (direction: "opens" | "closes"): boolean => !first[direction] && first[direction === "opens" ? "closes" : "opens"];
    return {
      opens: this.opens.map((found) => ({ ...found, inTurn: inTurn("opens") })),
      closes: this.closes.map((found) => ({ ...found, inTurn: inTurn("closes") })),
      translated: this.translated.map((found) => ({ ...found, inTurn: false })),
      altered: this.altered.map((found) => ({ ...found, inTurn: false })),
      refused: this.refused.map((found) => ({ ...found, inTurn: false })),
      ...(this.unjudged !== undefined && { unjudged: this.unjudged }),
      memories: this.memories,
    };
  }
}

/** A rule and where it is followed. */
interface PlacedRule {
  readonly side: Side;
  readonly followed: FollowedTable;
  readonly chain: string;
  readonly rule: IptablesRule;
}

/** The memories that a rule asks, by name. */
function asks(rule: IptablesRule, family: Family, side: Side): ReadonlySet<string> {
  const found = new Set<string>();
  const steps = stepsOf(rule, family);
  for (const [index, step] of steps.entries()) {
    if (step.kind === "recent" && step.use.operation !== "set") found.add(listMemory(step.use.list));
    if (step.kind !== "opaque") continue;
    for (const matter of readsOf(step.use)) {
      if (isMemory(matter)) found.add(`${matter.memory} ${matter.name ?? `of ${side.idOf(rule)}.${questionNumber(steps, index)}`}`);
    }
  }
  return found;
}

/** Whether the rule copies the connection's mark to the packet. */
function restores({ target }: IptablesRule): boolean {
  return target?.kind === "extension" && target.options["restore-mark"] !== undefined;
}

/** The fields of the packets that a rule may do anything to: what is tested behind something that remembers keeps no packet from that. */
function regionOf(rule: IptablesRule, family: Family): Box | undefined {
  let box: Box | undefined = everything;
  for (const step of stepsOf(rule, family)) {
    if (step.kind === "recent" || (step.kind === "opaque" && readsOf(step.use).some(isMemory))) break;
    if (step.kind === "fields") box = box && step.box && intersect(box, step.box);
  }
  return box;
}

function withoutTests({ tests: _, ...fields }: Box): Box {
  return fields;
}

/** Only packets of this path: what comes in goes out by no interface, and the other way round. */
function onPath(box: Box, path: PathName): Box {
  const { inInterface, outInterface, ...others } = box;
  return {
    ...others,
    ...(inInterface && path !== "OUTPUT" && { inInterface }),
    ...(outInterface && path !== "INPUT" && { outInterface }),
  };
}

/** The packets of the other direction. */
function mirror({ source, destination, sourcePort, destinationPort, protocol, tests: _ }: Box): Box {
  return {
    ...(protocol && { protocol }),
    ...(destination && { source: destination }),
    ...(source && { destination: source }),
    ...(destinationPort && { sourcePort: destinationPort }),
    ...(sourcePort && { destinationPort: sourcePort }),
  };
}

function textOf(start: Start): string {
  return JSON.stringify(start, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
  );
}

function withoutRepeats(starts: readonly Start[]): readonly Start[] {
  if (starts.length < 2) return starts;
  return [...new Map(starts.map((start) => [textOf(start), start])).values()];
}
