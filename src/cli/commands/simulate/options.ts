/** The command line of `simulate` as data. */

import { Command, InvalidArgumentError, Option } from "commander";
import type { Parsed, SharedSettings } from "../../command.js";
import { addColorOptions, addFormatOptions, colorOf, formatOf, plainFormats } from "../../options/report-form.js";
import type { TranslationSettings } from "../../options/translation-settings.js";
import { addInputOption, addTranslationOptions, translationSettings } from "../../options/translation.js";
import { largestSeed, readWords, repeatedFile, several, usageError, wholeNumber } from "../../options/words.js";

export interface SimulateSettings extends TranslationSettings, SharedSettings {
  readonly files: readonly string[];
  /** Only these lists; all if absent. */
  readonly lists: readonly string[] | undefined;
  /** Schedules for each list, or milliseconds for all of them. */
  readonly budget: { readonly schedules: number } | { readonly milliseconds: number };
  readonly seed: number;
  /** Path of a file of traffic. */
  readonly traffic: string | undefined;
  /** Tell of each packet of the traffic what both decide. */
  readonly perPacket: boolean;
  /** Search lists, and not the traffic alone. */
  readonly search: boolean;
  /** Of packets of the traffic that do not say theirs. */
  readonly interface: string;
  /** Addresses of the firewall. */
  readonly local: readonly string[];
  /** Path of a picture. */
  readonly svg: string | undefined;
  readonly format: (typeof plainFormats)[number];
}

const examples = `
Traffic is a capture (pcap, pcapng), or CSV with a header line, or a JSON array of objects, with
  time (seconds), source, and if need be destination, protocol, sport, dport, in, out,
  path (input, forward, output), state, flags, type, code, ttl, length, mark
A connection's state, where it is not told: new until a packet comes back.

Examples:
  ipt2nft-recent simulate rules.v4
  ipt2nft-recent simulate --budget 10s --list SSH rules.v4
  ipt2nft-recent simulate --recent limit --svg limits.svg rules.v4    # what the limit form costs
  ipt2nft-recent simulate --traffic eth0.pcap --local 192.0.2.1 rules.v4
  ipt2nft-recent simulate --traffic traffic.csv --per-packet --no-search rules.v4

Exit status:
  0  no difference was found, and every list was searched (with --no-search: the traffic was played)
  1  a difference was found, or a list could not be searched as a whole
  2  bad input or usage
`;

interface RawOptions {
  readonly list?: readonly string[];
  readonly budget: SimulateSettings["budget"];
  readonly seed: number;
  readonly traffic?: string;
  readonly perPacket?: true;
  readonly search: boolean;
  readonly interface: string;
  readonly local?: readonly string[];
  readonly svg?: string;
}

/** The command line before any word of it is read. */
export function buildSimulateCommand(): Command {
  const command = new Command("ipt2nft-recent simulate")
    .usage("[options] [FILE…]")
    .description(
      "Looks for traffic that the translation decides otherwise than the rules: a model of xt_recent and\n" +
        "a model of nft that runs the script side by side in virtual time, for each list of -m recent.\n" +
        "Shows the shortest such traffic, packet by packet. Needs no kernel and no privileges.",
    )
    .argument("[FILE...]", 'dumps, or scripts of plain commands; "-" or none is standard input')
    .addOption(new Option("--list <NAME>", "search this list only; may be given several times").argParser(several))
    .addOption(
      new Option(
        "--budget <N>",
        "schedules to try for each list (all lists share a thousand million steps), or seconds for all lists (10s)",
      )
        .argParser(budget)
        .default({ schedules: 20_000 }, "20000"),
    )
    .addOption(new Option("--seed <N>", "of the schedules that are left to chance").argParser(wholeNumber(0, largestSeed)).default(1, "1"))
    .option("--traffic <FILE>", "play this traffic through both")
    .option("--per-packet", "say of each packet of the traffic what both decide")
    .option("--no-search", "play the traffic alone, without searching for more")
    .option("--interface <NAME>", "where packets of the traffic come in or go out that do not say it", "eth0")
    .addOption(
      new Option(
        "--local <ADDRESS>",
        "an address of this machine: traffic from it goes out, traffic to others is forwarded; may be given several times",
      ).argParser(several),
    )
    .option("--svg <FILE>", "draw what lists written as a limit let through");
  addFormatOptions(addInputOption(addTranslationOptions(command)), plainFormats, "report");
  return addColorOptions(command, "text").addHelpText("after", examples);
}

/** Reads the words behind `simulate`; prints nothing. */
export function parseSimulateWords(words: readonly string[]): Parsed<SimulateSettings> {
  const command = buildSimulateCommand();
  const shown = readWords(command, words);
  if (shown) return shown;
  const { list, budget: given, seed: number, traffic, perPacket, search, interface: name, local = [], svg } = command.opts<RawOptions>();
  const format = formatOf<SimulateSettings["format"]>(command);
  if (typeof format === "object") return format;
  const translation = translationSettings(command);
  const files = command.args;
  const repeated = repeatedFile([...files, ...translation.ipsets]);
  if (repeated) return repeated;
  if (traffic === "-") return usageError("--traffic needs a file");
  if (traffic === undefined && perPacket) return usageError("--per-packet is for --traffic");
  if (traffic === undefined && !search) return usageError("--no-search is for --traffic: without either there is nothing to do");
  return {
    settings: {
      ...translation,
      files,
      lists: list,
      budget: given,
      seed: number,
      traffic,
      perPacket: perPacket ?? false,
      search,
      interface: name,
      local,
      svg,
      format,
      color: colorOf(command),
    },
  };
}

const schedules = wholeNumber(1, 1_000_000_000, "a number of schedules");
const seconds = wholeNumber(1, 86_400, "a number of seconds");

function budget(text: string): SimulateSettings["budget"] {
  if (!/^[0-9]+s?$/.test(text)) throw new InvalidArgumentError("it must be a number of schedules, or of seconds as in 10s");
  return text.endsWith("s") ? { milliseconds: 1000 * seconds(text.slice(0, -1)) } : { schedules: schedules(text) };
}
