/** The command line of `corpus` as data. */

import { Command } from "commander";
import type { Parsed, SharedSettings, Shown } from "../../command.js";
import { addColorOptions, addFormatOptions, colorOf, formatOf, plainFormats } from "../../options/report-form.js";
import type { TranslationSettings } from "../../options/translation-settings.js";
import { addInputOption, addTranslationOptions, translationSettings } from "../../options/translation.js";
import { readWords, repeatedFile, several, usageError, wholeNumber } from "../../options/words.js";

export interface CorpusSettings extends SharedSettings {
  readonly directory: string;
  /** Run the cases whose names contain any of these; all if there are none. */
  readonly filters: readonly string[];
  readonly update: boolean;
  readonly kernel: boolean;
  /** Names and words of what differs, without the lines. */
  readonly quiet: boolean;
  /** Path; no such report if absent. */
  readonly junit: string | undefined;
  readonly format: (typeof plainFormats)[number];
  /** Threads; as many as pay if absent. */
  readonly jobs: number | undefined;
  /** Bytes of a file that are read at most. */
  readonly maxInput: number;
  /** What case to start, in place of a run. */
  readonly add: NewCaseSettings | undefined;
}

export interface NewCaseSettings extends TranslationSettings {
  /** Paths of dumps; "-" is standard input. */
  readonly files: readonly string[];
  readonly name: string;
  readonly anonymize: boolean;
  /** Makes the same addresses of the same ones again; another one each time if absent. */
  readonly key: string | undefined;
}

const examples = `
A case is a folder with rules.v4, rules.v6 or rules.sh, perhaps sets.ipset, geoip.csv and options.json, and with expected.nft
and expected.diagnostics; or files of one stem: x.v4, x.v6 or x.rules, perhaps x.ipset, x.geoip.csv and x.options.json, x.nft,
x.diagnostics. Cases are found at any depth. The options file is a JSON object with any of counters, family, forgetAfter (seconds),
inet, keepSets, optimize, origins, recent, setSize, table, targetNft and without (a list).

--add starts a case: it copies the dump, writes the options given, and what is made of it as what is expected. With
--anonymize addresses become others of their kind with the networks they share kept, and MAC addresses, comments and
log prefixes are masked; names of chains, lists, sets and interfaces stay, so read the files before you publish them.

Examples:
  ipt2nft-recent corpus rulesets
  ipt2nft-recent corpus rulesets --filter 'web/*' --update
  ipt2nft-recent corpus rulesets --kernel --junit report.xml
  iptables-save | ipt2nft-recent corpus rulesets --add - --name web/front --anonymize

Exit status:
  0  everything is as expected
  1  something is not
  2  it could not be run: no such folder, no case in it, wrong usage
  130  it was stopped by Ctrl-C
`;

interface RawOptions {
  readonly update?: true;
  readonly filter?: readonly string[];
  readonly kernel?: true;
  readonly quiet?: true;
  readonly junit?: string;
  readonly jobs?: number;
  readonly add?: readonly string[];
  readonly name?: string;
  readonly anonymize?: true;
  readonly key?: string;
}

const newCaseGroup = "Options of the new case:";

/** The command line before any word of it is read. */
export function buildCorpusCommand(): Command {
  const command = new Command("ipt2nft-recent corpus")
    .usage("[options] DIR")
    .description("Translates every ruleset in a folder and compares with the script and the diagnostics that are expected.")
    .argument("<DIR>", "the folder")
    .option("--filter <PATTERN>", "only cases whose name contains PATTERN, where * is any text; may be given several times", several)
    .option("--update", "write what is made in place of what is expected (not where CI is set)")
    .option(
      "--kernel",
      "also load each script twice in a namespace of its own, and verify it against the dump there; takes root or user namespaces",
    )
    .option("-q, --quiet", "say in words what differs, without the lines")
    .option("-j, --jobs <N>", "run on N threads (default: one, or one per processor where that is faster)", wholeNumber(1, 999));
  addFormatOptions(addInputOption(command), plainFormats, "report").option("--junit <FILE>", "write a report as JUnit XML, too");
  addColorOptions(command, "report")
    .option("--add <FILE>", "start a case from a dump; several times for both families", several)
    .optionsGroup(newCaseGroup)
    .option("--name <NAME>", "name of the new case, such as web/front")
    .option("--anonymize", "make the new case anonymous")
    .option("--key <TEXT>", "secret that the new addresses follow from: the same again with the same dumps (default: a new one each time)");
  return addTranslationOptions(command).optionsGroup("").addHelpText("after", examples);
}

/** Reads the words behind `corpus`; prints nothing. */
export function parseCorpusWords(words: readonly string[]): Parsed<CorpusSettings> {
  const command = buildCorpusCommand();
  const shown = readWords(command, words);
  if (shown) return shown;
  const { update, filter = [], kernel, quiet, junit, jobs, add, ...more } = command.opts<RawOptions>();
  const format = formatOf<CorpusSettings["format"]>(command);
  if (typeof format === "object") return format;
  const directory = command.args[0]!;
  const newCase = newCaseSettings(command, add, more);
  if (newCase && "text" in newCase) return newCase;
  const beside =
    newCase &&
    Object.entries({ update, filter: filter[0], kernel, quiet, junit, ...(format === "json" && { json: true }) }).find(
      ([, value]) => value !== undefined,
    );
  if (beside) return usageError(`--${beside[0]} cannot be with --add`);
  return {
    settings: {
      directory,
      filters: filter,
      update: update ?? false,
      kernel: kernel ?? false,
      quiet: quiet ?? false,
      junit,
      format,
      jobs,
      maxInput: translationSettings(command).maxInput,
      color: colorOf(command),
      add: newCase,
    },
  };
}

function newCaseSettings(
  command: Command,
  files: readonly string[] | undefined,
  { name, anonymize, key }: Pick<RawOptions, "name" | "anonymize" | "key">,
): NewCaseSettings | Shown | undefined {
  if (files === undefined) {
    const alone = command.options.find(
      (option) =>
        /^--(?:name|anonymize|key|table|ipv4|ipv6|recent|set-size|forget-after|ipset|geoip|inet|optimize|target-nft|without)$/.test(
          option.long ?? "",
        ) && command.getOptionValueSource(option.attributeName()) === "cli",
    );
    return alone && usageError(`${alone.long} is for --add; the options of a case stand in its options file`);
  }
  if (name === undefined) return usageError("--add needs --name");
  if (!/^[^/\\\p{C}.\s][^/\\\p{C}]*(?:\/[^/\\\p{C}.\s][^/\\\p{C}]*)*$/u.test(name)) {
    return usageError("--name is a path of plain names with / between them");
  }
  if (key !== undefined && !anonymize) return usageError("--key is for --anonymize");
  const translation = translationSettings(command);
  return repeatedFile([...files, ...translation.ipsets]) ?? { ...translation, files, name, anonymize: anonymize ?? false, key };
}
