/** `ipt2nft-recent verify`: plays packets through both firewalls on this kernel and says whether they decide alike. */

import { writeFileSync } from "node:fs";

import { Command, InvalidArgumentError, Option } from "commander";
import { renderText as renderDiagnostics } from "../report/text.js";
import type { JsonMessage } from "../report/json.js";
import { visible } from "../report/visible.js";
import { isNftScript } from "../verify/nft-script.js";
import { renderJson } from "../verify/report/json.js";
import { reproductionFiles } from "../verify/report/reproduction.js";
import { renderText } from "../verify/report/text.js";
import { InvalidInput, Unable, verify as verifyRulesets, type LeaveOut, type Progress, type VerifyReport } from "../verify/verify.js";
import {
  addTranslationOptions,
  readWords,
  repeatedFile,
  translateOptions,
  translationSettings,
  usageError,
  type Shown,
  type TranslationSettings,
} from "./command-line.js";
import { Failure, reasonOf, systemReason } from "./failure.js";
import { readSources } from "./input.js";
import { Interrupted, withInterruption } from "./interruption.js";
import { fail, show, type ExitStatus, type Surroundings } from "./run.js";

interface Settings extends TranslationSettings {
  readonly files: readonly string[];
  readonly script: string | undefined;
  readonly packets: number;
  readonly seed: number;
  /** Seconds. */
  readonly budget: number;
  readonly realTime: boolean;
  readonly leaveOut: LeaveOut;
  readonly reproduce: string | undefined;
  readonly json: boolean;
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

/** Runs the subcommand; everything is written when the promise is kept, and it is never broken. */
export async function verify(words: readonly string[], surroundings: Surroundings): Promise<ExitStatus> {
  const parsed = parse(words);
  if ("text" in parsed) return parsed.error ? fail(parsed.text, surroundings) : show(parsed.text, surroundings);
  try {
    const report = await withInterruption((signal) => play(parsed, signal, surroundings));
    if (report === undefined) return 2;
    if (parsed.reproduce !== undefined) writeReproduction(parsed.reproduce, report);
    await surroundings.writeOutput(parsed.json ? renderJson(report) : renderText(report));
    return report.equal ? 0 : 1;
  } catch (error) {
    if (error instanceof Interrupted || error instanceof Unable || error instanceof Failure || error instanceof RangeError)
      return fail(reasonOf(error), surroundings);
    return fail(
      `internal error, please report it with the input: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      surroundings,
    );
  }
}

/** Undefined where the input was no ruleset, which was told. */
async function play(settings: Settings, signal: AbortSignal, surroundings: Surroundings): Promise<VerifyReport | undefined> {
  const messages: JsonMessage[] = [];
  const read = await readSources(
    [...settings.files, ...(settings.script === undefined ? [] : [settings.script])],
    settings.family,
    messages,
    surroundings,
  );
  const ipsets = settings.ipsets.length === 0 ? [] : await readSources(settings.ipsets, undefined, messages, surroundings);
  for (const { severity, message } of messages) await surroundings.writeError(`ipt2nft-recent: ${severity}: ${visible(message)}\n`);
  const scripts = read.filter(({ text }, index) => index >= settings.files.length || isNftScript(text));
  const sources = read.filter((source) => !scripts.includes(source));
  if (scripts.length > 1) throw new Failure("more than one nft script is given");
  if (sources.length === 0) throw new Failure("no iptables-save dump is given to compare the script with");
  const [script] = scripts;
  const progress = (await surroundings.errorIsTerminal()) ? progressLine(surroundings) : undefined;
  try {
    return await verifyRulesets({
      sources,
      ...(script && { script: script.text }),
      options: await translateOptions(settings, ipsets),
      packets: settings.packets,
      seed: settings.seed,
      budget: settings.budget,
      realTime: settings.realTime,
      leaveOut: settings.leaveOut,
      signal,
      ...(progress && { progress: progress.tell }),
    });
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    await progress?.clear();
    if (error.diagnostics.length > 0)
      await surroundings.writeError(renderDiagnostics(error.diagnostics, [...sources, ...ipsets], { color: false }));
    await fail(error.message, surroundings);
    return undefined;
  } finally {
    await progress?.clear();
  }
}

/** One line of a terminal, written over again and again. */
function progressLine({ writeError }: Surroundings): { readonly tell: (progress: Progress) => void; clear(): Promise<void> } {
  let pending: Promise<void> = Promise.resolve();
  const write = (text: string): void => {
    pending = pending.then(() => writeError(`\r\x1b[K${text}`)).catch(() => undefined);
  };
  return {
    tell: ({ stage, packets, seconds }) => {
      write(`${stage} … ${packets} packets so far, ${seconds.toFixed(0)} s`);
    },
    async clear() {
      write("");
      await pending;
    },
  };
}

function writeReproduction(prefix: string, report: VerifyReport): void {
  for (const { name, content } of reproductionFiles(prefix, report)) {
    try {
      writeFileSync(name, content);
    } catch (error) {
      throw new Failure(`${JSON.stringify(name)} cannot be written: ${systemReason(error)}`);
    }
  }
}

// -------------------------------------------------------------------------------------------------- the words

interface RawOptions {
  readonly script?: string;
  readonly packets: number;
  readonly seed: number;
  readonly budget: number;
  readonly realTime?: true;
  readonly leaveOut: LeaveOut;
  readonly reproduce?: string;
  readonly json?: true;
}

function parse(words: readonly string[]): Settings | Shown {
  const command = addTranslationOptions(
    new Command("ipt2nft-recent verify")
      .description("Plays packets made for a ruleset through iptables and through nft on this kernel, and compares their fates.")
      .argument("[FILE...]", 'iptables-save dumps of one machine, and an nft script to compare them with; "-" or none is standard input')
      .option("--script <FILE>", "the nft script, where it is not to be recognised"),
  )
    .addOption(new Option("--packets <N>", "about the most packets").argParser(numberFrom(1, 1_000_000)).default(4000, "4000"))
    .addOption(new Option("--seed <N>", "another one makes other packets").argParser(numberFrom(0, 0x7fff_ffff)).default(1, "1"))
    .addOption(
      new Option("--budget <SECONDS>", "begin nothing new after so many seconds").argParser(numberFrom(1, 86_400)).default(60, "60"),
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
    .option("--reproduce <PREFIX>", "write PREFIX.json and PREFIX-1.pcap …, which play each difference again")
    .option("--json", "the report as JSON")
    .helpOption("-h, --help", "print this help")
    .addHelpText("after", examples);
  const shown = readWords(command, words);
  if (shown) return shown;
  const { script, reproduce, json, realTime, ...numbers } = command.opts<RawOptions>();
  const { packets, seed, budget, leaveOut } = numbers;
  const translation = translationSettings(command);
  const files = command.args.length === 0 ? ["-"] : command.args;
  const repeated = repeatedFile([...files, ...(script === undefined ? [] : [script]), ...translation.ipsets]);
  if (repeated) return repeated;
  if (reproduce === "") return usageError("--reproduce needs the beginning of a file name");
  return { ...translation, files, script, reproduce, json: json ?? false, realTime: realTime ?? false, packets, seed, budget, leaveOut };
}

function numberFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,10}$/u.test(text) ? Number(text) : -1;
    if (value < least || value > most) throw new InvalidArgumentError(`it must be a whole number from ${least} to ${most}`);
    return value;
  };
}
