/**
 * Prints an nft AST. Quoting and escaping live here and nowhere else: whatever the input of the translation was, only
 * text that this file has let through reaches the script.
 */

import { allBaseChains, type BaseChain } from "./base-chains.js";
import { spellingFor } from "./older.js";
import { isLoadable } from "./versions.js";
import type { EarlierTable } from "./earlier-script.js";
import type { Expression, NftChain, NftRule, NftScript, NftSet, NftTable, Statement } from "./ast.js";

/** A rule and the line of the script where it stands, from 1. */
export interface RuleLine {
  readonly rule: NftRule;
  readonly line: number;
  readonly text: string;
}

/**
 * Emits the whole script. Throws a `RangeError`, and nothing else, for an AST that is none or holds what no nft script can hold: a
 * text that cannot be quoted, a name that is more than a name, a word of the language that is not one, a number that is none.
 * `translate` makes no such AST.
 */
export function emit(script: NftScript): string {
  return emitWithLines(script).text;
}

/** A chain and the line of the script behind which its entries stand, a line for each rule, from 1. */
export interface ChainLine {
  readonly chain: NftChain;
  readonly family: NftTable["family"];
  readonly line: number;
}

interface Emitted {
  readonly text: string;
  readonly rules: readonly RuleLine[];
  readonly chains: readonly ChainLine[];
}

/** As `emit`, and where each rule and each chain stands, in the order of the script. */
export function emitWithLines(script: NftScript): Emitted {
  try {
    return write(script);
  } catch (error) {
    // What is missing in a tree that somebody made by hand shows where it is read.
    if (!(error instanceof TypeError)) throw error;
    throw new RangeError(`not an nft script: ${error.message}`, { cause: error });
  }
}

/**
 * The lines of one table as a block, `table inet filter { … }`: what is added to a table that may be there already. Throws as `emit`.
 *
 * @param targetNft version of nft; the present one unless told
 */
export function emitTableBlock(table: NftTable, targetNft?: string): string[] {
  const lines: string[] = [];
  emitBlock(table, waysFor(targetNft), lines, { rules: [], chains: [] });
  return lines;
}

function waysFor(targetNft: string | undefined): Ways {
  return { spell: spellingFor(targetNft), labels: isLoadable("setComment", targetNft) };
}

function write(script: NftScript): Emitted {
  const lines: string[] = ["#!/usr/sbin/nft -f"];
  const rules: RuleLine[] = [];
  const chains: ChainLine[] = [];
  for (const line of script.header) lines.push(commentLine(line));
  for (const { family, name } of script.replaced ?? []) {
    // nft 1.0.6 cannot delete what may not be there, so it is made first.
    const tableName = `${tableFamily(family)} ${word(name)}`;
    lines.push("", `add table ${tableName}`, `delete table ${tableName}`);
  }
  const ways = waysFor(script.targetNft);
  for (const table of script.tables) emitTable(table, script, ways, lines, { rules, chains });
  return { text: `${lines.join("\n")}\n`, rules, chains };
}

/** What an nft of the script's version takes. */
interface Ways {
  readonly spell: Spelling;
  /** It has comments of sets. */
  readonly labels: boolean;
}

function emitTable(
  table: NftTable,
  { keepSets, earlier = [] }: NftScript,
  ways: Ways,
  lines: string[],
  found: { readonly rules: RuleLine[]; readonly chains: ChainLine[] },
): void {
  const name = `${tableFamily(table.family)} ${word(table.name)}`;
  lines.push("", `add table ${name}`);
  if (keepSets) {
    // Sets stay, rules go; a base chain that this script no longer has must not stay behind with its policy.
    lines.push(`flush table ${name}`);
    for (const chain of obsoleteBaseChains(table)) {
      lines.push(`add chain ${name} ${word(chain.name)} { ${baseChain(chain.base)} }`, `delete chain ${name} ${word(chain.name)}`);
    }
    emitRemovals(table, earlier, lines);
    // What this script puts into an interval set would not load beside other intervals of an earlier one that overlap.
    for (const set of table.sets.filter(({ flags, elements = [] }) => flags.includes("interval") && elements.length > 0)) {
      lines.push(`add set ${name} ${word(set.name)} { ${setParts(set).join("; ")}; }`, `flush set ${name} ${word(set.name)}`);
    }
    // nft 0.9.8 crashes at a set within a table that the script has named before, unless the table is deleted in between.
    for (const set of table.sets) {
      for (const line of set.comment ?? []) lines.push(commentLine(line));
      for (const line of emitSet(set, `add set ${name}`, ways.labels)) lines.push(line);
    }
  } else {
    lines.push(`delete table ${name}`);
  }
  lines.push("");
  emitBlock(keepSets ? { ...table, sets: [] } : table, ways, lines, found);
}

/** One table as a block: `table inet filter { … }`. */
function emitBlock(
  table: NftTable,
  { spell, labels }: Ways,
  lines: string[],
  found: { readonly rules: RuleLine[]; readonly chains: ChainLine[] },
): void {
  lines.push(`table ${tableFamily(table.family)} ${word(table.name)} {`);
  const blocks: string[][] = [];
  for (const helper of table.helpers) {
    blocks.push([`ct helper ${word(helper.name)} { type ${quote(helper.type)} protocol ${word(helper.protocol)}; }`]);
  }
  let inline: string[] = [];
  for (const set of table.sets) {
    if (set.comment) blocks.push((inline = set.comment.map(commentLine)));
    else if (blocks.at(-1) !== inline) blocks.push((inline = []));
    for (const line of emitSet(set, set.verdicts || set.data ? "map" : "set", labels)) inline.push(line);
  }
  for (const [index, block] of blocks.entries()) {
    if (index > 0) lines.push("");
    for (const line of block) lines.push(line === "" ? "" : `\t${line}`);
  }
  for (const [index, chain] of table.chains.entries()) {
    if (index + blocks.length > 0) lines.push("");
    found.chains.push({ chain, family: table.family, line: lines.length + headingOf(chain) });
    emitChain(chain, spell, lines, found.rules);
  }
  lines.push("}");
}

/** What an earlier script has made and this one does not: added first, since it may be gone already. */
function emitRemovals(table: NftTable, earlier: readonly EarlierTable[], lines: string[]): void {
  const before = earlier.filter(({ family, name }) => family === table.family && name === table.name);
  const name = `${tableFamily(table.family)} ${word(table.name)}`;
  const present = new Set([...table.chains, ...table.sets, ...obsoleteBaseChains(table)].map((one) => one.name));
  for (const chain of before.flatMap(({ chains }) => chains).filter((one) => !present.has(one))) {
    lines.push(`add chain ${name} ${word(chain)}`, `delete chain ${name} ${word(chain)}`);
  }
  for (const set of before.flatMap(({ sets }) => sets).filter((one) => !present.has(one.name))) {
    lines.push(`add set ${name} ${word(set.name)} { ${setParts(set).join("; ")}; }`, `delete set ${name} ${word(set.name)}`);
  }
}

type Spelling = ReturnType<typeof spellingFor>;

/** The base chains any earlier script may have made in this table and this one does not make. */
function obsoleteBaseChains(table: NftTable): { name: string; base: BaseChain }[] {
  const present = new Set(table.chains.map((chain) => chain.name));
  const possible = allBaseChains();
  if (table.family === "inet") possible.push(...possible.map(({ name, base }) => ({ name: `${name}_v6`, base })));
  return possible.filter((chain) => !present.has(chain.name));
}

const priorityNames = new Map<string, string>([
  ["-300", "raw"],
  ["-150", "mangle"],
  ["0", "filter"],
  ["50", "security"],
  ["prerouting -100", "dstnat"],
  ["postrouting 100", "srcnat"],
]);

function baseChain(base: BaseChain): string {
  if (!Number.isSafeInteger(base.priority)) throw refused("a priority", base.priority);
  const hook = one(base.hook, hooks);
  const priority = priorityNames.get(String(base.priority)) ?? priorityNames.get(`${hook} ${base.priority}`) ?? String(base.priority);
  const [type, policy] = [one(base.type, ["filter", "nat", "route"]), one(base.policy, ["accept", "drop"])];
  return `type ${type} hook ${hook} priority ${priority}; policy ${policy};`;
}

/** Lines of a chain in front of its entries. */
export function headingOf(chain: NftChain): number {
  return (chain.comment?.length ?? 0) + 1 + (chain.base ? 1 : 0);
}

/** What stands around the entries of a chain that has no base and no comment, in the block of its table. */
export function frameOfChain(name: string): readonly [opening: string, closing: string] {
  return [`\t${openingOf(name)}\n`, `\t${closing}\n`];
}

const openingOf = (name: string): string => `chain ${word(name)} {`;
const closing = "}";

function emitChain(chain: NftChain, spell: Spelling, lines: string[], rules: RuleLine[]): void {
  for (const line of chain.comment ?? []) lines.push(`\t${commentLine(line)}`);
  lines.push(`\t${openingOf(chain.name)}`);
  if (chain.base) lines.push(`\t\t${baseChain(chain.base)}`);
  for (const entry of chain.entries) {
    if (entry.kind === "comment") for (const line of entry.lines) lines.push(`\t\t${commentLine(line)}`);
    else {
      const text = emitRule(entry, spell);
      lines.push(`\t\t${text}`);
      rules.push({ rule: entry, text, line: lines.length });
    }
  }
  lines.push(`\t${closing}`);
}

function emitRule(rule: NftRule, spell: Spelling): string {
  const parts = spell(rule.statements).map(emitStatement);
  if (rule.comment !== undefined) parts.push(`comment ${quote(rule.comment)}`);
  return parts.join(" ");
}

/** All of a set but its elements. */
function setParts(set: NftSet): string[] {
  const given = set.verdicts ? " : verdict" : set.data ? ` : ${set.data.map(word).join(" . ")}` : "";
  const parts = [`${set.typeof ? `typeof ${emitExpression(set.typeof)}` : `type ${(set.type ?? []).map(word).join(" . ")}`}${given}`];
  if (set.size !== undefined) parts.push(`size ${count(set.size)}`);
  if (set.flags.length > 0)
    parts.push(`flags ${set.flags.map((flag) => one(flag, ["dynamic", "timeout", "interval", "constant"])).join(",")}`);
  if (set.timeout !== undefined) parts.push(`timeout ${duration(set.timeout)}`);
  if (set.gcInterval !== undefined) parts.push(`gc-interval ${duration(set.gcInterval)}`);
  if (set.counter) parts.push("counter");
  return parts;
}

/** Sets with more elements have a line for each. */
const mostElementsInLine = 3;

/** @param command what stands in front of the set's name */
function emitSet(set: NftSet, command: string, labels: boolean): string[] {
  const parts = setParts(set);
  if (labels && set.label !== undefined) parts.push(`comment ${quote(set.label)}`);
  const elements = [...(set.elements ?? []), ...(set.hosts ?? [])].map(emitExpression);
  if (elements.length > mostElementsInLine) {
    return [
      `${command} ${word(set.name)} {`,
      ...parts.map((part) => `\t${part}`),
      "\telements = {",
      ...elements.map((element) => `\t\t${element},`),
      "\t}",
      "}",
    ];
  }
  if (elements.length > 0) parts.push(`elements = { ${elements.join(", ")} }`);
  const behind = labels || set.label === undefined ? "" : ` ${commentLine(set.label)}`;
  return [`${command} ${word(set.name)} { ${parts.join("; ")}; }${behind}`];
}

/** An element of a set by itself, for a reader. Throws as `emit` does. */
export function emitElement(element: Expression): string {
  return emitExpression(element);
}

/** For other printers of this folder. */
export const emitWord = word;
export const emitDuration = duration;

// ----------------------------------------------------------------------------------------------- statements

export function emitStatement(statement: Statement): string {
  switch (statement.kind) {
    case "match": {
      const operator =
        statement.operator === "==" ? (needsOperator(statement.left) ? "== " : "") : `${one(statement.operator, comparisons)} `;
      const right = isFlagUnion(statement.right) ? flagUnion(statement.right) : emitExpression(statement.right);
      return `${emitExpression(statement.left)} ${operator}${right}`;
    }
    case "existence":
      return `${emitExpression(statement.expression)} ${statement.exists ? "exists" : "missing"}`;
    case "counter":
      return statement.packets === 0n && statement.bytes === 0n
        ? "counter"
        : `counter packets ${count(statement.packets)} bytes ${count(statement.bytes)}`;
    case "limit": {
      const unit = statement.bytes ? "bytes" : "packets";
      const rate = `${count(statement.rate)}${statement.bytes ? " bytes" : ""}/${one(statement.unit, timeUnits)}`;
      const burst = statement.burst === undefined ? "" : ` burst ${count(statement.burst)} ${unit}`;
      return `limit rate ${statement.over ? "over " : ""}${rate}${burst}`;
    }
    case "quota": {
      const used = statement.used === undefined || statement.used === 0n ? "" : ` used ${count(statement.used)} bytes`;
      return `quota ${statement.over ? "over " : ""}${count(statement.bytes)} bytes${used}`;
    }
    case "ct-count":
      return `ct count ${statement.over ? "over " : ""}${count(statement.count)}`;
    case "log": {
      const parts = ["log"];
      if (statement.prefix !== undefined) parts.push(`prefix ${quote(statement.prefix)}`);
      if (statement.group !== undefined) parts.push(`group ${count(statement.group)}`);
      if (statement.snaplen !== undefined) parts.push(`snaplen ${count(statement.snaplen)}`);
      if (statement.queueThreshold !== undefined) parts.push(`queue-threshold ${count(statement.queueThreshold)}`);
      if (statement.level !== undefined) parts.push(`level ${word(statement.level)}`);
      for (const flag of statement.flags ?? []) parts.push(`flags ${flag.split(" ").map(word).join(" ")}`);
      return parts.join(" ");
    }
    case "reject":
      if (!statement.with) return "reject";
      return statement.with.type === "tcp reset"
        ? "reject with tcp reset"
        : `reject with ${one(statement.with.type, ["icmp", "icmpv6"])} type ${word(statement.with.code)}`;
    case "verdict":
      return one(statement.verdict, ["accept", "drop", "return", "continue"]);
    case "jump":
      return `${statement.goto ? "goto" : "jump"} ${word(statement.chain)}`;
    case "verdict-map":
      return `${emitExpression(statement.key)} vmap ${emitExpression(statement.map)}`;
    case "assignment":
      return `${emitExpression(statement.target)} set ${emitExpression(statement.value)}`;
    case "set": {
      const parts = [emitExpression(statement.key)];
      if (statement.timeout !== undefined) parts.push(`timeout ${duration(statement.timeout)}`);
      for (const inner of statement.statements ?? []) parts.push(emitStatement(inner));
      return `${one(statement.operation, ["add", "update", "delete"])} @${word(statement.set)} { ${parts.join(" ")} }`;
    }
    case "nat": {
      const flags =
        statement.flags && statement.flags.length > 0
          ? ` ${statement.flags.map((flag) => one(flag, ["random", "fully-random", "persistent"])).join(",")}`
          : "";
      const given = statement.found
        ? emitExpression({ kind: "named-map", key: statement.found.key, map: statement.found.map })
        : statement.port && emitExpression(statement.port);
      const port = given === undefined ? "" : `:${given}`;
      if (statement.type === "masquerade" || statement.type === "redirect") {
        return `${statement.type}${port ? ` to ${port}` : ""}${flags}`;
      }
      if (statement.found) {
        const target = statement.found.withPort
          ? `${addressFamily(statement.family ?? "ip")}addr . port `
          : addressFamily(statement.family);
        return `${one(statement.type, ["snat", "dnat"])} ${target}to ${given}${flags}`;
      }
      const prefix = statement.prefix ? "prefix " : "";
      return (
        `${one(statement.type, ["snat", "dnat"])} ${addressFamily(statement.family)}${prefix}to ` +
        `${statement.address ? natAddress(statement.address, port !== "") : ""}${port}${flags}`
      );
    }
    case "queue": {
      const flags = statement.flags && statement.flags.length > 0 ? ` ${statement.flags.map(word).join(",")}` : "";
      const to = statement.to === undefined ? "" : `-${count(statement.to)}`;
      // The older form: nft 0.9.8 knows no other, and newer ones read both.
      return `queue num ${count(statement.from)}${to}${flags}`;
    }
    case "dup":
      return `dup to ${emitExpression(statement.address)}${statement.device === undefined ? "" : ` device ${quote(statement.device)}`}`;
    case "tproxy": {
      const port = statement.port ? `:${emitExpression(statement.port)}` : "";
      return (
        `tproxy ${addressFamily(statement.family)}to ` + `${statement.address ? natAddress(statement.address, port !== "") : ""}${port}`
      );
    }
    case "synproxy": {
      const parts = ["synproxy"];
      if (statement.mss !== undefined) parts.push(`mss ${count(statement.mss)}`);
      if (statement.wscale !== undefined) parts.push(`wscale ${count(statement.wscale)}`);
      if (statement.timestamp) parts.push("timestamp");
      if (statement.sackPermitted) parts.push("sack-perm");
      return parts.join(" ");
    }
    case "keyword-statement":
      return statement.words.map(word).join(" ");
    case "object":
      return one(statement.type, objectTypes).startsWith("ct ")
        ? `${statement.type} set ${quote(statement.object)}`
        : `${statement.type} name ${quote(statement.object)}`;
  }
  // A tree made by hand may hold anything.
  throw refused("a statement", (statement as { readonly kind: unknown }).kind);
}

const hooks = ["prerouting", "input", "forward", "output", "postrouting"] as const;
const comparisons = ["==", "!=", "<", ">", "<=", ">="] as const;
const timeUnits = ["second", "minute", "hour", "day", "week"] as const;
const objectTypes = ["ct helper", "ct timeout", "ct expectation", "counter", "quota"] as const;

function tableFamily(family: NftTable["family"]): string {
  return one(family, ["ip", "ip6", "inet"]);
}

/** Of a key of connection tracking. */
function connectionSide(direction: "original" | "reply" | undefined): string {
  return direction === undefined ? "" : `${one(direction, ["original", "reply"])} `;
}

/** Of an address in a table of both families. */
function addressFamily(family: "ip" | "ip6" | undefined): string {
  return family === undefined ? "" : `${one(family, ["ip", "ip6"])} `;
}

/** After these nft wants the operator spelled out: `a & b == c`. */
function needsOperator(left: Expression): boolean {
  return left.kind === "binary";
}

/** IPv6 addresses stand in brackets before a port. */
function natAddress(address: Expression, withPort: boolean): string {
  if (address.kind === "range") return `${natAddress(address.from, withPort)}-${natAddress(address.to, withPort)}`;
  const text = emitExpression(address);
  return withPort && text.includes(":") ? `[${text}]` : text;
}

// ---------------------------------------------------------------------------------------------- expressions

function emitExpression(expression: Expression): string {
  switch (expression.kind) {
    case "symbol":
      return word(expression.name);
    case "number":
      return expression.base === 16 ? hexadecimal(expression.value) : count(expression.value);
    case "string":
      return quote(expression.value);
    case "address": {
      if (typeof expression.address !== "string" || !/^[0-9a-fA-F.:]+$/.test(expression.address))
        throw refused("an address", expression.address);
      return expression.prefixLength === undefined ? expression.address : `${expression.address}/${count(expression.prefixLength)}`;
    }
    case "range":
      return `${emitExpression(expression.from)}-${emitExpression(expression.to)}`;
    case "anonymous-set":
      return `{ ${expression.elements.map(emitExpression).join(", ")} }`;
    case "flags":
      return expression.flags.map(word).join(",");
    case "concatenation":
      return expression.parts.map(emitExpression).join(" . ");
    case "set-reference":
      return `@${word(expression.set)}`;
    case "named-map":
      return `${emitExpression(expression.key)} map ${emitExpression(expression.map)}`;
    case "map":
      return `${emitExpression(expression.key)} map { ${expression.entries
        .map(([key, value]) => `${emitExpression(key)} : ${emitExpression(value)}`)
        .join(", ")} }`;
    case "element": {
      const parts = [emitExpression(expression.key)];
      if (expression.counter) parts.push(emitStatement(expression.counter));
      if (expression.timeout !== undefined) parts.push(`timeout ${duration(expression.timeout)}`);
      if (expression.expires !== undefined) parts.push(`expires ${duration(expression.expires)}`);
      if (expression.comment !== undefined) parts.push(`comment ${quote(expression.comment)}`);
      if (expression.verdict) parts.push(":", emitStatement(expression.verdict));
      if (expression.data) parts.push(":", emitExpression(expression.data));
      return parts.join(" ");
    }
    case "payload":
      return `${word(expression.protocol)} ${word(expression.field)}`;
    case "raw-payload":
      return `@${one(expression.base, ["ll", "nh", "th", "ih"])},${count(expression.offset)},${count(expression.length)}`;
    case "extension-header":
      return expression.field === undefined ? `exthdr ${word(expression.header)}` : `${word(expression.header)} ${word(expression.field)}`;
    case "tcp-option":
      return `tcp option ${optionName(expression.option)}${expression.field === undefined ? "" : ` ${word(expression.field)}`}`;
    case "meta":
      return `meta ${word(expression.key)}`.replace(unqualifiedMeta, "$1");
    case "ct":
      return `ct ${connectionSide(expression.direction)}${expression.key.split(" ").map(word).join(" ")}`;
    case "fib":
      return `fib ${expression.flags.map(word).join(" . ")} ${one(expression.result, ["type", "oif", "oifname"])}`;
    case "keyword":
      return expression.words.map(word).join(" ");
    case "numgen":
      return `numgen ${one(expression.mode, ["inc", "random"])} mod ${count(expression.modulus)}${offset(expression.offset)}`;
    case "jhash": {
      const seed = expression.seed === undefined ? "" : ` seed ${hexadecimal(expression.seed)}`;
      return `jhash ${emitExpression(expression.key)} mod ${count(expression.modulus)}${seed}${offset(expression.offset)}`;
    }
    case "binary": {
      const side = (inner: Expression): string => (inner.kind === "binary" ? `(${emitExpression(inner)})` : emitExpression(inner));
      const right =
        expression.right.kind === "binary" && isFlagUnion(expression.right) ? `(${flagUnion(expression.right)})` : side(expression.right);
      return `${side(expression.left)} ${one(expression.operator, ["&", "|", "^", "<<", ">>"])} ${right}`;
    }
  }
  throw refused("an expression", (expression as { readonly kind: unknown }).kind);
}

/** `iifname` reads better than `meta iifname`, and is the form `nft list` prints. */
const unqualifiedMeta = /^meta (iifname|oifname|iif|oif)$/;

function isFlagUnion(expression: Expression): boolean {
  return (
    expression.kind === "symbol" ||
    (expression.kind === "binary" && expression.operator === "|" && isFlagUnion(expression.left) && isFlagUnion(expression.right))
  );
}
function flagUnion(expression: Expression): string {
  return expression.kind === "binary" ? `${flagUnion(expression.left)} | ${flagUnion(expression.right)}` : emitExpression(expression);
}

function offset(value: number | undefined): string {
  return value === undefined || value === 0 ? "" : ` offset ${count(value)}`;
}

// --------------------------------------------------------------------------------------------- safe writing

/** Words of the language and names we made: nothing else can pass. */
function word(text: string): string {
  if (typeof text !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/.test(text)) throw refused("a word of nft", text);
  return text;
}

/** TCP options go by name or by number. */
function optionName(text: string): string {
  return word(text);
}

function count(value: number | bigint): string {
  if ((typeof value !== "bigint" && !Number.isSafeInteger(value)) || value < 0) throw refused("a whole number", value);
  return value.toString();
}

function hexadecimal(value: number | bigint): string {
  count(value);
  return `0x${value.toString(16)}`;
}

/** One of some words of the language. */
function one<Word extends string>(text: Word, words: readonly Word[]): Word {
  if (!words.includes(text)) throw refused(words.join(" or "), text);
  return text;
}

/** The error of what cannot stand in a script. */
function refused(wanted: string, found: unknown): RangeError {
  const plain = typeof found === "number" || typeof found === "bigint" || found === undefined || found === null;
  const text = typeof found === "string" ? JSON.stringify(found) : plain ? String(found) : `a value of the type ${typeof found}`;
  return new RangeError(`not ${wanted}: ${text}`);
}

/** nft knows no escape inside quotes, so text with a double quote or a control character cannot be quoted at all. */
function quote(text: string): string {
  if (typeof text !== "string" || /["\u0000-\u001f\u007f\u0085\u2028\u2029]/.test(text)) throw refused("a text that nft can quote", text);
  return `"${text}"`;
}

// Control characters but the tab, format characters (bidirectional overrides), line separators, lone surrogates.
const withoutForm = /[^\P{Cc}\t]|[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A `#` line; whatever could end the line, or hide or reorder what is read, is shown instead of written. */
function commentLine(text: string): string {
  if (typeof text !== "string") throw refused("a comment", text);
  if (text === "") return "#";
  return `# ${text.replace(withoutForm, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
  })}`;
}

/**
 * Milliseconds as nft writes durations: `60s4ms`. nft 1.0.6 reads no number of more than eight digits in one, so years are
 * written in days.
 */
function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const days = seconds > 99_999_999 ? Math.floor(seconds / 86_400) : 0;
  const parts = (
    [
      [days, "d"],
      [seconds - days * 86_400, "s"],
      [milliseconds % 1000, "ms"],
    ] as const
  ).filter(([value]) => value !== 0);
  return parts.length === 0 ? "0s" : parts.map(([value, unit]) => `${count(value)}${unit}`).join("");
}
