/** The command line of `completion` as data. */

import { Argument, Command } from "commander";
import type { Parsed, SharedSettings } from "../../command.js";
import { readWords, usageError } from "../../options/words.js";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export type CompletionSettings = SharedSettings &
  (
    | { readonly what: Shell }
    /** The names of the lists of the firewall that runs, with the words of the command line that is being completed. */
    | { readonly what: "lists"; readonly words: readonly string[] }
  );

const details = `
Completed are commands, options, the values that an option takes, files, and for root the names of the lists of the firewall
that runs. The Debian package installs the scripts; otherwise, for one user:
  bash  ipt2nft-recent completion bash > ~/.local/share/bash-completion/completions/ipt2nft-recent
  zsh   ipt2nft-recent completion zsh > DIRECTORY/_ipt2nft-recent, in a directory of $fpath
  fish  ipt2nft-recent completion fish > ~/.config/fish/completions/ipt2nft-recent.fish

or, to try it, in a shell of bash or zsh:
  source <(ipt2nft-recent completion bash)

The scripts ask for the names of lists with "completion lists -- WORD…", which prints them one on each line: those of the
table and the script that --table and --script name among the words. It prints nothing where they cannot be had.

Exit status:
  0  the script is on standard output, or the names that there are
  2  bad usage
`;

/** The command line before any word of it is read. */
export function buildCompletionCommand(): Command {
  return new Command("ipt2nft-recent completion")
    .usage("bash|zsh|fish")
    .description("Prints what a shell completes this command with.")
    .addArgument(new Argument("<SHELL>", "the shell that reads the script").choices(shells))
    .addHelpText("after", details);
}

/** Reads the words behind `completion`; prints nothing. */
export function parseCompletionWords([first, ...rest]: readonly string[]): Parsed<CompletionSettings> {
  if (first === "lists") {
    if (rest[0] !== undefined && rest[0] !== "--")
      return usageError('"completion lists" takes "--" and the words that are being completed');
    return { settings: { what: "lists", words: rest.slice(1), color: undefined } };
  }
  const command = buildCompletionCommand();
  const shown = readWords(command, first === undefined ? [] : [first, ...rest]);
  if (shown) return shown;
  if (command.args.length > 1) return usageError("one shell is enough");
  return { settings: { what: command.args[0] as Shell, color: undefined } };
}
