/** The command line of the translation as data. */

import { Command } from "commander";
import type { Parsed, SharedSettings } from "../../command.js";
import { addColorOptions, addFormatOptions, colorOf, formatOf, plainFormats } from "../../options/report-form.js";
import type { TranslationSettings } from "../../options/translation-settings.js";
import { addInputOption, addTranslationOptions, translationSettings } from "../../options/translation.js";
import { readWords, repeatedFile, usageError } from "../../options/words.js";
import { subcommands } from "../../subcommands.js";
import { version } from "../../version.js";

export interface TranslateSettings extends TranslationSettings, SharedSettings {
  readonly files: readonly string[];
  /** Path; standard output if absent. */
  readonly output: string | undefined;
  readonly keepSets: boolean;
  /** Path of the script that was loaded last. */
  readonly replaces: string | undefined;
  readonly counters: boolean;
  readonly origins: boolean;
  readonly strict: boolean;
  readonly check: boolean;
  readonly verbose: boolean;
  readonly format: (typeof plainFormats)[number];
}

const examples = `
Subcommands (NAME --help says more; a file of such a name is ./NAME):
${Object.entries(subcommands)
  .map(([name, summary]) => `  ${name.padEnd(12)}${summary}`)
  .join("\n")}

Examples:
  iptables-save | ipt2nft-recent > rules.nft
  iptables-save -c | ipt2nft-recent --check --strict -o rules.nft && nft -f rules.nft
  ipt2nft-recent /etc/iptables/rules.v4 /etc/iptables/rules.v6 -o rules.nft
  ipset save > sets.ipset; ipt2nft-recent --ipset sets.ipset rules.v4 -o rules.nft
  ipt2nft-recent --recent limit --format json rules.v4 > rules.nft 2> report.json

Exit status:
  0  every rule was carried over (with --strict: exactly)
  1  some rule was not: it stands as a comment in the script, and a warning says
     what that opens or closes
  2  bad input or usage; no script was written
`;

interface RawOptions {
  readonly output?: string;
  readonly keepSets?: true;
  readonly replaces?: string;
  readonly counters: boolean;
  readonly origins?: true;
  readonly strict?: true;
  readonly check?: true;
  readonly verbose?: true;
}

/** The command line before any word of it is read. */
export function buildTranslateCommand(): Command {
  const command = new Command("ipt2nft-recent")
    .usage("[options] [FILE…]")
    .description(
      "Translates what iptables-save prints into one nft script that decides every packet\n" +
        "as before, -m recent included. The script goes to standard output, diagnostics to\n" +
        "standard error. Nothing on this machine is changed.",
    )
    .argument("[FILE...]", 'dumps, or scripts of plain commands; IPv4 and IPv6 together make one script; "-" or none is standard input')
    .option("-o, --output <FILE>", 'write the script to FILE, all of it or nothing ("-" is standard output)');
  addInputOption(addTranslationOptions(command))
    .option("--keep-sets", "keep the contents of the sets, and their size, when the script is loaded again")
    .option("--replaces <FILE>", "with --keep-sets: the script loaded last; what it made and the new one lacks is taken away")
    .option("--no-counters", "leave out packet and byte counters")
    .option("--origins", "say in the comment of each nft rule, which nft list ruleset shows, what rule it comes from")
    .option("--strict", "exit status 1 also if a rule was carried over only approximately")
    .option(
      "--check",
      "ask nft and this kernel, in a network namespace of its own, whether they accept the script; says which parts the kernel lacks",
    )
    .option("--verbose", "say how many rules of a large input were translated as others of their shape, or why none");
  addFormatOptions(command, plainFormats, "diagnostics");
  return addColorOptions(command, "diagnostics").version(version, "-V, --version", "print the version").addHelpText("after", examples);
}

/** Reads the words behind the command's name; prints nothing. */
export function parseTranslateWords(words: readonly string[]): Parsed<TranslateSettings> {
  const command = buildTranslateCommand();
  const shown = readWords(command, words);
  if (shown) return shown;
  const { output, keepSets, replaces, origins, strict, check, verbose, counters } = command.opts<RawOptions>();
  const format = formatOf<TranslateSettings["format"]>(command);
  if (typeof format === "object") return format;
  const translation = translationSettings(command);
  if (replaces !== undefined && keepSets !== true) {
    return usageError("--replaces is for --keep-sets: without it the whole table is made anew");
  }
  const files = command.args;
  const repeated = repeatedFile([...files, ...translation.ipsets]);
  if (repeated) return repeated;
  return {
    settings: {
      ...translation,
      files,
      output: output === "-" ? undefined : output,
      keepSets: keepSets ?? false,
      replaces,
      counters,
      origins: origins ?? false,
      strict: strict ?? false,
      check: check ?? false,
      verbose: verbose ?? false,
      format,
      color: colorOf(command),
    },
  };
}
