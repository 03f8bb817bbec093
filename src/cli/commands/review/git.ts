/** Old versions of files, from git. */

import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { Failure } from "../../../failure.js";
import type { Source } from "../../../translate.js";
import { decode } from "../../read-file.js";
import { codeOf, systemReason } from "../../system-error.js";

export interface OldVersion {
  /** Of each file that was there. */
  readonly sources: readonly Source[];
  /** The commit they are of, in short. */
  readonly commit: string;
}

/**
 * The files as they were where the present commit and `ref` part: what a pull request into `ref` changes. Throws a Failure
 * where git is missing, knows no such commit, or has not the history (a shallow clone).
 */
export function oldVersion(ref: string, files: readonly string[]): OldVersion {
  const [first] = files;
  // The folder itself may be gone with its file.
  let folder = realFolder(first!);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const top = git(folder, ["rev-parse", "--show-toplevel"], `${JSON.stringify(first)} is in no git repository`).trim();
  const wanted = git(
    top,
    ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`],
    `git knows no commit ${JSON.stringify(ref)} here; a workflow has to fetch it: git fetch origin ` +
      `${JSON.stringify(ref.replace(/^origin\//, ""))}`,
  ).trim();
  const base = git(
    top,
    ["merge-base", wanted, "HEAD"],
    `git finds no commit that ${JSON.stringify(ref)} and the present one have in common; a shallow clone needs its history: ` +
      "git fetch --unshallow",
  ).trim();
  return {
    commit: base.slice(0, 12),
    sources: files.flatMap((file): Source[] => {
      // Links within the repository are followed, as reading the file does.
      const path = relative(top, resolve(realFolder(file), basename(file)));
      if (path.startsWith("..")) throw new Failure(`${JSON.stringify(file)} is outside of the repository ${JSON.stringify(top)}`);
      const listed = git(top, ["ls-tree", "-z", "--full-tree", base, "--", path], `git cannot read commit ${base}`);
      if (listed === "") return [];
      return [
        {
          file,
          text: decode(
            gitBytes(
              top,
              ["cat-file", "blob", `${base}:${path.replaceAll("\\", "/")}`],
              `git cannot read ${JSON.stringify(path)} of ${base}`,
            ),
          ).text,
        },
      ];
    }),
  };
}

/** Whether two files are in one repository. */
export function isBeside(file: string, other: string): boolean {
  const top = (one: string): string | undefined => {
    try {
      return git(realFolder(one), ["rev-parse", "--show-toplevel"], "no repository").trim();
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  };
  const repository = top(other);
  return repository !== undefined && top(file) === repository;
}

/** The folder of a file that may be deleted, and its folder with it. */
function realFolder(file: string): string {
  const missing: string[] = [];
  let folder = dirname(resolve(file));
  while (!existsSync(folder) && dirname(folder) !== folder) {
    missing.unshift(basename(folder));
    folder = dirname(folder);
  }
  return resolve(realpathSync(folder), ...missing);
}

function git(folder: string, words: readonly string[], complaint: string): string {
  return gitBytes(folder, words, complaint).toString("utf8");
}

function gitBytes(folder: string, words: readonly string[], complaint: string): Buffer {
  if (!existsSync(folder)) throw new Failure(`${JSON.stringify(folder)} cannot be read: no such directory`);
  const { error, status, stdout, stderr } = spawnSync("git", ["-C", folder, ...words], {
    maxBuffer: 1 << 30,
    env: { ...process.env, LC_ALL: "C", GIT_LITERAL_PATHSPECS: "1" },
  });
  if (error)
    throw new Failure(
      codeOf(error) === "ENOENT"
        ? "--base-ref needs the program git, which is not installed here"
        : `git cannot be run: ${systemReason(error)}`,
    );
  if (status === 0) return stdout;
  const said = stderr.toString("utf8").trim();
  throw new Failure(said === "" ? complaint : `${complaint}\n${said}`);
}
