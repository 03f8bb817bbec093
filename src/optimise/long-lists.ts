/**
 * A note for rules behind each other that differ in one value alone, which `--optimize` would bring together.
 *
 * Works on the words of the rules: so the quick way of large dumps, which reads few of them, says the same as the whole translation.
 */

import { diagnostic, type Diagnostic, type Span } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import { writtenRules } from "../iptables/written-rules.js";
import { isLoadable } from "../nft/versions.js";

/** Rules of a list from which on it is told: by far more than a look-up needs to pay, of single values and of others. */
const longList = { singles: 100, intervals: 150 };

/** A chain with so many rules or less has no list that is told. */
export const shortestList = Math.min(longList.singles, longList.intervals);

/** What the rules of a list may differ in, by the option. */
const topics: Readonly<Record<string, string>> = {
  "-s": "source",
  "-d": "destination",
  "-i": "interface",
  "-o": "interface",
  "--sport": "source port",
  "--dport": "destination port",
};

/** Options with one value that keep no rules apart. */
const plainOptions: ReadonlySet<string> = new Set([...Object.keys(topics), "-p", "--reject-with"]);
const plainMatches: ReadonlySet<string> = new Set(["tcp", "udp", "udplite", "sctp", "dccp"]);
const plainTargets: ReadonlySet<string> = new Set(["ACCEPT", "DROP", "RETURN", "REJECT"]);
/** Targets that packets go on behind, with what they give: rules that share a packet are then not brought together, as networks may. */
const givingTargets: Readonly<Record<string, readonly string[]>> = {
  MARK: ["--set-xmark", "--set-mark"],
  CONNMARK: ["--set-xmark", "--set-mark"],
  CLASSIFY: ["--set-class"],
};

interface Neighbour {
  readonly text: string;
  readonly span: () => Span;
  /** Once they were asked for. */
  words?: readonly string[];
}

interface Row {
  readonly first: Span;
  readonly option: string;
  /** What all its rules have around their values. */
  readonly before: string;
  readonly behind: string;
  lastLine: number;
  count: number;
  intervals: boolean;
  /** Its packets go on to the next rule. */
  readonly goesOn: boolean;
}

/** Takes the rules of chains one by one. There may be 100,000 of them: most are told apart by a few letters. */
export class LongLists {
  private readonly rows: Row[] = [];
  private last: Neighbour | undefined;
  private row: Row | undefined;

  /** What comes next is not behind what came before: another chain, or a rule of which nothing is known. */
  interrupt(): void {
    this.last = undefined;
    this.row = undefined;
  }

  /**
   * @param text the rule without its counters
   * @param span of the rule, asked where a list begins
   */
  add(text: string, line: number, span: () => Span): void {
    const { last } = this;
    const own: Neighbour = { text, span };
    this.last = own;
    let value = this.row && valueIn(text, this.row);
    if (value === undefined) {
      this.row = last && mayDifferInOne(last.text, text) ? rowOf(last, own) : undefined;
      if (!this.row) return;
      this.rows.push(this.row);
      value = valueIn(text, this.row)!;
      this.count(valueIn(last!.text, this.row)!, this.row);
    }
    this.row!.lastLine = line;
    this.count(value, this.row!);
  }

  /** Whether the rule that was added last is in a list with the one before it. */
  get isInList(): boolean {
    return this.row !== undefined;
  }

  /** So many rules more of the list, which differ from the one before in the same value, all in single values or all in intervals. */
  addAlike(count: number, lastText: string, lastLine: number, lastSpan: () => Span): void {
    const row = this.row!;
    const value = valueIn(lastText, row)!;
    row.count += value.endsWith("+") ? -Infinity : count;
    row.lastLine = lastLine;
    this.last = { text: lastText, span: lastSpan };
  }

  private count(value: string, row: Row): void {
    row.intervals ||= isInterval(row.option, value);
    // Interfaces by their beginnings are no values that a set could hold.
    row.count += value.endsWith("+") ? -Infinity : 1;
  }

  notes({ keepSets = false, counters = true, targetNft }: LongListOptions): Diagnostic[] {
    if (counters && !isLoadable("setCounter", targetNft)) return [];
    // Sets that stay over a reload stand in their rule, and intervals there are not counted apart.
    const intervalsMerge = !keepSets || !counters;
    return this.rows.flatMap(({ first, option, lastLine, count, intervals, goesOn }) => {
      if (count <= (intervals ? longList.intervals : longList.singles) || (intervals && (!intervalsMerge || goesOn))) return [];
      return [
        diagnostic(
          "long-list",
          first,
          `from here to line ${lastLine} ${count} rules differ in their ${topics[option]} alone, and a packet is held against one after ` +
            "the other: --optimize makes one look-up of them, which takes the time of some ten",
          "it decides and counts the same (docs/optimize.md)",
        ),
      ];
    });
  }
}

export interface LongListOptions {
  readonly keepSets?: boolean | undefined;
  readonly counters?: boolean | undefined;
  readonly targetNft?: string | undefined;
}

/** The notes of rulesets that are whole. */
export function longLists(rulesets: readonly IptablesRuleset[], options: LongListOptions): Diagnostic[] {
  return rulesets.flatMap(({ tables }) => {
    const found = new LongLists();
    for (const { chains } of tables) {
      for (const { rules } of chains) {
        found.interrupt();
        for (const { text, span } of writtenRules(rules)) found.add(text, span.line, () => span);
      }
    }
    return found.notes(options);
  });
}

/** The value that a rule has in the place where the rules of a row differ; undefined if it is none of them. */
function valueIn(text: string, { before, behind }: Row): string | undefined {
  const length = text.length - before.length - behind.length;
  if (length <= 0 || !text.endsWith(behind) || !text.startsWith(before)) return undefined;
  const value = text.substring(before.length, before.length + length);
  return value.includes(" ") ? undefined : value;
}

/** Letters of the chain, and of the target, by which most neighbours are told apart. */
const letters = 8;

function mayDifferInOne(one: string, other: string): boolean {
  return one.slice(-letters) === other.slice(-letters) && one.slice(0, letters) === other.slice(0, letters);
}

/** Undefined where two rules differ in anything but one value, or in none, or do more than a list does. */
function rowOf(one: Neighbour, other: Neighbour): Row | undefined {
  const words = (one.words ??= one.text.split(" "));
  const others = (other.words ??= other.text.split(" "));
  if (words.length !== others.length) return undefined;
  let place: number | undefined;
  for (let index = 0; index < words.length; index++) {
    if (words[index] === others[index]) continue;
    if (place !== undefined) return undefined;
    place = index;
  }
  const option = place === undefined ? undefined : words[place - 1];
  const way = option === undefined || topics[option] === undefined ? undefined : wayOf(words);
  if (place === undefined || option === undefined || way === undefined) return undefined;
  return {
    first: one.span(),
    option,
    before: `${words.slice(0, place).join(" ")} `,
    behind: words.length > place + 1 ? ` ${words.slice(place + 1).join(" ")}` : "",
    lastLine: 0,
    count: 0,
    intervals: false,
    goesOn: way === "on",
  };
}

/** Whether a value stands for several, next to each other. */
function isInterval(option: string, value: string): boolean {
  if (option === "-s" || option === "-d") return value.includes("/") && !/\/(?:32|128)$/.test(value);
  return value.includes(":") || value.includes(",");
}

/** What becomes of the packets of a rule that asks for fields only; undefined for one that asks, or does, anything else. */
function wayOf(words: readonly string[]): "end" | "on" | undefined {
  let target: string | undefined;
  let gives = false;
  // Behind "-A" and the chain.
  for (let index = 2; index < words.length; index += 2) {
    const [option, value = ""] = [words[index]!, words[index + 1]];
    if (option === "-j") target = value;
    else if (target !== undefined && givingTargets[target]?.includes(option)) gives = true;
    else if (option === "-m" ? !plainMatches.has(value) : !plainOptions.has(option)) return undefined;
  }
  if (target === undefined) return undefined;
  if (plainTargets.has(target)) return "end";
  return gives ? "on" : undefined;
}
