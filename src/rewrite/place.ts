/**
 * Writes one rule, taken apart, into a chain.
 *
 * Most rules become one nft rule. A rule with `recent` in it may need more: what follows a recorded hit must run even if
 * the set was full, and the answer of a ring is a way through chains, not an expression. Then the rest of the rule moves
 * into a chain of its own, called by a jump; falling off its end means "no match", and the traversal goes on behind the
 * jump. A rule that ends in RETURN or `-g` cannot be moved like that: its way back would be the jump. There the chain
 * is entered by a goto, and its "no match" is a goto to a chain that holds the rest of the rules.
 */

import type { RecentUse } from "../extensions/matches/recent.js";
import { goto, jump, type Statement } from "../nft/ast.js";
import { fitsOneRule, sizeOf } from "../nft/rule-size.js";
import { isStable, leavesChain, tellsProtocol, type RuleBody, type RecentStep, type RuleParts, type Step } from "./parts.js";
import type { RecentList } from "./recent/list.js";
import { exitBack, exitStatement, exitTo, type ChainBuilder, type ChainGroup, type Exit } from "./table-builder.js";

/** Tests in a rule beyond which the rest of the rule moves into a chain of its own, so that there is room for it. */
const fullPrefix = { statements: 4, bytes: 1200 };

/** Statements in front of what is to be written; `stable` says whether they may be written, and asked, twice. */
interface Prefix {
  readonly statements: readonly Statement[];
  readonly stable: boolean;
}

const nothing: Prefix = { statements: [], stable: true };

function extend(prefix: Prefix, statements: readonly Statement[], stable = statements.every(isStable)): Prefix {
  return { statements: [...prefix.statements, ...statements], stable: prefix.stable && stable };
}

/** The lists of `recent` by name. */
export type Lists = ReadonlyMap<string, RecentList>;

/** Writes the rule into `chain` and returns the chain in which the following rules go on. */
export function placeRule(
  parts: RuleParts,
  lists: Lists,
  chain: ChainBuilder,
  group: ChainGroup,
  preferredName: () => string,
): ChainBuilder {
  return new Placer(parts.body, lists, chain, group, preferredName).run(parts.steps);
}

/** Writes what follows a check that is known to have matched. */
export function placeMatched(
  { steps, body }: Pick<RuleParts, "steps" | "body">,
  lists: Lists,
  chain: ChainBuilder,
  group: ChainGroup,
  preferredName: () => string,
): ChainBuilder {
  return new Placer(body, lists, chain, group, preferredName).run(steps);
}

class Placer {
  /** The chain of the rules that follow, once one is needed. */
  private rest: ChainBuilder | undefined;
  private readonly own: ChainBuilder[] = [];

  constructor(
    private readonly body: RuleBody,
    private readonly lists: Lists,
    private readonly chain: ChainBuilder,
    private readonly group: ChainGroup,
    /** What the names of its own chains begin with; asked for only where there are such. */
    private readonly preferredName: () => string,
  ) {}

  run(steps: readonly Step[]): ChainBuilder {
    this.place(this.chain, nothing, steps, this.body);
    if (!this.rest) return this.chain;
    for (const chain of [...this.own, this.chain]) if (!chain.isClosed) chain.rule([goto(this.rest.name)]);
    // Its place among the printed chains is behind those of this rule.
    this.group.moveToEnd(this.rest);
    return this.rest;
  }

  private place(chain: ChainBuilder, prefix: Prefix, steps: readonly Step[], body: RuleBody): void {
    for (let index = 0; index < steps.length; index++) {
      const step = steps[index]!;
      if (prefix.statements.length > fullPrefix.statements && sizeOf(prefix.statements).bytes > fullPrefix.bytes) {
        chain = this.enter(chain, [prefix.statements]);
        prefix = nothing;
      }
      if (step.kind === "statements") {
        prefix = extend(prefix, step.statements);
        continue;
      }
      const following = steps.slice(index + 1);
      switch (step.kind) {
        case "alternatives":
          return this.placeAlternatives(chain, prefix, step.alternatives, following, body);
        case "unless": {
          const inside = this.enterAnyway(chain, prefix);
          const fail = exitStatement(this.fail());
          for (const group of step.groups) inside.rule([...group, fail]);
          return this.place(inside, nothing, following, body);
        }
        case "any": {
          const inside = this.enterAnyway(chain, prefix);
          const matched = this.ownChain("match");
          for (const group of step.groups) inside.rule([...group, goto(matched.name)]);
          this.leave(inside, this.fail());
          return this.place(matched, nothing, following, body);
        }
        case "recent":
          return this.placeRecent(chain, prefix, step, following, body);
      }
    }
    if (!fitsOneRule([...prefix.statements, ...body.effects])) {
      chain = this.enter(chain, [prefix.statements]);
      prefix = nothing;
    }
    this.finish(chain, prefix, body);
  }

  /** The last rule: all matches, the counter, what the target does. */
  private finish(chain: ChainBuilder, prefix: Prefix, body: RuleBody, recording: readonly Statement[] = []): void {
    // In a chain of its own the rule's end has left the protocol behind.
    const protocol = body.protocol && !prefix.statements.some(tellsProtocol) ? [body.protocol] : [];
    const statements = [
      ...protocol,
      ...prefix.statements,
      ...(body.counter ? [body.counter] : []),
      ...body.effects,
      ...recording,
      ...(body.end ? [body.end] : []),
    ];
    if (statements.length > 0) chain.rule(statements, body.comment);
  }

  private placeAlternatives(
    chain: ChainBuilder,
    prefix: Prefix,
    alternatives: readonly (readonly Statement[])[],
    following: readonly Step[],
    body: RuleBody,
  ): void {
    const simple = following.every((step) => step.kind === "statements" && step.statements.every(isStable));
    if (simple && prefix.stable) {
      for (const [index, alternative] of alternatives.entries()) {
        const counter = body.counter && index > 0 ? { ...body.counter, packets: 0n, bytes: 0n } : body.counter;
        this.place(chain, extend(prefix, alternative), following, counter ? { ...body, counter } : body);
      }
      return;
    }
    if (!prefix.stable) {
      chain = this.enter(chain, [prefix.statements]);
      prefix = nothing;
    }
    this.place(
      this.enter(
        chain,
        alternatives.map((alternative) => [...prefix.statements, ...alternative]),
      ),
      nothing,
      following,
      body,
    );
  }

  // --------------------------------------------------------------------------------------------------- recent

  private list(use: RecentUse): RecentList {
    return this.lists.get(use.list)!;
  }

  private placeRecent(chain: ChainBuilder, prefix: Prefix, step: RecentStep, following: readonly Step[], body: RuleBody): void {
    const { use } = step;
    switch (use.operation) {
      case "set":
        return this.placeSet(chain, prefix, step, following, body);
      case "remove":
        return this.placeRemove(chain, prefix, step, following, body);
      case "rcheck":
      case "update":
        return this.placeCheck(chain, prefix, step, following, body);
    }
  }

  /** Records the hit, then goes on; `! --set` records and never goes on. */
  private placeSet(chain: ChainBuilder, prefix: Prefix, { use }: RecentStep, following: readonly Step[], body: RuleBody): void {
    const refusals = this.list(use).refusals(use);
    if (refusals.length > 0 && !prefix.stable) {
      chain = this.enter(chain, [prefix.statements]);
      prefix = nothing;
    }
    for (const refusal of refusals) chain.rule([...prefix.statements, ...refusal]);
    const touch = this.list(use).touch(use.side);
    if (use.inverted) {
      chain.rule([...prefix.statements, ...touch.statements]);
      return;
    }
    if (
      following.length === 0 &&
      (!body.end || (leavesChain(body.end) && touch.alone && body.effects.length === 0 && body.end.kind === "verdict"))
    ) {
      // Nothing depends on whether there was room for the host: the hit comes last. `RETURN` behind a call is a goto.
      const recording = body.end ? touch.statements.map((call) => (call.kind === "jump" ? goto(call.chain) : call)) : touch.statements;
      return this.finish(chain, prefix, { ...body, ...(body.end && { end: recording[0]! }) }, body.end ? [] : recording);
    }
    this.recordThen(chain, prefix, touch, following, body);
  }

  /** A rule that records, and behind it the rest, with the same conditions where they can be asked again. */
  private recordThen(
    chain: ChainBuilder,
    prefix: Prefix,
    touch: { readonly statements: readonly Statement[] },
    following: readonly Step[],
    body: RuleBody,
  ): void {
    if (!prefix.stable) {
      chain = this.enter(chain, [prefix.statements]);
      prefix = nothing;
    }
    chain.rule([...prefix.statements, ...touch.statements]);
    this.place(chain, prefix, following, body);
  }

  private placeRemove(chain: ChainBuilder, prefix: Prefix, { use }: RecentStep, following: readonly Step[], body: RuleBody): void {
    const list = this.list(use);
    const { first, presence, last } = list.removal(use);
    const isCall = first.some((statements) => statements.some(({ kind }) => kind === "jump"));
    if (!use.inverted && first.length <= 1 && !isCall && presence !== "in one of several") {
      const test = presence === "known" ? [] : [presence];
      return this.place(chain, extend(prefix, [...first.flat(), ...test, ...last], false), following, body);
    }
    const inside = this.enterAnyway(chain, prefix);
    for (const statements of first) inside.rule(statements);
    if (presence === "known") {
      if (use.inverted) this.leave(inside, this.fail());
      else this.place(inside, nothing, following, body);
    } else if (presence !== "in one of several") {
      if (!use.inverted) return this.place(inside, { statements: [presence, ...last], stable: false }, following, body);
      // Present: removed, and no further.
      inside.rule([presence, ...last, exitStatement(this.fail())]);
      this.place(inside, nothing, following, body);
    } else if (use.inverted) {
      const absent = this.ownChain("absent");
      inside.rule([...list.absence(use.side), goto(absent.name)]).rule(last);
      this.leave(inside, this.fail());
      this.place(absent, nothing, following, body);
    } else {
      inside.rule([...list.absence(use.side), exitStatement(this.fail())]);
      this.place(inside, { statements: last, stable: false }, following, body);
    }
  }

  private placeCheck(chain: ChainBuilder, prefix: Prefix, { use }: RecentStep, following: readonly Step[], body: RuleBody): void {
    const list = this.list(use);
    const question = list.question(use);
    const touches = use.operation === "update";
    if (question.kind === "inline" && !use.inverted) {
      const matched = extend(prefix, question.tests, true);
      if (!touches) return this.place(chain, matched, following, body);
      const touch = list.touch(use.side);
      // Refreshing an element that was just found cannot fail.
      if (question.refresh) return this.place(chain, extend(matched, question.refresh, true), following, body);
      if (following.length === 0 && !body.end) return this.finish(chain, matched, body, touch.statements);
      return this.recordThen(chain, matched, touch, following, body);
    }
    if (question.kind === "inline" && question.tests.length === 1 && (!touches || (use.seconds === undefined && use.hits === 1))) {
      // Without seconds, "not on the list" is the only way to match, and there is nothing to touch.
      const test = question.tests[0]!;
      const inverted = test.kind === "match" ? [{ ...test, operator: "!=" as const }] : [test];
      return this.place(chain, extend(prefix, inverted, false), following, body);
    }
    // The rest needs an answer by chains: `matched` is entered when the rule matches.
    const matched = this.ownChain(use.inverted ? "under" : "over");
    const fail = this.fail();
    const conditionTrue = use.inverted ? fail : exitTo(matched.name);
    const recorder = touches && !use.inverted && question.kind === "chain" ? question.checkAndTouch : undefined;
    const conditionFalse = use.inverted ? exitTo(touches ? this.touchIfPresent(list, use.side, matched) : matched.name) : fail;
    if (question.kind === "inline") {
      const inside = this.enterAnyway(chain, prefix);
      inside.rule([...question.tests, exitStatement(conditionTrue)]);
      this.leave(inside, conditionFalse);
    } else {
      // With another TTL a host is not on the list, and `! --update` has nothing to touch.
      const absent = use.inverted && touches ? exitTo(matched.name) : undefined;
      const wish = `${this.preferredName()}_check`;
      const check = recorder?.(wish, conditionTrue, conditionFalse) ?? question.check(wish, conditionTrue, conditionFalse, absent);
      chain.rule([...prefix.statements, this.call(check)]);
      list.stopsAt(use, matched.name, recorder !== undefined);
    }
    if (touches && !use.inverted && !recorder) for (const statements of list.touchRules(use.side)) matched.rule(statements);
    this.place(matched, nothing, following, body);
  }

  /** `! --update` touches a host only if it is on the list; then it goes on to `matched`. */
  private touchIfPresent(list: RecentList, side: "saddr" | "daddr", matched: ChainBuilder): string {
    return this.group
      .chain(`${this.preferredName()}_touch`)
      .rule([...list.absence(side), goto(matched.name)])
      .rule(list.touch(side).statements)
      .rule([goto(matched.name)]).name;
  }

  // --------------------------------------------------------------------------------------------------- chains

  /** Where a piece in a chain of its own goes when the rule does not match. */
  private fail(): Exit {
    if (!leavesChain(this.body.end)) return exitBack;
    this.rest ??= this.group.chain(`${this.preferredName()}_rest`);
    return exitTo(this.rest.name);
  }

  private ownChain(suffix: string): ChainBuilder {
    const chain = this.group.chain(`${this.preferredName()}_${suffix}`);
    this.own.push(chain);
    return chain;
  }

  /** A call that comes back behind itself when the rule does not match, or, where that is no way, goes to the rest. */
  private call(chain: string): Statement {
    return this.fail().kind === "goto" ? goto(chain) : jump(chain);
  }

  private leave(chain: ChainBuilder, exit: Exit): void {
    if (exit.kind === "goto") chain.rule([exitStatement(exit)]);
  }

  /** Moves on into a chain of its own, called under any of the conditions. */
  private enter(chain: ChainBuilder, conditions: readonly (readonly Statement[])[]): ChainBuilder {
    const inner = this.ownChain("then");
    for (const condition of conditions) chain.rule([...condition, this.call(inner.name)]);
    return inner;
  }

  /** A chain that may be left by `fail`: the present one if it is our own and nothing is to be asked before. */
  private enterAnyway(chain: ChainBuilder, prefix: Prefix): ChainBuilder {
    return chain !== this.chain && prefix.statements.length === 0 ? chain : this.enter(chain, [prefix.statements]);
  }
}
