/** `--check`: what nft itself says about the script. */

import { Failure } from "../../../failure.js";

/** Seconds: more than the largest script takes. */
const patience = 300;

/** Bytes. */
const mostOutput = 16 * 1024 * 1024;

/** Gives the script to `nft -c -f -`, which loads nothing. Throws a Failure if nft is missing or refuses it. */
export async function checkScript(script: string, environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  // Loaded when asked for: translating must start fast.
  const { runProgram } = await import("../../../run-program.js");
  const outcome = await runProgram({
    program: "nft",
    arguments: ["-c", "-f", "-"],
    searchPath: environment["PATH"] ?? "",
    input: script,
    seconds: patience,
    mostOutput,
  });
  if (outcome.kind === "missing") throw new Failure("--check needs the program nft, which is not installed here");
  const said = `${outcome.stdout.toString("utf8")}${outcome.stderr.toString("utf8")}`.trimEnd();
  if (outcome.kind === "stopped") throw new Failure(`--check cannot run nft: ${outcome.reason}${said === "" ? "" : `\n${said}`}`);
  if (outcome.status === 0) return;
  if (said.includes("Operation not permitted")) {
    throw new Failure(`--check cannot ask nft, which needs root's rights even to check:\n${said}`);
  }
  const status = outcome.status === null ? `ended by ${outcome.signal}` : `exit status ${outcome.status}`;
  throw new Failure(`nft does not accept the script (${status}):\n${said}`);
}
