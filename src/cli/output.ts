/** Writing the script to a file. */

import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "../failure.js";
import { codeOf, systemReason } from "./system-error.js";

/**
 * Writes the text so that the file holds either what it held before or all of the text, whenever the machine stops.
 * A symbolic link stays one, permissions stay; devices and pipes are written to directly. Throws a Failure.
 */
export async function writeFileAtomically(name: string, text: string): Promise<void> {
  try {
    const existing = statOf(name);
    if (existing && !existing.isFile()) writeFileSync(name, text);
    else replace(existing ? realpathSync(name) : name, text, existing);
  } catch (error) {
    throw new Failure(`${JSON.stringify(name)} cannot be written: ${systemReason(error)}`);
  }
}

function statOf(name: string): Stats | undefined {
  try {
    return statSync(name);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function replace(path: string, text: string, existing: Stats | undefined): void {
  // In the same directory, since a rename is atomic only within one file system.
  const temporary = join(dirname(path), `.${basename(path).slice(0, 200)}.${process.pid}.tmp`);
  const descriptor = openSync(temporary, "wx");
  try {
    try {
      if (existing) fchmodSync(descriptor, existing.mode & 0o7777);
      writeFileSync(descriptor, text);
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
