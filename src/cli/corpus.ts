/** `ipt2nft-recent corpus`. */

import { fail, type ExitStatus, type Surroundings } from "./run.js";

/** Runs the subcommand; everything is written when the promise is kept, and it is never broken. */
export async function corpus(_words: readonly string[], surroundings: Surroundings): Promise<ExitStatus> {
  return fail("not built yet", surroundings);
}
