/** Finding the dumps that patterns mean. */

import { lstatSync, readdirSync, realpathSync, statSync, type Dirent } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { Failure } from "../../../failure.js";
import { systemReason } from "../../system-error.js";
import { nameMatches, parsePattern, type PathPattern } from "./pattern.js";

/** Files and folders that are looked at. */
const mostEntries = 1_000_000;

export interface Found {
  /** Paths, in the order of their names. */
  readonly files: readonly string[];
  /** The folder that all of them are in, and that paths of scripts are like those from there on. */
  readonly base: string;
  /** What could not be looked at, or is not there. */
  readonly errors: readonly string[];
  /** Folders behind links, which are not looked into. */
  readonly links: number;
}

/** Finds the files; none in the folder `without`, unless a pattern begins there. Throws a Failure where there are far too many. */
export function findFiles(texts: readonly string[], without: string): Found {
  const patterns = texts.map(parsePattern);
  const files = new Set<string>();
  const errors: string[] = [];
  const links = new Set<string>();
  const skipped = realOf(without);
  let count = 0;

  /** `at` are the numbers of the names of the pattern that may come next. */
  const walk = (folder: string, pattern: PathPattern, at: ReadonlySet<number>): void => {
    const { base, names } = pattern;
    // Scripts may stand beside the dumps.
    if (folder !== base && realOf(folder) === skipped) return;
    let entries: Dirent[];
    try {
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      errors.push(`the folder ${JSON.stringify(folder)} cannot be read: ${systemReason(error)}`);
      return;
    }
    count += entries.length;
    if (count > mostEntries) throw new Failure(`the patterns lead to more than ${mostEntries} files; name fewer folders`);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const next = nextNames(entry.name, names, at);
      const isFolder = entry.isDirectory();
      const isLink = entry.isSymbolicLink();
      if (withDeep(new Set(next), names).has(names.length) && !isFolder && !(isLink && isFolderBehind(path))) files.add(path);
      const deeper = new Set([...next].filter((index) => index < names.length));
      if (deeper.size === 0) continue;
      if (isFolder) walk(path, pattern, withDeep(deeper, names));
      else if (isLink && isFolderBehind(path)) links.add(path);
    }
  };

  for (const pattern of patterns) {
    const before = files.size + errors.length;
    if (!pattern.names.some((name) => /[*?]/.test(name))) {
      // Named in full: what is wrong with it is told when it is read.
      files.add(pattern.text);
      continue;
    }
    walk(pattern.base, pattern, withDeep(new Set([0]), pattern.names));
    if (files.size + errors.length === before && !hasMatch(pattern, files)) errors.push(`no file is like ${JSON.stringify(pattern.text)}`);
  }
  const bases = patterns.map(({ base }) => resolve(base));
  return { files: [...files].sort(), base: commonFolder(bases), errors, links: links.size };
}

/** Whether an earlier pattern has found what this one means: then it adds nothing, and is not without a match. */
function hasMatch({ base, names }: PathPattern, files: ReadonlySet<string>): boolean {
  return [...files].some((file) => {
    const path = relative(base, file).split(sep);
    if (path[0] === "..") return false;
    let at: ReadonlySet<number> = withDeep(new Set([0]), names);
    for (const name of path) at = withDeep(nextNames(name, names, at), names);
    return at.has(names.length);
  });
}

/** The names that may come behind this one. */
function nextNames(name: string, names: readonly string[], at: ReadonlySet<number>): Set<number> {
  const next = new Set<number>();
  for (const index of at) {
    const wanted = names[index];
    if (wanted === undefined) continue;
    if (wanted === "**") {
      if (!name.startsWith(".") && name !== "node_modules") next.add(index);
    } else if (nameMatches(name, wanted)) next.add(index + 1);
  }
  return next;
}

/** `**` may also stand for no folder at all. */
function withDeep(at: Set<number>, names: readonly string[]): Set<number> {
  for (const index of at) if (names[index] === "**") at.add(index + 1);
  return at;
}

function isFolderBehind(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function realOf(folder: string): string {
  return lstatSync(folder, { throwIfNoEntry: false }) ? realpathSync(folder) : resolve(folder);
}

function commonFolder(folders: readonly string[]): string {
  const [first = "/", ...others] = folders;
  let names = first.split("/");
  for (const other of others) {
    const theirs = other.split("/");
    const differs = names.findIndex((name, index) => name !== theirs[index]);
    if (differs >= 0) names = names.slice(0, differs);
  }
  return names.join("/") || "/";
}
