/** When V8 optimizes what it runs. */

import { setFlagsFromString } from "node:v8";

/** Nine times as much bytecode as usual. */
export const budgetOption = "--interrupt-budget=600000";

/** The last version of V8 that is known to have the option: it says so on standard error where it has not. */
const lastKnown = 13;

/**
 * Lets V8 optimize a function only once much more of it has run. A review, and the translation of a large dump, run very much code some
 * thousand times: to optimize that took two fifths of a review's processor time and a fifth of a translation's (Node 20, 1,000 to 100,000
 * rules), which a machine with few processors takes from the work itself.
 */
export function optimizeLater(): void {
  if (Number.parseInt(process.versions.v8, 10) <= lastKnown) setFlagsFromString(budgetOption);
}
