/** The command line of `snippet` as data. */

import { Command, InvalidArgumentError, Option } from "commander";
import { largestSet } from "../../../nft/set-size.js";
import { mostHits, mostSeconds, snippetForms, type SnippetForm, type SnippetRequest } from "../../../snippet/snippet.js";
import type { Parsed, SharedSettings } from "../../command.js";
import { addColorOptions, colorOf } from "../../options/report-form.js";
import { nftVersion } from "../../options/translation.js";
import { readWords, usageError, wholeNumber } from "../../options/words.js";

export interface SnippetSettings extends SnippetRequest, SharedSettings {}

const examples = `
MATCH says which packets are counted, in nft's own words and in one word of the shell; without one all are.

Forms:
  exact  at most N-1 packets in any such time, and never a packet stopped that xt_recent lets through
  ban    shorter: the first packet too many bans the source until it has been silent so long
  limit  a token bucket with a ban: shorter, and looser (up to 2N-1 packets before the first ban)

Examples:
  ipt2nft-recent snippet --name ssh --seconds 60 --hitcount 4 'tcp dport 22 ct state new'
  ipt2nft-recent snippet --name web --seconds 1 --hitcount 50 --limit 'tcp dport { 80, 443 } ct state new'
  ipt2nft-recent snippet --name ssh --seconds 60 --hitcount 4 --ban --table 'ip fw' --chain in 'tcp dport 22' > ssh.nft

Exit status:
  0  the snippet is on standard output
  2  bad usage, or a window that the form cannot hold
`;

interface RawOptions {
  readonly name: string;
  readonly seconds: number;
  readonly hitcount: number;
  readonly table: SnippetRequest["table"];
  readonly chain: string;
  readonly form: SnippetForm;
  readonly ban?: true;
  readonly limit?: true;
  readonly reject?: true;
  readonly setSize?: number;
  readonly targetNft?: string;
}

/** The command line before any word of it is read. */
export function buildSnippetCommand(): Command {
  const command = new Command("ipt2nft-recent snippet")
    .usage("--name <NAME> --seconds <N> --hitcount <N> [options] [MATCH]")
    .description(
      "Prints what -m recent --set --update --seconds --hitcount does as plain nft, to paste into any\n" +
        "ruleset: stops a source from its Nth packet within so many seconds on. Nothing is loaded.",
    )
    .argument("[MATCH]", "which packets are counted, such as 'tcp dport 22 ct state new'")
    .requiredOption("--name <NAME>", "of the chain to jump to; the names of its sets begin with it")
    .addOption(new Option("--seconds <N>", "length of the window").argParser(wholeNumber(1, mostSeconds)).makeOptionMandatory())
    .addOption(
      new Option("--hitcount <N>", "the packet of a source in the window that is stopped first")
        .argParser(wholeNumber(2, mostHits))
        .makeOptionMandatory(),
    )
    .addOption(new Option("--form <FORM>", "how the window is written").choices(snippetForms).default("exact", "exact"))
    .addOption(new Option("--ban", "the same as --form ban").conflicts(["limit", "form"]))
    .addOption(new Option("--limit", "the same as --form limit").conflicts(["ban", "form"]))
    .addOption(
      new Option("--table <TABLE>", "family (ip, ip6, inet) and name of the table it goes into")
        .argParser(tableOf)
        .default({ family: "inet", name: "filter" }, "inet filter"),
    )
    .option("--chain <NAME>", "the chain of that table which asks", "input")
    .option("--reject", "refuse what is stopped, instead of dropping it")
    .addOption(new Option("--set-size <N>", "hosts that a set may hold (default: 65535)").argParser(wholeNumber(1, largestSet)))
    .addOption(new Option("--target-nft <VERSION>", "write only what this version of nft can load").argParser(nftVersion));
  return addColorOptions(command, "errors").addHelpText("after", examples);
}

/** Reads the words behind the command's name; prints nothing. */
export function parseSnippetWords(words: readonly string[]): Parsed<SnippetSettings> {
  const command = buildSnippetCommand();
  const shown = readWords(command, words);
  if (shown) return shown;
  if (command.args.length > 1) return usageError("the match is one word of the shell: put it in quotes");
  const { hitcount, ban, limit, form, reject, ...others } = command.opts<RawOptions>();
  return {
    settings: {
      ...others,
      hits: hitcount,
      match: command.args[0] ?? "",
      form: ban ? "ban" : limit ? "limit" : form,
      verdict: reject ? "reject" : "drop",
      color: colorOf(command),
    },
  };
}

function tableOf(text: string): SnippetRequest["table"] {
  const [, family, name] = /^ *(ip|ip6|inet) +(\S+) *$/u.exec(text) ?? [];
  if (family === undefined) throw new InvalidArgumentError("it must be a family and a name, such as 'inet filter'");
  return { family: family as "ip" | "ip6" | "inet", name: name! };
}
