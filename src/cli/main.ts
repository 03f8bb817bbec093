/** The command: connects the pure parts with this process. */

// Not by the index, which would load everything that the library offers.
import { translate } from "../translate.js";
import { optimizeLater } from "./optimizing.js";
import { run } from "./run.js";
import { isTerminal, readStandardInput, terminalWidth, writeFully } from "./stream.js";
import { isSubcommand } from "./subcommands.js";

const words = process.argv.slice(2);
if (words[0] === "review" || !isSubcommand(words[0])) optimizeLater();
process.exitCode = await run(words, {
  translate,
  environment: process.env,
  readInput: readStandardInput,
  inputIsTerminal: () => isTerminal(0),
  writeOutput: (text) => writeFully(1, text),
  outputIsTerminal: () => isTerminal(1),
  outputWidth: () => terminalWidth(1),
  writeError: (text) => writeFully(2, text),
  errorIsTerminal: () => isTerminal(2),
  errorWidth: () => terminalWidth(2),
});
