/** The subcommands by name, each with a line for the help. */

export const subcommands = {
  simulate: "search for traffic that the translation decides otherwise, in virtual time",
  verify: "play packets made for the ruleset through both firewalls on this kernel",
  review: "say in words what a ruleset, or a change of one, does",
  capture: "run a script that makes a firewall where it changes nothing, and print the firewall",
  lists: "show and change the lists of the firewall that runs; a page for them",
  cutover: "change this machine from iptables to nftables, and back unless it is confirmed",
  snippet: "print the window of recent as nft, for firewalls that never were iptables'",
  fleet: "translate the dumps of many machines, each into a script of its own",
  corpus: "keep a folder of rulesets as regression tests",
  completion: "print what bash, zsh or fish completes this command with",
} as const;

export type SubcommandName = keyof typeof subcommands;

export function isSubcommand(word: string | undefined): word is SubcommandName {
  return word !== undefined && Object.hasOwn(subcommands, word);
}
