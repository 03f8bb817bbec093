/** Telling an nft script from an iptables-save dump, and what a script from elsewhere must not hold. */

/** A line that only an nft script has; a dump's lines begin with `*`, `:`, `-`, `[`, `#` or are COMMIT. */
const statement = new RegExp(
  [
    // Not `^`, which stands behind other ends of lines as well: of those a line may have thousands.
    String.raw`(?<![^\n])[^\S\n]*(?:(?:add|create|delete|destroy|flush|insert|replace)\s+(?:table|chain|rule|set|map|element|ruleset)\b`,
    String.raw`table\s+(?:ip|ip6|inet|arp|bridge|netdev|\S+\s*\{)`,
    String.raw`define\s+\S+\s*=`,
    String.raw`include\s+["'])`,
  ].join("|"),
  "mu",
);
const dumpTable = /^\*\w+\s*$/mu;

export function isNftScript(text: string): boolean {
  return !dumpTable.test(text) && (statement.test(text) || /^#!.*\bnft\b/u.test(text));
}

/** Where a script does more than describe a ruleset. */
export interface ScriptFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly message: string;
}

/** What nft's scanner takes for one piece (src/scanner.l of nftables): a comment, a quoted string, a word; else one character. */
const piece = /#[^\n]*|"[^"]*"|[A-Za-z_.][A-Za-z0-9/\-_.]*|[^]/y;

/** Keywords with which nft reads what is no part of the script, or does not end. */
const refused: Readonly<Record<string, string>> = {
  include: 'nft would read other files for "include": put their text into the script',
  monitor: '"monitor" is no part of a ruleset: nft would wait for events without end',
};

/** The first place where a script would have nft read files or wait, which is refused before nft sees it; undefined if there is none. */
export function scriptFault(text: string): ScriptFault | undefined {
  piece.lastIndex = 0;
  for (let found = piece.exec(text); found !== null; found = piece.exec(text)) {
    const message = Object.hasOwn(refused, found[0]) ? refused[found[0]] : undefined;
    if (message === undefined) continue;
    const before = text.slice(0, found.index);
    return { line: before.split("\n").length, column: found.index - before.lastIndexOf("\n"), message };
  }
  return undefined;
}
