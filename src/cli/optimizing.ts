/** When V8 optimizes what it runs. */

import { setFlagsFromString } from "node:v8";

/** Nine times as much bytecode as usual. */
const laterOptions = ["--interrupt-budget=600000"];
const sparingOptions = ["--interrupt-budget=300000", "--no-turbo-inlining", "--no-parallel-scavenge"];
export const knownOptions: readonly string[] = [...laterOptions, ...sparingOptions];

/** The last version of V8 that is known to have the options: it says so on standard error where it has one not. */
const lastKnown = 13;

function set(options: readonly string[]): void {
  if (Number.parseInt(process.versions.v8, 10) <= lastKnown) for (const option of options) setFlagsFromString(option);
}

/**
 * Lets V8 optimize a function only once much more of it has run. A review runs very much code some thousand times: to optimize that took
 * two fifths of its processor time (Node 20), which a machine with few processors takes from the work itself.
 */
export function optimizeLater(): void {
  set(laterOptions);
}

/**
 * Lets V8 optimize later, and each function by itself, and collect what is young with one thread. The translation of a large dump runs a
 * little code very often and very much code some thousand times: to optimize took two fifths of its processor time (Node 20, 10,000 and
 * 100,000 rules), and threads that wait for each other while they collect a fifth.
 */
export function optimizeSparingly(): void {
  set(sparingOptions);
}
