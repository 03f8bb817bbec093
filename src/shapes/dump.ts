/** One input of the quick way: its text, scanned, and what is left out of it. */

import type { IptablesRuleset } from "../iptables/ast.js";
import type { Source } from "../translate.js";
import { Quotient } from "./quotient.js";
import { scan, type Scan } from "./scan.js";

/** Rules behind each other, from one to before another. */
export type Row = readonly [from: number, to: number];

export class Dump {
  readonly quotient: Quotient;
  private readonly numbers: ReadonlyMap<string, number>;
  /** Of each chain. */
  private readonly rows: readonly (readonly Row[])[];

  private constructor(
    readonly source: Source,
    readonly scanned: Scan,
  ) {
    this.quotient = new Quotient(scanned);
    const {
      chains,
      rules: { count, chain, runs, runCount },
    } = scanned;
    const rows = chains.map((): Row[] => []);
    let from = 0;
    for (let run = 1; run <= runCount; run++) {
      const rule = runs[run]!;
      if (rule < count && chain[rule] === chain[from]) continue;
      rows[chain[from]!]!.push([from, rule]);
      from = rule;
    }
    this.rows = rows;
    this.numbers = new Map(chains.map(({ tableName, name }, index) => [`${tableName} ${name}`, index]));
  }

  static of(source: Source): Dump | undefined {
    const scanned = scan(source.text);
    return scanned && new Dump(source, scanned);
  }

  reduced(): Source {
    return { ...this.source, text: this.quotient.reduce() };
  }

  /** The index of a chain; undefined if the dump does not declare it. */
  chainNumber(table: string, chain: string): number | undefined {
    return this.numbers.get(`${table} ${chain}`);
  }

  /** The rules of a chain that have a shape, in their order. */
  rulesOf(chain: number): readonly Row[] {
    return this.rows[chain]!;
  }

  /** All chains in the order of the script: of one table behind the other. */
  chainsInOrder({ tables }: IptablesRuleset): number[] {
    const { chains } = this.scanned;
    return tables.flatMap(({ name }) => [...chains.keys()].filter((index) => chains[index]!.tableName === name));
  }

  /** The last rule with a shape before a line in its chain. */
  ruleBefore(chain: number, line: number): number | undefined {
    const { line: lines } = this.scanned.rules;
    const rows = this.rulesOf(chain);
    // The first row that does not end before the line.
    const at = firstFrom(line, rows.length, (index) => lines[rows[index]![1] - 1]!);
    const row = rows[at];
    const last = rows[at - 1]?.[1];
    const rule = row && row[0] + firstFrom(line, row[1] - row[0], (index) => lines[row[0] + index]!);
    if (row && rule! > row[0]) return rule! - 1;
    return last === undefined ? undefined : last - 1;
  }

  /** The rule of a line; undefined if it has no shape. */
  ruleAt(line: number): number | undefined {
    const { count, line: lines } = this.scanned.rules;
    const at = firstFrom(line, count, (rule) => lines[rule]!);
    return at < count && lines[at] === line ? at : undefined;
  }
}

/** Of so many things in the order of their lines the first that does not stand before the line. */
export function firstFrom(line: number, count: number, lineOf: (index: number) => number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lineOf(middle) < line) low = middle + 1;
    else high = middle;
  }
  return low;
}
