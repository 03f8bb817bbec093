/** A note for each program that has rules of its own in a dump: it makes them again, wherever they are moved to. */

import { diagnostic, type Diagnostic, type Span } from "../diagnostic.js";
import type { IptablesRuleset } from "../iptables/ast.js";
import { writtenRules } from "../iptables/written-rules.js";
import { ownerByComment, ownerByWords, type Owner } from "./owners.js";

/** Lines that a note names. */
const mostLines = 3;

interface Share {
  count: number;
  /** The first lines, in their order. */
  readonly first: Span[];
}

/** The rules of programs in one ruleset, whose files have notes of their own. */
export class ProgramRules {
  private readonly shares = new Map<string, Map<Owner, Share>>();

  /** @param span may be made only where it is asked for */
  add(owner: Owner, file: string, line: number, span: () => Span): void {
    let ofFile = this.shares.get(file);
    if (ofFile === undefined) this.shares.set(file, (ofFile = new Map<Owner, Share>()));
    let share = ofFile.get(owner);
    if (share === undefined) ofFile.set(owner, (share = { count: 0, first: [] }));
    share.count++;
    const { first } = share;
    if (first.length === mostLines && first.at(-1)!.line < line) return;
    first.push(span());
    first.sort((a, b) => a.line - b.line);
    first.length = Math.min(first.length, mostLines);
  }

  /** @param chains names of all chains of the ruleset */
  notes(chains: readonly string[]): Diagnostic[] {
    const signs = new Map<Owner, boolean>();
    const isProven = (owner: Owner): boolean => {
      if (!signs.has(owner)) signs.set(owner, owner.sign === undefined || chains.some((name) => owner.sign!.test(name)));
      return signs.get(owner)!;
    };
    const all = [...this.shares.values()].flatMap((ofFile) => [...ofFile]);
    return all.flatMap(([owner, share]) => (isProven(owner) ? [noteOf(owner, share)] : []));
  }
}

/** Whose program's rule it is; undefined for the administrator's rules in a chain of a program. */
export function makerOf(rule: string): Owner | undefined {
  return makerByWords(rule) ?? ownerByComment(rule);
}

/** As `makerOf`, whatever its comment. */
export function makerByWords(rule: string): Owner | undefined {
  const owner = ownerByWords(rule);
  return owner && isAdministrators(owner, rule) ? undefined : owner;
}

function isAdministrators({ administrators }: Owner, rule: string): boolean {
  // The program ends such a chain by itself.
  return administrators !== undefined && administrators.test(chainOf(rule)) && !/ -j RETURN$/.test(rule);
}

const chainOf = (rule: string): string => rule.split(" ", 2)[1] ?? "";

/** The rules of programs in rulesets that are whole. */
export function programRules(rulesets: readonly IptablesRuleset[]): Diagnostic[] {
  return rulesets.flatMap(({ tables }) => {
    const found = new ProgramRules();
    for (const { chains } of tables) {
      for (const { rules } of chains) {
        for (const { text, span } of writtenRules(rules)) {
          const owner = makerOf(text);
          if (owner) found.add(owner, span.file, span.line, () => span);
        }
      }
    }
    return found.notes(tables.flatMap(({ chains }) => chains.map(({ name }) => name)));
  });
}

function noteOf({ name, processes, advice }: Owner, { count, first }: Share): Diagnostic {
  const lines = first.map(({ line }) => line).join(", ");
  const places = count > mostLines ? `lines ${lines} and ${count - mostLines} more` : `${count === 1 ? "line" : "lines"} ${lines}`;
  const [rules, again] = count === 1 ? ["1 rule is", "it"] : [`${count} rules are`, "them"];
  // What has no process is loaded by a unit, or by hand.
  const leaves = processes.length === 0 ? "cutover takes these rules over" : "while it runs, cutover leaves these rules to it in iptables";
  return diagnostic(
    "program-rules",
    first[0]!,
    `${rules} made by ${name} itself (${places}), which makes ${again} in iptables again whenever it starts: ` +
      "nobody keeps up the copy in the script",
    `about ${name}: ${advice}; ${leaves}`,
  );
}
