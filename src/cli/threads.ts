/** Work on many things: here, and what would take long on several threads. */

import { availableParallelism } from "node:os";
import type { Worker } from "node:worker_threads";
import type { ThreadProgram } from "./thread-program.js";

/** Milliseconds of work here before threads are thought of. */
const trial = 250;
/** Milliseconds of work left that are worth them: each costs 1.2 s of processor time until it is as fast as this one (measured). */
const worthThreads = 2_500;

export interface Work<Item, Result> {
  /** The program of a thread, which answers each item with a result; undefined where there is none, as in tests. */
  readonly program: ThreadProgram | undefined;
  /** What it gets beside the items. */
  readonly workerData: unknown;
  /** The same on this thread. */
  readonly here: (item: Item) => Promise<Result>;
  /** The result of an item whose thread ended before it was done, after so many seconds. */
  readonly crashed: (item: Item, seconds: number, reason: string) => Result;
}

/**
 * Does all of it on so many threads, as many as pay unless told; `done` hears of each, in any order.
 * Returns how many threads it took, this one not counted. Aborted by the signal, it ends behind the items begun.
 */
export async function runOnThreads<Item, Result>(
  items: readonly Item[],
  work: Work<Item, Result>,
  jobs: number | undefined,
  done: (result: Result) => Promise<void>,
  signal?: AbortSignal,
): Promise<number> {
  const waiting = [...items].reverse();
  const begin = performance.now();
  const pay = (): boolean => {
    const elapsed = performance.now() - begin;
    return elapsed > trial && (elapsed / (items.length - waiting.length)) * waiting.length > worthThreads;
  };
  const wanted = jobs ?? availableParallelism();
  const { program } = work;
  while (waiting.length > 0 && signal?.aborted !== true) {
    if (wanted > 1 && program && (jobs !== undefined || pay())) {
      const threads = Math.min(wanted, waiting.length);
      await Promise.all(Array.from({ length: threads }, () => drain(program, waiting, work, done, signal)));
      return threads;
    }
    await done(await work.here(waiting.pop()!));
  }
  return 0;
}

/** Takes items until none is left; a thread that ends with its item is replaced. */
async function drain<Item, Result>(
  program: ThreadProgram,
  waiting: Item[],
  work: Work<Item, Result>,
  done: (result: Result) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const start = (): Worker => program(work.workerData);
  let worker = start();
  try {
    for (let item = waiting.pop(); item !== undefined && signal?.aborted !== true; item = waiting.pop()) {
      const result = await runOn(worker, item, work);
      if (!result.alive) worker = start();
      await done(result.value);
    }
  } finally {
    await worker.terminate();
  }
}

function runOn<Item, Result>(
  worker: Worker,
  item: Item,
  { crashed }: Work<Item, Result>,
): Promise<{ readonly alive: boolean; readonly value: Result }> {
  const begin = performance.now();
  return new Promise((resolve) => {
    let reason = "";
    const message = (value: Result): void => finish({ alive: true, value });
    const error = (cause: unknown): void => {
      reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    };
    const exit = (status: number): void =>
      finish({
        alive: false,
        value: crashed(item, (performance.now() - begin) / 1000, reason === "" ? `the thread ended with status ${status}` : reason),
      });
    const finish = (outcome: { readonly alive: boolean; readonly value: Result }): void => {
      worker.off("message", message).off("error", error).off("exit", exit);
      resolve(outcome);
    };
    worker.on("message", message).on("error", error).on("exit", exit).postMessage(item);
  });
}
