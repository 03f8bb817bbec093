/** `ipt2nft-recent corpus`. */

import { basename, join, resolve } from "node:path";
import { findCases, nameMatches, type CaseFiles } from "../../../corpus/layout.js";
import { renderCorpusJson, renderCorpusJunit, renderCorpusText } from "../../../corpus/render.js";
import { failedCases, type CaseResult, type CorpusReport } from "../../../corpus/result.js";
import { withoutCommands } from "../../../report/visible.js";
import { Failure } from "../../../failure.js";
import { wantsColor } from "../../color.js";
import type { CommandDefinition } from "../../command.js";
import { Interrupted, withInterruption } from "../../interruption.js";
import { refuseOverwriting, writeFileAtomically } from "../../output.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { addCase } from "./add.js";
import type { Corpus } from "./kernel.js";
import { listFiles } from "./files.js";
import { parseCorpusWords, type CorpusSettings } from "./options.js";
import { runCases } from "./pool.js";
import { Progress } from "./progress.js";

export const corpusCommand: CommandDefinition<CorpusSettings> = { parse: parseCorpusWords, run: runCorpus };

async function runCorpus(settings: CorpusSettings, surroundings: Surroundings): Promise<ExitStatus> {
  if ((settings.update || settings.add) && isSet(surroundings.environment["CI"])) {
    throw new Failure("what is expected is not written where CI is set");
  }
  if (settings.add) return addCase(settings.directory, settings.add, surroundings);
  if (settings.junit !== undefined)
    refuseOverwriting(
      [settings.junit],
      listFiles(settings.directory).map((file) => join(settings.directory, file)),
    );
  const { report, stopped } = await makeReport(settings, surroundings);
  if (settings.junit !== undefined) await writeFileAtomically(settings.junit, renderCorpusJunit(report));
  const color = wantsColor(settings.color, surroundings.environment, await surroundings.outputIsTerminal());
  await surroundings.writeOutput(
    settings.format === "json" ? renderCorpusJson(report) : withoutCommands(renderCorpusText(report, { color, quiet: settings.quiet })),
  );
  return stopped ?? (failedCases(report).length > 0 ? 1 : 0);
}

function isSet(variable: string | undefined): boolean {
  return variable !== undefined && variable !== "" && variable !== "false";
}

/** A report, and the exit status where a signal has ended the work before all was done. */
interface Made {
  readonly report: CorpusReport;
  readonly stopped: ExitStatus | undefined;
}

async function makeReport(settings: CorpusSettings, surroundings: Surroundings): Promise<Made> {
  const begin = performance.now();
  const { cases, notes } = chooseCases(settings);
  const results: CaseResult[] = [];
  const progress = await Progress.of(cases.length, "cases", surroundings);
  const { directory, update, maxInput } = settings;
  const done = async (result: CaseResult): Promise<void> => {
    results.push(result);
    progress.step(result.problems.length > 0);
  };
  const run = (signal?: AbortSignal): Promise<number> =>
    runCases(cases, { directory, update, maxInput }, surroundings.translate, settings.jobs, done, signal);
  // A case that is being written is written to its end.
  const threads = update
    ? await withInterruption(async (signal) => {
        const taken = await run(signal);
        signal.throwIfAborted();
        return taken;
      })
    : await run();
  await progress.end();
  const inOrder = results.sort((a, b) => (a.name < b.name ? -1 : 1));
  const { stopped, ...checked } = settings.kernel
    ? await onKernel({ directory, maxInput }, cases, inOrder, surroundings)
    : { results: inOrder, complete: true, stopped: undefined };
  return { report: { ...checked, notes, threads, seconds: (performance.now() - begin) / 1000 }, stopped };
}

async function onKernel(
  corpus: Corpus,
  cases: readonly CaseFiles[],
  results: readonly CaseResult[],
  surroundings: Surroundings,
): Promise<Pick<CorpusReport, "results" | "complete"> & Pick<Made, "stopped">> {
  // Loaded when asked for: it tries at once what namespaces this machine allows.
  const { checkOnKernel } = await import("./kernel.js");
  return withInterruption(async (signal) => ({
    results: await checkOnKernel(corpus, cases, results, surroundings, signal),
    complete: !signal.aborted,
    stopped: signal.reason instanceof Interrupted ? signal.reason.status : undefined,
  }));
}

/** Strays told of one by one. */
const mostStrays = 10;

/** The cases to run. Throws a Failure if there is nothing to run. */
function chooseCases({ directory, filters }: CorpusSettings): { readonly cases: readonly CaseFiles[]; readonly notes: readonly string[] } {
  const { cases, strays, ambiguous } = findCases(listFiles(directory), basename(resolve(directory)));
  if (ambiguous[0] !== undefined)
    throw new Failure(`two cases are called ${JSON.stringify(ambiguous[0])}, a folder and a stem: rename one`);
  if (cases.length === 0) {
    throw new Failure(
      `no case in ${JSON.stringify(directory)}: a case is a folder with rules.v4, rules.v6 or rules.sh, or a file x.v4, x.v6 or x.rules`,
    );
  }
  const chosen = filters.length === 0 ? cases : cases.filter(({ name }) => filters.some((filter) => nameMatches(name, filter)));
  if (chosen.length === 0)
    throw new Failure(
      `none of ${cases.length} cases has a name that contains ${filters.map((filter) => JSON.stringify(filter)).join(" or ")}`,
    );
  const notes = strays.slice(0, mostStrays).map((path) => `${path} belongs to no case`);
  if (strays.length > mostStrays) notes.push(`${strays.length - mostStrays} more files belong to no case`);
  return { cases: chosen, notes };
}
