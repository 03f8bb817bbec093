/**
 * The first of the command that runs, and no more than what decides how it goes on. Translating is asked for most and must start
 * fast: it is one script, and beside it lies what V8 made of it when it was built, which spares compiling it.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { valueOfScript } from "./compiled-script.js";
import { isSubcommand } from "./subcommands.js";

const parts = join(__dirname, "parts");

function compiledScript(file: string): Uint8Array | undefined {
  try {
    return readFileSync(`${file}.compiled`);
  } catch {
    return undefined;
  }
}

function runScript(file: string): void {
  // The build writes ASCII only.
  const start = valueOfScript(readFileSync(file, "latin1"), file, compiledScript(file)) as (load: typeof require) => void;
  start(require);
}

// Relative, since characters of a path may mean something else in an address; in a variable, since it is there only when all is built.
const subcommandModule: string = "./parts/main.mjs";

if (isSubcommand(process.argv[2])) void import(subcommandModule);
else runScript(join(parts, "translate.cjs"));
