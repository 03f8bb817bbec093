/** `ipt2nft-recent snippet`: prints a window of `recent` as nft to paste. */

import { Failure } from "../../../failure.js";
import { snippet } from "../../../snippet/snippet.js";
import type { CommandDefinition } from "../../command.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { parseSnippetWords, type SnippetSettings } from "./options.js";

export const snippetCommand: CommandDefinition<SnippetSettings> = { parse: parseSnippetWords, run: runSnippet };

async function runSnippet(settings: SnippetSettings, surroundings: Surroundings): Promise<ExitStatus> {
  await surroundings.writeOutput(textOf(settings));
  return 0;
}

function textOf(settings: SnippetSettings): string {
  try {
    return snippet(settings);
  } catch (error) {
    // What the request lacks is the user's to mend.
    if (error instanceof RangeError) throw new Failure(error.message);
    throw error;
  }
}
