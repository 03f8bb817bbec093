/** Named pipes, one for each list, that take what /proc/net/xt_recent/LIST took. */

import { closeSync, constants, lstatSync, mkdirSync, openSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { Failure } from "../../../failure.js";
import { visible } from "../../../report/visible.js";
import { runProgram } from "../../../run-program.js";
import { Interrupted, withInterruption } from "../../interruption.js";
import { requirePrivateFolder } from "../../private-folder.js";
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

/** Milliseconds at the end for what has been written before. */
const leavePeriod = 5000;

/** Bytes of a command: none is as long. */
const longestCommand = 256;

export async function keepPipes(
  settings: ListsSettings,
  action: Extract<ListsAction, { readonly kind: "pipes" }>,
  surroundings: Surroundings,
): Promise<ExitStatus> {
  const say = async (severity: "note" | "warning", message: string): Promise<void> =>
    tell(messageText({ severity, message }), surroundings);
  const complaints = new Complaints((message) => say("warning", message));
  const folder = preparedFolder(action.directory);
  const pipes = new Map<string, Pipe>();
  let work: Promise<void> = Promise.resolve();
  let endBy = Infinity;
  const take =
    (list: string) =>
    (text: string): Promise<void> => {
      // One after the other, and of each pipe one at a time: who writes much to one does not keep the others waiting.
      work = work
        .then(() => {
          if (performance.now() > endBy)
            throw new Failure(`${JSON.stringify(text)} came when this was being stopped, and is not carried out`);
          return writeCommands(settings, list, [text]);
        })
        .catch(async (error: unknown) => complaints.take(`${visible(list)}: ${reasonOf(error)}`));
      return work;
    };
  const adjust = async (): Promise<void> => {
    const { lists } = await withLists(settings);
    const names = lists.map(({ name }) => name).filter(isFileName);
    for (const [name, pipe] of pipes) {
      if (names.includes(name)) continue;
      pipes.delete(name);
      await pipe.close();
    }
    for (const name of names) {
      if (!pipes.has(name)) pipes.set(name, await openPipe(join(folder, name), action, take(name)));
    }
  };
  try {
    return await withInterruption(async (signal) => {
      await adjust();
      const names = [...pipes.keys()].map(visible).join(", ");
      await say("note", `${pipes.size === 1 ? "a pipe" : `${pipes.size} pipes`} in ${action.directory}: ${names}`);
      for (;;) {
        await sleep(rescan, undefined, { signal }).catch(() => undefined);
        signal.throwIfAborted();
        await complaints.endPeriod();
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
    endBy = performance.now() + leavePeriod;
    await Promise.all([...pipes.values()].map((pipe) => pipe.close()));
    await complaints.endPeriod();
  }
}

/** Told between two looks for lists: who may write to a pipe may not fill a log. */
const mostComplaints = 20;

class Complaints {
  private count = 0;

  constructor(private readonly say: (message: string) => Promise<void>) {}

  async take(message: string): Promise<void> {
    this.count += 1;
    if (this.count <= mostComplaints) await this.say(message);
  }

  async endPeriod(): Promise<void> {
    const more = this.count - mostComplaints;
    this.count = 0;
    if (more > 0) await this.say(`${more} more lines were not understood, or not carried out`);
  }
}

/** The kernel refuses lists of other names. */
const isFileName = (name: string): boolean => !/[/\0]/.test(name) && name !== "." && name !== "..";

/** Throws a Failure for a folder in which others could exchange the pipes. */
function preparedFolder(path: string): string {
  const folder = requirePrivateFolder(path);
  orFailure(path, () => mkdirSync(folder, { recursive: true, mode: 0o755 }));
  return requirePrivateFolder(folder);
}

interface Pipe {
  /** Takes what has come, and the pipe away. */
  readonly close: () => Promise<void>;
}

async function openPipe(
  path: string,
  { mode, owner, group }: { readonly mode: number; readonly owner: string | undefined; readonly group: string | undefined },
  heard: (line: string) => Promise<void>,
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
  const lines = new Lines();
  let work: Promise<void> = Promise.resolve();
  const hear = (some: readonly string[]): void => {
    for (const line of some) work = work.then(() => heard(line));
  };
  let timer: NodeJS.Timeout | undefined;
  socket.on("data", (piece: Buffer) => {
    clearTimeout(timer);
    hear(lines.take(piece.toString("latin1")));
    // What comes meanwhile waits in the pipe, and then the writer does.
    socket.pause();
    void work.then(() => {
      if (lines.isOpen) timer = setTimeout(() => hear(lines.end()), patience);
      socket.resume();
    });
  });
  socket.on("error", () => undefined);
  return {
    close: async () => {
      clearTimeout(timer);
      socket.destroy();
      try {
        closeSync(descriptor);
      } catch {
        // The socket has closed it.
      }
      const now = lstatSync(path, { throwIfNoEntry: false });
      if (now?.ino === made.ino && now.dev === made.dev) unlinkSync(path);
      hear(lines.end());
      await work;
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

  /** The lines that are whole; of a long one its beginning, which is no command. */
  take(piece: string): string[] {
    const lines = (this.rest + piece).split("\n");
    this.rest = lines.pop()!.slice(0, longestCommand);
    return lines.flatMap(told);
  }

  /** Whether a line lacks its end. */
  get isOpen(): boolean {
    return this.rest !== "";
  }

  /** What has come of it. */
  end(): string[] {
    const { rest } = this;
    this.rest = "";
    return told(rest);
  }
}

const told = (line: string): string[] => (line.trim() === "" ? [] : [line.slice(0, longestCommand)]);
