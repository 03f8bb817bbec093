/** The command line of `review` as data. */

import { Command, InvalidArgumentError, Option } from "commander";
import { failOnWords, parseFailOn, usualFailOn, type FailOn } from "../../../review/fail-on.js";
import type { Parsed, SharedSettings } from "../../command.js";
import { addColorOptions, addFormatOptions, colorOf, formatOf } from "../../options/report-form.js";
import { offering } from "../../options/offers.js";
import type { TranslationSettings } from "../../options/translation-settings.js";
import { addInputOption, addTranslationOptions, translationSettings } from "../../options/translation.js";
import { readWords, repeatedFile, several, usageError } from "../../options/words.js";
import { formatNames, type FormatName } from "./formats.js";

export interface ReviewSettings extends TranslationSettings, SharedSettings {
  readonly files: readonly string[];
  /** Old dumps, where they are files. */
  readonly old: readonly string[];
  /** What ipset held with the old dumps; as now where there are none. */
  readonly oldIpsets: readonly string[];
  /** The branch, tag or commit to compare with. */
  readonly baseRef: string | undefined;
  readonly script: string | undefined;
  readonly baseline: string | undefined;
  readonly updateBaseline: boolean;
  readonly failOn: FailOn;
  readonly format: FormatName;
  /** Path; standard output if absent. */
  readonly output: string | undefined;
  /** Further reports into files. */
  readonly write: readonly { readonly format: FormatName; readonly file: string }[];
  /** Whether to look for traffic that the script decides otherwise. */
  readonly simulate: boolean;
}

const examples = `
Examples:
  ipt2nft-recent review rules.v4                              # one ruleset: its lists in words, traps, what becomes of each rule
  ipt2nft-recent review old.v4 new.v4                         # what a change does
  ipt2nft-recent review --base-ref origin/main rules.v4 rules.v6
  ipt2nft-recent review --old old.v4 --old old.v6 new.v4 new.v6
  ipt2nft-recent review --script rules.nft rules.v4           # is the committed script still that of the rules?
  ipt2nft-recent review --format markdown --write sarif=review.sarif rules.v4 >> "$GITHUB_STEP_SUMMARY"

A comment above a rule allows a finding, one anywhere allows it for the file; a reason must be given:
  # ipt2nft-recent: allow list-never-set fail2ban fills it
  # ipt2nft-recent: allow-file recent-list-size 100 hosts are enough for us

Exit status:
  0  nothing that --fail-on names; findings that were there before the change do not count
  1  something of it
  2  the review could not be made: bad usage, an unreadable file, git or nft failed
`;

interface RawOptions {
  readonly old?: readonly string[];
  readonly oldIpset?: readonly string[];
  readonly baseRef?: string;
  readonly script?: string;
  readonly baseline?: string;
  readonly updateBaseline?: true;
  readonly failOn: ReviewSettings["failOn"];
  readonly output?: string;
  readonly write?: ReviewSettings["write"];
  readonly simulate: boolean;
}

/** The command line before any word of it is read. */
export function buildReviewCommand(): Command {
  const command = new Command("ipt2nft-recent review")
    .usage("[options] FILE…")
    .description(
      "Says in words what a ruleset does, or what a change of one opens and closes, for a reader\n" +
        "who has never seen nft. Two dumps of one family are its old and its new version; dumps of\n" +
        "different families are one machine's.",
    )
    .argument("<FILE...>", "dumps, or scripts of plain commands")
    .addOption(new Option("--old <FILE>", "the dump as it was; may be given several times").argParser(several).conflicts("baseRef"))
    .addOption(
      new Option(
        "--old-ipset <FILE>",
        "what ipset save printed with the old dumps, where the sets change, too; may be given several times",
      ).argParser(several),
    )
    .option("--base-ref <REF>", "compare with what the files were where this branch, tag or commit of git was left")
    .option("--script <FILE>", "the committed script: it must be what is made from the dumps, or equivalent rule by rule")
    .option("--baseline <FILE>", "findings that have been accepted")
    .option("--update-baseline", "write the findings there are now to the file of --baseline, and accept them")
    .addOption(
      offering(
        new Option(
          "--fail-on <LIST>",
          "exit status 1 for these, with commas between: opens, closes, unjudged (what a change does);\n" +
            "error, warning, note (findings of that severity or a worse one); or never",
        )
          .argParser(readFailOn)
          .default(usualFailOn, "opens,unjudged,warning"),
        { words: [...failOnWords, "never"], separator: "," },
      ),
    );
  addFormatOptions(command, formatNames, "report")
    .option("-o, --output <FILE>", 'write the report to FILE ("-" is standard output)')
    .addOption(
      offering(new Option("--write <FORMAT=FILE>", "a further report into a file; may be given several times").argParser(furtherReport), {
        words: formatNames,
        beforeFile: "=",
      }),
    )
    .option("--no-simulate", "do not search for traffic that the script decides otherwise");
  return addColorOptions(addInputOption(addTranslationOptions(command)), "text").addHelpText("after", examples);
}

/** Reads the words behind `review`; prints nothing. */
export function parseReviewWords(words: readonly string[]): Parsed<ReviewSettings> {
  const command = buildReviewCommand();
  const shown = readWords(command, words);
  if (shown) return shown;
  const {
    old = [],
    oldIpset = [],
    baseRef,
    script,
    baseline,
    updateBaseline = false,
    failOn,
    output,
    write = [],
    simulate,
  } = command.opts<RawOptions>();
  const format = formatOf<FormatName>(command);
  if (typeof format === "object") return format;
  const translation = translationSettings(command);
  const files = command.args;
  const repeated = repeatedFile([...files, ...translation.ipsets]) ?? repeatedFile([...old, ...(script === undefined ? [] : [script])]);
  if (repeated) return repeated;
  if (updateBaseline && baseline === undefined) return usageError("--update-baseline needs --baseline FILE, the file to write");
  if (baseRef !== undefined && files.includes("-"))
    return usageError("--base-ref compares files of a repository, and standard input is none");
  return {
    settings: {
      ...translation,
      files,
      old,
      oldIpsets: oldIpset,
      baseRef,
      script,
      baseline,
      updateBaseline,
      failOn,
      format,
      output: output === "-" ? undefined : output,
      write,
      simulate,
      color: colorOf(command),
    },
  };
}

function readFailOn(text: string): FailOn {
  const failOn = parseFailOn(text);
  if (!failOn) throw new InvalidArgumentError(`it must be "never", or some of ${failOnWords.join(", ")} with commas between`);
  return failOn;
}

function furtherReport(text: string, before: ReviewSettings["write"] | undefined): ReviewSettings["write"] {
  const [, name = "", file = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  const format = formatNames.find((one) => one === name);
  if (!format || file === "") throw new InvalidArgumentError(`it must be a format (${formatNames.join(", ")}), "=" and a file`);
  return [...(before ?? []), { format, file }];
}
