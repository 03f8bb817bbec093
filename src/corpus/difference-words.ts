/** What has changed about a script or about diagnostics, in words, for a reader who does not want the lines yet. */

import { blocksOf } from "../nft/script-blocks.js";

/** Lines of words for one script. */
const mostBlocks = 6;

/** By chains and sets; what differs in comments alone is said so. */
export function scriptWords(expected: string, made: string): string[] {
  const [before, after] = [blocksOf(withoutComments(expected)), blocksOf(withoutComments(made))];
  const words: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [old, present] = [before.get(name), after.get(name)];
    if (!old) words.push(`${name} is new`);
    else if (!present) words.push(`${name} is gone`);
    else if (old.join("\n") !== present.join("\n")) words.push(`${name}: ${lineWords(old, present)}`);
  }
  if (words.length === 0) return ["only comments, counters or the head differ"];
  if (words.length <= mostBlocks) return words;
  return [...words.slice(0, mostBlocks - 1), `${words.length - mostBlocks + 1} more chains and sets`];
}

function withoutComments(script: string): string {
  return script
    .split("\n")
    .filter((line) => !/^[ \t]*#/.test(line))
    .join("\n");
}

function lineWords(old: readonly string[], present: readonly string[]): string {
  const [less, more] = [missingFrom(present, old), missingFrom(old, present)];
  if (less === 0 && more === 0) return "the same lines in another order";
  return [...(less > 0 ? [`${count(less, "line")} less`] : []), ...(more > 0 ? [`${count(more, "line")} more`] : [])].join(", ");
}

/** How many lines of one there are that the other lacks. */
function missingFrom(other: readonly string[], lines: readonly string[]): number {
  const left = new Map<string, number>();
  for (const line of other) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter((line) => {
    const found = left.get(line) ?? 0;
    left.set(line, found - 1);
    return found <= 0;
  }).length;
}

/** By codes; where these are as they were, the words or places are others. */
export function diagnosticsWords(expected: string, made: string): string[] {
  const [before, after] = [codesIn(expected), codesIn(made)];
  const words = [...new Set([...before.keys(), ...after.keys()])].flatMap((code) => {
    const change = (after.get(code) ?? 0) - (before.get(code) ?? 0);
    return change === 0 ? [] : [`${Math.abs(change)} ${change > 0 ? "more" : "less"}: ${code}`];
  });
  return words.length > 0 ? words : ["the same ones with other words or places"];
}

/** `warning recent-ban-form`, and how many of it. */
function codesIn(diagnostics: string): Map<string, number> {
  const codes = new Map<string, number>();
  for (const line of diagnostics.split("\n")) {
    const severity = /: (error|warning|note): /.exec(line)?.[1];
    const code = /\[([a-z0-9-]+)\]$/.exec(line)?.[1];
    if (severity === undefined || code === undefined || /^\s/.test(line)) continue;
    const name = `${severity} ${code}`;
    codes.set(name, (codes.get(name) ?? 0) + 1);
  }
  return codes;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
