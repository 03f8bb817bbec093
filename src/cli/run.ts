/** One run, from the words of the command line to the exit status. */

import { translateCommand } from "./commands/translate/translate.js";
import { perform } from "./perform.js";
import { isSubcommand, type SubcommandName } from "./subcommands.js";
import type { ExitStatus, Surroundings } from "./surroundings.js";

type Runner = (words: readonly string[], surroundings: Surroundings) => Promise<ExitStatus>;

/** Each subcommand is loaded only when it is asked for, since translating must start fast. */
const runners: Readonly<Record<SubcommandName, Runner>> = {
  simulate: async (...given) => perform((await import("./commands/simulate/simulate.js")).simulateCommand, ...given),
  verify: async (...given) => perform((await import("./commands/verify/verify.js")).verifyCommand, ...given),
  review: async (...given) => perform((await import("./commands/review/review.js")).reviewCommand, ...given),
  capture: async (...given) => perform((await import("./commands/capture/capture.js")).captureCommand, ...given),
  lists: async (...given) => perform((await import("./commands/lists/lists.js")).listsCommand, ...given),
  cutover: async (...given) => perform((await import("./commands/cutover/cutover.js")).cutoverCommand, ...given),
  snippet: async (...given) => perform((await import("./commands/snippet/snippet.js")).snippetCommand, ...given),
  fleet: async (...given) => perform((await import("./commands/fleet/fleet.js")).fleetCommand, ...given),
  corpus: async (...given) => perform((await import("./commands/corpus/corpus.js")).corpusCommand, ...given),
  completion: async (...given) => perform((await import("./commands/completion/completion.js")).completionCommand, ...given),
};

/** Runs the command that the words name; everything is written when the promise is kept, and it is never broken. */
export async function run(words: readonly string[], surroundings: Surroundings): Promise<ExitStatus> {
  const [first, ...rest] = words;
  return isSubcommand(first) ? runners[first](rest, surroundings) : perform(translateCommand, words, surroundings);
}
