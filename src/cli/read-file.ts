/** Reading files. */

import { readFileSync } from "node:fs";
import { Failure } from "../failure.js";
import { systemReason } from "./system-error.js";

/** The whole file. Throws a Failure. */
export function readBytes(path: string): Uint8Array {
  return orFailure(path, () => readFileSync(path));
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
