/**
 * The one place that starts programs (a rule of eslint.config.js keeps it so).
 *
 * A program gets its arguments as a list and never a shell's line of ours, an environment of a few variables, and a limit of time and
 * of output. It leads a process group of its own, which is killed when it ends, when a limit is passed and when this process
 * ends. On Linux the kernel itself kills the program if this process is killed (prctl PR_SET_PDEATHSIG, by `setpriv` of util-linux);
 * what a program starts in turn does not have that, and must be in a process namespace that ends with it (`src/verify/namespace.ts`).
 */

import { spawn, spawnSync, type ChildProcess, type StdioOptions } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

export interface ProgramRequest {
  /** The name, looked for in the folders of `PATH`. */
  readonly program: string;
  readonly arguments: readonly string[];
  /** Variables beside those of `closedEnvironment`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** In place of this process's own `PATH`. */
  readonly searchPath?: string | undefined;
  /** Where it runs; this process's own folder unless told. */
  readonly directory?: string;
  /**
   * It notices by itself that this process has ended (by a pipe that closes), and has then something to clear away: nothing kills it in
   * that moment.
   */
  readonly endsItself?: boolean;
}

export interface LimitedRequest extends ProgramRequest {
  /** What it reads from standard input; nothing unless told. */
  readonly input?: string | Uint8Array;
  /** Seconds after which it is killed. */
  readonly seconds: number;
  /** Bytes of standard output and standard error together after which it is killed. */
  readonly mostOutput: number;
  /** Aborted, it kills the program at once. */
  readonly signal?: AbortSignal | undefined;
  /** Open files that it gets as its own, numbered from 3 on; none unless told. */
  readonly inherited?: readonly number[];
}

/** Bytes of what a program prints that still fit into one text, in any encoding. */
export const longestText = 500 * 1024 * 1024;

/** What became of a program. */
export type ProgramOutcome =
  | {
      readonly kind: "ended";
      /** Null where a signal ended it. */
      readonly status: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly stdout: Buffer;
      readonly stderr: Buffer;
    }
  /** No folder of `PATH` holds it. */
  | { readonly kind: "missing" }
  /** It did not start, or passed a limit and was killed; what it printed until then. */
  | { readonly kind: "stopped"; readonly reason: string; readonly stdout: Buffer; readonly stderr: Buffer };

/** A program that runs. */
export interface RunningProgram {
  readonly child: ChildProcess;
  /** Kills it and its process group. */
  readonly end: () => void;
}

/** Where programs of the administrator are that not everybody's `PATH` names. */
const moreFolders = process.platform === "win32" ? [] : ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Without these, programs of Windows do not start. */
const windowsVariables = ["SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP"];

/**
 * All that a program learns of this process's environment: where programs are, and no language but C's.
 * Folders of `PATH` that depend on where the process stands, such as `.`, are left out: there may be a stranger's files.
 */
export function closedEnvironment(searchPath = process.env["PATH"] ?? ""): Record<string, string> {
  const folders = [...searchPath.split(delimiter), ...moreFolders].filter((folder) => isAbsolute(folder));
  const kept = process.platform === "win32" ? windowsVariables : [];
  return {
    ...Object.fromEntries(kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]))),
    PATH: [...new Set(folders)].join(delimiter),
    LC_ALL: "C",
  };
}

/** The path of a program; undefined where none of the folders holds it. */
export function findProgram(name: string, searchPath?: string): string | undefined {
  const endings = process.platform === "win32" ? [".exe", ".com"] : [""];
  return closedEnvironment(searchPath)
    ["PATH"]!.split(delimiter)
    .flatMap((folder) => endings.map((ending) => join(folder, name + ending)))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

let deathSignal: readonly string[] | undefined;

/** The words in front of a command that let the kernel kill it with this process; none where that cannot be had. */
function diesWithUs(): readonly string[] {
  if (deathSignal) return deathSignal;
  const setpriv = process.platform === "linux" ? findProgram("setpriv") : undefined;
  const words = setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL"];
  // That of busybox does not know the option.
  const [program, ...rest] = [...words, process.execPath];
  const able = setpriv !== undefined && spawnSync(program, [...rest.slice(0, -1), setpriv, "--version"], trial).status === 0;
  return (deathSignal = able ? words : []);
}

const trial = { stdio: "ignore", timeout: 10_000, env: closedEnvironment() } as const;

/** The command as `spawn` takes it; undefined where the program is missing. */
function commandOf({ program, arguments: words, environment = {}, searchPath, directory, endsItself = false }: ProgramRequest) {
  const path = findProgram(program, searchPath);
  if (path === undefined) return undefined;
  const [first, ...rest] = [...(endsItself ? [] : diesWithUs()), path, ...words];
  return {
    path: first!,
    words: rest,
    options: {
      env: { ...closedEnvironment(searchPath), ...environment },
      ...(directory !== undefined && { cwd: directory }),
      windowsHide: true,
      shell: false,
    },
  };
}

/**
 * Starts a program that the caller feeds and listens to; undefined where it is missing. The caller sets the limits, and calls `end`.
 * @param stdio as `spawn` takes it
 */
export function startProgram(request: ProgramRequest, stdio: StdioOptions): RunningProgram | undefined {
  const command = commandOf(request);
  if (!command) return undefined;
  const child = spawn(command.path, command.words, { ...command.options, stdio, detached: process.platform !== "win32" });
  const end = (): void => killGroup(child);
  if (request.endsItself !== true) remember(child);
  child.on("error", () => forget(child));
  child.on("exit", () => {
    // Whatever it has left behind.
    end();
    forget(child);
  });
  return { child, end };
}

/**
 * Starts a program in a session of its own that outlives this process, with nothing to read and nobody to listen. False where it is
 * missing; broken with an Error where it does not start.
 */
export async function startDetached(request: ProgramRequest): Promise<boolean> {
  const command = commandOf({ ...request, endsItself: true });
  if (!command) return false;
  const child = spawn(command.path, command.words, { ...command.options, stdio: "ignore", detached: true });
  await new Promise<void>((resolve, reject) => {
    child.on("spawn", resolve);
    child.on("error", reject);
  });
  child.unref();
  return true;
}

/** Runs a program to its end, or to a limit. The promise is broken with the signal's reason only. */
export async function runProgram(request: LimitedRequest): Promise<ProgramOutcome> {
  const { input = "", seconds, mostOutput, signal, inherited = [] } = request;
  signal?.throwIfAborted();
  const started = startProgram(request, ["pipe", "pipe", "pipe", ...inherited]);
  if (!started) return { kind: "missing" };
  const { child, end } = started;
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const outcome = await new Promise<ProgramOutcome>((resolve) => {
    let length = 0;
    const printed = () => ({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) });
    const stop = (reason: string): void => {
      end();
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
      resolve({ kind: "stopped", reason, ...printed() });
    };
    const take = (pieces: Buffer[]) => (piece: Buffer) => {
      length += piece.length;
      if (length > mostOutput) stop(`it printed more than ${mostOutput} bytes and was ended`);
      else pieces.push(piece);
    };
    const timer = setTimeout(() => stop(tookTooLong(seconds)), seconds * 1000);
    const abort = (): void => stop("it was interrupted");
    signal?.addEventListener("abort", abort, { once: true });
    child.stdout?.on("data", take(stdout));
    child.stderr?.on("data", take(stderr));
    // A program may end before it has read all; its status tells.
    child.stdin?.on("error", () => undefined).end(input);
    child.on("error", (error) => stop(error.message));
    child.on("close", (status, by) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve({ kind: "ended", status, signal: by, ...printed() });
    });
  });
  signal?.throwIfAborted();
  return outcome;
}

/** The same while this process waits. For programs that start no others: only the program itself is killed at a limit. */
export function runProgramSync({ input = "", seconds, mostOutput, ...request }: Omit<LimitedRequest, "signal">): ProgramOutcome {
  const command = commandOf(request);
  if (!command) return { kind: "missing" };
  const { error, status, signal, stdout, stderr } = spawnSync(command.path, command.words, {
    ...command.options,
    input,
    timeout: seconds * 1000,
    killSignal: "SIGKILL",
    maxBuffer: mostOutput,
  });
  // Null where it did not start.
  const printed = { stdout: (stdout as Buffer | null) ?? Buffer.alloc(0), stderr: (stderr as Buffer | null) ?? Buffer.alloc(0) };
  if (!error) return { kind: "ended", status, signal, ...printed };
  const code = (error as NodeJS.ErrnoException).code;
  const reason =
    code === "ETIMEDOUT"
      ? tookTooLong(seconds)
      : code === "ENOBUFS"
        ? `it printed more than ${mostOutput} bytes and was ended`
        : error.message;
  return { kind: "stopped", reason, ...printed };
}

const tookTooLong = (seconds: number): string => `it took longer than ${seconds} s and was ended`;

// ------------------------------------------------------------------------------------- ends with this process

const running = new Set<ChildProcess>();
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

function endAll(): void {
  for (const child of running) killGroup(child);
}

/** Where nobody else listens, the signal does what it does without a listener. Asked before the others, which may stop to listen. */
function endByOf(name: NodeJS.Signals): () => void {
  return () => {
    if (process.listenerCount(name) > 1) return;
    endAll();
    process.off(name, listenerOf(name));
    process.kill(process.pid, name);
  };
}

const listenerOf = (name: NodeJS.Signals): (() => void) => listeners.find(([one]) => one === name)![1];

const listeners = signals.map((name) => [name, endByOf(name)] as const);

function remember(child: ChildProcess): void {
  running.add(child);
  if (running.size > 1) return;
  process.on("exit", endAll);
  for (const [name, listener] of listeners) process.prependListener(name, listener);
}

function forget(child: ChildProcess): void {
  if (!running.delete(child) || running.size > 0) return;
  process.off("exit", endAll);
  for (const [name, listener] of listeners) process.off(name, listener);
}
