/**
 * Shell scripts in network namespaces of their own, which vanish with this process.
 *
 * The script runs under a process that is number 1 of its process namespace and that watches a pipe from here: when this
 * process ends in whatever way, the pipe closes, that process leaves, and the kernel kills everything it has started and
 * with it the namespaces. /run is an empty file system of its own, so that `ip netns` names stay private.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Writable } from "node:stream";

import { runProgramSync, startProgram } from "../run-program.js";

export interface ShellResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Why everything was killed before its end, where it was: a limit was passed. */
  readonly stopped?: string;
}

const supervisor = `
exec 3<&0
mount -t tmpfs tmpfs /run || exit
bash --norc "$1" <&4 3<&- & work=$!
exec 4<&-
{ cat <&3 >/dev/null; kill -KILL "$work"; } 2>/dev/null &
wait "$work"
status=$?
# At the pipe's end nobody is left to read the files, or to remove them; read fails with more than 128 if it is still open.
if [ $status -ne 0 ]; then
  read -r -t 0.2 <&3
  [ $? -gt 128 ] || rm -rf "$(dirname "$1")"
fi
exit $status`;

const ownNamespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child"];

/**
 * The arguments of `unshare`: plainly where we are root, else with a user namespace. There nft may not enlarge its socket's
 * buffer (SO_SNDBUFFORCE is refused, and net.core.wmem_default is 208 KiB), and a script of some hundred rules fails with
 * "Message too long".
 */
export function unshareArguments(): readonly string[] | undefined {
  return (possible ??= [
    [ownNamespaces, ["--user", "--map-root-user", ...ownNamespaces]].find((candidate) => {
      const outcome = runProgramSync({
        program: "unshare",
        arguments: [...candidate, "mount", "-t", "tmpfs", "tmpfs", "/run"],
        seconds: trialSeconds,
        mostOutput: 1 << 20,
      });
      return outcome.kind === "ended" && outcome.status === 0;
    }),
  ])[0];
}

let possible: [readonly string[] | undefined] | undefined;
const trialSeconds = 30;

/** What a script prints when it is ready for its input. */
export const readyLine = "ready-for-input";

export interface NamespaceOptions {
  readonly feed?: (stdin: Writable) => void;
  /** What the script gets on its standard input at once, in the place of `feed`. */
  readonly input?: string;
  /** Called with each piece of the script's standard output. */
  readonly heard?: (text: string) => void;
  /** Aborted, it ends everything in the namespace at once. */
  readonly signal?: AbortSignal;
}

/** Bytes that a script may print: the rulesets listed in it are files, or smaller. */
const mostOutput = 256 * 1024 * 1024;

/**
 * Runs a bash script in a fresh network namespace with nothing but loopback, at most `deadline` seconds long.
 * When the script has printed `readyLine`, `feed` gets its standard input; without `feed` and `input` that is empty.
 */
export function runInNamespace(
  scriptFile: string,
  deadline: number,
  { feed, input: given, heard, signal }: NamespaceOptions = {},
): Promise<ShellResult> {
  return new Promise((resolve, reject) => {
    const started = startProgram(
      {
        program: "unshare",
        arguments: [...(unshareArguments() ?? ownNamespaces), "bash", "--norc", "-c", supervisor, "bash", scriptFile],
        // The supervisor does, and removes the script.
        endsItself: true,
        // What a program needs a temporary file for is removed with the script.
        environment: { XTABLES_LOCKFILE: "/run/xtables.lock", TMPDIR: dirname(scriptFile) },
      },
      ["pipe", "pipe", "pipe", "ignore", "pipe"],
    );
    if (!started) {
      reject(new Error("the program unshare (util-linux) is not installed"));
      return;
    }
    const { child, end } = started;
    const input = child.stdio[4] as Writable;
    input.on("error", () => undefined);
    if (feed === undefined) input.end(given);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let length = 0;
    let stopped: string | undefined;
    const stop = (reason: string): void => {
      stopped ??= reason;
      end();
    };
    const take = (pieces: Buffer[], chunk: Buffer): void => {
      length += chunk.length;
      if (length > mostOutput) stop(`it printed more than ${mostOutput} bytes and was ended`);
      else pieces.push(chunk);
    };
    let fed = false;
    child.stdout?.on("data", (chunk: Buffer) => {
      heard?.(chunk.toString());
      take(stdout, chunk);
      if (fed || feed === undefined || !Buffer.concat(stdout).includes(readyLine)) return;
      fed = true;
      feed(input);
    });
    child.stderr?.on("data", (chunk: Buffer) => take(stderr, chunk));
    child.stdin?.on("error", () => undefined);
    const timer = setTimeout(() => stop(`stopped after ${deadline} s`), deadline * 1000);
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted) end();
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      const said = `${Buffer.concat(stderr).toString()}${stopped === undefined ? "" : `\n${stopped}\n`}`;
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: said, ...(stopped !== undefined && { stopped }) });
    });
  });
}

/** Writes the files into a directory that exists only while `use` runs. */
export async function withFiles<Result>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (directory: string) => Promise<Result>,
): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), "ipt2nft-recent-"));
  try {
    await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(directory, name), content)));
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
