/**
 * Tests that many neighbours ask become those of one rule, which calls a chain with the neighbours. A packet that fails them passes one
 * rule; for others the rest is quicker where ports need no test of their protocol any more.
 *
 * Only tests of interfaces, addresses and the protocol: nothing of iptables changes them while a chain runs. Rules that return, or go to
 * another chain for good, would come back to the place behind the call, and stay where they are.
 */

import type { Expression, MatchStatement, NftRule, Statement } from "../nft/ast.js";
import { match, meta } from "../nft/ast.js";
import { emitStatement } from "../nft/emit.js";
import { costOf, inOrderOfCost, isPlainTest, testCosts } from "../nft/test-order.js";
import { protocolExpression } from "../extensions/values/protocols.js";
import { headerOf, pointsOf } from "./fields.js";
import type { ReadRule } from "./read-rule.js";

/** Neighbours, by their places, and what all of them ask. */
export interface Sharing {
  readonly from: number;
  readonly count: number;
  /** Text of each test that they share. */
  readonly tests: ReadonlyMap<string, MatchStatement>;
}

/** What a packet costs at neighbours, in nanoseconds: one that passes the tests that they share, and one that does not. */
export interface SharingCost {
  readonly passing: number;
  readonly failing: number;
}

/** The call of a chain that comes back. */
const callCost = 22;
/** A port whose protocol is known. */
const knownPort = 8;
/** Whether packets clearly gain, those that pass the tests as well as those that do not. */
export function gains(before: SharingCost, after: SharingCost): boolean {
  return after.passing < before.passing * 0.8 && after.failing < before.failing * 0.8;
}

/**
 * Neighbours that share tests, in their order; no rule is in two of them.
 *
 * @param rules of a chain; undefined for what must not move
 * @param fewest neighbours
 */
export function sharings(
  rules: readonly (ReadRule | undefined)[],
  pays: (before: SharingCost, after: SharingCost) => boolean,
  fewest: number,
): Sharing[] {
  const shareable = rules.map((read) => (read && mayMove(read.rule) ? sharedBy(read) : undefined));
  const found = runsOf(shareable, fewest).flatMap(({ from, count }) => {
    const some = shareable.slice(from, from + count) as ReadonlyMap<string, MatchStatement>[];
    const tests = new Map([...some[0]!].filter(([text]) => some.every((one) => one.has(text))));
    const own = rules.slice(from, from + count) as ReadRule[];
    return choicesOf(tests).flatMap((chosen) => {
      const [before, after] = [costBefore(own, chosen), costAfter(own, chosen)];
      if (!pays(before, after)) return [];
      return [{ from, count, tests: chosen, gain: before.passing + before.failing - after.passing - after.failing }];
    });
  });
  const taken = new Set<number>();
  const chosen: Sharing[] = [];
  for (const { from, count, tests } of found.sort((a, b) => b.gain - a.gain)) {
    const places = Array.from({ length: count }, (_, index) => from + index);
    if (places.some((place) => taken.has(place))) continue;
    for (const place of places) taken.add(place);
    chosen.push({ from, count, tests });
  }
  return chosen.sort((a, b) => a.from - b.from);
}

/** The rule that calls the chain, and the rules in it. */
export function writeSharing(
  { tests }: Sharing,
  neighbours: readonly ReadRule[],
  chain: string,
): { readonly call: NftRule; readonly rules: readonly NftRule[] } {
  return {
    call: { kind: "rule", statements: [...inOrderOfCost([...tests.values()]), { kind: "jump", goto: false, chain }] },
    rules: neighbours.map((read) => ({ ...read.rule, statements: remaining(read, tests) })),
  };
}

/** For names of chains. */
export function wordOfTest({ left }: MatchStatement): string {
  if (left.kind === "payload") return left.field;
  return left.kind === "meta" ? shortKeys[left.key]! : "";
}

const shortKeys: Readonly<Record<string, string>> = { iifname: "iif", oifname: "oif", l4proto: "proto" };

/** Whether its packets go on behind it, or end their way in the table or in a chain that comes back. */
function mayMove({ statements }: NftRule): boolean {
  return statements.every(
    (statement) =>
      statement.kind !== "verdict-map" &&
      !(statement.kind === "verdict" && statement.verdict === "return") &&
      !(statement.kind === "jump" && statement.goto),
  );
}

/** The tests of a rule that others may share, by their texts. */
function sharedBy({ rule, selectors }: ReadRule): ReadonlyMap<string, MatchStatement> {
  const tests = testsOf(rule).filter(isLasting);
  const protocol = selectors.get("protocol");
  const [single, ...others] = (protocol && pointsOf(protocol)) ?? [];
  if (typeof single === "bigint" && others.length === 0) tests.push(protocolTest(single));
  return new Map(tests.map((test) => [emitStatement(test), test]));
}

function protocolTest(protocol: bigint): MatchStatement {
  return match(meta("l4proto"), protocolExpression(Number(protocol)));
}

/** The plain tests that a rule begins with. */
function testsOf({ statements }: NftRule): MatchStatement[] {
  const end = statements.findIndex((statement) => !isPlainTest(statement));
  return statements.slice(0, end < 0 ? statements.length : end).filter((statement) => statement.kind === "match");
}

function isLasting({ left }: MatchStatement): boolean {
  if (left.kind === "meta") return shortKeys[left.key] !== undefined;
  return (
    left.kind === "payload" && (left.protocol === "ip" || left.protocol === "ip6") && (left.field === "saddr" || left.field === "daddr")
  );
}

/** For each test the longest stretches of neighbours that ask it. */
function runsOf(
  shareable: readonly (ReadonlyMap<string, unknown> | undefined)[],
  fewest: number,
): { readonly from: number; readonly count: number }[] {
  const open = new Map<string, number>();
  const runs = new Map<string, { readonly from: number; readonly count: number }>();
  for (let place = 0; place <= shareable.length; place++) {
    const asked = shareable[place];
    for (const [text, from] of open) {
      if (asked?.has(text)) continue;
      open.delete(text);
      const count = place - from;
      if (count >= fewest) runs.set(`${from} ${count}`, { from, count });
    }
    for (const text of asked?.keys() ?? []) if (!open.has(text)) open.set(text, place);
  }
  return [...runs.values()];
}

/** All tests, and each by itself. */
function choicesOf(tests: ReadonlyMap<string, MatchStatement>): ReadonlyMap<string, MatchStatement>[] {
  return tests.size === 1 ? [tests] : [tests, ...[...tests].map((one) => new Map([one]))];
}

// ------------------------------------------------------------------------------------------------------ what is left

/** The statements of a rule whose packets have passed the tests. */
function remaining(read: ReadRule, tests: ReadonlyMap<string, MatchStatement>): readonly Statement[] {
  const { rule } = read;
  const begin = new Set<Statement>(testsOf(rule));
  const header = knownHeader(read, tests);
  return rule.statements.flatMap((statement): readonly Statement[] => {
    if (statement.kind !== "match" || !begin.has(statement)) return [statement];
    const asksProtocol = statement.left.kind === "meta" && statement.left.key === "l4proto";
    if (tests.has(emitStatement(statement)) && !(asksProtocol && needsProtocol(rule))) return [];
    return header !== undefined && isPort(statement.left, header)
      ? [{ ...statement, left: { ...statement.left, protocol: "th" } }]
      : [statement];
  });
}

/** The header whose ports need no test of their protocol behind the tests. */
function knownHeader({ rule, selectors }: ReadRule, tests: ReadonlyMap<string, MatchStatement>): string | undefined {
  const protocol = selectors.get("protocol");
  const [single] = (protocol && pointsOf(protocol)) ?? [];
  if (typeof single !== "bigint" || needsProtocol(rule) || !tests.has(emitStatement(protocolTest(single)))) return undefined;
  return headerOf(single);
}

function isPort(left: Expression, header: string): left is Expression & { readonly kind: "payload" } {
  return left.kind === "payload" && left.protocol === header && (left.field === "sport" || left.field === "dport");
}

/** nft takes resets and new ports only behind a test of the protocol in the same rule. */
function needsProtocol({ statements }: NftRule): boolean {
  return statements.some(({ kind }) => kind === "reject" || kind === "nat" || kind === "tproxy" || kind === "synproxy");
}

// ------------------------------------------------------------------------------------------------------------- costs

function costBefore(neighbours: readonly ReadRule[], tests: ReadonlyMap<string, MatchStatement>): SharingCost {
  let [passing, failing] = [0, 0];
  const ofProtocol = [...tests.values()].some(({ left }) => left.kind === "meta" && left.key === "l4proto");
  for (const { rule } of neighbours) {
    let first: number | undefined;
    for (const test of testsOf(rule)) {
      const cost = costOf(test);
      // The test of the protocol that a port implies fails first.
      first ??= ofProtocol && test.left.kind === "payload" && headerIsTransport(test.left.protocol) ? testCosts.protocol : cost;
      passing += cost;
      if (!tests.has(emitStatement(test))) break;
    }
    failing += first ?? 0;
  }
  return { passing, failing };
}

function costAfter(neighbours: readonly ReadRule[], tests: ReadonlyMap<string, MatchStatement>): SharingCost {
  const costs = [...tests.values()].map(costOf);
  let passing = costs.reduce((sum, cost) => sum + cost, callCost);
  for (const read of neighbours) {
    const first = remaining(read, tests).find((statement) => isPlainTest(statement));
    if (first?.kind !== "match") continue;
    const isKnown = first.left.kind === "payload" && first.left.protocol === "th";
    passing += costOf(first) - (isKnown ? testCosts.transport - knownPort : 0);
  }
  return { passing, failing: Math.min(...costs) };
}

function headerIsTransport(protocol: string): boolean {
  return protocol !== "ip" && protocol !== "ip6" && protocol !== "th";
}
