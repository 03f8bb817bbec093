/** Ending long work on a signal. */

import { Failure } from "../failure.js";

export class Interrupted extends Failure {}

/**
 * The signal given to the work is aborted with an Interrupted on Ctrl-C or `kill`; a second one ends this process at once, and
 * the namespaces with it.
 */
export async function withInterruption<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const stop = (name: NodeJS.Signals): void => {
    controller.abort(new Interrupted(`stopped by ${name}; nothing is left behind`));
    forget();
  };
  const forget = (): void => {
    for (const name of signals) process.off(name, stop);
  };
  for (const name of signals) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    forget();
  }
}
