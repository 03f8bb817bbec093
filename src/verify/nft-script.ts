/** Telling an nft script from an iptables-save dump. */

/** A line that only an nft script has; a dump's lines begin with `*`, `:`, `-`, `[`, `#` or are COMMIT. */
const statement = new RegExp(
  [
    String.raw`^\s*(?:(?:add|create|delete|destroy|flush|insert|replace)\s+(?:table|chain|rule|set|map|element|ruleset)\b`,
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
