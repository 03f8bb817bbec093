/** `ipt2nft-recent completion`: what shells complete the words of a command line with. */

import type { CommandDefinition } from "../../command.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { namesOfRunningLists } from "./list-names.js";
import { parseCompletionWords, type CompletionSettings } from "./options.js";
import { completionScript } from "./scripts.js";

export const completionCommand: CommandDefinition<CompletionSettings> = { parse: parseCompletionWords, run: runCompletion };

async function runCompletion(settings: CompletionSettings, surroundings: Surroundings): Promise<ExitStatus> {
  if (settings.what !== "lists") await surroundings.writeOutput(completionScript(settings.what));
  else await surroundings.writeOutput((await namesOfRunningLists(settings.words)).map((name) => `${name}\n`).join(""));
  return 0;
}
