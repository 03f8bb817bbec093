/**
 * The three standard streams by their descriptors: a plain call has written when it returns, so that nothing is lost however
 * the process ends. Node's stream objects take over where a descriptor is non-blocking.
 */

import { fstatSync, readSync, statSync, writeSync } from "node:fs";
import { Failure } from "../failure.js";
import { codeOf, systemReason } from "./system-error.js";

const chunkSize = 1 << 16;

/** Reads standard input to its end, or until there are more than `limit` bytes. */
export async function readStandardInput(limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    while (total <= limit) {
      const chunk = Buffer.allocUnsafe(chunkSize);
      const length = readSync(0, chunk, 0, chunkSize, null);
      if (length === 0) break;
      total += length;
      chunks.push(chunk.subarray(0, length));
    }
  } catch (error) {
    const code = codeOf(error);
    if (code === "EAGAIN") {
      // Somebody made the descriptor non-blocking: wait for the rest with the event loop.
      for await (const chunk of process.stdin) {
        chunks.push(chunk as Uint8Array);
        if ((total += (chunk as Uint8Array).byteLength) > limit) break;
      }
    } else if (code !== "EOF") {
      throw new Failure(`standard input cannot be read: ${systemReason(error)}`);
    }
  }
  return Buffer.concat(chunks);
}

/** Writes all of the text; a reader that has gone away is no error. */
export async function writeFully(descriptor: 1 | 2, text: string | Uint8Array): Promise<void> {
  let rest: Uint8Array = typeof text === "string" ? Buffer.from(text, "utf8") : text;
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(descriptor, rest));
  } catch (error) {
    if (codeOf(error) === "EAGAIN") return writeSlowly(descriptor, rest);
    const failure = failureOf(error, descriptor);
    if (failure) throw failure;
  }
}

/** Non-blocking descriptors: the event loop waits until the reader takes more. */
function writeSlowly(descriptor: 1 | 2, rest: Uint8Array): Promise<void> {
  const stream = descriptor === 1 ? process.stdout : process.stderr;
  return new Promise((resolve, reject) => {
    const finish = (error?: Error | null): void => {
      const failure = error ? failureOf(error, descriptor) : undefined;
      if (failure) reject(failure);
      else resolve();
    };
    stream.on("error", finish);
    stream.write(rest, finish);
  });
}

/** Undefined for a reader that has gone away. */
function failureOf(error: unknown, descriptor: 1 | 2): Failure | undefined {
  if (codeOf(error) === "EPIPE") return undefined;
  return new Failure(`standard ${descriptor === 1 ? "output" : "error"} cannot be written: ${systemReason(error)}`, { cause: error });
}

/** Whether the descriptor is a terminal. */
export async function isTerminal(descriptor: 0 | 1 | 2): Promise<boolean> {
  try {
    // Pipes, files and the null device need no further question, and node:tty is not loaded for them.
    const stats = fstatSync(descriptor);
    if (!stats.isCharacterDevice() || stats.rdev === statSync("/dev/null").rdev) return false;
  } catch {
    return false;
  }
  const { isatty } = await import("node:tty");
  return isatty(descriptor);
}

/** Columns of the terminal, undefined if it is none or does not tell. */
export async function terminalWidth(descriptor: 1 | 2): Promise<number | undefined> {
  if (!(await isTerminal(descriptor))) return undefined;
  const { columns } = descriptor === 1 ? process.stdout : process.stderr;
  return columns > 0 ? columns : undefined;
}
