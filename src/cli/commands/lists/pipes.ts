/** Named pipes, one for each list, that take what /proc/net/xt_recent/LIST took. */

import { closeSync, constants, lstatSync, mkdirSync, openSync, statSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Failure } from "../../../failure.js";
import { runProgram } from "../../../run-program.js";
import { Interrupted, withInterruption } from "../../interruption.js";
import { orFailure } from "../../read-file.js";
import type { ExitStatus, Surroundings } from "../../surroundings.js";
import { messageText, reasonOf, tell } from "../../telling.js";
import { writeCommands } from "./edit.js";
import { withLists } from "./kernel.js";
import type { ListsAction, ListsSettings } from "./options.js";

/** Milliseconds after which lists are looked for that have come or gone. */
const rescan = 5000;

/** Milliseconds for which a line may lack its end: `printf` writes none. */
const patience = 50;

/** Bytes of a command: none is as long. */
const longestCommand = 256;

export async function keepPipes(
  settings: ListsSettings,
  action: Extract<ListsAction, { readonly kind: "pipes" }>,
  surroundings: Surroundings,
): Promise<ExitStatus> {
  const say = async (severity: "note" | "warning", message: string): Promise<void> =>
    tell(messageText({ severity, message }), surroundings);
  prepareFolder(action.directory);
  const pipes = new Map<string, Pipe>();
  let work: Promise<void> = Promise.resolve();
  const take = (list: string) => (text: string) => {
    // One after the other, in the order in which they came.
    work = work
      .then(() => writeCommands(settings, list, [text]))
      .catch(async (error: unknown) => say("warning", `${list}: ${reasonOf(error)}`));
  };
  const adjust = async (): Promise<void> => {
    const { lists } = await withLists(settings);
    const names = lists.map(({ name }) => name).filter(isFileName);
    for (const [name, pipe] of pipes) {
      if (names.includes(name)) continue;
      pipe.close();
      pipes.delete(name);
    }
    for (const name of names) {
      if (!pipes.has(name)) pipes.set(name, await openPipe(join(action.directory, name), action, take(name)));
    }
  };
  try {
    return await withInterruption(async (signal) => {
      await adjust();
      await say("note", `${pipes.size === 1 ? "a pipe" : `${pipes.size} pipes`} in ${action.directory}: ${[...pipes.keys()].join(", ")}`);
      for (;;) {
        await sleep(rescan, undefined, { signal }).catch(() => undefined);
        signal.throwIfAborted();
        // The firewall may be away for a moment, while another is loaded.
        await adjust().catch(async (error: unknown) => {
          if (!(error instanceof Failure)) throw error;
          await say("warning", error.message);
        });
      }
    });
  } catch (error) {
    // The only way to end it.
    if (!(error instanceof Interrupted)) throw error;
    return 0;
  } finally {
    await work;
    for (const pipe of pipes.values()) pipe.close();
  }
}

/** The kernel refuses lists of other names. */
const isFileName = (name: string): boolean => !/[/\0]/.test(name) && name !== "." && name !== "..";

/** Throws a Failure for a folder in which others could exchange the pipes. */
function prepareFolder(path: string): void {
  orFailure(path, () => {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    const { mode, uid } = statSync(path);
    if ((mode & 0o022) !== 0 || (uid !== process.getuid?.() && uid !== 0))
      throw new Failure(`others may write to the folder ${JSON.stringify(path)}`);
  });
}

interface Pipe {
  readonly close: () => void;
}

async function openPipe(
  path: string,
  { mode, owner, group }: { readonly mode: number; readonly owner: string | undefined; readonly group: string | undefined },
  heard: (line: string) => void,
): Promise<Pipe> {
  const existing = lstatSync(path, { throwIfNoEntry: false });
  if (existing && !existing.isFIFO()) throw new Failure(`${JSON.stringify(path)} is there, and is no pipe`);
  // Of a run that was killed.
  if (existing) unlinkSync(path);
  // For nobody until it is whose it is to be.
  await program("mkfifo", ["-m", "0000", "--", path]);
  if (owner !== undefined || group !== undefined)
    await program("chown", ["--", `${owner ?? ""}${group === undefined ? "" : `:${group}`}`, path]);
  await program("chmod", [mode.toString(8).padStart(4, "0"), "--", path]);
  const made = lstatSync(path);
  // Also to be written, so that no writer's end is the end.
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const socket = new Socket({ fd: descriptor, readable: true, writable: false });
  const lines = new Lines(heard);
  socket.on("data", (piece: Buffer) => lines.take(piece.toString("latin1")));
  socket.on("error", () => undefined);
  return {
    close: () => {
      lines.end();
      socket.destroy();
      try {
        closeSync(descriptor);
      } catch {
        // The socket has closed it.
      }
      const now = lstatSync(path, { throwIfNoEntry: false });
      if (now?.ino === made.ino && now.dev === made.dev) unlinkSync(path);
    },
  };
}

async function program(name: string, words: readonly string[]): Promise<void> {
  const outcome = await runProgram({ program: name, arguments: words, seconds: 20, mostOutput: 65_536 });
  if (outcome.kind === "missing") throw new Failure(`${name} is not installed`);
  if (outcome.kind === "stopped") throw new Failure(`${name}: ${outcome.reason}`);
  if (outcome.status !== 0) throw new Failure(outcome.stderr.toString("utf8").trim());
}

/** Cuts what is written into lines; the last may lack its end. */
export class Lines {
  private rest = "";
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly heard: (line: string) => void) {}

  take(piece: string): void {
    clearTimeout(this.timer);
    const lines = (this.rest + piece).split("\n");
    this.rest = lines.pop()!.slice(0, longestCommand);
    for (const line of lines) this.tell(line);
    if (this.rest !== "") this.timer = setTimeout(() => this.end(), patience);
  }

  end(): void {
    clearTimeout(this.timer);
    this.tell(this.rest);
    this.rest = "";
  }

  private tell(line: string): void {
    if (line.trim() !== "") this.heard(line.slice(0, longestCommand));
  }
}
