/** `ipt2nft-recent verify`: plays packets through both firewalls on this kernel and says whether they decide alike. */

import { Failure } from "../../../failure.js";
import type { JsonMessage } from "../../../report/json.js";
import { withoutCommands } from "../../../report/visible.js";
import { isNftScript } from "../../../verify/nft-script.js";
import { renderJson } from "../../../verify/report/json.js";
import { reproductionFiles } from "../../../verify/report/reproduction.js";
import { renderText } from "../../../verify/report/text.js";
import { verify as verifyRulesets, type Progress, type VerifyReport } from "../../../verify/verify.js";
import type { CommandDefinition } from "../../command.js";
import { readGiven } from "../../input.js";
import { withInterruption } from "../../interruption.js";
import { StatusLine } from "../../status-line.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { writeFileAtomically } from "../../output.js";
import { messageText } from "../../telling.js";
import { parseVerifyWords, type VerifySettings } from "./options.js";

export const verifyCommand: CommandDefinition<VerifySettings> = { parse: parseVerifyWords, run: runVerify };

async function runVerify(settings: VerifySettings, surroundings: Surroundings): Promise<ExitStatus> {
  const report = await withInterruption((signal) => play(settings, signal, surroundings));
  if (settings.reproduce !== undefined) await writeReproduction(settings.reproduce, report);
  await surroundings.writeOutput(settings.format === "json" ? renderJson(report) : withoutCommands(renderText(report)));
  return report.equal ? 0 : 1;
}

async function play(settings: VerifySettings, signal: AbortSignal, surroundings: Surroundings): Promise<VerifyReport> {
  const messages: JsonMessage[] = [];
  const files = [...settings.files, ...(settings.script === undefined ? [] : [settings.script])];
  const { sources: read, options } = await readGiven(files, settings, messages, surroundings);
  for (const message of messages) await surroundings.writeError(messageText(message));
  const scripts = read.filter(({ text }, index) => index >= settings.files.length || isNftScript(text));
  const sources = read.filter((source) => !scripts.includes(source));
  if (scripts.length > 1) throw new Failure("more than one nft script is given");
  if (sources.length === 0) throw new Failure("no iptables-save dump is given to compare the script with");
  const [script] = scripts;
  const { packets, seed, budget, realTime, leaveOut } = settings;
  const line = await StatusLine.of(surroundings);
  const begin = performance.now();
  let stage = "reading";
  const show = (): void => line.show(`${stage}, ${((performance.now() - begin) / 1000).toFixed(0)} s`);
  // Packets are on their way for seconds without a word.
  const ticking = setInterval(show, 500);
  try {
    return await verifyRulesets({
      sources,
      ...(script && { script: script.text }),
      options,
      packets,
      seed,
      budget,
      realTime,
      leaveOut,
      signal,
      progress: (so) => {
        stage = stageWords(so);
        show();
      },
    });
  } finally {
    clearInterval(ticking);
    await line.clear();
  }
}

/** `playing 946 packets, 300 played`. */
function stageWords({ stage, playing, packets }: Progress): string {
  return [playing > 0 ? `${stage}: ${playing} packets` : stage, ...(packets > 0 ? [`${packets} played`] : [])].join(", ");
}

async function writeReproduction(prefix: string, report: VerifyReport): Promise<void> {
  for (const { name, content } of reproductionFiles(prefix, report)) await writeFileAtomically(name, content);
}
