/** Reading files. */

import { closeSync, fstatSync, openSync, readSync, statSync, type Stats } from "node:fs";
import { Failure } from "../failure.js";
import { systemReason } from "./system-error.js";

/** What a shell makes of `<(command)`, other names of what the caller has opened, and the file that is always empty. */
const opened = /^\/(?:dev\/(?:null|stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/** Bytes of a file that are read unless told otherwise: far more than any ruleset has. */
export const usualMaxInput = 256 * 1024 * 1024;

/** The whole file, of at most `limit` bytes; regular files alone, and what the caller itself has opened. Throws a Failure. */
export function readBytes(path: string, limit: number, folderHelp = ""): Uint8Array {
  return orFailure(path, () => {
    // Asked before it is opened: a FIFO would keep the program waiting, and opening a device may do something.
    requireRegular(path, statSync(path), folderHelp);
    const descriptor = openSync(path, "r");
    try {
      const stats = fstatSync(descriptor);
      // Somebody may have exchanged it meanwhile.
      requireRegular(path, stats, folderHelp);
      return readAll(descriptor, stats.size, path, limit);
    } finally {
      closeSync(descriptor);
    }
  });
}

function requireRegular(path: string, stats: Stats, folderHelp: string): void {
  if (stats.isFile() || opened.test(path)) return;
  if (stats.isDirectory()) throw new Failure(`${JSON.stringify(path)} cannot be read: it is a directory${folderHelp}`);
  const kind = stats.isFIFO() ? "a pipe" : stats.isSocket() ? "a socket" : "a device";
  throw new Failure(
    `${JSON.stringify(path)} is not read: it is ${kind}; what is no file can be given as standard input only ("< ${path}")`,
  );
}

/** What is in the file up to its end, whatever size it says it has: files of /proc say 0. */
function readAll(descriptor: number, size: number, path: string, limit: number): Uint8Array {
  if (size > limit) throw tooLarge(JSON.stringify(path), limit);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    // One byte more than there should be, so that the end is found without another chunk.
    const chunk = Buffer.allocUnsafe(Math.max(1 << 16, size - length + 1));
    const count = readSync(descriptor, chunk, 0, chunk.length, null);
    if (count === 0) return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    length += count;
    if (length > limit) throw tooLarge(JSON.stringify(path), limit);
    chunks.push(chunk.subarray(0, count));
  }
}

/** Of an input with more bytes than are read; `what` is how it is called. */
export function tooLarge(what: string, limit: number): Failure {
  const megabytes = limit / (1024 * 1024);
  return new Failure(`${what} is larger than ${megabytes} MB; --max-input reads more`);
}

/** The whole file as text, of at most `limit` bytes. Throws a Failure. */
export function readText(path: string, limit: number): string {
  return decode(readBytes(path, limit)).text;
}

/** The result of an attempt to read something of this path, or a Failure that says why it cannot be read. */
export function orFailure<Result>(path: string, attempt: () => Result): Result {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`${JSON.stringify(path)} cannot be read: ${systemReason(error)}`, { cause: error });
  }
}

/**
 * Decodes UTF-8, without its byte order mark. Bytes that are no UTF-8 have no declared encoding (comments come from any
 * editor): ISO 8859-1 gives every byte a character of its own, so that nothing is lost.
 */
export function decode(bytes: Uint8Array): { text: string; encoding: "utf8" | "latin1" } {
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), encoding: "utf8" };
  } catch {
    return { text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1"), encoding: "latin1" };
  }
}
