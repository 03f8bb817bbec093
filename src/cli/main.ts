/** The command: connects the pure parts with this process. */

import { translate } from "../index.js";
import { run } from "./run.js";
import { isTerminal, readStandardInput, terminalWidth, writeFully } from "./stream.js";

process.exitCode = await run(process.argv.slice(2), {
  translate,
  environment: process.env,
  readInput: readStandardInput,
  inputIsTerminal: () => isTerminal(0),
  writeOutput: (text) => writeFully(1, text),
  writeError: (text) => writeFully(2, text),
  errorIsTerminal: () => isTerminal(2),
  errorWidth: () => terminalWidth(2),
});
