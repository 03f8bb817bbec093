/** One run of the command, from its arguments to its exit status. */

import { renderJson, type JsonMessage, type JsonReport } from "../report/json.js";
import { tally } from "../report/tally.js";
import { renderInvalidSummary, renderSummary, renderText } from "../report/text.js";
import { visible, visibleLines } from "../report/visible.js";
import type { Source, translate, TranslateOptions, Translation } from "../translate.js";
import { checkScript } from "./check.js";
import { wantsColor } from "./color.js";
import { translateOptions } from "./command-line.js";
import { Failure, reasonOf } from "./failure.js";
import { readSources } from "./input.js";
import { parseArguments, type Settings } from "./options.js";
import { writeFileAtomically } from "./output.js";

/** Everything outside the command that it touches, but for files and nft. */
export interface Surroundings {
  readonly translate: typeof translate;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readInput(): Promise<Uint8Array>;
  inputIsTerminal(): Promise<boolean>;
  writeOutput(text: string): Promise<void>;
  writeError(text: string): Promise<void>;
  outputIsTerminal(): Promise<boolean>;
  /** In columns; undefined if standard output is not a terminal. */
  outputWidth(): Promise<number | undefined>;
  errorIsTerminal(): Promise<boolean>;
  /** In columns; undefined if standard error is not a terminal. */
  errorWidth(): Promise<number | undefined>;
}

/** 0: every rule carried over; 1: some rule was not, or with --strict only approximately; 2: bad input or usage. */
export type ExitStatus = 0 | 1 | 2;

/** Runs the command; everything is written when the promise is kept, and it is never broken. */
export async function run(words: readonly string[], surroundings: Surroundings): Promise<ExitStatus> {
  const parsed = parseArguments(words);
  if ("text" in parsed) {
    return parsed.error ? fail(parsed.text, surroundings) : show(parsed.text, surroundings);
  }
  const { settings } = parsed;
  const messages: JsonMessage[] = [];
  let sources: Source[] = [];
  let ipsets: Source[] = [];
  let translation: Translation | undefined;
  let failed = false;
  try {
    sources = await readSources(settings.files, settings.family, messages, surroundings);
    ipsets = settings.ipsets.length === 0 ? [] : await readSources(settings.ipsets, undefined, messages, surroundings);
    const { keepSets, counters, origins } = settings;
    translation = translateSafely(sources, { ...(await translateOptions(settings, ipsets)), keepSets, counters, origins }, surroundings);
    if (translation.script !== undefined) {
      if (settings.check) await checkScript(translation.script, surroundings.environment);
      if (settings.output === undefined) await surroundings.writeOutput(translation.script);
      else await writeFileAtomically(settings.output, translation.script);
    }
  } catch (error) {
    failed = true;
    messages.push({ severity: "error", message: reasonOf(error) });
  }
  await report([...sources, ...ipsets], translation, messages, failed, settings, surroundings);
  if (failed || !translation || translation.script === undefined || translation.outcome === "invalid") return 2;
  if (translation.outcome === "refused") return 1;
  return translation.outcome === "approximated" && settings.strict ? 1 : 0;
}

/** Throws a Failure for a fault of ours. */
export function translateSafely(sources: readonly Source[], options: TranslateOptions, { translate }: Surroundings): Translation {
  try {
    return translate(sources, options);
  } catch (error) {
    // The files of `--geoip` are read when their country is asked for.
    if (error instanceof Failure) throw error;
    // Never a half-made script: whatever the cause, nothing is written.
    throw new Failure(`internal error, please report it with the input: ${error instanceof Error ? error.stack : String(error)}`);
  }
}

async function report(
  sources: readonly Source[],
  translation: Translation | undefined,
  messages: readonly JsonMessage[],
  failed: boolean,
  settings: Settings,
  surroundings: Surroundings,
): Promise<void> {
  const diagnostics = translation?.diagnostics ?? [];
  const valid = translation !== undefined && translation.outcome !== "invalid";
  if (settings.format === "json") {
    const outcome: JsonReport["outcome"] = failed || !translation ? "failed" : translation.outcome;
    const rules = valid ? tally(translation.iptables, diagnostics) : undefined;
    return tell(renderJson({ outcome, rules, diagnostics, messages }), surroundings);
  }
  let text = "";
  if (diagnostics.length > 0) {
    const color = wantsColor(settings.color, surroundings.environment, await surroundings.errorIsTerminal());
    const width = await surroundings.errorWidth();
    text += renderText(diagnostics, sources, width === undefined ? { color } : { color, width });
    text += valid ? renderSummary(tally(translation.iptables, diagnostics)) : renderInvalidSummary(diagnostics);
  }
  for (const { severity, message } of messages) text += `ipt2nft-recent: ${severity}: ${visibleLines(message)}\n`;
  if (text !== "") await tell(text, surroundings);
}

/** Shows help or the version. */
export async function show(text: string, surroundings: Surroundings): Promise<ExitStatus> {
  try {
    await surroundings.writeOutput(text);
    return 0;
  } catch (error) {
    return fail(visible(reasonOf(error)), surroundings);
  }
}

/** Ends a run for a reason that is no fault of the ruleset. */
export async function fail(text: string, surroundings: Surroundings): Promise<ExitStatus> {
  await tell(`ipt2nft-recent: error: ${visibleLines(text).trimEnd()}\n`, surroundings);
  return 2;
}

/** Nobody can be told that standard error does not work. */
async function tell(text: string, surroundings: Surroundings): Promise<void> {
  await surroundings.writeError(text).catch(() => undefined);
}
