/**
 * Brings the tables of both families together in one of the family `inet`.
 *
 * What both sides have in common stands once; everything else runs for packets of its own family only, in the order of its
 * side. Chains that have little in common stay apart, because every test for the family costs the other's packets something.
 * The first side keeps its names; sets are typed by family and never common.
 */

import type { CounterStatement, NftChain, NftComment, NftHelper, NftRule, NftSet, NftTable, Statement } from "../nft/ast.js";
import { match, meta, symbol, verdict } from "../nft/ast.js";
import { Names } from "../nft/names.js";
import { mapNodes, renameNode } from "../nft/walk.js";
import { align, type Pair } from "./alignment.js";
import { deepestLevel, deepestPath, levelsBelow } from "../nft/levels.js";

/** The one table, or why there must be two. */
export type Merging = { readonly table: NftTable; readonly setNames: SetNames } | { readonly obstacle: string };

/** What the sets of the second side are called now. */
export type SetNames = ReadonlyMap<string, string>;

/** Merges the table of the family ip with that of ip6; both are as rewriting makes them. */
export function mergeFamilies(ipv4: NftTable, ipv6: NftTable): Merging {
  // nft 1.0.6: "unsupported family", whatever is tested before it.
  if ([ipv4, ipv6].some((table) => holds(table.chains, "dup")))
    return { obstacle: "nft copies packets (TEE) only in tables of one family" };
  // In a table inet the kernel would track, and put fragments together, for both: rules for ports would see other packets.
  if (tracksConnections(ipv4) !== tracksConnections(ipv6))
    return { obstacle: "only one of them tracks connections, and one table would do so for both" };
  // A way down may take a jump of one side and go on with one of the other: too deep, or a circle, though neither side is.
  for (const commonChains of [true, false]) {
    const merger = new Merger(ipv4, ipv6, commonChains);
    const table = merger.run();
    if (fitsLevels(table)) return { table, setNames: merger.secondSetNames };
  }
  return { obstacle: "chains of both families together jump deeper than the kernel allows" };
}

/** Statements and expressions for which the kernel turns connection tracking, or at least reassembly, on. */
const tracking = ["ct", "ct-count", "nat", "object", "synproxy", "tproxy"];

function tracksConnections(table: NftTable): boolean {
  return tracking.some((kind) => holds(table.chains, kind)) || holdsPhrase(table.chains, "socket");
}

function fitsLevels(table: NftTable): boolean {
  return [...levelsBelow(table).values()].every((levels) => levels !== Infinity) && deepestPath(table).length - 1 <= deepestLevel;
}

type Version = 4 | 6;

/** A rule with the comments above it, or the comments at a chain's end. */
interface Unit {
  readonly comments: readonly NftComment[];
  readonly rule?: NftRule;
}

/** The part of a side that the merger asks for. */
interface Side {
  readonly version: Version;
  readonly chains: ReadonlyMap<string, NftChain>;
  readonly units: ReadonlyMap<string, readonly Unit[]>;
  /** From which base chains each chain is reached. */
  readonly callers: ReadonlyMap<string, string>;
}

class Merger {
  private readonly sides: { readonly 4: Side; readonly 6: Side };
  private readonly names = new Names();
  private readonly setNames = new Names();
  private readonly helpers: NftHelper[] = [];
  /** New names of the second side's chains, sets and helpers. */
  private readonly renamed = { chain: new Map<string, string>(), set: new Map<string, string>(), helper: new Map<string, string>() };
  /** The common chains and their common rules; undefined for those that stay apart. */
  private readonly decisions = new Map<string, readonly Pair[] | undefined>();
  private readonly open = new Set<string>();

  constructor(
    private readonly ipv4: NftTable,
    private readonly ipv6: NftTable,
    private readonly commonChains: boolean,
  ) {
    this.sides = { 4: sideOf(ipv4, 4), 6: sideOf(ipv6, 6) };
  }

  get secondSetNames(): SetNames {
    return this.renamed.set;
  }

  run(): NftTable {
    this.nameHelpers();
    this.nameSets();
    for (const { name } of this.ipv6.chains) this.decide(name);
    for (const { name } of this.ipv4.chains) this.names.unique(name);
    for (const { name } of this.ipv6.chains) {
      if (this.decisions.get(name)) continue;
      const unique = this.names.unique(this.sides[4].chains.has(name) ? `${name}_v6` : name);
      if (unique !== name) this.renamed.chain.set(name, unique);
    }
    return { family: "inet", name: this.ipv4.name, helpers: this.helpers, sets: this.sets(), chains: this.chains() };
  }

  // -------------------------------------------------------------------------------------------------- objects

  private nameHelpers(): void {
    this.helpers.push(...this.ipv4.helpers);
    const taken = new Names();
    for (const { name } of this.ipv4.helpers) taken.unique(name);
    for (const helper of this.ipv6.helpers) {
      const equal = this.ipv4.helpers.find(({ type, protocol }) => type === helper.type && protocol === helper.protocol);
      const name = equal?.name ?? taken.unique(helper.name);
      if (!equal) this.helpers.push({ ...helper, name });
      if (name !== helper.name) this.renamed.helper.set(helper.name, name);
    }
  }

  /** All of the second side, not only where names collide: a kept set must not find one of another type under its name. */
  private nameSets(): void {
    for (const { name } of this.ipv4.sets) this.setNames.unique(name);
    for (const { name } of this.ipv6.sets) this.renamed.set.set(name, this.setNames.unique(`${name}_v6`));
  }

  private sets(): NftSet[] {
    const own = (set: NftSet, version: Version): NftSet => ({
      ...this.translated(set, version),
      ...(set.comment && { comment: this.labelledDescription(set.comment, version) }),
    });
    return [
      ...this.ipv4.sets.map((set) => own(set, 4)),
      ...this.ipv6.sets.map((set) => ({ ...own(set, 6), name: this.renamed.set.get(set.name)! })),
    ];
  }

  // ---------------------------------------------------------------------------------------------- what is common

  /** Decides whether a chain is one for both sides, those it jumps to first. */
  private decide(name: string): boolean {
    if (this.decisions.has(name)) return this.decisions.get(name) !== undefined;
    const [first, second] = [this.sides[4].chains.get(name), this.sides[6].chains.get(name)];
    if (!first || !second || this.open.has(name)) return false;
    this.open.add(name);
    const calledByFirst = callees(first);
    for (const callee of callees(second)) if (calledByFirst.has(callee)) this.decide(callee);
    this.open.delete(name);
    this.decisions.set(name, this.mayBeCommon(first, second) ? this.commonRules(name) : undefined);
    return this.decisions.get(name) !== undefined;
  }

  private mayBeCommon({ name, base: first }: NftChain, { base: second }: NftChain): boolean {
    if (first || second) {
      return (
        first?.type === second?.type &&
        first?.hook === second?.hook &&
        first?.priority === second?.priority &&
        first?.policy === second?.policy
      );
    }
    // The kernel looks where a rule may be called from before it looks at the family: masquerade must not come into reach of
    // another hook because the other side calls a chain of that name there.
    return this.commonChains && this.sides[4].callers.get(name) === this.sides[6].callers.get(name);
  }

  private commonRules(name: string): readonly Pair[] | undefined {
    const keys = ([4, 6] as const).map((version) =>
      this.sides[version].units.get(name)!.map(({ rule }) => rule && this.key(rule, version)),
    );
    const [first = [], second = []] = keys;
    const pairs = align(first, second);
    // Else most rules would be asked in vain; the chains that serve lists stay apart by this too.
    return 4 * pairs.length > first.length + second.length || first.length + second.length === 0 ? pairs : undefined;
  }

  /** Equal for rules that do the same in both families; undefined for one that must run for its own only. */
  private key(rule: NftRule, version: Version): string | undefined {
    let own = false;
    const text = JSON.stringify([rule.statements, rule.comment ?? ""], (_, value: unknown) => {
      if (typeof value === "bigint") return `${value}n`;
      if (!isNode(value)) return value;
      switch (value.kind) {
        // The values of a common rule add up.
        case "counter":
          return "counter";
        // Each side has a store of its own, which one rule for both would make one.
        case "limit":
        case "quota":
        case "ct-count":
        case "set":
        case "set-reference":
        case "numgen":
          own = true;
          return value;
        case "ct":
          if (isConnectionPort(value)) own = true;
          return value;
        case "jump":
          if (this.decisions.get(value["chain"] as string) === undefined) own = true;
          return value;
        case "object": {
          const object = value["object"] as string;
          return version === 6
            ? { ...value, kind: "named", object: this.renamed.helper.get(object) ?? object }
            : { ...value, kind: "named" };
        }
        default:
          return value;
      }
    });
    return own ? undefined : text;
  }

  // ------------------------------------------------------------------------------------------------- the chains

  /** In the order of the first side; what only the second has stands where that has it. */
  private chains(): NftChain[] {
    const positions = new Map(this.ipv4.chains.map(({ name }, index) => [name, index]));
    const behind = new Map<number, NftChain[]>();
    let position = -1;
    for (const chain of this.ipv6.chains) {
      position = positions.get(chain.name) ?? position;
      if (this.decisions.get(chain.name)) continue;
      const group = behind.get(position) ?? [];
      group.push(this.ownChain(chain, 6));
      behind.set(position, group);
    }
    return [
      ...(behind.get(-1) ?? []),
      ...this.ipv4.chains.flatMap((chain, index) => {
        const pairs = this.decisions.get(chain.name);
        return [pairs ? this.commonChain(chain, pairs) : this.ownChain(chain, 4), ...(behind.get(index) ?? [])];
      }),
    ];
  }

  /** A chain of one side: only that side's rules call it, and a base chain sends the other family's packets on. */
  private ownChain(chain: NftChain, version: Version): NftChain {
    const entries = chain.entries.map((entry) => {
      if (entry.kind === "comment") return this.labelledComment(entry, version);
      return asksConnectionPort(entry) ? this.guarded(entry, version) : this.translated(entry, version);
    });
    const pass: NftRule = { kind: "rule", statements: [ofFamily(version === 4 ? 6 : 4), verdict("accept")] };
    return {
      ...chain,
      name: (version === 6 ? this.renamed.chain.get(chain.name) : undefined) ?? chain.name,
      ...(chain.comment && { comment: this.labelledDescription(chain.comment, version) }),
      entries: chain.base ? [pass, ...entries] : entries,
    };
  }

  private commonChain(chain: NftChain, pairs: readonly Pair[]): NftChain {
    const units = { 4: this.sides[4].units.get(chain.name)!, 6: this.sides[6].units.get(chain.name)! };
    const entries: (NftRule | NftComment)[] = [];
    const next = { 4: 0, 6: 0 };
    const ownUntil = (version: Version, end: number): void => {
      for (; next[version] < end; next[version]++) {
        const { comments, rule } = units[version][next[version]]!;
        for (const comment of comments) entries.push(this.labelledComment(comment, version));
        if (rule) entries.push(this.guarded(rule, version));
      }
    };
    for (const [first, second] of pairs) {
      ownUntil(4, first);
      ownUntil(6, second);
      const [left, right] = [units[4][first]!, units[6][second]!];
      entries.push(...this.commonComments(left.comments, right.comments), this.translated(withSums(left.rule!, right.rule!), 4));
      next[4]++;
      next[6]++;
    }
    ownUntil(4, units[4].length);
    ownUntil(6, units[6].length);
    const comment = this.commonLines(chain.comment ?? [], this.sides[6].chains.get(chain.name)!.comment ?? []);
    const { comment: _, ...rest } = chain;
    return { ...rest, ...(comment.length > 0 && { comment }), entries };
  }

  /** Most rules of one family in a common chain begin with a test for it. */
  private guarded(rule: NftRule, version: Version): NftRule {
    const own = this.translated(rule, version);
    return impliesFamily(own.statements[0]) ? own : { ...own, statements: [ofFamily(version), ...own.statements] };
  }

  /** With the names that things have now, and with the family where a table of both must be told. */
  private translated<Node>(node: Node, version: Version): Node {
    return mapNodes(node, (copy) => {
      if (version === 6) renameNode(copy, this.renamed);
      if ((copy["kind"] === "nat" || copy["kind"] === "tproxy") && copy["address"] !== undefined)
        copy["family"] = version === 4 ? "ip" : "ip6";
    });
  }

  // ----------------------------------------------------------------------------------------------- the comments

  /** Whose lines these are; a line that begins with blanks goes on with the one before. */
  private labelled(lines: readonly string[], version: Version): string[] {
    return lines.map((line) => (line.startsWith(" ") ? line : `v${version} ${line}`));
  }

  /** The comments among rules hold words of the user and none of our names. */
  private labelledComment(comment: NftComment, version: Version): NftComment {
    return { ...comment, lines: this.labelled(comment.lines, version) };
  }

  /** Of a set or chain of one side, with the names that things have now. What the user wrote stands in quotes there. */
  private labelledDescription(lines: readonly string[], version: Version): string[] {
    const named = (line: string): string =>
      line.replace(/"[^"]*"|[A-Za-z0-9_.-]+/g, (word) => this.renamed.set.get(word) ?? this.renamed.chain.get(word) ?? word);
    return this.labelled(version === 4 ? lines : lines.map(named), version);
  }

  private commonLines(first: readonly string[], second: readonly string[]): string[] {
    if (first.join("\n") === second.join("\n")) return [...first];
    return [...this.labelledDescription(first, 4), ...this.labelledDescription(second, 6)];
  }

  /** Once where both sides have the same to say. */
  private commonComments(first: readonly NftComment[], second: readonly NftComment[]): NftComment[] {
    const [left, right] = [first, second].map((comments) => JSON.stringify(comments.map(({ lines }) => lines)));
    if (left === right) {
      return first.map((comment, index) => {
        const origins = [...(comment.origins ?? []), ...(second[index]?.origins ?? [])];
        return { ...comment, ...(origins.length > 0 && { origins }) };
      });
    }
    return [...first.map((comment) => this.labelledComment(comment, 4)), ...second.map((comment) => this.labelledComment(comment, 6))];
  }
}

// ------------------------------------------------------------------------------------------------------- sides

function sideOf(table: NftTable, version: Version): Side {
  const chains = new Map(table.chains.map((chain) => [chain.name, chain]));
  const calls = new Map(table.chains.map((chain) => [chain.name, callees(chain)]));
  const reached = new Map<string, string[]>(table.chains.map(({ name }) => [name, []]));
  for (const { name, base } of table.chains) {
    if (!base) continue;
    const seen = new Set([name]);
    for (const chain of seen) {
      reached.get(chain)?.push(name);
      for (const callee of calls.get(chain) ?? []) seen.add(callee);
    }
  }
  return {
    version,
    chains,
    units: new Map(table.chains.map((chain) => [chain.name, unitsOf(chain)])),
    callers: new Map([...reached].map(([name, bases]) => [name, bases.sort().join(" ")])),
  };
}

function unitsOf({ entries }: NftChain): Unit[] {
  const units: Unit[] = [];
  let comments: NftComment[] = [];
  for (const entry of entries) {
    if (entry.kind === "comment") {
      comments.push(entry);
      continue;
    }
    units.push({ comments, rule: entry });
    comments = [];
  }
  return comments.length > 0 ? [...units, { comments }] : units;
}

function callees({ entries }: NftChain): Set<string> {
  return new Set(
    entries.flatMap((entry) => {
      const last = entry.kind === "rule" ? entry.statements.at(-1) : undefined;
      return last?.kind === "jump" ? [last.chain] : [];
    }),
  );
}

// ------------------------------------------------------------------------------------------------------- rules

const ofFamily = (version: Version): Statement => match(meta("nfproto"), symbol(`ipv${version}`));

/** Whether nft itself puts the test for the family in front: measured for fields of the network header. */
function impliesFamily(statement: Statement | undefined): boolean {
  if (statement?.kind !== "match") return false;
  const left = statement.left.kind === "binary" ? statement.left.left : statement.left;
  return left.kind === "payload" && (left.protocol === "ip" || left.protocol === "ip6");
}

/** nft 1.0.6 knows the type of `ct original proto-dst` only behind a test for the family. */
function isConnectionPort({ key }: Readonly<Record<string, unknown>>): boolean {
  return key === "proto-src" || key === "proto-dst";
}

function asksConnectionPort(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return (isNode(value) && value.kind === "ct" && isConnectionPort(value)) || Object.values(value).some(asksConnectionPort);
}

/** The first rule with the counters of both. */
function withSums(first: NftRule, second: NftRule): NftRule {
  const others = second.statements.filter((statement): statement is CounterStatement => statement.kind === "counter");
  const origins = [...(first.origins ?? []), ...(second.origins ?? [])];
  let index = 0;
  return {
    ...first,
    ...(origins.length > 0 && { origins }),
    statements: first.statements.map((statement) => {
      if (statement.kind !== "counter") return statement;
      const other = others[index++];
      return other ? { ...statement, packets: sum(statement.packets, other.packets), bytes: sum(statement.bytes, other.bytes) } : statement;
    }),
  };
}

/** Counters are 64 bits wide and wrap. */
const sum = (one: bigint, other: bigint): bigint => BigInt.asUintN(64, one + other);

function isNode(value: unknown): value is Readonly<Record<string, unknown>> & { readonly kind: unknown } {
  return typeof value === "object" && value !== null && "kind" in value;
}

/** Whether a keyword expression below begins with this word. */
function holdsPhrase(value: unknown, first: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (isNode(value) && value.kind === "keyword" && (value["words"] as readonly string[])[0] === first) return true;
  return Object.values(value).some((part) => holdsPhrase(part, first));
}

/** Whether a statement or expression of this kind is anywhere below. */
function holds(value: unknown, kind: string): boolean {
  if (typeof value !== "object" || value === null) return false;
  return (isNode(value) && value.kind === kind) || Object.values(value).some((part) => holds(part, kind));
}
