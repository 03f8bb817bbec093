/** The files of a corpus: finding, reading and writing them. */

import { existsSync, readdirSync, realpathSync, rmSync, statSync, type Dirent, type Stats } from "node:fs";
import { basename, join } from "node:path";
import type { CaseFiles } from "../../../corpus/layout.js";
import type { CaseTexts, Made } from "../../../corpus/run-case.js";
import { Failure } from "../../../failure.js";
import type { Source } from "../../../translate.js";
import { systemReason } from "../../system-error.js";
import { readText } from "../../read-file.js";
import { refuseOutside, writeFileAtomically } from "../../output.js";

/** Files and folders that are listed: folders with links into each other have endless paths. */
const mostEntries = 200_000;

/**
 * All files below the folder, as paths from it on with `/`; without hidden folders and `node_modules`. Throws a Failure, also for a
 * link to a folder elsewhere, whose files are nobody's to name.
 */
export function listFiles(directory: string): string[] {
  const found: string[] = [];
  const root = realFolder(directory);
  /** By its real path: links may lead to a folder again and again. */
  const known = new Map<string, readonly Entry[]>();
  let count = 0;
  /** `within` are the folders on the way here by their real paths, the last this one: a link back to one would go round for ever. */
  const list = (below: string, within: readonly string[]): void => {
    const folder = within.at(-1)!;
    const entries = known.get(folder) ?? entriesOf(folder, directory, below);
    known.set(folder, entries);
    count += entries.length;
    if (count > mostEntries)
      throw new Failure(
        `the folder ${JSON.stringify(directory)} holds more than ${mostEntries} files; do folders in it link to each other?`,
      );
    for (const { name, real } of entries) {
      if (real === undefined) found.push(below + name);
      else if (!within.includes(real)) list(`${below}${name}/`, [...within, real]);
    }
  };
  list("", [root]);
  return found;
}

/** A file, or a folder by its real path. */
interface Entry {
  readonly name: string;
  readonly real?: string;
}

/** What is listed of a folder, which is at `below` in the corpus. */
function entriesOf(folder: string, directory: string, below: string): Entry[] {
  return contentsOf(folder).flatMap((entry): Entry[] => {
    const { name } = entry;
    const isLink = entry.isSymbolicLink();
    const target = isLink ? targetOf(join(folder, name)) : entry;
    if (target?.isFile()) return [{ name }];
    if (!target?.isDirectory() || name.startsWith(".") || name === "node_modules") return [];
    if (!isLink) return [{ name, real: join(folder, name) }];
    refuse("read", directory, below + name);
    return [{ name, real: realpathSync(join(folder, name)) }];
  });
}

/** Undefined where a link leads nowhere, or round and round, or to what this user may not see. */
function targetOf(link: string): Stats | undefined {
  try {
    return statSync(link);
  } catch {
    return undefined;
  }
}

function realFolder(directory: string): string {
  return orUnreadable(directory, () => realpathSync(directory));
}

function contentsOf(directory: string): readonly Dirent[] {
  return orUnreadable(directory, () => readdirSync(directory, { withFileTypes: true }));
}

function orUnreadable<Result>(directory: string, attempt: () => Result): Result {
  try {
    return attempt();
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
