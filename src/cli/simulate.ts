/** `ipt2nft-recent simulate`. */

import { readFileSync } from "node:fs";
import { visibleLines } from "../report/visible.js";
import { renderInvalidSummary, renderText } from "../report/text.js";
import type { JsonMessage } from "../report/json.js";
import { renderSimulation } from "../simulate/render-text.js";
import { renderSvg } from "../simulate/render-svg.js";
import { replayTraffic } from "../simulate/replay.js";
import { renderSimulationJson, verdictOf, type SimulationReport, type TrafficReport } from "../simulate/report.js";
import { compareLimits } from "../simulate/scenarios.js";
import { searchLists, type SearchOptions } from "../simulate/search.js";
import { readTraffic, TrafficFault, type Traffic } from "../simulate/traffic.js";
import type { Source, TranslateOptions, Translation } from "../translate.js";
import { wantsColor } from "./color.js";
import { translateOptions } from "./command-line.js";
import { Failure, reasonOf, systemReason } from "./failure.js";
import { readSources } from "./input.js";
import { writeFileAtomically } from "./output.js";
import { fail, show, translateSafely, type ExitStatus, type Surroundings } from "./run.js";
import { parseSimulateWords, type SimulateSettings } from "./simulate/options.js";

/** Runs the subcommand; everything is written when the promise is kept, and it is never broken. */
export async function simulate(words: readonly string[], surroundings: Surroundings): Promise<ExitStatus> {
  const parsed = parseSimulateWords(words);
  if ("text" in parsed) return parsed.error ? fail(parsed.text, surroundings) : show(parsed.text, surroundings);
  const { settings } = parsed;
  try {
    const messages: JsonMessage[] = [];
    const sources = await readSources(settings.files, settings.family, messages, surroundings);
    const ipsets = settings.ipsets.length === 0 ? [] : await readSources(settings.ipsets, undefined, messages, surroundings);
    const options = await translateOptions(settings, ipsets);
    const translation = translateSafely(sources, options, surroundings);
    for (const { severity, message } of messages) await surroundings.writeError(`ipt2nft-recent: ${severity}: ${visibleLines(message)}\n`);
    if (!translation.nft) return await refuse(translation, [...sources, ...ipsets], settings, surroundings);
    const report = simulated(translation, options, settings);
    if (settings.svg !== undefined) await writeFileAtomically(settings.svg, renderSvg(report.limits));
    await surroundings.writeOutput(await rendered(report, settings, surroundings));
    return report.verdict === "equal" ? 0 : 1;
  } catch (error) {
    return fail(
      error instanceof Failure
        ? reasonOf(error)
        : `internal error, please report it with the input: ${error instanceof Error ? error.stack : String(error)}`,
      surroundings,
    );
  }
}

/** Milliseconds for a list, where the budget is schedules: rulesets of a hundred thousand rules are slow. */
const longest = 60_000;

/** Throws a Failure if there is no such list, or no traffic in the file. */
function simulated(translation: Translation, options: TranslateOptions, settings: SimulateSettings): SimulationReport {
  const traffic = settings.traffic === undefined ? undefined : readTrafficFile(settings.traffic, settings);
  const { lists, seed, budget } = settings;
  const search: SearchOptions = {
    seed,
    translated: options,
    ...(lists && { lists }),
    schedules: Infinity,
    milliseconds: longest,
    ...budget,
    now: () => performance.now(),
  };
  const found = searchLists(translation, search);
  const unknown = lists?.find((name) => !found.some(({ list }) => list === name));
  if (unknown !== undefined) throw new Failure(`no rule uses a list ${JSON.stringify(unknown)}`);
  const limits = compareLimits(translation, search);
  const replayed: TrafficReport | undefined =
    traffic && settings.traffic !== undefined
      ? { file: settings.traffic, skipped: traffic.skipped, families: replayTraffic(translation, traffic, options) }
      : undefined;
  return { version: 1, verdict: verdictOf(found, replayed), lists: found, limits, ...(replayed && { traffic: replayed }) };
}

function readTrafficFile(file: string, { interface: name, local }: SimulateSettings): Traffic {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new Failure(`${JSON.stringify(file)} cannot be read: ${systemReason(error)}`);
  }
  try {
    return readTraffic(bytes, { interface: name, local });
  } catch (error) {
    if (!(error instanceof TrafficFault)) throw error;
    const { place, message } = error;
    throw new Failure(place ? `${file}:${place.line}:${place.column}: ${message}` : `${file}: ${message}`);
  }
}

async function rendered(report: SimulationReport, { json, color }: SimulateSettings, surroundings: Surroundings): Promise<string> {
  if (json) return renderSimulationJson(report);
  const width = await surroundings.outputWidth();
  return renderSimulation(report, {
    color: wantsColor(color, surroundings.environment, await surroundings.outputIsTerminal()),
    ...(width !== undefined && { width }),
  });
}

/** The input is no ruleset: says why. */
async function refuse(
  translation: Translation,
  sources: readonly Source[],
  { color }: SimulateSettings,
  surroundings: Surroundings,
): Promise<ExitStatus> {
  const invalid = translation.diagnostics;
  const text = renderText(invalid, sources, { color: wantsColor(color, surroundings.environment, await surroundings.errorIsTerminal()) });
  await surroundings.writeError(text + renderInvalidSummary(invalid));
  return 2;
}
