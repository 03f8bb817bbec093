/** What nft makes of a script, loaded into a network namespace that is gone when it has answered. */

import { join } from "node:path";
import { findProgram } from "../../../run-program.js";
import { runInNamespace, unshareArguments, withFiles } from "../../../verify/namespace.js";

/** Seconds. */
const deadline = 30;

export type Listing =
  | { readonly listing: string }
  /** What nft says against the script. */
  | { readonly refused: string }
  /** Why nft cannot be asked. */
  | { readonly unavailable: string };

/** The ruleset as nft lists it, without what counters stand at. The script must have passed `scriptFault`. */
export async function listingOf(script: string): Promise<Listing> {
  for (const [program, debianPackage] of [
    ["unshare", "util-linux"],
    ["bash", "bash"],
    ["nft", "nftables"],
  ] as const) {
    if (findProgram(program) === undefined) return { unavailable: `the program ${program} (${debianPackage}) is not installed` };
  }
  if (unshareArguments() === undefined) return { unavailable: "no network namespace can be made here" };
  // The last line of a comment ends, too.
  const asked = "nft -f - && nft -s list ruleset";
  const { status, stdout, stderr, stopped } = await withFiles({ "list.sh": asked }, (directory) =>
    runInNamespace(join(directory, "list.sh"), deadline, { input: `${script}\n` }),
  );
  if (stopped !== undefined) return { unavailable: `nft: ${stopped}` };
  if (status === 0) return { listing: stdout };
  if (status === null) return { unavailable: "nft was killed" };
  return { refused: stderr.trim() };
}
