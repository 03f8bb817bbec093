/** `--check`: what nft itself says about the script. */

import { Failure } from "../../../failure.js";
import { codeOf, systemReason } from "../../system-error.js";

/** Gives the script to `nft -c -f -`, which loads nothing. Throws a Failure if nft is missing or refuses it. */
export async function checkScript(script: string, environment: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { spawn } = await import("node:child_process");
  // nft is installed where only root's PATH looks.
  const path = [environment["PATH"], "/usr/local/sbin", "/usr/sbin", "/sbin"].filter(Boolean).join(":");
  const child = spawn("nft", ["-c", "-f", "-"], { env: { ...environment, PATH: path }, stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  // nft may refuse the script before it has read all of it; its status tells.
  child.stdin.on("error", () => undefined).end(script);
  const status = await new Promise<string | undefined>((resolve, reject) => {
    child.on("error", (error) => {
      reject(
        new Failure(
          codeOf(error) === "ENOENT"
            ? "--check needs the program nft, which is not installed here"
            : `--check cannot run nft: ${systemReason(error)}`,
        ),
      );
    });
    child.on("close", (code, signal) => {
      resolve(code === 0 ? undefined : code === null ? `ended by ${signal}` : `exit status ${code}`);
    });
  });
  if (status === undefined) return;
  if (said.includes("Operation not permitted")) {
    throw new Failure(`--check cannot ask nft, which needs root's rights even to check:\n${said.trimEnd()}`);
  }
  throw new Failure(`nft does not accept the script (${status}):\n${said.trimEnd()}`);
}
