/** `ipt2nft-recent simulate`. */

import { Failure, InvalidInput } from "../../../failure.js";
import type { JsonMessage } from "../../../report/json.js";
import { renderSimulation } from "../../../simulate/render-text.js";
import { visible, withoutCommands } from "../../../report/visible.js";
import { renderSvg } from "../../../simulate/render-svg.js";
import { replayTraffic, type ReplayOptions } from "../../../simulate/replay.js";
import { renderSimulationJson, verdictOf, type SimulationReport, type TrafficReport } from "../../../simulate/report.js";
import { compareLimits } from "../../../simulate/scenarios.js";
import { searchLists, type SearchOptions } from "../../../simulate/search.js";
import { readTraffic, TrafficFault, type Traffic } from "../../../simulate/traffic.js";
import type { TranslateOptions, Translation } from "../../../translate.js";
import { wantsColor } from "../../color.js";
import type { CommandDefinition } from "../../command.js";
import { readGiven } from "../../input.js";
import { refuseOverwriting, writeFileAtomically } from "../../output.js";
import { readBytes } from "../../read-file.js";
import { StatusLine } from "../../status-line.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { messageText } from "../../telling.js";
import { parseSimulateWords, type SimulateSettings } from "./options.js";

export const simulateCommand: CommandDefinition<SimulateSettings> = { parse: parseSimulateWords, run: runSimulate };

async function runSimulate(settings: SimulateSettings, surroundings: Surroundings): Promise<ExitStatus> {
  refuseOverwriting([settings.svg], [...settings.files, ...settings.ipsets, ...settings.geoip, settings.traffic]);
  const messages: JsonMessage[] = [];
  const { sources, ipsets, options } = await readGiven(settings.files, settings, messages, surroundings);
  const translation = surroundings.translate(sources, options);
  for (const message of messages) await surroundings.writeError(messageText(message));
  if (!translation.nft) throw new InvalidInput("the input is not a ruleset", translation.diagnostics, [...sources, ...ipsets]);
  const line = await StatusLine.of(surroundings);
  const report = simulated(translation, options, settings, (words) => line.show(words));
  await line.clear();
  if (settings.svg !== undefined) await writeFileAtomically(settings.svg, renderSvg(report.limits));
  await surroundings.writeOutput(await rendered(report, settings, surroundings));
  return report.verdict === "equal" ? 0 : 1;
}

/** Throws a Failure if there is no such list, or no traffic in the file. */
function simulated(
  translation: Translation,
  options: TranslateOptions,
  settings: SimulateSettings,
  show: (words: string) => void,
): SimulationReport {
  const traffic = settings.traffic === undefined ? undefined : readTrafficFile(settings.traffic, settings);
  const { lists, seed, budget, perPacket } = settings;
  const begin = performance.now();
  const seconds = (): string => `${((performance.now() - begin) / 1000).toFixed(0)} s`;
  const search: SearchOptions = {
    seed,
    translated: options,
    ...(lists && { lists }),
    ...("milliseconds" in budget ? { schedules: Infinity, steps: Infinity } : {}),
    ...budget,
    now: () => performance.now(),
    progress: ({ list, number, lists: all }) => show(`searching list ${number} of ${all}, "${visible(list)}", ${seconds()}`),
  };
  const found = settings.search ? searchLists(translation, search) : [];
  const unknown = settings.search ? lists?.find((name) => !found.some(({ list }) => list === name)) : undefined;
  if (unknown !== undefined) throw new Failure(`no rule uses a list ${JSON.stringify(unknown)}`);
  if (settings.search) show(`measuring limits, ${seconds()}`);
  const limits = settings.search ? compareLimits(translation, { seed, translated: options, ...(lists && { lists }) }) : [];
  const replaying: ReplayOptions = {
    perPacket,
    progress: (sent, all) => show(`playing traffic: ${sent} of ${all} packets, ${seconds()}`),
  };
  const replayed: TrafficReport | undefined =
    traffic && settings.traffic !== undefined
      ? { file: settings.traffic, skipped: traffic.skipped, families: replayTraffic(translation, traffic, options, replaying) }
      : undefined;
  return { version: 1, verdict: verdictOf(found, replayed), lists: found, limits, ...(replayed && { traffic: replayed }) };
}

function readTrafficFile(file: string, { interface: name, local, maxInput }: SimulateSettings): Traffic {
  try {
    return readTraffic(readBytes(file, maxInput), { interface: name, local });
  } catch (error) {
    if (!(error instanceof TrafficFault)) throw error;
    const { place, message } = error;
    throw new Failure(place ? `${file}:${place.line}:${place.column}: ${message}` : `${file}: ${message}`, { cause: error });
  }
}

async function rendered(report: SimulationReport, { format, color }: SimulateSettings, surroundings: Surroundings): Promise<string> {
  if (format === "json") return renderSimulationJson(report);
  const width = await surroundings.outputWidth();
  const text = renderSimulation(report, {
    color: wantsColor(color, surroundings.environment, await surroundings.outputIsTerminal()),
    ...(width !== undefined && { width }),
  });
  return withoutCommands(text);
}
