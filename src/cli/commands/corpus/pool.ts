/** Runs the cases: here, and what would take long on several threads. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { CaseFiles } from "../../../corpus/layout.js";
import type { CaseResult } from "../../../corpus/result.js";
import type { translate } from "../../../translate.js";
import { crashed, runTask, type Task } from "./task.js";

/** The file that the build makes of worker.ts, beside the part that this file is in; tests run without. */
declare const CORPUS_WORKER: string | undefined;

/** Milliseconds of work here before threads are thought of. */
const trial = 250;
/** Milliseconds of work left that are worth them: each costs 1.2 s of processor time until it is as fast as this one (measured). */
const worthThreads = 2_500;

/**
 * Runs all cases on so many threads, as many as pay unless told; `done` hears of each, in any order.
 * Returns how many threads it took, this one not counted. Aborted by the signal, it ends behind the cases begun.
 */
export async function runCases(
  cases: readonly CaseFiles[],
  task: Task,
  translator: typeof translate,
  jobs: number | undefined,
  done: (result: CaseResult) => Promise<void>,
  signal?: AbortSignal,
): Promise<number> {
  const waiting = [...cases].reverse();
  const begin = performance.now();
  const pay = (): boolean => {
    const elapsed = performance.now() - begin;
    return elapsed > trial && (elapsed / (cases.length - waiting.length)) * waiting.length > worthThreads;
  };
  const wanted = jobs ?? availableParallelism();
  while (waiting.length > 0 && signal?.aborted !== true) {
    if (wanted > 1 && typeof CORPUS_WORKER === "string" && (jobs !== undefined || pay())) {
      const file = new URL(CORPUS_WORKER, import.meta.url);
      const threads = Math.min(wanted, waiting.length);
      await Promise.all(Array.from({ length: threads }, () => drain(file, waiting, task, done, signal)));
      return threads;
    }
    await done(await runTask(task, waiting.pop()!, translator));
  }
  return 0;
}

/** Takes cases until none is left; a thread that ends with its case is replaced. */
async function drain(
  file: URL,
  waiting: CaseFiles[],
  task: Task,
  done: (result: CaseResult) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let worker = new Worker(file, { workerData: task });
  try {
    for (let files = waiting.pop(); files !== undefined && signal?.aborted !== true; files = waiting.pop()) {
      const result = await runOn(worker, files);
      if (!result.alive) worker = new Worker(file, { workerData: task });
      await done(result.value);
    }
  } finally {
    await worker.terminate();
  }
}

function runOn(worker: Worker, files: CaseFiles): Promise<{ readonly alive: boolean; readonly value: CaseResult }> {
  const begin = performance.now();
  return new Promise((resolve) => {
    let reason = "";
    const message = (value: CaseResult): void => finish({ alive: true, value });
    const error = (cause: unknown): void => {
      reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    };
    const exit = (status: number): void =>
      finish({
        alive: false,
        value: crashed(files, (performance.now() - begin) / 1000, reason === "" ? `the thread ended with status ${status}` : reason),
      });
    const finish = (outcome: { readonly alive: boolean; readonly value: CaseResult }): void => {
      worker.off("message", message).off("error", error).off("exit", exit);
      resolve(outcome);
    };
    worker.on("message", message).on("error", error).on("exit", exit).postMessage(files);
  });
}
