/**
 * A note for rules behind each other that differ in one value alone, which `--optimize` would bring together.
 *
 * Works on the words of the rules: so the quick way of large dumps, which reads few of them, says the same as the whole translation.
 */

import { diagnostic, type Diagnostic, type Span } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import { isLoadable } from "../nft/versions.js";

/** Rules of a list from which on it is told: by far more than a look-up needs to pay, of single values and of others. */
const longList = { singles: 100, intervals: 150 };

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

interface Row {
  readonly first: Span;
  readonly option: string;
  lastLine: number;
  count: number;
  intervals: boolean;
}

/** Takes the rules of chains one by one. */
export class LongLists {
  private readonly rows: Row[] = [];
  private before: { readonly text: string; readonly span: () => Span } | undefined;
  private row: Row | undefined;

  /** What comes next is not behind what came before: another chain, or a rule of which nothing is known. */
  interrupt(): void {
    this.before = undefined;
    this.row = undefined;
  }

  /**
   * @param text the rule without its counters
   * @param span of the rule, asked where a list begins
   */
  add(text: string, line: number, span: () => Span): void {
    const { before } = this;
    this.before = { text, span };
    const difference = before && differenceOf(before.text, text);
    if (!difference || topics[difference.option] === undefined) {
      this.row = undefined;
      return;
    }
    const { option, values } = difference;
    if (this.row?.option !== option) {
      this.row = { first: before.span(), option, lastLine: line, count: 1, intervals: false };
      if (!isPlain(text)) this.row = undefined;
      else this.rows.push(this.row);
    }
    if (!this.row) return;
    this.row.count++;
    this.row.lastLine = line;
    this.row.intervals ||= values.some((value) => isInterval(option, value));
    // Interfaces by their beginnings are no values that a set could hold.
    if (values.some((value) => value.endsWith("+"))) this.row.count = -Infinity;
  }

  notes({ keepSets = false, counters = true, targetNft }: LongListOptions): Diagnostic[] {
    if (counters && !isLoadable("setCounter", targetNft)) return [];
    // Sets that stay over a reload stand in their rule, and intervals there are not counted apart.
    const intervalsMerge = !keepSets || !counters;
    return this.rows.flatMap(({ first, option, lastLine, count, intervals }) => {
      if (count <= (intervals ? longList.intervals : longList.singles) || (intervals && !intervalsMerge)) return [];
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
        let before: Span | undefined;
        for (const { text, span } of rules) {
          // Of a line with several addresses iptables makes several rules.
          if (span.line !== before?.line || span.file !== before.file) found.add(text, span.line, () => span);
          before = span;
        }
      }
    }
    return found.notes(options);
  });
}

/** The option in whose value alone two rules differ, with both values; undefined where they differ in something else, or not at all. */
function differenceOf(one: string, other: string): { readonly option: string; readonly values: readonly [string, string] } | undefined {
  const shorter = Math.min(one.length, other.length);
  let same = 0;
  while (same < shorter && one.charCodeAt(same) === other.charCodeAt(same)) same++;
  if (same === one.length && same === other.length) return undefined;
  let rest = 0;
  while (rest < shorter - same && one.charCodeAt(one.length - 1 - rest) === other.charCodeAt(other.length - 1 - rest)) rest++;
  const start = one.lastIndexOf(" ", same - 1) + 1;
  const ends = [one, other].map((text) => {
    const end = text.indexOf(" ", text.length - rest);
    return end < 0 ? text.length : end;
  });
  const values = [one.slice(start, ends[0]), other.slice(start, ends[1])] as const;
  if (values.some((value) => value === "" || value.includes(" ")) || one.slice(ends[0]) !== other.slice(ends[1])) return undefined;
  return { option: one.slice(one.lastIndexOf(" ", start - 2) + 1, start - 1), values };
}

/** Whether a value stands for several, next to each other. */
function isInterval(option: string, value: string): boolean {
  if (option === "-s" || option === "-d") return value.includes("/") && !/\/(?:32|128)$/.test(value);
  return value.includes(":") || value.includes(",");
}

/** Whether a rule asks for fields only and ends the way of its packets. */
function isPlain(text: string): boolean {
  const [, , ...words] = text.split(" ");
  let ends = false;
  for (let index = 0; index < words.length; index += 2) {
    const [option, value = ""] = [words[index]!, words[index + 1]];
    if (option === "-m" ? !plainMatches.has(value) : option === "-j" ? !plainTargets.has(value) : !plainOptions.has(option)) return false;
    ends ||= option === "-j";
  }
  return ends;
}
