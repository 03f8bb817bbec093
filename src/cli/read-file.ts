/** Reading files. */

import { readFileSync, statSync } from "node:fs";
import { Failure } from "../failure.js";
import { systemReason } from "./system-error.js";

/** What a shell makes of `<(command)`, other names of what the caller has opened, and the file that is always empty. */
const opened = /^\/(?:dev\/(?:null|stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/** The whole file. Throws a Failure, also for devices and pipes, which may never end, unless the caller itself has opened them. */
export function readBytes(path: string): Uint8Array {
  return orFailure(path, () => {
    if (!opened.test(path)) {
      const { isFile, what } = kindOf(path);
      if (!isFile) throw new Failure(`it is ${what}: give it as standard input`);
    }
    return readFileSync(path);
  });
}

function kindOf(path: string): { readonly isFile: boolean; readonly what: string } {
  const status = statSync(path);
  // Reading a folder fails by itself, with the usual words.
  if (status.isFile() || status.isDirectory()) return { isFile: true, what: "" };
  return { isFile: false, what: status.isFIFO() ? "a pipe" : status.isSocket() ? "a socket" : "a device" };
}

/** The whole file as text. Throws a Failure. */
export function readText(path: string): string {
  return decode(readBytes(path)).text;
}

/** The result of an attempt to read something of this path, or a Failure that says why it cannot be read. */
export function orFailure<Result>(path: string, attempt: () => Result): Result {
  try {
    return attempt();
  } catch (error) {
    const reason = error instanceof Failure ? error.message : systemReason(error);
    throw new Failure(`${JSON.stringify(path)} cannot be read: ${reason}`, { cause: error });
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
