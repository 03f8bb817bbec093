/** Whether a committed script is the one made from the rules, or says the same rule by rule. */

import type { Span } from "../diagnostic.js";
import { blocksOf, withoutAsides, type Blocks } from "../nft/script-blocks.js";
import { align } from "../rewrite/alignment.js";
import type { Remark } from "./findings.js";
import { reviewCatalogue, type ReviewCode } from "./catalogue.js";

export interface CommittedScript {
  readonly file: string;
  readonly text: string;
  /** What nft lists of each script, loaded into a namespace of its own; what it says against the committed one; or why it was not asked. */
  readonly listings:
    | { readonly made: string; readonly committed: string }
    | { readonly refused: string }
    | { readonly unavailable: string };
}

/** How the scripts are compared. */
export function comparison(made: string, { text, listings }: CommittedScript): string {
  if (essence(made) === essence(text)) return "the same text but for comments and counters";
  if ("unavailable" in listings) return `as text only: ${listings.unavailable}`;
  return "refused" in listings ? "not at all: nft does not load it" : "rule by rule, as nft lists it";
}

/** Empty where the scripts mean the same. */
export function scriptDrift(made: string, { file, text, listings }: CommittedScript): Remark[] {
  if (essence(made) === essence(text)) return [];
  const start: Span = { file, line: 1, column: 1, length: 1 };
  if ("unavailable" in listings) {
    return [
      drift(
        "script-text-differs",
        start,
        "the script is not what the translator makes of the dumps, and nft could not tell whether it means the same: " +
          `${listings.unavailable}`,
      ),
    ];
  }
  if ("refused" in listings)
    return [drift("script-drift", start, `nft does not load the script: ${listings.refused.split("\n")[0] ?? ""}`)];
  return compareListings(blocksOf(listings.made), blocksOf(listings.committed), file, text);
}

function drift(code: ReviewCode, span: Span, message: string): Remark {
  return { code, severity: reviewCatalogue[code].severity, span, message, help: "make the script anew: ipt2nft-recent DUMP -o SCRIPT" };
}

/** Without comments, blanks at the ends and counters' values. */
function essence(script: string): string {
  return script
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace(/\bcounter packets [0-9]+ bytes [0-9]+/g, "counter").replace(/ comment "[^"]*"$/, ""))
    .join("\n");
}

function compareListings(made: Blocks, committed: Blocks, file: string, text: string): Remark[] {
  const found: Remark[] = [];
  const places = new ScriptPlaces(file, text);
  for (const [name, rules] of made) {
    const other = committed.get(name);
    if (!other) {
      found.push(drift("script-drift", places.of(undefined), `the script lacks ${name}`));
      continue;
    }
    const [wanted, present] = [rules.filter((line) => line !== ""), other.filter((line) => line !== "")];
    const kept = align(wanted, present);
    const [keptWanted, keptPresent] = [new Set(kept.map(([i]) => i)), new Set(kept.map(([, j]) => j))];
    wanted.forEach((line, index) => {
      if (!keptWanted.has(index)) found.push(drift("script-drift", places.of(name), `${name} lacks: ${line}`));
    });
    present.forEach((line, index) => {
      if (!keptPresent.has(index)) found.push(drift("script-drift", places.of(name, line), `${name} has, and the dumps do not: ${line}`));
    });
  }
  for (const name of committed.keys()) {
    if (!made.has(name)) found.push(drift("script-drift", places.of(name), `the script has ${name}, and the dumps do not`));
  }
  return found;
}

/** Where chains, sets and rules stand in the script: each of its lines is read once, however many are asked for. */
class ScriptPlaces {
  private readonly lines: readonly string[];
  /** The first line that opens a chain or set, by its kind and name. */
  private readonly openings = new Map<string, number>();
  /** The lines on which a rule stands, in order. */
  private readonly rules = new Map<string, number[]>();

  constructor(
    private readonly file: string,
    text: string,
  ) {
    this.lines = text.split("\n");
    this.lines.forEach((line, index) => {
      const brace = line.indexOf(" {");
      const opened = brace < 0 ? undefined : line.slice(0, brace).trimStart();
      if (opened !== undefined && !this.openings.has(opened)) this.openings.set(opened, index);
      const rule = withoutAsides(line);
      const known = this.rules.get(rule);
      if (known) known.push(index);
      else this.rules.set(rule, [index]);
    });
  }

  /** The line of a rule in the script if it is written as nft lists it, else that of its chain, else the first. */
  of(name: string | undefined, rule?: string): Span {
    const start = name === undefined ? undefined : this.openings.get(name.slice(0, name.indexOf(" of table ")));
    const own = rule === undefined || start === undefined ? undefined : firstAfter(this.rules.get(rule) ?? [], start);
    const index = own ?? start ?? 0;
    const line = this.lines[index] ?? "";
    return {
      file: this.file,
      line: index + 1,
      column: line.length - line.trimStart().length + 1,
      length: Math.max(1, line.trim().length),
    };
  }
}

/** The first of some numbers, which are in order, that is greater. */
function firstAfter(numbers: readonly number[], bound: number): number | undefined {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! > bound) high = middle;
    else low = middle + 1;
  }
  return numbers[low];
}
