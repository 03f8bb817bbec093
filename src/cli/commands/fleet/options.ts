/** The command line of `fleet` as data. */

import { Argument, Command, Option } from "commander";
import type { Parsed, SharedSettings } from "../../command.js";
import { offering } from "../../options/offers.js";
import { addColorOptions, addFormatOptions, colorOf, formatOf, plainFormats } from "../../options/report-form.js";
import type { TranslationSettings } from "../../options/translation-settings.js";
import { addInputOption, addTranslationOptions, translationSettings } from "../../options/translation.js";
import { readWords, repeatedFile, usageError, wholeNumber } from "../../options/words.js";

export interface FleetSettings extends TranslationSettings, SharedSettings {
  readonly patterns: readonly string[];
  /** Path of the folder for the scripts. */
  readonly output: string;
  readonly keepSets: boolean;
  readonly counters: boolean;
  readonly origins: boolean;
  readonly strict: boolean;
  /** Threads; as many as pay if absent. */
  readonly jobs: number | undefined;
  readonly format: (typeof plainFormats)[number];
}

const details = `
In a pattern * and ? stand for signs of one name, and ** for any number of folders; put it in quotes, so that not the shell
replaces it. x.v4, x.v6 and x.rules are one machine and make one script, with what ipset save printed in x.ipset beside
them (sets.ipset beside rules.v4). Scripts are in DIR as the dumps are below the first name with a wildcard: of hosts/a/b.v4
and the pattern hosts/**/*.v4 DIR/a/b.nft. Dumps with the same contents are translated once. What fails stops no other machine;
its script in DIR stays as it was.

Examples:
  ipt2nft-recent fleet 'hosts/**/*.v4' 'hosts/**/*.v6' --out scripts
  ipt2nft-recent fleet 'hosts/*/rules.v?' --out scripts --keep-sets --format json > report.json

Exit status, the worst of all machines:
  0  every rule was carried over (with --strict: exactly)
  1  some rule was not: it stands as a comment in its script
  2  a machine has no new script, or bad usage
  130  it was stopped by Ctrl-C
`;

interface RawOptions {
  readonly out: string;
  readonly keepSets?: true;
  readonly counters: boolean;
  readonly origins?: true;
  readonly strict?: true;
  readonly jobs?: number;
}

/** The command line before any word of it is read. */
export function buildFleetCommand(): Command {
  const command = new Command("ipt2nft-recent fleet")
    .usage("[options] --out DIR PATTERN…")
    .description("Translates the dumps of many machines, each into a script of its own, on all processors.")
    .addArgument(offering(new Argument("<PATTERN...>", "the dumps, such as 'hosts/**/*.v4'"), "files"))
    .addOption(new Option("-o, --out <DIR>", "the folder for the scripts; links out of it are not followed").makeOptionMandatory());
  addInputOption(addTranslationOptions(command))
    .option("--keep-sets", "keep the contents of the sets, and their size, when a script is loaded again")
    .option("--no-counters", "leave out packet and byte counters")
    .option("--origins", "say in the comment of each nft rule what rule it comes from")
    .option("--strict", "exit status 1 also if a rule was carried over only approximately")
    .option("-j, --jobs <N>", "run on N threads (default: one, or one per processor where that is faster)", wholeNumber(1, 999));
  addFormatOptions(command, plainFormats, "report");
  return addColorOptions(command, "report").addHelpText("after", details);
}

/** Reads the words behind `fleet`; prints nothing. */
export function parseFleetWords(words: readonly string[]): Parsed<FleetSettings> {
  const command = buildFleetCommand();
  const shown = readWords(command, words);
  if (shown) return shown;
  const { out, keepSets, counters, origins, strict, jobs } = command.opts<RawOptions>();
  const format = formatOf<FleetSettings["format"]>(command);
  if (typeof format === "object") return format;
  const translation = translationSettings(command);
  const repeated = repeatedFile(command.args) ?? repeatedFile(translation.ipsets);
  if (repeated) return repeated;
  if ([...command.args, ...translation.ipsets].includes("-")) return usageError("a fleet is no standard input");
  if (command.args.includes("") || out === "") return usageError("a path is empty");
  return {
    settings: {
      ...translation,
      patterns: command.args,
      output: out,
      keepSets: keepSets ?? false,
      counters,
      origins: origins ?? false,
      strict: strict ?? false,
      jobs,
      format,
      color: colorOf(command),
    },
  };
}
