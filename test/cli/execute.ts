/** Runs the command as a function, with streams that are strings. */

import { run } from "../../src/cli/run.js";
import type { ExitStatus, Surroundings } from "../../src/cli/surroundings.js";
import { translate } from "../../src/translate.js";

export interface Result {
  readonly status: ExitStatus;
  readonly output: string;
  readonly error: string;
}

/** Nothing is a terminal and the environment is empty, unless told. */
export async function execute(
  words: readonly string[],
  { input = "", ...surroundings }: Partial<Surroundings> & { readonly input?: string } = {},
): Promise<Result> {
  let output = "";
  let error = "";
  const status = await run(words, {
    translate,
    environment: {},
    readInput: async () => Buffer.from(input),
    inputIsTerminal: async () => false,
    writeOutput: async (text) => {
      output += text;
    },
    writeError: async (text) => {
      error += text;
    },
    outputIsTerminal: async () => false,
    outputWidth: async () => undefined,
    errorIsTerminal: async () => false,
    errorWidth: async () => undefined,
    ...surroundings,
  });
  return { status, output, error };
}
