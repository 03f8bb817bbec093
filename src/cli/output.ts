/** Writing files. */

import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { Failure } from "../failure.js";
import { codeOf, systemReason } from "./system-error.js";

/** All at once, or piece by piece. */
type Content = string | Uint8Array | Iterable<string | Uint8Array>;

/**
 * Writes the content so that the file holds either what it held before or all of the content, whenever the machine stops.
 * A symbolic link stays one, also where it leads to a file that is not there yet; permissions stay; devices and pipes are written to
 * directly. A signal that would end this process does so when the file is written. Throws a Failure.
 * @param within the folder that links must not lead out of
 */
export async function writeFileAtomically(name: string, content: Content, within?: string): Promise<void> {
  await withSignalsPutOff(() => {
    try {
      const path = targetOf(name);
      if (within !== undefined) refuseOutside(path, within);
      const existing = statOf(path);
      if (existing && !existing.isFile()) writeToDevice(path, content);
      else replace(path, content, existing);
    } catch (error) {
      const reason = error instanceof Failure ? error.message : systemReason(error);
      throw new Failure(`${JSON.stringify(name)} cannot be written: ${reason}`);
    }
  });
}

/** Throws a Failure for what would be written over although it is read, or written twice. The files need not exist; `-` is none. */
export function refuseOverwriting(outputs: readonly (string | undefined)[], inputs: readonly (string | undefined)[]): void {
  const read = new Set(inputs.flatMap(identityOf));
  const written = new Set<string>();
  for (const output of outputs) {
    for (const identity of identityOf(output)) {
      if (read.has(identity)) throw new Failure(`${JSON.stringify(output)} is read, and would be written over: give another file`);
      if (written.has(identity)) throw new Failure(`${JSON.stringify(output)} would be written twice: give each a file of its own`);
      written.add(identity);
    }
  }
}

/** Throws a Failure for a path, or the folder that it would be made in, that is not below the folder once links are followed. */
export function refuseOutside(path: string, folder: string): void {
  let existing = resolve(path);
  while (statOf(existing) === undefined && dirname(existing) !== existing) existing = dirname(existing);
  const below = relative(realpathSync(folder), realpathSync(existing));
  if (below === ".." || below.startsWith(`..${sep}`) || resolve(below) === below)
    throw new Failure(`a link leads out of the folder ${JSON.stringify(folder)}, to ${JSON.stringify(realpathSync(existing))}`);
}

/** Nothing for what is no regular file and no path of one: several may write to a terminal. */
function identityOf(name: string | undefined): string[] {
  if (name === undefined || name === "-") return [];
  try {
    const path = targetOf(name);
    const status = statOf(path);
    return status === undefined ? [resolve(path)] : status.isFile() ? [`${status.dev}:${status.ino}`] : [];
  } catch {
    // What is wrong with the path is told where it is opened.
    return [];
  }
}

/** As many as Linux follows (MAXSYMLINKS). */
const mostLinks = 40;

/** The path behind all links, whether or not there is a file: where a file of this name is written. Throws a Failure for too many. */
export function targetOf(name: string): string {
  let path = name;
  for (let count = 0; count <= mostLinks; count += 1) {
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path;
    // Such as /dev/stdout, whose links name pipes that no path leads to.
    if (statOf(path)?.isFile() === false) return path;
    path = resolve(realpathSync(dirname(path)), readlinkSync(path));
  }
  throw new Failure("too many links");
}

function statOf(name: string): Stats | undefined {
  try {
    return statSync(name);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function writeToDevice(path: string, content: Content): void {
  const descriptor = openSync(path, "w");
  try {
    writePieces(descriptor, content);
  } finally {
    closeSync(descriptor);
  }
}

function writePieces(descriptor: number, content: Content): void {
  const pieces = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
  for (const piece of pieces) writeFileSync(descriptor, piece);
}

function replace(path: string, content: Content, existing: Stats | undefined): void {
  // In the same directory, since a rename is atomic only within one file system.
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${process.pid}.tmp`);
  const descriptor = openSync(temporary, "wx");
  try {
    try {
      if (existing) fchmodSync(descriptor, existing.mode & 0o7777);
      writePieces(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Lets a signal end this process only when the work is done, and the temporary file gone. */
async function withSignalsPutOff(work: () => void): Promise<void> {
  const came = new Set<NodeJS.Signals>();
  const note = (name: NodeJS.Signals): void => void came.add(name);
  for (const name of signals) process.on(name, note);
  try {
    work();
    // What came meanwhile is delivered by the event loop.
    for (let turn = 0; turn < 2; turn += 1) await new Promise((next) => setImmediate(next));
  } finally {
    for (const name of signals) process.off(name, note);
    for (const name of came) if (process.listenerCount(name) === 0) process.kill(process.pid, name);
  }
}
