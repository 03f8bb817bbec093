/** What a group of rules becomes: one rule that looks the packet up, and the set or map it looks in. */

import type { Span } from "../diagnostic.js";
import { protocolExpression } from "../extensions/values/protocols.js";
import {
  concatenation,
  match,
  meta,
  oneOf,
  setReference,
  type CounterStatement,
  type Expression,
  type NftRule,
  type NftSet,
  type SetElement,
  type Statement,
} from "../nft/ast.js";
import { emitStatement } from "../nft/emit.js";
import { inOrderOfCost, testCosts } from "../nft/test-order.js";
import { fieldsOf, type Group } from "./arrange.js";
import { listedTestCost, type LookUp } from "./cost.js";
import { firstMatchPieces } from "./cut.js";
import {
  bytesOfField,
  elementKey,
  headerOf,
  pointsOf,
  readingOf,
  textOf,
  typeOfField,
  type Field,
  type Interval,
  type Point,
} from "./fields.js";
import { endWithMap, givenBy, goesOn, isMapped, type PlainRule, type ReadRule } from "./read-rule.js";
import { combinations, combinationText } from "./shapes.js";

/** A rule of a group, in its order. */
interface Member extends PlainRule {
  readonly rule: NftRule;
  readonly selectors: ReadRule["selectors"];
}

/** What a packet may find, for each of the fields, and whose it is. */
interface Found {
  readonly key: readonly (readonly [from: Point, to: Point])[];
  readonly member: number;
}

/** A group cut up so that every packet finds at most one element. */
export interface Cut {
  readonly members: readonly Member[];
  readonly fields: readonly Field[];
  readonly intervals: boolean;
  readonly found: readonly Found[];
  /** The rules of which something is left. */
  readonly kept: readonly NftRule[];
  /** Those of which nothing is, each with rules before it that have all its packets. */
  readonly covered: readonly { readonly rule: NftRule; readonly by: readonly NftRule[] }[];
}

export function cutGroup(group: Group, rules: readonly (ReadRule | undefined)[]): Cut {
  const members = group.members.map((place): Member => {
    const { rule, selectors, plain } = rules[place]!;
    return { ...plain!, rule, selectors };
  });
  const { field } = group.shape;
  const fields = field === undefined ? varying(members, fieldsOf(group), group.shape.boxes === true) : [field];
  const found = group.shape.boxes
    ? foundInBoxes(group, fields)
    : field === undefined
      ? firstOfEach(members, fields)
      : firstOfField(members, field);
  const kept = new Set(found.map(({ member }) => member));
  const intervals = found.some(({ key }) => key.some(([from, to]) => from !== to));
  const covered = members.flatMap(({ rule, selectors }, index) => {
    if (kept.has(index)) return [];
    // Where more rules have a part of its packets than can be told quickly, all before it are named.
    const meeting = group.asked.meeting(selectors) ?? members.keys();
    const before = [...meeting].filter((one) => one < index && kept.has(one)).sort((a, b) => a - b);
    return [{ rule, by: before.map((one) => members[one]!.rule) }];
  });
  const keptRules = members.flatMap(({ rule }, index) => (kept.has(index) ? rule : []));
  return { members, fields, intervals, found, kept: keptRules, covered };
}

/**
 * The fields in which members differ; ports are told apart by their protocol, too.
 *
 * @param inParts members are cut up: a field of which each wants several parts stays one of the key
 */
function varying(members: readonly Member[], fields: readonly Field[], inParts: boolean): Field[] {
  const first = members[0]!;
  const differ = fields.filter((field) => {
    const values = first.selectors.get(field)!;
    if (inParts && values.kind === "numbers" && values.intervals.length > 1) return true;
    const text = textOf(values);
    return members.some(({ selectors }) => textOf(selectors.get(field)!) !== text);
  });
  if (!differ.includes("protocol")) return differ;
  return fields.filter((field) => differ.includes(field) || field === "sourcePort" || field === "destinationPort");
}

/** The parts of the boxes that are of these fields; of the others all boxes have the same. */
function foundInBoxes(group: Group, fields: readonly Field[]): Found[] {
  const places = fields.map((field) => fieldsOf(group).indexOf(field));
  return group.boxes.flatMap((boxes, member) => boxes.map((box) => ({ key: places.map((place) => box[place]!), member })));
}

function firstOfEach(members: readonly Member[], fields: readonly Field[]): Found[] {
  const found = new Map<string, Found>();
  for (const [member, { selectors }] of members.entries()) {
    for (const points of combinations(selectors, fields)) {
      const text = combinationText(points);
      if (!found.has(text)) found.set(text, { key: points.map((point) => [point, point]), member });
    }
  }
  return [...found.values()];
}

function firstOfField(members: readonly Member[], field: Field): Found[] {
  if (members.every(({ selectors }) => pointsOf(selectors.get(field)!))) return firstOfEach(members, [field]);
  const wanted = members.map(({ selectors }): readonly Interval[] => {
    const values = selectors.get(field)!;
    return values.kind === "numbers" ? values.intervals : [];
  });
  return firstMatchPieces(wanted).map(({ interval, member }) => ({ key: [interval], member }));
}

/** The look-up of a group, to be weighed. */
export function lookUpOf(cut: Cut): { readonly lookUp: LookUp; readonly listed: number } {
  const { members, fields, intervals, found } = cut;
  const kept = new Set(found.map(({ member }) => member));
  let listed = 0;
  for (const member of kept) {
    // A test of the protocol fails for the packets of others only; the ports behind it are what most rules end with.
    const deciding = fields.length === 1 ? fields : fields.filter((field) => field !== "protocol");
    const costs = deciding.map((field) => {
      const values = members[member]!.selectors.get(field)!;
      const several = values.kind === "numbers" && values.intervals.length > 1;
      return listedTestCost(field, pointsOf(values) === undefined, several);
    });
    listed += Math.min(...costs);
  }
  const [asksProtocols] = portProtocols(cut);
  return {
    lookUp: {
      fields,
      intervals,
      counted: members[0]!.counter !== undefined,
      elements: found.length,
      endless: goesOn(members[0]!.end),
      beside: asksProtocols && fields.includes("protocol") ? testCosts.setInPlace : 0,
    },
    listed,
  };
}

export interface MergedRule {
  readonly rule: NftRule;
  readonly set: NftSet | undefined;
}

/**
 * @param name of the set; absent: it stands in the rule
 * @param sized the set says how many elements it has
 */
export function mergedRule(cut: Cut, name: string | undefined, sized: boolean): MergedRule {
  const { members, fields, intervals, found } = cut;
  const first = members[0]!;
  const counted = first.counter !== undefined;
  const ends = new Set(cut.found.map(({ member }) => emitStatement(members[member]!.end)));
  const end = members[found[0]!.member]!.end;
  const mapped = ends.size > 1;
  const given = mapped ? givenBy(end) : undefined;
  const comments = new Set(cut.found.map(({ member }) => members[member]!.rule.comment));
  const counters = remainingCounters(members);
  const elements = [...found]
    .sort((a, b) => a.member - b.member)
    .map(({ key, member }): Expression => {
      const parts = key.map((interval, index) => elementKey(fields[index]!, interval));
      const { rule, end: own } = members[member]!;
      const [counter, origin] = [counters(member), rule.origins?.[0]];
      const element: SetElement = {
        kind: "element",
        key: parts.length === 1 ? parts[0]! : concatenation(...parts),
        ...(counter && (counter.packets > 0n || counter.bytes > 0n || name === undefined) && { counter }),
        ...(comments.size > 1 && rule.comment !== undefined && { comment: rule.comment }),
        ...(mapped && isMapped(own) && { verdict: own }),
        ...(given && { data: givenBy(own)!.value }),
        ...(origin && { origin }),
      };
      return element;
    });
  const key = keyOf(first, fields);
  const looked = name === undefined ? ({ kind: "anonymous-set", elements } as const) : setReference(name);
  const [comment] = comments.size === 1 ? comments : [];
  const origins = cut.kept.flatMap((rule): readonly Span[] => rule.origins ?? []);
  return {
    rule: {
      kind: "rule",
      statements: [
        ...inOrderOfCost(sharedTests(first, fields)),
        // Behind all other tests: an element counts the packets that find it.
        ...(!mapped
          ? [...portProtocols(cut), match(key, looked), end]
          : given && looked.kind === "set-reference"
            ? [...portProtocols(cut), endWithMap(end, key, looked)]
            : [{ kind: "verdict-map", key, map: looked } as const]),
      ],
      ...(origins.length > 0 && { origins }),
      ...(comment !== undefined && { comment }),
    },
    set:
      name === undefined
        ? undefined
        : {
            name,
            type: fields.map((field) => typeOfField[field]),
            flags: intervals ? ["interval"] : [],
            // The kernel then takes a table of one size, which is quicker; for other lengths it makes no difference.
            ...(sized && !intervals && fields.length === 1 && bytesOfField[fields[0]!] === 4 && { size: elements.length }),
            ...(counted && { counter: true }),
            elements,
            ofRules: true,
            ...(mapped && !given && { verdicts: true }),
            ...(given && { data: given.types }),
          },
  };
}

/** nft translates ports only behind a test of the protocol in the same rule, and a key is none. */
function portProtocols({ members, found, fields }: Cut): Statement[] {
  const { selectors, asking, end } = members[0]!;
  if (end.kind !== "nat" || !end.port || (asking.get("protocol") && !fields.includes("protocol"))) return [];
  const known = fields.includes("protocol") ? found.map(({ member }) => members[member]!.selectors) : [selectors];
  const numbers = new Set(known.flatMap((one) => pointsOf(one.get("protocol")!) ?? []));
  return [match(meta("l4proto"), oneOf([...numbers].map((protocol) => protocolExpression(Number(protocol)))))];
}

/** The counter of a rule goes to its first element, the others begin at 0: together they count what the rule counted. */
function remainingCounters(members: readonly Member[]): (member: number) => CounterStatement | undefined {
  const given = new Set<number>();
  return (member) => {
    const { counter } = members[member]!;
    if (!counter || !given.has(member)) {
      given.add(member);
      return counter;
    }
    return { kind: "counter", packets: 0n, bytes: 0n };
  };
}

function keyOf({ selectors }: Member, keyFields: readonly Field[]): Expression {
  const protocol = selectors.get("protocol");
  const header = keyFields.includes("protocol") || protocol?.kind !== "numbers" ? "th" : (headerOf(protocol.intervals[0]![0]) ?? "th");
  const parts = keyFields.map((field) => readingOf(field, header));
  return parts.length === 1 ? parts[0]! : concatenation(...parts);
}

/** What all members ask beside the key, as the first of them asks it. */
function sharedTests({ asking, others }: Member, keyFields: readonly Field[]): Statement[] {
  return [...[...asking].flatMap(([field, statement]) => (keyFields.includes(field) ? [] : statement)), ...others];
}
