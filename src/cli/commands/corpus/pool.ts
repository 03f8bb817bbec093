/** Runs the cases. */

import type { CaseFiles } from "../../../corpus/layout.js";
import type { CaseResult } from "../../../corpus/result.js";
import type { translate } from "../../../translate.js";
import { runOnThreads } from "../../threads.js";
import { crashed, runTask, type Task } from "./task.js";

/** The file that the build makes of worker.ts, beside the part that this file is in; tests run without. */
declare const CORPUS_WORKER: string | undefined;

/** Runs all cases on threads where that pays; as `runOnThreads`. */
export async function runCases(
  cases: readonly CaseFiles[],
  task: Task,
  translator: typeof translate,
  jobs: number | undefined,
  done: (result: CaseResult) => Promise<void>,
  signal?: AbortSignal,
): Promise<number> {
  const worker = typeof CORPUS_WORKER === "string" ? new URL(CORPUS_WORKER, import.meta.url) : undefined;
  const here = (files: CaseFiles): Promise<CaseResult> => runTask(task, files, translator);
  return runOnThreads(cases, { worker, workerData: task, here, crashed }, jobs, done, signal);
}
