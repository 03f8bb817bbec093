/** Ending long work on a signal. */

import { Failure } from "../failure.js";

/** As shells say it: 128 and the number of the signal. */
const statuses = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

export class Interrupted extends Failure {
  constructor(private readonly signal: keyof typeof statuses) {
    super(`stopped by ${signal}; nothing is left behind`);
  }

  /** What the process ends with. */
  get status(): (typeof statuses)[keyof typeof statuses] {
    return statuses[this.signal];
  }
}

/**
 * The signal given to the work is aborted with an Interrupted on Ctrl-C or `kill`; a second one ends this process at once, and
 * the namespaces with it.
 */
export async function withInterruption<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const stop = (name: NodeJS.Signals): void => {
    controller.abort(new Interrupted(name as (typeof signals)[number]));
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
