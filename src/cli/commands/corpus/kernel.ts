/** `--kernel`: what this machine's kernel says about the scripts. */

import type { CaseFiles } from "../../../corpus/layout.js";
import type { CaseResult, KernelResult, Problem } from "../../../corpus/result.js";
import { translateCase, translateOptionsOf, type CaseTexts } from "../../../corpus/run-case.js";
import { verifiedResult, verifyProblems } from "../../../corpus/verified.js";
import { Failure } from "../../../failure.js";
import type { KernelPartName } from "../../../nft/kernel-parts.js";
import { kernelPartsOf } from "../../../nft/requirements.js";
import { difference } from "../../../report/difference.js";
import { lackingParts } from "../../../verify/kernel-parts.js";
import { loadAllTwice, type LoadResult } from "../../../verify/load.js";
import { findTools } from "../../../verify/tools.js";
import { Unable, verify } from "../../../verify/verify.js";
import type { Surroundings } from "../../surroundings.js";
import { readCase } from "./files.js";
import { Progress } from "./progress.js";
import type { Task } from "./task.js";

/** Where the cases are, and how many bytes of a file of theirs are read at most. */
export type Corpus = Pick<Task, "directory" | "maxInput">;

interface Loadable {
  readonly name: string;
  readonly texts: CaseTexts;
  readonly script: string;
  readonly parts: readonly KernelPartName[];
}

/** What came of one case. */
interface Found {
  readonly problems: readonly Problem[];
  readonly kernel: KernelResult;
}

/** Scripts loaded between two versions of the progress line. */
const batch = 40;

/** Of the comparison of one case: about the most packets, and the seconds after which nothing new is begun. */
const effort = { packets: 600, budget: 10 };

/**
 * Adds to the results what the kernel says. Throws a Failure where it cannot be asked. Once the signal is aborted, what is left
 * is noted as not verified.
 */
export async function checkOnKernel(
  corpus: Corpus,
  cases: readonly CaseFiles[],
  results: readonly CaseResult[],
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<CaseResult[]> {
  asFailure(findTools);
  const found = new Map<string, Found>();
  const lacking = await lackingParts();
  const all = loadableCases(corpus, cases, results, surroundings);
  const loadable = all.filter(({ parts }) => !parts.some((part) => lacking.has(part)));
  for (const { name, parts } of all) {
    const missing = parts.filter((part) => lacking.has(part));
    if (missing.length > 0) found.set(name, notVerified(`this kernel lacks ${missing.join(", ")}`));
  }
  const loads = await loadAll(loadable, surroundings, signal);
  const progress = await Progress.of(loadable.length, "scripts verified", surroundings);
  for (const [index, one] of loadable.entries()) {
    const load = loads[index];
    const problems = load ? loadProblems(load) : [];
    const verified = load && !load.loaded ? notVerified("it does not load") : await verifyCase(one, signal);
    found.set(one.name, { problems: [...problems, ...verified.problems], kernel: verified.kernel });
    progress.step(found.get(one.name)!.problems.length > 0);
  }
  await progress.end();
  return results.map((one) => {
    const more = found.get(one.name);
    return more ? { ...one, problems: [...one.problems, ...more.problems], kernel: more.kernel } : one;
  });
}

function notVerified(reason: string): Found {
  return { problems: [], kernel: { notes: [`not verified: ${reason}`] } };
}

function asFailure(attempt: () => unknown): void {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Unable) throw new Failure(`--kernel: ${error.message}`);
    throw error;
  }
}

/** The cases that make a script, translated again: results are small without. */
function loadableCases(
  { directory, maxInput }: Corpus,
  cases: readonly CaseFiles[],
  results: readonly CaseResult[],
  { translate }: Surroundings,
): Loadable[] {
  const unusable = new Set(
    results
      .filter(({ problems }) => problems.some(({ kind }) => kind === "crash" || kind === "file" || kind === "options"))
      .map(({ name }) => name),
  );
  return cases
    .filter(({ name }) => !unusable.has(name))
    .flatMap((files) => {
      const texts = readCase(directory, files, maxInput);
      const { script, translation } = translateCase(texts, translate);
      const parts = translation.nft?.tables.flatMap(kernelPartsOf) ?? [];
      return script === undefined ? [] : [{ name: files.name, texts, script, parts: [...new Set(parts)] }];
    });
}

/** In the order given, and not all of them once the signal is aborted. */
async function loadAll(loadable: readonly Loadable[], surroundings: Surroundings, signal: AbortSignal): Promise<LoadResult[]> {
  const progress = await Progress.of(loadable.length, "scripts loaded", surroundings);
  const loads: LoadResult[] = [];
  for (let from = 0; from < loadable.length && !signal.aborted; from += batch) {
    for (const load of await loadAllTwice(loadable.slice(from, from + batch).map(({ script }) => script))) {
      loads.push(load);
      progress.step(!load.loaded);
    }
  }
  await progress.end();
  return loads;
}

function loadProblems({ loaded, messages, first, second }: LoadResult): Problem[] {
  if (!loaded)
    return [{ kind: "load", message: `the kernel does not load the script${first === "" ? "" : " a second time"}`, detail: messages }];
  const detail = messages + difference("loaded once", first, "loaded twice", second);
  return detail === "" ? [] : [{ kind: "load", message: "loading the script a second time changes the ruleset, or nft complains", detail }];
}

/** Rules that the translator announces as different are left out of both sides: they are in the expected diagnostics. */
async function verifyCase({ texts }: Loadable, signal: AbortSignal): Promise<Found> {
  try {
    signal.throwIfAborted();
    const report = await verify({
      sources: texts.sources,
      options: translateOptionsOf(texts),
      leaveOut: "approximated",
      ...effort,
      signal,
    });
    return { problems: verifyProblems(report), kernel: verifiedResult(report) };
  } catch (error) {
    if (error instanceof Failure) return notVerified(error.message);
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {
      problems: [{ kind: "crash", message: "the comparison on the kernel fails; please report it with the input", detail }],
      kernel: { notes: [] },
    };
  }
}
