/** The files of a corpus: finding, reading and writing them. */

import { existsSync, readdirSync, realpathSync, rmSync, statSync, type Dirent } from "node:fs";
import { basename, join } from "node:path";
import type { CaseFiles } from "../../../corpus/layout.js";
import type { CaseTexts, Made } from "../../../corpus/run-case.js";
import { Failure } from "../../../failure.js";
import type { Source } from "../../../translate.js";
import { systemReason } from "../../system-error.js";
import { readText } from "../../read-file.js";
import { refuseOutside, writeFileAtomically } from "../../output.js";

/** All files below the folder, as paths from it on with `/`; without hidden folders and `node_modules`. Throws a Failure. */
export function listFiles(directory: string): string[] {
  const found: string[] = [];
  /** `within` are the folders on the way here by their real paths: a link back to one of them would go round for ever. */
  const list = (below: string, within: readonly string[]): void => {
    const { entries, real } = contentsOf(join(directory, below));
    if (within.includes(real)) return;
    for (const entry of entries) {
      const path = below + entry.name;
      const target = entry.isSymbolicLink() ? statSync(join(directory, path), { throwIfNoEntry: false }) : entry;
      if (target?.isFile()) found.push(path);
      else if (target?.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules") list(`${path}/`, [...within, real]);
    }
  };
  list("", []);
  return found;
}

function contentsOf(directory: string): { readonly entries: readonly Dirent[]; readonly real: string } {
  try {
    return { entries: readdirSync(directory, { withFileTypes: true }), real: realpathSync(directory) };
  } catch (error) {
    throw new Failure(`the folder ${JSON.stringify(directory)} cannot be read: ${systemReason(error)}`);
  }
}

/**
 * Reads all files of a case, each of at most `maxInput` bytes. Throws a Failure, also for links out of the folder: what they lead to is
 * nobody's to show.
 */
export function readCase(directory: string, files: CaseFiles, maxInput: number): CaseTexts {
  const { sources, ipsets, geoip, options, script, diagnostics } = files;
  const read = (path: string): string => {
    refuse("read", directory, path);
    return readText(join(directory, path), maxInput);
  };
  const source = (path: string): Source => ({ file: basename(path), text: read(path) });
  const ifThere = (path: string): string | undefined => (existsSync(join(directory, path)) ? read(path) : undefined);
  const expected = { script: ifThere(script), diagnostics: ifThere(diagnostics) };
  return {
    sources: sources.map(source),
    ...(ipsets !== undefined && { ipsets: source(ipsets) }),
    ...(geoip !== undefined && { geoip: { file: geoip, text: read(geoip) } }),
    ...(options !== undefined && { options: { file: options, text: read(options) } }),
    ...(expected.script !== undefined && { script: expected.script }),
    ...(expected.diagnostics !== undefined && { diagnostics: expected.diagnostics }),
  };
}

/** Makes what is expected what is made; returns the files that had to be written or removed. Throws a Failure. */
export async function writeExpected(directory: string, files: CaseFiles, expected: CaseTexts, made: Made): Promise<string[]> {
  const written: string[] = [];
  for (const [path, before, after] of [
    [files.script, expected.script, made.script],
    [files.diagnostics, expected.diagnostics, made.diagnostics],
  ] as const) {
    if (before === after) continue;
    if (after === undefined) {
      refuse("removed", directory, path);
      remove(join(directory, path));
    } else await writeFileAtomically(join(directory, path), after, directory);
    written.push(path);
  }
  return written;
}

function refuse(what: string, directory: string, path: string): void {
  try {
    refuseOutside(join(directory, path), directory);
  } catch (error) {
    if (error instanceof Failure) throw new Failure(`${JSON.stringify(join(directory, path))} cannot be ${what}: ${error.message}`);
    throw error;
  }
}

function remove(path: string): void {
  try {
    rmSync(path);
  } catch (error) {
    throw new Failure(`${JSON.stringify(path)} cannot be removed: ${systemReason(error)}`, { cause: error });
  }
}
