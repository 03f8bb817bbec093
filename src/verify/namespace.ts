/**
 * Shell scripts in network namespaces of their own, which vanish with this process.
 *
 * The script runs under a process that is number 1 of its process namespace and that watches a pipe from here: when this
 * process ends in whatever way, the pipe closes, that process leaves, and the kernel kills everything it has started and
 * with it the namespaces. /run is an empty file system of its own, so that `ip netns` names stay private.
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";

export interface ShellResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const supervisor = `
exec 3<&0
mount -t tmpfs tmpfs /run || exit
bash "$1" <&4 3<&- & work=$!
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

/** This process's environment; sbin is not in everybody's path. */
export function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
}

const ownNamespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child"];

/**
 * The arguments of `unshare`: plainly where we are root, else with a user namespace. There nft may not enlarge its socket's
 * buffer (SO_SNDBUFFORCE is refused, and net.core.wmem_default is 208 KiB), and a script of some hundred rules fails with
 * "Message too long".
 */
export const unshareArguments: readonly string[] | undefined = [ownNamespaces, ["--user", "--map-root-user", ...ownNamespaces]].find(
  (candidate) => spawnSync("unshare", [...candidate, "mount", "-t", "tmpfs", "tmpfs", "/run"], { stdio: "ignore" }).status === 0,
);

/** What a script prints when it is ready for its input. */
export const readyLine = "ready-for-input";

export interface NamespaceOptions {
  readonly feed?: (stdin: Writable) => void;
  /** Called with each piece of the script's standard output. */
  readonly heard?: (text: string) => void;
  /** Aborted, it ends everything in the namespace at once. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a bash script in a fresh network namespace with nothing but loopback, at most `deadline` seconds long.
 * When the script has printed `readyLine`, `feed` gets its standard input; without `feed` that is empty.
 */
export function runInNamespace(scriptFile: string, deadline: number, { feed, heard, signal }: NamespaceOptions = {}): Promise<ShellResult> {
  return new Promise((resolve, reject) => {
    const child = spawn("unshare", [...(unshareArguments ?? ownNamespaces), "bash", "-c", supervisor, "bash", scriptFile], {
      env: { ...environment(), XTABLES_LOCKFILE: "/run/xtables.lock", LC_ALL: "C" },
      stdio: ["pipe", "pipe", "pipe", "ignore", "pipe"],
    });
    const input = child.stdio[4] as Writable;
    input.on("error", () => undefined);
    if (feed === undefined) input.end();
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let fed = false;
    child.stdout?.on("data", (chunk: Buffer) => {
      heard?.(chunk.toString());
      stdout.push(chunk);
      if (fed || feed === undefined || !Buffer.concat(stdout).includes(readyLine)) return;
      fed = true;
      feed(input);
    });
    child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin?.on("error", () => undefined);
    const timer = setTimeout(() => {
      stderr.push(Buffer.from(`\nstopped after ${deadline} s\n`));
      child.kill("SIGKILL");
    }, deadline * 1000);
    const abort = (): void => void child.kill("SIGKILL");
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
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
