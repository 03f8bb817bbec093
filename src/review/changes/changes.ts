/** What a change of a ruleset does: rule by rule, and as traffic that gets through or no longer does. */

import type { Span } from "../../diagnostic.js";
import type { Family, IptablesRule, IptablesRuleset, IptablesTable, TableName } from "../../iptables/ast.js";
import { reachableHooks } from "../../rewrite/hooks.js";
import type { Remark } from "../findings.js";
import { hull, intersect, subtract, type Box } from "../packets/box.js";
import { entriesOf } from "../packets/entries.js";
import { actionOf, followedTable, type FollowedChain, type FollowedTable } from "../packets/paths.js";
import { packetWords } from "../packets/words.js";
import type { Change, Effect } from "../report.js";
import { ruleWords, targetWords } from "../rule-words.js";
import { pairChains, type ChainPair } from "./chain-pairs.js";
import { differenceIn } from "./difference.js";
import { mayChangePlaces } from "./order.js";
import { ruleChanges, type RuleChange } from "./rule-changes.js";

export interface ChangeReview {
  readonly changes: readonly Change[];
  readonly opens: readonly Effect[];
  readonly closes: readonly Effect[];
  readonly remarks: readonly Remark[];
}

const families: readonly Family[] = ["ipv4", "ipv6"];
const tableNames: readonly TableName[] = ["raw", "mangle", "nat", "filter", "security"];

/**
 * Compares the rulesets of one machine. `listsTold` are lists of `recent` whose change is told as one of the list, with what it
 * does: where all that opens (or closes) hangs on one of these, the rule's own finding would say it again.
 */
export function compareRulesets(
  old: readonly IptablesRuleset[],
  current: readonly IptablesRuleset[],
  listsTold: ReadonlyMap<string, "opens" | "closes">,
): ChangeReview {
  const found = { changes: [] as Change[], opens: [] as Effect[], closes: [] as Effect[], remarks: [] as Remark[] };
  for (const family of families) {
    for (const table of tableNames) {
      const [before, after] = [old, current].map((rulesets) =>
        rulesets.find((one) => one.family === family)?.tables.find(({ name }) => name === table),
      );
      if (before || after) new TableComparison(before, after, family, table, listsTold, found).run();
    }
  }
  return found;
}

interface Found {
  readonly changes: Change[];
  readonly opens: Effect[];
  readonly closes: Effect[];
  readonly remarks: Remark[];
}

type Direction = Change["direction"];

/** What a change does to the packets it can touch. */
interface Outcome {
  readonly direction: Direction;
  readonly certain: boolean;
  readonly opens: readonly Box[];
  readonly closes: readonly Box[];
  readonly base: string | undefined;
}

class TableComparison {
  private readonly old: FollowedTable | undefined;
  private readonly current: FollowedTable | undefined;
  private readonly entries: { readonly old: ReadonlyMap<string, Box>; readonly new: ReadonlyMap<string, Box> };
  /** What has been told to open and to close, by built-in chain. */
  private readonly told = { opens: new Map<string, Box[]>(), closes: new Map<string, Box[]>() };

  constructor(
    private readonly before: IptablesTable | undefined,
    private readonly after: IptablesTable | undefined,
    private readonly family: Family,
    private readonly table: TableName,
    private readonly listsTold: ReadonlyMap<string, "opens" | "closes">,
    private readonly found: Found,
  ) {
    this.old = before && followedTable(before, family);
    this.current = after && followedTable(after, family);
    this.entries = { old: this.old ? entriesOf(this.old) : new Map(), new: this.current ? entriesOf(this.current) : new Map() };
  }

  run(): void {
    for (const pair of pairChains(this.before, this.after, this.family)) {
      this.comparePolicy(pair);
      for (const change of ruleChanges(pair)) this.tell(change, pair);
    }
  }

  // ------------------------------------------------------------------------------------------------- policies

  private comparePolicy({ old, new: current }: ChainPair): void {
    const [before, after] = [old?.policy ?? "ACCEPT", current?.policy ?? "ACCEPT"];
    const chain = current ?? old!;
    if (chain.policy === undefined || before === after) return;
    const span = current?.span ?? this.after?.span ?? old!.span;
    const direction = after === "ACCEPT" ? "opens" : "closes";
    const what = `everything in ${chain.name} that no rule decides`;
    // Where a rule decides about all packets, none comes to the policy; a change of that rule is told by itself.
    const asked = !decidesAll(this.old?.chains.get(chain.name)) && !decidesAll(this.current?.chains.get(chain.name));
    this.found.changes.push({
      kind: "policy",
      table: this.table,
      chain: chain.name,
      family: this.family,
      ...(old && { before: { text: `:${chain.name} ${before}`, span: old.span } }),
      ...(current && { after: { text: `:${chain.name} ${after}`, span: current.span } }),
      meaning: `${what} is ${after === "ACCEPT" ? "let through" : "dropped"} now${asked ? "" : " (the rules decide about every packet)"}`,
      direction: asked ? direction : "neither",
    });
    if (asked) this.tellEffect(direction, `${what} (policy ${before} to ${after})`, span, true);
  }

  // ---------------------------------------------------------------------------------------------------- rules

  private tell(change: RuleChange, pair: ChainPair): void {
    const { kind, before, after, passed, near } = change;
    if (kind === "moved" && passed.every((rule) => mayChangePlaces(after!, rule, this.family))) return;
    const chain = (pair.new ?? pair.old!).name;
    const span = after?.span ?? near?.span ?? pair.new?.span ?? this.after?.span ?? before!.span;
    const outcomes = this.outcomes(change, pair);
    const direction = joined(outcomes.map((one) => one.direction));
    this.found.changes.push({
      kind,
      table: this.table,
      chain,
      family: this.family,
      ...(before && { before: { text: before.text, span: before.span } }),
      ...(after && { after: { text: after.text, span: after.span } }),
      meaning: this.meaning(change, pair, outcomes),
      direction,
    });
    for (const outcome of outcomes) {
      this.tellBoxes("opens", outcome, span);
      this.tellBoxes("closes", outcome, span);
    }
    if (outcomes.length === 0 || direction === "neither") this.tellOther(change, span);
  }

  private meaning({ kind, before, after, passed }: RuleChange, pair: ChainPair, outcomes: readonly Outcome[]): string {
    const base = (pair.new ?? pair.old!).policy === undefined ? undefined : (pair.new ?? pair.old!).name;
    const was = (rule: IptablesRule): string => ruleWords(rule, this.family, this.entries.old.get(pair.old!.name), base);
    const is = (rule: IptablesRule): string => ruleWords(rule, this.family, this.entries.new.get(pair.new!.name), base);
    const unsure = outcomes.some(({ certain }) => !certain) ? "; what that opens or closes was too much to work out" : "";
    switch (kind) {
      case "added":
        return `${is(after!)}${this.withoutEffect(outcomes)}${unsure}`;
      case "removed":
        return `no longer ${was(before!)}${this.withoutEffect(outcomes)}${unsure}`;
      case "moved": {
        const passing =
          passed.length === 1
            ? `the rule of line ${passed[0]!.span.line}`
            : `${passed.length} rules, the first in line ${passed[0]!.span.line}`;
        return `stands on the other side of ${passing}: ${is(after!)}${this.withoutEffect(outcomes)}${unsure}`;
      }
      case "changed":
        return `${was(before!)}; now ${is(after!)}${this.withoutEffect(outcomes)}${unsure}`;
    }
  }

  private withoutEffect(outcomes: readonly Outcome[]): string {
    const nothing = outcomes.length > 0 && outcomes.every(({ direction, certain }) => certain && direction === "neither");
    return nothing ? " (no packet is let through or stopped that was not)" : "";
  }

  /** For each built-in chain from which the rule is reached. */
  private outcomes({ before, after }: RuleChange, pair: ChainPair): Outcome[] {
    // Address translation sends packets elsewhere and stops none.
    if (this.table === "nat") return [];
    const regions = [
      arriving(before && this.old?.conditionOf(before), this.entries.old.get(pair.old?.name ?? "")),
      arriving(after && this.current?.conditionOf(after), this.entries.new.get(pair.new?.name ?? "")),
    ].filter((region) => region !== undefined);
    const acting = [before, after].some((rule) => rule && actionOf(rule).kind !== "next");
    if (!acting) return [];
    const bases = new Set([...this.basesOf(this.before, pair.old?.name), ...this.basesOf(this.after, pair.new?.name)]);
    return [...bases].map((base): Outcome => {
      const differences = regions.map((region) => differenceIn(region, base, this.old, this.current));
      if (differences.includes(undefined)) return { direction: this.guess(before, after), certain: false, opens: [], closes: [], base };
      const [opens, closes] = [differences.flatMap((one) => one!.opens), differences.flatMap((one) => one!.closes)];
      return { direction: directionOf(opens.length > 0, closes.length > 0), certain: true, opens, closes, base };
    });
  }

  private basesOf(table: IptablesTable | undefined, chain: string | undefined): string[] {
    if (!table || chain === undefined) return [];
    return [...(reachableHooks(table).get(chain) ?? [])].map((hook) => hook.toUpperCase());
  }

  /** By the targets alone. */
  private guess(before: IptablesRule | undefined, after: IptablesRule | undefined): Direction {
    const [was, is] = [before, after].map((rule) => rule && actionOf(rule).kind);
    if ((was === "drop" && is === undefined) || (was === undefined && is === "accept")) return "opens";
    if ((was === "accept" && is === undefined) || (was === undefined && is === "drop")) return "closes";
    return "both";
  }

  // -------------------------------------------------------------------------------------------------- effects

  private tellBoxes(direction: "opens" | "closes", outcome: Outcome, span: Span): void {
    const { base } = outcome;
    if (!outcome.certain) {
      if (outcome.direction === direction || outcome.direction === "both") {
        this.tellEffect(direction, `perhaps some traffic in ${base ?? this.table} (its rules are too many to follow)`, span, true);
      }
      return;
    }
    const told = this.told[direction].get(base!) ?? [];
    const fresh: Box[] = [];
    for (const box of outcome[direction]) fresh.push(...without([box], [...told, ...fresh]));
    if (fresh.length === 0) return;
    this.told[direction].set(base!, [...told, ...fresh]);
    const whole = hull(fresh);
    const exact = without([whole], fresh).length === 0;
    const byList = fresh.every(({ tests }) =>
      [...(tests?.values() ?? [])].some(({ question }) => question && this.listsTold.get(question.list) === direction),
    );
    this.tellEffect(direction, `${exact ? "" : "some of: "}${packetWords(whole, this.family, base)}${this.familyWords()}`, span, !byList);
  }

  private familyWords(): string {
    return this.family === "ipv6" ? " (IPv6)" : "";
  }

  private tellEffect(direction: "opens" | "closes", sentence: string, span: Span, asFinding: boolean): void {
    const effects = this.found[direction];
    if (effects.some((one) => one.sentence === sentence)) return;
    effects.push({ sentence, span });
    if (!asFinding) return;
    this.found.remarks.push(
      direction === "opens"
        ? { code: "change-opens", severity: "warning", span, message: `gets through now and did not before: ${sentence}` }
        : { code: "change-closes", severity: "note", span, message: `no longer gets through: ${sentence}` },
    );
  }

  /** Changes that let through and stop as before. */
  private tellOther({ before, after }: RuleChange, span: Span): void {
    const rule = after ?? before!;
    if (this.table === "nat") {
      this.found.remarks.push({
        code: "change-translation",
        severity: "warning",
        span,
        message: `addresses and ports are translated differently: ${after ? "" : "no longer "}${ruleWords(rule, this.family)}`,
      });
    } else if (
      this.table !== "filter" &&
      rule.target?.kind === "extension" &&
      actionOf(rule).kind === "next" &&
      !["LOG", "NFLOG"].includes(rule.target.extension)
    ) {
      this.found.remarks.push({
        code: "change-marks",
        severity: "note",
        span,
        message: `${targetWords(rule)} other packets than before, and rules or routes that look at that may decide differently`,
      });
    }
  }
}

/** Whether a rule of the chain lets through or stops every packet. */
function decidesAll(chain: FollowedChain | undefined): boolean {
  return (
    chain?.rules.some(
      ({ condition, action }) => condition && Object.keys(condition).length === 0 && (action.kind === "accept" || action.kind === "drop"),
    ) ?? false
  );
}

/** What a rule matches of the packets that come into its chain; undefined if none. */
function arriving(condition: Box | undefined, entry: Box | undefined): Box | undefined {
  return condition && entry && intersect(entry, condition);
}

/** What of the first boxes is in none of the others. */
function without(boxes: readonly Box[], others: readonly Box[]): readonly Box[] {
  return others.reduce((left, other) => left.flatMap((part) => subtract(part, other)), boxes);
}

function directionOf(opens: boolean, closes: boolean): Direction {
  return opens && closes ? "both" : opens ? "opens" : closes ? "closes" : "neither";
}

function joined(directions: readonly Direction[]): Direction {
  return directionOf(
    directions.some((one) => one === "opens" || one === "both"),
    directions.some((one) => one === "closes" || one === "both"),
  );
}
