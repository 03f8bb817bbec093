/** This process as the surroundings of a command. */

// Not by the index, which would load everything that the library offers.
import { translate } from "../translate.js";
import { optimizeSparingly } from "./optimizing.js";
import { isTerminal, readStandardInput, terminalWidth, writeFully } from "./stream.js";
import type { Surroundings } from "./surroundings.js";

export const thisProcess: Surroundings = {
  translate,
  optimizeSparingly,
  environment: process.env,
  readInput: readStandardInput,
  inputIsTerminal: () => isTerminal(0),
  writeOutput: (text) => writeFully(1, text),
  outputIsTerminal: () => isTerminal(1),
  outputWidth: () => terminalWidth(1),
  writeError: (text) => writeFully(2, text),
  errorIsTerminal: () => isTerminal(2),
  errorWidth: () => terminalWidth(2),
};
