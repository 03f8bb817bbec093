/** The command line of `simulate` as data. */

import { Command, InvalidArgumentError, Option } from "commander";
import {
  addTranslationOptions,
  readWords,
  repeatedFile,
  translationSettings,
  usageError,
  type Shown,
  type TranslationSettings,
} from "../command-line.js";

export interface SimulateSettings extends TranslationSettings {
  readonly files: readonly string[];
  /** Only these lists; all if absent. */
  readonly lists: readonly string[] | undefined;
  /** For each list: schedules, or milliseconds. */
  readonly budget: { readonly schedules: number } | { readonly milliseconds: number };
  readonly seed: number;
  /** Path of a file of traffic. */
  readonly traffic: string | undefined;
  /** Of packets of the traffic that do not say theirs. */
  readonly interface: string;
  /** Addresses of the firewall. */
  readonly local: readonly string[];
  /** Path of a picture. */
  readonly svg: string | undefined;
  readonly json: boolean;
  readonly color: boolean | undefined;
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

Exit status:
  0  no difference was found, and every list was searched
  1  a difference was found, or a list could not be searched as a whole
  2  bad input or usage
`;

interface RawOptions {
  readonly list?: readonly string[];
  readonly budget: SimulateSettings["budget"];
  readonly seed: number;
  readonly traffic?: string;
  readonly interface: string;
  readonly local?: readonly string[];
  readonly svg?: string;
  readonly json?: true;
  readonly color?: boolean;
}

function build(): Command {
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
      new Option("--budget <N>", "schedules to try for each list (in a minute at most), or seconds (10s)")
        .argParser(budget)
        .default({ schedules: 20_000 }, "20000"),
    )
    .addOption(new Option("--seed <N>", "of the schedules that are left to chance").argParser(seed).default(1, "1"))
    .option("--traffic <FILE>", "play this traffic through both")
    .option("--interface <NAME>", "where packets of the traffic come in or go out that do not say it", "eth0")
    .addOption(
      new Option(
        "--local <ADDRESS>",
        "an address of this machine: traffic from it goes out, traffic to others is forwarded; may be given several times",
      ).argParser(several),
    )
    .option("--svg <FILE>", "draw what lists written as a limit let through");
  return addTranslationOptions(command)
    .option("--json", "the result as JSON")
    .option("--color", "colour the text (default: on a terminal, unless NO_COLOR is set)")
    .option("--no-color", "never colour the text")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", examples);
}

/** Reads the words behind `simulate`; prints nothing. */
export function parseSimulateWords(words: readonly string[]): { readonly settings: SimulateSettings } | Shown {
  const command = build();
  const shown = readWords(command, words);
  if (shown) return shown;
  const { list, budget: given, seed: number, traffic, interface: name, local = [], svg, json, color } = command.opts<RawOptions>();
  const translation = translationSettings(command);
  const files = command.args;
  const repeated = repeatedFile([...files, ...translation.ipsets]);
  if (repeated) return repeated;
  if (traffic === "-") return usageError("--traffic needs a file");
  return {
    settings: {
      ...translation,
      files,
      lists: list,
      budget: given,
      seed: number,
      traffic,
      interface: name,
      local,
      svg,
      json: json ?? false,
      color,
    },
  };
}

function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

const mostSchedules = 1_000_000_000;
const mostSeconds = 86_400;

function budget(text: string): SimulateSettings["budget"] {
  const seconds = /^([0-9]{1,5})s$/.exec(text);
  const value = Number(seconds?.[1] ?? (/^[0-9]{1,10}$/.test(text) ? text : 0));
  if (value < 1 || value > (seconds ? mostSeconds : mostSchedules))
    throw new InvalidArgumentError("it must be a number of schedules, or of seconds as in 10s");
  return seconds ? { milliseconds: 1000 * value } : { schedules: value };
}

function seed(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError("it must be a number");
  return Number(text);
}
