/** The command line of `verify` as data. */

import { Command, Option } from "commander";
import type { LeaveOut } from "../../../verify/verify.js";
import type { Parsed, SharedSettings } from "../../command.js";
import { addColorOptions, addFormatOptions, colorOf, formatOf, plainFormats } from "../../options/report-form.js";
import type { TranslationSettings } from "../../options/translation-settings.js";
import { addInputOption, addTranslationOptions, translationSettings } from "../../options/translation.js";
import { largestSeed, readWords, repeatedFile, usageError, wholeNumber } from "../../options/words.js";

export interface VerifySettings extends TranslationSettings, SharedSettings {
  readonly files: readonly string[];
  readonly script: string | undefined;
  readonly packets: number;
  readonly seed: number;
  /** Seconds. */
  readonly budget: number;
  readonly realTime: boolean;
  readonly leaveOut: LeaveOut;
  readonly reproduce: string | undefined;
  readonly format: (typeof plainFormats)[number];
}

const examples = `
The original is loaded under iptables, the script (the translation, unless one is given) under nft, each in a network
namespace of its own that is gone afterwards; the same packets go through both. Nothing else on this machine is touched.

Exit status: 0 no difference, 1 some, 2 it could not be played.

Examples:
  ipt2nft-recent verify rules.v4
  ipt2nft-recent verify rules.v4 rules.v6 --budget 300 --packets 20000
  ipt2nft-recent verify rules.v4 by-hand.nft --reproduce difference
`;

interface RawOptions {
  readonly script?: string;
  readonly packets: number;
  readonly seed: number;
  readonly budget: number;
  readonly realTime?: true;
  readonly leaveOut: LeaveOut;
  readonly reproduce?: string;
}

/** The command line before any word of it is read. */
export function buildVerifyCommand(): Command {
  const command = new Command("ipt2nft-recent verify")
    .usage("[options] [FILE…]")
    .description("Plays packets made for a ruleset through iptables and through nft on this kernel, and compares their fates.")
    .argument("[FILE...]", 'iptables-save dumps of one machine, and an nft script to compare them with; "-" or none is standard input')
    .option("--script <FILE>", "the nft script, where it is not to be recognised")
    .addOption(new Option("--packets <N>", "about the most packets").argParser(wholeNumber(1, 1_000_000)).default(4000, "4000"))
    .addOption(new Option("--seed <N>", "another one makes other packets").argParser(wholeNumber(0, largestSeed)).default(1, "1"))
    .addOption(
      new Option("--budget <SECONDS>", "begin nothing new after so many seconds").argParser(wholeNumber(1, 86_400)).default(60, "60"),
    )
    .option("--real-time", "play windows as long as they are, instead of making them short in both firewalls")
    .addOption(
      new Option(
        "--leave-out <KIND>",
        "leave rules out of both firewalls that the translation lacks (refused), or has only nearly (approximated)",
      )
        .choices(["nothing", "refused", "approximated"])
        .default("nothing", "nothing"),
    )
    .option("--reproduce <PREFIX>", "write PREFIX.json and PREFIX-1.pcap …, which play each difference again");
  addFormatOptions(addInputOption(addTranslationOptions(command)), plainFormats, "report");
  return addColorOptions(command, "diagnostics").addHelpText("after", examples);
}

/** Reads the words behind `verify`; prints nothing. */
export function parseVerifyWords(words: readonly string[]): Parsed<VerifySettings> {
  const command = buildVerifyCommand();
  const shown = readWords(command, words);
  if (shown) return shown;
  const { script, reproduce, realTime, packets, seed, budget, leaveOut } = command.opts<RawOptions>();
  const format = formatOf<VerifySettings["format"]>(command);
  if (typeof format === "object") return format;
  const translation = translationSettings(command);
  const files = command.args.length === 0 ? ["-"] : command.args;
  const repeated = repeatedFile([...files, ...(script === undefined ? [] : [script]), ...translation.ipsets]);
  if (repeated) return repeated;
  if (reproduce === "") return usageError("--reproduce needs the beginning of a file name");
  return {
    settings: {
      ...translation,
      files,
      script,
      packets,
      seed,
      budget,
      realTime: realTime ?? false,
      leaveOut,
      reproduce,
      format,
      color: colorOf(command),
    },
  };
}
