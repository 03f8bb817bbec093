/** How a script for an older nft spells what newer ones spell otherwise. All of it was measured on nft 0.9.8, 1.0.6 and 1.1.3. */

import type { Expression, LimitStatement, MatchStatement, Statement } from "./ast.js";
import { isLoadable } from "./versions.js";

/** Spells the statements of a rule as this nft takes them; without a version as the present one does. */
export function spellingFor(targetNft: string | undefined): (statements: readonly Statement[]) => readonly Statement[] {
  const [masked, withBursts] = [!isLoadable("rangeOfOne", targetNft), !isLoadable("zeroBurst", targetNft)];
  return (statements) => {
    const apart = separateInequalities(statements, masked);
    return withBursts ? apart.map(withBurst) : apart;
  };
}

/**
 * nft up to 1.0.6 joins two comparisons of neighbouring header fields into one also where both say `!=`, and then a packet that differs in
 * one field only matches. A range of one value is never joined, also when `nft list ruleset` is loaded again; nft 0.9.8
 * refuses it, and lists a set of one value behind a mask as a set.
 */
function separateInequalities(statements: readonly Statement[], masked: boolean): readonly Statement[] {
  const unequal = inequalitiesToSeparate(statements);
  if (unequal.length === 0) return statements;
  return statements.map((statement): Statement => {
    if (!isPlainInequality(statement)) return statement;
    const { left, right } = statement;
    const mask = masked ? maskOf(statement) : undefined;
    return mask === undefined
      ? { ...statement, right: { kind: "range", from: right, to: right } }
      : { ...statement, left: { kind: "binary", operator: "&", left, right: mask }, right: { kind: "anonymous-set", elements: [right] } };
  });
}

/** The comparisons of a rule that nft could join; none if there is but one. */
export function inequalitiesToSeparate(statements: readonly Statement[]): readonly MatchStatement[] {
  let count = 0;
  for (const statement of statements)
    if (statement.kind === "match" && statement.operator === "!=" && isPlainInequality(statement)) count++;
  return count < 2 ? [] : statements.filter(isPlainInequality);
}

function isPlainInequality(statement: Statement): statement is MatchStatement {
  return (
    statement.kind === "match" &&
    statement.operator === "!=" &&
    (statement.left.kind === "payload" || statement.left.kind === "raw-payload") &&
    (statement.right.kind === "number" || (statement.right.kind === "address" && statement.right.prefixLength === undefined))
  );
}

/** All bits of a field; undefined if its length is not known here. */
export function maskOf({ left, right }: MatchStatement): Expression | undefined {
  if (right.kind === "address") {
    return { kind: "address", address: right.address.includes(":") ? "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" : "255.255.255.255" };
  }
  const bits =
    left.kind === "raw-payload" ? left.length : left.kind === "payload" ? fieldBits[`${left.protocol} ${left.field}`] : undefined;
  return bits === undefined ? undefined : { kind: "number", value: 2n ** BigInt(bits) - 1n, base: 16 };
}

/** Lengths of header fields that rules compare with a number. */
const fieldBits: Readonly<Record<string, number>> = {
  "ip ttl": 8,
  "ip protocol": 8,
  "ip6 hoplimit": 8,
  "icmp type": 8,
  "icmp code": 8,
  "icmpv6 type": 8,
  "icmpv6 code": 8,
  "ah spi": 32,
  "esp spi": 32,
  "comp cpi": 16,
  ...Object.fromEntries(
    ["tcp", "udp", "udplite", "sctp", "dccp", "th"].flatMap((protocol) => ["sport", "dport"].map((field) => [`${protocol} ${field}`, 16])),
  ),
};

/** A limit of bytes that grants no burst. */
export function hasZeroBurst(statement: Statement): statement is LimitStatement {
  return statement.kind === "limit" && statement.bytes === true && statement.burst === 0;
}

/** nft 0.9.8 wants a burst of one byte at least, which is nothing beside what the approximation of such a limit says of itself. */
function withBurst(statement: Statement): Statement {
  if (statement.kind === "set" && statement.statements) return { ...statement, statements: statement.statements.map(withBurst) };
  return hasZeroBurst(statement) ? { ...statement, burst: 1 } : statement;
}
