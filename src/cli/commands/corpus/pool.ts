/** Runs the cases. */

import type { CaseFiles } from "../../../corpus/layout.js";
import type { CaseResult } from "../../../corpus/result.js";
import type { translate } from "../../../translate.js";
import { threadProgram } from "../../thread-program.js";
import { runOnThreads } from "../../threads.js";
import { crashed, runTask, type Task } from "./task.js";

/** Runs all cases on threads where that pays; as `runOnThreads`. */
export async function runCases(
  cases: readonly CaseFiles[],
  task: Task,
  translator: typeof translate,
  jobs: number | undefined,
  done: (result: CaseResult) => Promise<void>,
  signal?: AbortSignal,
): Promise<number> {
  const here = (files: CaseFiles): Promise<CaseResult> => runTask(task, files, translator);
  return runOnThreads(cases, { program: await threadProgram("corpus-worker"), workerData: task, here, crashed }, jobs, done, signal);
}
