/** What a change of a ruleset does: rule by rule, and as traffic that gets through or no longer does. */

import { printable, type Span } from "../../diagnostic.js";
import type { Ipset } from "../../ipset/ast.js";
import { changingWith, holdsBothFamilies } from "../../ipset/use.js";
import type { Family, IptablesRule, IptablesRuleset, TableName } from "../../iptables/ast.js";
import { gatherLists, type ListUsage, type PlacedUse } from "../../rewrite/recent/usage.js";
import type { Remark } from "../findings.js";
import { Comparison, type Consequences, type Found, type Redirected, type Refused, type Subject } from "../flow/comparison.js";
import type { Translation } from "../flow/state.js";
import type { Drift } from "../flow/questions.js";
import type { PathName } from "../flow/side.js";
import { hull, meet, subtract, type Box } from "../packets/box.js";
import { ipsetMemory, isObjectOfBoth, listMemory, memoriesOf, memoryWords, setOfMemory } from "../packets/condition.js";
import { entriesOf } from "../packets/entries.js";
import { Effort, followedTable, type FollowedTable } from "../packets/paths.js";
import { exampleOf } from "../packets/example.js";
import { packetWords, translationWords } from "../packets/words.js";
import type { Change, Effect } from "../report.js";
import { ruleWords, targetWords } from "../rule-words.js";
import { pairChains, type ChainPair } from "./chain-pairs.js";
import { lockOuts } from "./lock-out.js";
import { changedSets } from "./set-contents.js";
import { mayChangePlaces } from "./order.js";
import { ruleChanges, type RuleChange } from "./rule-changes.js";

export interface ChangeReview {
  readonly changes: readonly Change[];
  readonly opens: readonly Effect[];
  readonly closes: readonly Effect[];
  /** What packets are sent or altered otherwise, and decided alike. */
  readonly alters: readonly Effect[];
  /** Changes of which it was not worked out what they do. */
  readonly unjudged: readonly Effect[];
  readonly remarks: readonly Remark[];
  /** What the changes do to the checks of each list of `recent`, by its name. */
  readonly lists: ReadonlyMap<string, Direction>;
}

export type Direction = Change["direction"];

export interface Versions {
  readonly rulesets: readonly IptablesRuleset[];
  /** What the sets of ipset hold, by name. */
  readonly sets: ReadonlyMap<string, Ipset>;
}

const families: readonly Family[] = ["ipv4", "ipv6"];
const tableNames: readonly TableName[] = ["raw", "mangle", "nat", "filter", "security"];

/** Comparisons for all changes together: some seconds. */
const wholeEffort = 600_000;

/** Pieces of an effect that are told apart from what has been told. */
const mostPiecesTold = 200;

/** What has been told that is compared with what is to be told: of so many pieces the last. */
const mostRemembered = 100;

/** Rules that a moved one has passed, of which it is looked at whether each may change places with it. */
const mostPassed = 100;

/** @param listsTold lists whose change is told as one of the list: the rule's own finding would say it again */
export function compareRulesets(old: Versions, current: Versions, listsTold: ReadonlySet<string>): ChangeReview {
  const review = new Review(listsTold);
  const effort = new Effort(wholeEffort);
  const reviews = families.flatMap((family) => {
    const [before, after] = [old, current].map(({ rulesets }) => rulesets.find((one) => one.family === family));
    return before || after ? [new FamilyReview(family, before, after, [old.sets, current.sets], effort, review)] : [];
  });
  for (const one of reviews) one.compare();
  shareMemories(reviews);
  for (const one of reviews) one.tellAll();
  return review;
}

/** Times that what one family's rules leave behind is told to the other; then it is taken for different in every way. */
const mostExchanges = 4;

/** Tells each family of what the other one's rules do to the memories of both. */
function shareMemories(reviews: readonly FamilyReview[]): void {
  for (let exchange = 0; exchange < mostExchanges; exchange++) {
    const last = exchange === mostExchanges - 1;
    const fed = new Set<FamilyReview>();
    for (const one of reviews) {
      for (const other of reviews) {
        if (other === one) continue;
        for (const [memory, drift] of other.leavesToOthers()) {
          if (!one.hear(memory, last ? "unknown" : drift, other.family)) continue;
          other.heard.add(memory);
          fed.add(one);
        }
      }
    }
    if (fed.size === 0) break;
    for (const one of fed) one.compare();
  }
}

class Review implements ChangeReview {
  readonly changes: Change[] = [];
  readonly opens: Effect[] = [];
  readonly closes: Effect[] = [];
  readonly alters: Effect[] = [];
  readonly unjudged: Effect[] = [];
  readonly remarks: Remark[] = [];
  readonly lists = new Map<string, Direction>();
  /** Effects that are told, with their directions. */
  readonly sentences = new Set<string>();

  constructor(readonly listsTold: ReadonlySet<string>) {}
}

interface PolicyChange {
  readonly kind: "policy";
  readonly pair: ChainPair;
  readonly before: "ACCEPT" | "DROP";
  readonly after: "ACCEPT" | "DROP";
}

/** Something that changed, with the packets it concerns. */
type Told = { readonly table: TableName; readonly subject: Subject } & (
  | { readonly what: PolicyChange }
  | { readonly what: { readonly kind: "rule"; readonly change: RuleChange; readonly pair: ChainPair } }
  | { readonly what: { readonly kind: "contents"; readonly words: string; readonly rule: IptablesRule; readonly chain: string } }
);

class FamilyReview {
  private readonly comparison: Comparison;
  private readonly pairs = new Map<TableName, readonly ChainPair[]>();
  private readonly entries = { old: new Map<TableName, ReadonlyMap<string, Box>>(), new: new Map<TableName, ReadonlyMap<string, Box>>() };
  private readonly tables = { old: new Map<TableName, FollowedTable>(), new: new Map<TableName, FollowedTable>() };
  /** What has been told to open and to close, by path. */
  private readonly told = { opens: new Map<PathName, Box[]>(), closes: new Map<PathName, Box[]>() };
  private readonly found: Told[] = [];
  /** Memories whose differences the other family has heard of. */
  readonly heard = new Set<string>();
  private consequences: ReadonlyMap<Subject, Consequences> = new Map();

  constructor(
    readonly family: Family,
    private readonly before: IptablesRuleset | undefined,
    private readonly after: IptablesRuleset | undefined,
    private readonly sets: readonly [old: Versions["sets"], current: Versions["sets"]],
    effort: Effort,
    private readonly review: Review,
  ) {
    for (const name of tableNames) {
      const [old, current] = [before, after].map((ruleset) => ruleset?.tables.find((table) => table.name === name));
      if (!old && !current) continue;
      this.pairs.set(name, pairChains(old, current, family));
      for (const [version, table] of [
        ["old", old],
        ["new", current],
      ] as const) {
        if (!table) continue;
        const followed = followedTable(table, family);
        this.tables[version].set(name, followed);
        this.entries[version].set(name, entriesOf(followed));
      }
    }
    this.comparison = new Comparison(family, before, after, this.pairs, effort, (set) => this.setsChangingWith(set));
    this.found.push(
      ...[...this.pairs].flatMap(([table, of]) => of.flatMap((pair) => [...this.policyOf(table, pair), ...this.rulesOf(table, pair)])),
      ...this.contents(),
    );
    this.masks(this.found);
  }

  /** Works out what the changes do; again where the other family's rules were heard to feed something otherwise. */
  compare(): void {
    this.consequences = this.comparison.run(this.found.map(({ subject }) => subject));
  }

  tellAll(): void {
    for (const one of this.found) this.tell(one, this.consequences.get(one.subject)!);
    const [first] = this.review.closes;
    if (first) this.review.remarks.push(...lockOuts(this.family, this.before, this.after, first.span));
  }

  // -------------------------------------------------------------------------------------------- what changed

  private policyOf(table: TableName, pair: ChainPair): Told[] {
    const { old, new: current } = pair;
    const [before, after] = [old?.policy ?? "ACCEPT", current?.policy ?? "ACCEPT"];
    if ((current ?? old)!.policy === undefined || before === after) return [];
    const subject: Subject = {
      ...(old && { old: { table, chain: old.name } }),
      ...(current && { current: { table, chain: current.name } }),
    };
    return [{ table, subject, what: { kind: "policy", pair, before: before as "ACCEPT", after: after as "ACCEPT" } }];
  }

  private rulesOf(table: TableName, pair: ChainPair): Told[] {
    const { changes, kept } = ruleChanges(pair);
    for (const [old, current] of kept) this.comparison.sameRule(old, current);
    return changes.flatMap((change): Told[] => {
      const { kind, before, after, passed } = change;
      if (before && after) this.comparison.sameRule(before, after);
      if (kind === "moved" && passed.length <= mostPassed && passed.every((rule) => mayChangePlaces(after!, rule, this.family))) return [];
      const subject: Subject = {
        ...(before && { old: { table, chain: pair.old!.name, rule: before } }),
        ...(after && { current: { table, chain: pair.new!.name, rule: after } }),
      };
      return [{ table, subject, what: { kind: "rule", change, pair } }];
    });
  }

  private setsChangingWith(name: string): readonly string[] {
    return [...new Set(this.sets.flatMap((sets) => changingWith(name, sets)))];
  }

  /** Sets of ipset that hold other elements, as far as rules ask for them, or for a list of sets with them. */
  private contents(): Told[] {
    return changedSets(...this.sets).flatMap(({ name, drift, words }): Told[] => {
      const asked = new Set([name, ...this.setsChangingWith(name)].map(ipsetMemory));
      const told = this.contentsAsked(asked, `set "${printable(name)}" ${words}`);
      if (told) this.comparison.differsFromTheBeginning(ipsetMemory(name), drift, told.subject);
      return told ? [told] : [];
    });
  }

  /** That a memory holds something else, told of the first rule that asks it; undefined if none does. */
  private contentsAsked(memories: ReadonlySet<string>, words: string): Told | undefined {
    for (const [table, followed] of this.tables.new) {
      for (const { chain, rules } of followed.chains.values()) {
        const asking = rules.find(({ rule }) => rule.matches.some((use) => memoriesOf(use).some((memory) => memories.has(memory))));
        if (asking) return { table, subject: {}, what: { kind: "contents", words, rule: asking.rule, chain: chain.name } };
      }
    }
    return undefined;
  }

  /** How the memories that rules of both families share come to differ. */
  leavesToOthers(): ReadonlyMap<string, Drift> {
    return new Map([...this.comparison.differing].filter(([memory]) => this.isOfBothFamilies(memory)));
  }

  /** Whether it is new that the other family's rules make a memory differ so, and rules here ask it. */
  hear(memory: string, drift: Drift, from: Family): boolean {
    const known = this.comparison.differing.get(memory);
    if (known === drift || known === "unknown") return false;
    const words = `${memoryWords(memory)} is fed otherwise by the rules of ${from === "ipv4" ? "IPv4" : "IPv6"}`;
    const told = this.contentsAsked(new Set([memory]), words);
    if (!told) return false;
    if (known === undefined) this.found.push(told);
    this.comparison.differsFromTheBeginning(memory, drift, told.subject);
    return true;
  }

  /** Lists of `recent` keep the addresses of both families apart, as do most sets of ipset. */
  private isOfBothFamilies(memory: string): boolean {
    if (isObjectOfBoth(memory)) return true;
    const name = setOfMemory(memory);
    return name !== undefined && this.sets.some((sets) => holdsBothFamilies(name, sets));
  }

  /** The mask of a list is that of the rule that is loaded first. */
  private masks(found: readonly Told[]): void {
    if (!this.before || !this.after) return;
    const lists = gatherLists(this.before);
    for (const { name, mask, uses } of gatherLists(this.after).values()) {
      const earlier = lists.get(name);
      if (!earlier || earlier.mask === mask) continue;
      const told = found.find(({ subject }) =>
        [subject.old, subject.current].some((concern) =>
          concern?.rule?.matches.some((use) => use === uses[0]!.use || use === earlier.uses[0]!.use),
        ),
      );
      const drift = maskDrift(earlier, { mask, uses });
      const cause = told ?? found[0];
      if (cause) this.comparison.differsFromTheBeginning(listMemory(name), drift, cause.subject);
    }
  }

  // -------------------------------------------------------------------------------------------------- telling

  private tell(told: Told, consequences: Consequences): void {
    const direction = directionOf(consequences);
    this.noteLists(consequences);
    const span = this.changeOf(told, consequences, direction);
    // What a list's own words say needs no second finding.
    const edited = told.what.kind === "rule" && told.what.change.kind === "changed";
    for (const one of ["opens", "closes"] as const) {
      const [later, atOnce] = [true, false].map((wanted) => consequences[one].filter(({ inTurn }) => inTurn === wanted));
      this.tellFound(one, atOnce!, span, "", edited);
      this.tellFound(one, later!, span, "in turn, later: ", edited);
    }
    this.tellTranslations(consequences, span, told);
    // Where rules decide by what is altered, the effect is told.
    if (consequences.altered.length > 0 && direction === "alters") this.tellAltered(told, span);
    this.tellRefused(consequences, span);
    if (consequences.unjudged !== undefined) this.tellUnjudged(told, consequences.unjudged, span);
  }

  /** Adds the change to the report; returns its place. */
  private changeOf(told: Told, consequences: Consequences, direction: Direction): Span {
    const { table, what } = told;
    const common = { table, family: this.family, direction };
    switch (what.kind) {
      case "policy": {
        const { old, new: current } = what.pair;
        const span = current?.span ?? this.spanOf(table) ?? old!.span;
        const name = (current ?? old)!.name;
        const idle =
          direction === "neither" && consequences.unjudged === undefined
            ? " (no packet comes to the policy that it decides otherwise)"
            : "";
        this.review.changes.push({
          ...common,
          kind: "policy",
          chain: name,
          ...(old && { before: { text: `:${name} ${what.before}`, span: old.span } }),
          ...(current && { after: { text: `:${name} ${what.after}`, span: current.span } }),
          meaning: `everything in ${name} that no rule decides is ${what.after === "ACCEPT" ? "let through" : "dropped"} now${idle}`,
        });
        return span;
      }
      case "rule": {
        const { change, pair } = what;
        const { kind, before, after, near } = change;
        this.review.changes.push({
          ...common,
          kind,
          chain: (pair.new ?? pair.old!).name,
          ...(before && { before: { text: before.text, span: before.span } }),
          ...(after && { after: { text: after.text, span: after.span } }),
          meaning: this.meaning(table, change, pair, consequences, direction),
        });
        return after?.span ?? near?.span ?? pair.new?.span ?? this.spanOf(table) ?? before!.span;
      }
      case "contents": {
        const { words, rule, chain } = what;
        this.review.changes.push({
          ...common,
          kind: "contents",
          chain,
          after: { text: rule.text, span: rule.span },
          meaning: words,
        });
        return rule.span;
      }
    }
  }

  private spanOf(table: TableName): Span | undefined {
    return this.after?.tables.find(({ name }) => name === table)?.span ?? this.after?.tables[0]?.span;
  }

  private meaning(
    table: TableName,
    { kind, before, after, passed }: RuleChange,
    pair: ChainPair,
    found: Consequences,
    direction: Direction,
  ): string {
    const base = (pair.new ?? pair.old!).policy === undefined ? undefined : (pair.new ?? pair.old!).name;
    const was = (rule: IptablesRule): string => ruleWords(rule, this.family, this.entries.old.get(table)?.get(pair.old!.name), base);
    const is = (rule: IptablesRule): string => ruleWords(rule, this.family, this.entries.new.get(table)?.get(pair.new!.name), base);
    const more = this.moreWords(found, direction);
    switch (kind) {
      case "added":
        return `${is(after!)}${more}`;
      case "removed":
        return `no longer ${was(before!)}${more}`;
      case "moved": {
        const passing =
          passed.length === 1
            ? `the rule of line ${passed[0]!.span.line}`
            : `${passed.length} rules, the first in line ${passed[0]!.span.line}`;
        return `stands on the other side of ${passing}: ${is(after!)}${more}`;
      }
      case "changed":
        return `${was(before!)}; now ${is(after!)}${more}`;
    }
  }

  private moreWords({ unjudged, memories }: Consequences, direction: Direction): string {
    if (unjudged !== undefined) return "; not judged";
    if ([...memories].some((memory) => this.heard.has(memory)))
      return `; what follows for ${this.family === "ipv4" ? "IPv6" : "IPv4"} is told there`;
    return direction === "neither" ? " (no packet is let through or stopped that was not)" : "";
  }

  // -------------------------------------------------------------------------------------------------- effects

  /** Which lists the differences hang on. */
  private noteLists({ opens, closes }: Consequences): void {
    for (const [direction, found] of [
      ["opens", opens],
      ["closes", closes],
    ] as const) {
      for (const { box, inTurn } of found) {
        if (inTurn) continue;
        for (const list of listsIn(box)) {
          const known = this.review.lists.get(list);
          this.review.lists.set(list, known === undefined || known === direction ? direction : "both");
        }
      }
    }
  }

  private tellFound(direction: "opens" | "closes", found: readonly Found[], span: Span, prefix: string, mayBeOfList: boolean): void {
    const byPath = new Map<PathName, Found[]>();
    for (const one of found) {
      if (one.sentTo) continue;
      const known = byPath.get(one.path);
      if (known) known.push(one);
      else byPath.set(one.path, [one]);
    }
    for (const [path, ones] of byPath) {
      const told = this.told[direction].get(path) ?? [];
      const fresh: Box[] = [];
      // Of very many pieces the box around them says as much as each of them.
      if (ones.length > mostPiecesTold) fresh.push(...ones.map(({ box }) => box));
      else for (const { box } of ones) fresh.push(...without([box], [...told, ...fresh]));
      if (fresh.length === 0) continue;
      this.told[direction].set(path, [...told, ...fresh].slice(-mostRemembered));
      const whole = hull(fresh);
      const exact = fresh.length <= mostPiecesTold && without([whole], fresh).length === 0;
      const byList = mayBeOfList && fresh.every((box) => listsIn(box).some((list) => this.review.listsTold.has(list)));
      this.tellEffect(
        direction,
        `${prefix}${exact ? "" : "some of: "}${packetWords(whole, this.family, path)}${this.familyWords()}`,
        span,
        !byList,
        exampleOf(fresh[0]!, this.family, path),
        [...new Set(fresh.flatMap(listsIn))],
      );
    }
  }

  /** Whether the effect has not been told yet; from now on it has. */
  private isNew(direction: Direction, sentence: string): boolean {
    const known = `${direction} ${sentence}`;
    if (this.review.sentences.has(known)) return false;
    this.review.sentences.add(known);
    return true;
  }

  private familyWords(): string {
    return this.family === "ipv6" ? " (IPv6)" : "";
  }

  private tellEffect(
    direction: "opens" | "closes",
    sentence: string,
    span: Span,
    asFinding: boolean,
    example?: string,
    lists: readonly string[] = [],
  ): void {
    if (!this.isNew(direction, sentence)) return;
    this.review[direction].push({ sentence, span, ...(example !== undefined && { example }), ...(lists.length > 0 && { lists }) });
    if (!asFinding) return;
    const help = example === undefined ? {} : { help: `for example: ${example}` };
    this.review.remarks.push(
      direction === "opens"
        ? { code: "change-opens", severity: "warning", span, message: `gets through now and did not before: ${sentence}`, ...help }
        : { code: "change-closes", severity: "note", span, message: `no longer gets through: ${sentence}`, ...help },
    );
  }

  /** Packets that reach another address than before, or come from another. */
  private tellTranslations({ translated, opens }: Consequences, span: Span, { what }: Told): void {
    const moved = translated.filter(isMoved);
    const whereTo = (target: Translation | undefined): string =>
      target ? translationWords(target, this.family) : "reaches the address it is sent to";
    const sent = opens.flatMap(({ box, sentTo }) => (sentTo ? [{ box, where: whereTo(sentTo) }] : []));
    const now = moved.map(({ box, after }) => ({ box, where: whereTo(after.destination) }));
    for (const { words, where } of this.wordsByPlace([...sent, ...now], "reaches other addresses"))
      this.tellEffect("opens", `${words} ${where} now${this.familyWords()}`, span, true);
    const before = moved.map(({ box, before: { destination } }) => ({ box, where: whereTo(destination) }));
    for (const { words, where } of this.wordsByPlace(before, "reaches the addresses it did"))
      this.tellEffect("closes", `${words} no longer ${where}${this.familyWords()}`, span, true);
    const resourced = translated.filter(({ before, after }) => before.source?.text !== after.source?.text);
    if (resourced.length > 0) {
      const words = packetWords(hull(resourced.map(({ box }) => box)), this.family, "POSTROUTING");
      const sentence = `${words}: the address it seems to come from${this.familyWords()}`;
      this.review.alters.push({ sentence, span });
      const rule = what.kind === "rule" ? (what.change.after ?? what.change.before) : undefined;
      this.review.remarks.push({
        code: "change-translation",
        severity: "warning",
        span,
        message: `packets leave with another source address than before: ${rule ? ruleWords(rule, this.family) : sentence}`,
      });
    }
  }

  /** The packets of each place in words; of more places than a reader would go through, all of them together. */
  private wordsByPlace(
    packets: readonly { readonly box: Box; readonly where: string }[],
    many: string,
  ): { readonly words: string; readonly where: string }[] {
    const places = new Map<string, Box[]>();
    for (const { box, where } of packets) {
      const { tests: _, state: _state, ...fields } = box;
      const known = places.get(where);
      if (known) known.push(fields);
      else places.set(where, [fields]);
    }
    const told = places.size <= mostPlaces ? [...places] : [[many, [...places.values()].flat()] as const];
    return told.map(([where, boxes]) => ({ words: packetWords(hull(boxes), this.family, "PREROUTING"), where }));
  }

  private tellAltered({ what }: Told, span: Span): void {
    const rule = what.kind === "rule" ? (what.change.after ?? what.change.before) : undefined;
    const subject = rule?.target?.kind === "extension" ? targetWords(rule) : "marks or alters";
    const sentence = `${subject} other packets than before`;
    this.review.alters.push({ sentence, span });
    this.review.remarks.push({
      code: "change-marks",
      severity: "warning",
      span,
      message: `${sentence}: no rule here decides by it, and whether routes, queues or other programs do was not judged`,
    });
  }

  /** Packets that are stopped with another answer than before. */
  private tellRefused({ refused }: Consequences, span: Span): void {
    const kinds = new Map<string, Refused[]>();
    for (const one of refused) {
      const key = `${one.path} ${one.before ?? ""} ${one.after ?? ""}`;
      const known = kinds.get(key);
      if (known) known.push(one);
      else kinds.set(key, [one]);
    }
    for (const ones of kinds.values()) {
      const [{ path, before = "silence", after = "silence" }] = ones as [Refused];
      const words = packetWords(hull(ones.map(({ box }) => box)), this.family, path);
      const sentence = `${words}: answered with ${after} now, and with ${before} before${this.familyWords()}`;
      if (!this.isNew("alters", sentence)) continue;
      this.review.alters.push({ sentence, span });
      this.review.remarks.push({ code: "change-refuses", severity: "note", span, message: `stopped with another answer: ${sentence}` });
    }
  }

  private tellUnjudged({ what }: Told, reason: string, span: Span): void {
    const kind =
      what.kind === "rule" ? `a rule that was ${what.change.kind}` : what.kind === "policy" ? "a policy" : "the contents of a set";
    const sentence = `${kind}: ${reason}`;
    this.review.unjudged.push({ sentence, span });
    this.review.remarks.push({
      code: "change-not-judged",
      severity: "warning",
      span,
      message: `what the change does was not worked out: ${sentence}`,
    });
  }
}

/** The lists of `recent` whose answers are part of a set of packets. */
function listsIn({ tests }: Box): string[] {
  return [...(tests?.values() ?? [])].flatMap(({ question }) => (question?.asks.kind === "recent" ? [question.asks.list] : []));
}

/** What of the first boxes is in none of the others. */
function without(boxes: readonly Box[], others: readonly Box[]): readonly Box[] {
  let left = boxes;
  for (const other of others) {
    if (left.length === 0) break;
    if (left.some((part) => meet(part, other))) left = left.flatMap((part) => subtract(part, other));
  }
  return left;
}

/** Addresses that one change takes packets to, or from, which are told one by one. */
const mostPlaces = 4;

/** Whether they reach another address than before. What a translation hid that is gone is reached, too. */
function isMoved({ before, after }: Redirected): boolean {
  return before.destination?.text !== after.destination?.text;
}

function directionOf({ opens, closes, translated, altered, refused, unjudged }: Consequences): Direction {
  // A translation that came, changed or went takes packets from one place and gives them to another.
  const moved = translated.some(isMoved);
  const [opening, closing] = [opens.length > 0 || moved, closes.length > 0 || moved];
  if (opening || closing) return opening && closing ? "both" : opening ? "opens" : "closes";
  if (unjudged !== undefined) return "unjudged";
  return translated.length > 0 || altered.length > 0 || refused.length > 0 ? "alters" : "neither";
}

/**
 * How the hits of each host stand to those of before: with a shorter mask it has those of all hosts beside it, unless what is recorded
 * depends on what is on the list, or something is taken off it.
 */
function maskDrift(before: Pick<ListUsage, "mask" | "uses">, after: Pick<ListUsage, "mask" | "uses">): Drift {
  if (!onlyGathers(before.uses) || !onlyGathers(after.uses)) return "unknown";
  const common = after.mask & before.mask;
  return common === after.mask ? "more" : common === before.mask ? "less" : "unknown";
}

/** Whether more hits can only lead to more hits: in one chain, whose checks come behind all that records. */
function onlyGathers(uses: readonly PlacedUse[]): boolean {
  const lastSet = uses.findLastIndex(({ operation }) => operation === "set");
  return uses.every(({ operation, chain, inverted, reap, rttl }, index) => {
    if (chain !== uses[0]!.chain || operation === "remove" || reap || rttl) return false;
    return operation === "set" || (operation === "update" ? index === lastSet + 1 && !inverted : index > lastSet);
  });
}
