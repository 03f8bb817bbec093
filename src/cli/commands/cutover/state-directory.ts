/** The folder that remembers a change. What the files are is in src/cutover/README.md. */

import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Failure } from "../../../failure.js";
import { runProgram } from "../../../run-program.js";
import { requirePrivateFolder } from "../../private-folder.js";
import { decode } from "../../read-file.js";
import { codeOf, systemReason } from "../../system-error.js";

/** What is decided about a change: the name of a file, which is renamed. */
export const decisions = ["armed", "confirmed", "undoing", "undone"] as const;
export type Decision = (typeof decisions)[number];

/** Where a change happens: the machine since it was started, and the network namespace. */
export interface Place {
  readonly boot: string;
  readonly namespace: string;
  /** The namespace is that of the first process. */
  readonly initial: boolean;
}

export function placeHere(): Place {
  const namespace = readlinkSync("/proc/self/ns/net");
  return {
    boot: readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim(),
    namespace,
    initial: namespace === firstNamespace(),
  };
}

/** Undefined where this process may not look at the first one. */
function firstNamespace(): string | undefined {
  try {
    return readlinkSync("/proc/1/ns/net");
  } catch {
    return undefined;
  }
}

/** Seconds since the machine was started, with two digits behind the point. */
export function uptime(): number {
  return Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]);
}

/** When a process was started, in hundredths of a second since the machine was; undefined where there is none. */
export function startOf(pid: number | string): number | undefined {
  try {
    // The name may hold blanks and parentheses.
    const rest = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /s, "");
    return Number(rest.split(" ")[19]);
  } catch {
    return undefined;
  }
}

/** Width of the deadline, so that it can be written over in place where the disk is full. */
const deadlineWidth = 12;

export class StateDirectory {
  /** The change that waits or was the last. */
  readonly run: string;
  private readonly next: string;
  private readonly previous: string;
  private lockFile: number | undefined;

  constructor(readonly folder: string) {
    this.run = join(folder, "run");
    this.next = join(folder, "next");
    this.previous = join(folder, "previous");
  }

  /**
   * Throws a Failure where somebody else may write to the folder, or has: what it holds is carried out as root, and restored as the
   * firewall.
   */
  requireOwn(): void {
    requirePrivateFolder(this.folder);
    const requireOwnEntries = (folder: string): void => {
      for (const name of namesIn(folder)) {
        const path = join(folder, name);
        const status = lstatSync(path, { throwIfNoEntry: false });
        if (!status) continue;
        const isOwn = (status.uid === 0 || status.uid === process.getuid?.()) && (status.mode & 0o022) === 0;
        if (!isOwn || !(status.isFile() || status.isDirectory()))
          throw new Failure(`${JSON.stringify(path)} is nothing that cutover has made: give another --state-dir, or remove it`);
        if (status.isDirectory()) requireOwnEntries(path);
      }
    };
    this.doing(() => requireOwnEntries(this.folder));
  }

  /** Makes the folder. Throws a Failure. */
  make(): void {
    this.doing(() => mkdirSync(this.folder, { recursive: true, mode: 0o700 }));
  }

  /** For who holds the lock: puts back what a process that was killed in `begin` has left. */
  mend(): void {
    this.doing(() => {
      if (!existsSync(this.run) && existsSync(this.previous)) renameSync(this.previous, this.run);
    });
  }

  /**
   * Takes the lock; it is held until this process and every program that inherits it have ended, however they end.
   * False where somebody else holds it.
   */
  async lock(): Promise<boolean> {
    const file = this.doing(() => openSync(join(this.folder, "lock"), "a", 0o600));
    const outcome = await runProgram({ program: "flock", arguments: ["-n", "3"], seconds: 30, mostOutput: 10_000, inherited: [file] });
    if (outcome.kind === "missing") throw new Failure("the program flock (util-linux) is not installed");
    if (outcome.kind === "ended" && outcome.status === 0) {
      this.lockFile = file;
      return true;
    }
    closeSync(file);
    if (outcome.kind === "ended" && outcome.status === 1) return false;
    throw new Failure(`${JSON.stringify(join(this.folder, "lock"))} cannot be locked`);
  }

  unlock(): void {
    if (this.lockFile !== undefined) closeSync(this.lockFile);
    this.lockFile = undefined;
  }

  /** For programs that change the firewall. */
  get inherited(): readonly number[] {
    return this.lockFile === undefined ? [] : [this.lockFile];
  }

  decision(): Decision | undefined {
    return decisions.find((name) => existsSync(join(this.run, name)));
  }

  has(name: string): boolean {
    return existsSync(join(this.run, name));
  }

  /** Undefined where there is no such file. */
  read(name: string): string | undefined {
    return this.readDecoded(name)?.text;
  }

  /** The same, and how the text was written. */
  readDecoded(name: string): ReturnType<typeof decode> | undefined {
    try {
      return decode(readFileSync(join(this.run, name)));
    } catch (error) {
      if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
      throw new Failure(`${JSON.stringify(join(this.run, name))} cannot be read: ${systemReason(error)}`);
    }
  }

  place(): Place | undefined {
    const [boot, namespace, kind] = this.read("place")?.split("\n") ?? [];
    return boot === undefined || namespace === undefined ? undefined : { boot, namespace, initial: kind === "initial" };
  }

  /** Puts the folder of a new change in the place of the last one: whole, and on the disk. */
  begin(files: ReadonlyMap<string, string | Uint8Array>): void {
    this.doing(() => {
      rmSync(this.next, { recursive: true, force: true });
      mkdirSync(this.next, { mode: 0o700 });
      const folders = new Set<string>();
      for (const name of files.keys()) {
        const slash = name.indexOf("/");
        if (slash > 0) folders.add(name.slice(0, slash));
      }
      for (const name of folders) mkdirSync(join(this.next, name), { mode: 0o700 });
      for (const [name, text] of files) writeSynced(join(this.next, name), text);
      for (const name of folders) syncFolder(join(this.next, name));
      syncFolder(this.next);
      rmSync(this.previous, { recursive: true, force: true });
      if (existsSync(this.run)) renameSync(this.run, this.previous);
      renameSync(this.next, this.run);
      syncFolder(this.folder);
    });
  }

  write(name: string, text: string): void {
    this.doing(() => {
      writeSynced(join(this.run, name), text);
      syncFolder(this.run);
    });
  }

  /** The same for a file that may be there: it holds what it held, or the text. */
  replace(name: string, text: string): void {
    this.doing(() => {
      const next = join(this.run, `${name}.next`);
      writeSynced(next, text);
      renameSync(next, join(this.run, name));
      syncFolder(this.run);
    });
  }

  /** Puts a folder with these files in the place of one of its name: whole, and on the disk. */
  writeFolder(name: string, files: ReadonlyMap<string, string | Uint8Array>): void {
    this.doing(() => {
      const [folder, next] = [join(this.run, name), join(this.run, `${name}.next`)];
      rmSync(next, { recursive: true, force: true });
      mkdirSync(next, { mode: 0o700 });
      for (const [file, text] of files) writeSynced(join(next, file), text);
      syncFolder(next);
      rmSync(folder, { recursive: true, force: true });
      renameSync(next, folder);
      syncFolder(this.run);
    });
  }

  /** The texts of the files in a folder; none where there is no such folder. */
  readFolder(name: string): string[] {
    try {
      return readdirSync(join(this.run, name))
        .sort()
        .map((file) => decode(readFileSync(join(this.run, name, file))).text);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw new Failure(`${JSON.stringify(join(this.run, name))} cannot be read: ${systemReason(error)}`);
    }
  }

  /** A line more; where that cannot be, nothing. */
  append(name: string, line: string): void {
    try {
      const file = openSync(join(this.run, name), "a", 0o600);
      try {
        writeSync(file, `${line}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    } catch {
      // The journal tells people; nothing is decided by it.
    }
  }

  /** @param at in seconds since the machine was started */
  writeDeadline(at: number): void {
    this.doing(() => {
      const file = openSync(join(this.run, "deadline"), "r+");
      try {
        writeSync(file, deadlineText(at), 0);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    });
  }

  deadline(): number {
    return Number(this.read("deadline")?.trim());
  }

  /** Decides; false where somebody else has decided before. */
  decide(from: Decision, to: Decision): boolean {
    try {
      renameSync(join(this.run, from), join(this.run, to));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return false;
      throw new Failure(`${JSON.stringify(this.run)} cannot be written to: ${systemReason(error)}`);
    }
    this.doing(() => syncFolder(this.run));
    return true;
  }

  private doing<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw error instanceof Failure ? error : new Failure(`${JSON.stringify(this.folder)} cannot be written to: ${systemReason(error)}`);
    }
  }
}

export function deadlineText(at: number): string {
  return `${String(Math.ceil(at)).padEnd(deadlineWidth)}\n`;
}

/** Of a folder that may go meanwhile, as the way back takes away what a change needed. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function writeSynced(path: string, content: string | Uint8Array): void {
  const file = openSync(path, "w", 0o600);
  try {
    const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
