/** How the programs that hold the firewall are asked. */

import { Failure } from "../../../failure.js";
import { decode } from "../../read-file.js";
import { findProgram, longestText, runProgram } from "../../../run-program.js";

/** Seconds: more than the largest ruleset takes. */
const patience = 300;
/** Characters of what a program complained of. */
const mostReason = 2000;

export interface Asked {
  readonly input?: string | Uint8Array;
  /** Open files that the program gets: those of the lock, so that it is held until the program has ended. */
  readonly inherited?: readonly number[];
}

/** What the program printed. Throws a Failure unless it ends with status 0. */
export async function ask(program: string, words: readonly string[], asked: Asked = {}): Promise<string> {
  return (await askForText(program, words, asked)).text;
}

/** The same, and how the text becomes again what was printed. */
export async function askForText(
  program: string,
  words: readonly string[],
  { input = "", inherited = [] }: Asked = {},
): Promise<ReturnType<typeof decode>> {
  const name = program.split("/").at(-1)!;
  const outcome = await runProgram({
    program: name,
    arguments: words,
    searchPath: searchPathFor(program),
    input,
    seconds: patience,
    mostOutput: longestText,
    inherited,
  });
  if (outcome.kind === "missing") throw new Failure(`the program ${name} is not installed`);
  const said = outcome.stderr.toString("utf8").trim().slice(0, mostReason);
  const about = said === "" ? "" : `: ${said}`;
  if (outcome.kind === "stopped") throw new Failure(`${name}: ${outcome.reason}${about}`);
  if (outcome.status !== 0) {
    throw new Failure(`${name} ended with ${outcome.status === null ? outcome.signal : `status ${outcome.status}`}${about}`);
  }
  return decode(outcome.stdout);
}

/** A path finds the program of that folder first. */
function searchPathFor(program: string): string {
  const path = process.env["PATH"] ?? "";
  const folder = program.slice(0, Math.max(0, program.lastIndexOf("/")));
  return folder === "" ? path : `${folder}:${path}`;
}

/** Throws a Failure that names the programs that are missing. */
export function requirePrograms(programs: readonly (readonly [program: string, debianPackage: string])[]): void {
  const missing = programs.filter(([program]) => findProgram(program) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))].join(" ");
  throw new Failure(`not installed: ${missing.map(([name]) => name).join(", ")}; install with: apt-get install ${packages}`);
}
