/** The subcommands, as modules that are read when they are asked for. */

import { optimizeLater } from "./optimizing.js";
import { run } from "./run.js";
import { thisProcess } from "./this-process.js";

const words = process.argv.slice(2);
if (words[0] === "review") optimizeLater();
void run(words, thisProcess).then((status) => {
  process.exitCode = status;
});
