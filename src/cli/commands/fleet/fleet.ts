/** `ipt2nft-recent fleet`. */

import { mkdirSync } from "node:fs";
import { Failure } from "../../../failure.js";
import type { JsonMessage } from "../../../report/json.js";
import { withoutCommands } from "../../../report/visible.js";
import { wantsColor } from "../../color.js";
import type { CommandDefinition } from "../../command.js";
import { readOptions } from "../../input.js";
import { Interrupted, withInterruption } from "../../interruption.js";
import { refuseOverwriting } from "../../output.js";
import { StatusLine } from "../../status-line.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { systemReason } from "../../system-error.js";
import { reasonOf } from "../../telling.js";
import { threadProgram } from "../../thread-program.js";
import { runOnThreads } from "../../threads.js";
import { findFiles } from "./find.js";
import { dumpsLeftOut, machinesOf, type MachineFiles } from "./machines.js";
import { parseFleetWords, type FleetSettings } from "./options.js";
import { renderFleetJson, renderFleetText, worstOutcome, type FleetReport } from "./report.js";
import { contentsOf, failed, FleetWorker, noInput, type FleetTask, type Group, type GroupResult } from "./task.js";

export const fleetCommand: CommandDefinition<FleetSettings> = { parse: parseFleetWords, run: runFleet };

async function runFleet(settings: FleetSettings, surroundings: Surroundings): Promise<ExitStatus> {
  const { report, stopped } = await makeReport(settings, surroundings);
  const color = wantsColor(settings.color, surroundings.environment, await surroundings.outputIsTerminal());
  await surroundings.writeOutput(settings.format === "json" ? renderFleetJson(report) : withoutCommands(renderFleetText(report, color)));
  return stopped ?? statusOf(worstOutcome(report), settings.strict);
}

function statusOf(outcome: ReturnType<typeof worstOutcome>, strict: boolean): ExitStatus {
  if (outcome === "failed" || outcome === "invalid") return 2;
  return outcome === "refused" || (outcome === "approximated" && strict) ? 1 : 0;
}

/** A report, and the exit status where a signal has ended the work before all was done. */
interface Made {
  readonly report: FleetReport;
  readonly stopped: ExitStatus | undefined;
}

async function makeReport(settings: FleetSettings, surroundings: Surroundings): Promise<Made> {
  const begin = performance.now();
  const { patterns, output, jobs } = settings;
  const { files, base, errors, links } = findFiles(patterns, output);
  const machines = machinesOf(files, base, output);
  refuseOverwriting(
    machines.map(({ script }) => script),
    [...machines.flatMap(({ sources, ipsets }) => [...sources, ipsets]), ...settings.ipsets, ...settings.geoip],
  );
  makeFolder(output);
  const messages: JsonMessage[] = errors.map((message) => ({ severity: "error", message }));
  if (links > 0) messages.push({ severity: "note", message: `links to folders are not followed: ${links}` });
  const left = machines.flatMap(dumpsLeftOut);
  if (left.length > 0) {
    const names = `${left.slice(0, 3).join(", ")}${left.length > 3 ? ", …" : ""}`;
    messages.push({ severity: "note", message: `dumps of the other family beside those are not asked for: ${left.length} (${names})` });
  }
  // What cannot be read of that concerns all machines.
  await readOptions(settings, messages, noInput);
  const { groups, unreadable } = grouped(machines, settings);
  const results: GroupResult[] = [...unreadable];
  const line = await StatusLine.of(surroundings);
  let machinesDone = unreadable.length;
  const { keepSets, counters, origins } = settings;
  const task: FleetTask = { settings, keepSets, counters, origins, output };
  const here = new FleetWorker(task);
  let threads = 0;
  const stopped = await withInterruption(async (signal) => {
    threads = await runOnThreads<Group, GroupResult>(
      groups,
      {
        program: await threadProgram("fleet-worker"),
        workerData: task,
        here: (group) => here.run(group),
        crashed: (group, _, reason) => failed(group, `the translator takes its thread down; please report it with the input: ${reason}`),
      },
      jobs,
      async (result) => {
        results.push(result);
        machinesDone += result.group.machines.length;
        line.show(`${machinesDone} of ${machines.length} machines`);
      },
      signal,
    );
    return signal.reason instanceof Interrupted ? signal.reason : undefined;
  });
  await line.clear();
  if (stopped && machinesDone < machines.length)
    messages.push({
      severity: "error",
      message: `stopped before all was done: ${machines.length - machinesDone} machines have no new script`,
    });
  const nameOf = ({ group }: GroupResult): string => group.machines[0].name;
  results.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return { report: { results, messages, threads, seconds: (performance.now() - begin) / 1000 }, stopped: stopped?.status };
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new Failure(`the folder ${JSON.stringify(path)} cannot be made: ${systemReason(error)}`);
  }
}

/** Machines with equal files together, and those whose files cannot be read. */
function grouped(
  machines: readonly MachineFiles[],
  settings: FleetSettings,
): { readonly groups: readonly Group[]; readonly unreadable: readonly GroupResult[] } {
  const byContents = new Map<string, [MachineFiles, ...MachineFiles[]]>();
  const unreadable: GroupResult[] = [];
  for (const machine of machines) {
    try {
      const { fingerprint } = contentsOf(machine, settings);
      const same = byContents.get(fingerprint);
      if (same) same.push(machine);
      else byContents.set(fingerprint, [machine]);
    } catch (error) {
      unreadable.push(failed({ machines: [machine], fingerprint: "" }, reasonOf(error)));
    }
  }
  return { groups: [...byContents].map(([fingerprint, same]) => ({ machines: same, fingerprint })), unreadable };
}
