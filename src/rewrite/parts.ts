/** A rule taken apart: what must hold, in order, and what happens then. */

import type { Declaration } from "../extensions/declarations.js";
import type { RecentUse } from "../extensions/matches/recent.js";
import type { IptablesRule } from "../iptables/ast.js";
import type { CounterStatement, Expression, Statement } from "../nft/ast.js";

/** `match` is the position of the match that it comes from; the rule's own packet tests have none. */
export type Step = { readonly match?: number } & (
  | { readonly kind: "statements"; readonly statements: readonly Statement[] }
  /** At most one of the groups matches a packet. */
  | { readonly kind: "alternatives"; readonly alternatives: readonly (readonly Statement[])[] }
  /** Holds where any of the groups does; several may match the same packet. */
  | { readonly kind: "any"; readonly groups: readonly (readonly Statement[])[] }
  /** Holds where none of the groups does. */
  | { readonly kind: "unless"; readonly groups: readonly (readonly Statement[])[] }
  | { readonly kind: "recent"; readonly use: RecentUse }
);

export type RecentStep = Step & { readonly kind: "recent" };

export interface RuleBody {
  readonly counter?: CounterStatement;
  /** What the rule does without deciding: log, set a mark. */
  readonly effects: readonly Statement[];
  /** What ends the rule: a verdict, a jump, an address translation. */
  readonly end?: Statement;
  /** The test of the protocol, where nft takes `end` only behind one in the same rule: translated ports. */
  readonly protocol?: Statement;
  /** For the nft rule's own comment. */
  readonly comment?: string;
}

export interface RuleParts {
  readonly rule: IptablesRule;
  readonly steps: readonly Step[];
  readonly body: RuleBody;
  /** What steps and body name by symbolic names, and what belongs to it. */
  readonly declarations: readonly Declaration[];
}

/** Statements after which nothing of the rule runs any more. */
export function isEnd(statement: Statement): boolean {
  switch (statement.kind) {
    case "verdict":
    case "jump":
    case "reject":
    case "nat":
    case "queue":
    case "tproxy":
    case "synproxy":
      return true;
    default:
      return false;
  }
}

/** Whether nft knows the transport protocol behind this statement. */
export function tellsProtocol(statement: Statement): boolean {
  if (statement.kind !== "match") return false;
  const left = statement.left.kind === "binary" ? statement.left.left : statement.left;
  if (left.kind === "meta") return left.key === "l4proto" && statement.operator === "==";
  return left.kind === "payload" && ["tcp", "udp", "udplite", "sctp", "dccp"].includes(left.protocol);
}

/** Whether a packet for which this runs is certainly not seen by the rules that follow. */
export function isFinal(end: Statement | undefined): boolean {
  return end !== undefined && (end.kind === "reject" || (end.kind === "verdict" && (end.verdict === "accept" || end.verdict === "drop")));
}

/** Whether it leaves the chain by the place the chain was called from: it cannot be moved into another chain as it is. */
export function leavesChain(end: Statement | undefined): boolean {
  return end !== undefined && ((end.kind === "verdict" && end.verdict === "return") || (end.kind === "jump" && end.goto));
}

/**
 * Whether a statement gives the same answer when it is asked twice for one packet, with a hit recorded in between: then a
 * rule may be written as two. Look-ups in the sets of `recent` are judged where they are made.
 */
export function isStable(statement: Statement): boolean {
  switch (statement.kind) {
    case "match":
      return isStableExpression(statement.left) && isStableExpression(statement.right);
    case "existence":
      return true;
    case "set":
      return statement.operation !== "delete" && statement.statements === undefined;
    default:
      return false;
  }
}

function isStableExpression(expression: Expression): boolean {
  switch (expression.kind) {
    case "numgen":
      return false;
    case "meta":
      return expression.key !== "random" && expression.key !== "time";
    case "binary":
      return isStableExpression(expression.left) && isStableExpression(expression.right);
    case "concatenation":
      return expression.parts.every(isStableExpression);
    case "map":
    case "named-map":
      return isStableExpression(expression.key);
    default:
      return true;
  }
}
