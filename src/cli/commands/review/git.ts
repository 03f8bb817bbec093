/**
 * Old versions of files, from git, which is only a store of objects here.
 *
 * A change under review brings files, and git believes some that it finds: a folder that looks like a bare repository beside a dump, the
 * configuration in it, its objects. So the repository is the one around this process's own folder, told to git by its path;
 * git finds none itself, reads no configuration but that of this repository, fetches nothing, follows no replacement of objects,
 * and is asked only what needs no filter, hook or other program: `rev-parse`, `merge-base`, `ls-tree` and `cat-file`.
 */

import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Failure } from "../../../failure.js";
import { runProgram } from "../../../run-program.js";
import type { Source } from "../../../translate.js";
import { targetOf } from "../../output.js";
import { decode, tooLarge } from "../../read-file.js";

export interface OldVersion {
  /** Of each file that was there. */
  readonly sources: readonly Source[];
  /** The commit they are of, in short. */
  readonly commit: string;
}

/** Seconds that git has for an answer. */
const patience = 60;

/** Bytes of an answer that is no file's content: names of objects, entries of a folder, complaints. */
const largestAnswer = 1024 * 1024;

/** Links that are followed on the way to one file, and bytes of where one leads, as Linux has them (MAXSYMLINKS, PATH_MAX). */
const mostLinks = 40;
const longestLink = 4096;

/** Entries of folders that git is asked for on the way to one file: no path is that deep. */
const mostEntries = 200;

/** Folders in each other that are read as one: the tables of countries for machines of one kind lie in a folder of their own. */
const deepestFolder = 2;

/** Bytes that git may take at once, whatever file is asked for: commits, folders, and what it keeps of the repository. */
const leastMemory = 64 * 1024 * 1024;

/** Settings of the repository that name programs, and others by which it would be found otherwise. git 2.38 and newer know all. */
const settings = [
  "core.fsmonitor=false",
  "core.hooksPath=/dev/null",
  "core.pager=cat",
  "core.sshCommand=false",
  "core.askPass=false",
  "core.alternateRefsCommand=false",
  "core.attributesFile=/dev/null",
  "credential.helper=",
  "protocol.allow=never",
  "safe.bareRepository=explicit",
  "submodule.recurse=false",
];

/** No configuration but the repository's, nothing from elsewhere, objects as they are stored. */
const closed: Readonly<Record<string, string>> = {
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  // Known from git 2.45 on; before, the protocol that is allowed stops a fetch.
  GIT_NO_LAZY_FETCH: "1",
  GIT_ALLOW_PROTOCOL: "none",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_GRAFT_FILE: "/dev/null",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_TERMINAL_PROMPT: "0",
  GIT_LITERAL_PATHSPECS: "1",
  GIT_ADVICE: "0",
};

/** What says whose repositories git may trust; only the question of trust is asked with it. */
const trustVariables = /^(?:HOME|XDG_CONFIG_HOME|USERPROFILE|HOMEDRIVE|HOMEPATH|SUDO_UID|GIT_CONFIG_.*)$/;

/** The repository around the folder that this process stands in. */
export class Repository {
  private constructor(
    /** Its work tree, by its real path. */
    readonly top: string,
    private readonly folder: string,
  ) {}

  /** Throws a Failure where there is none, where git is missing, or where git does not trust it (another user's). */
  static async ofThisProcess(): Promise<Repository> {
    const here = realpathSync(process.cwd());
    let top = here;
    while (!existsSync(join(top, ".git"))) {
      if (dirname(top) === top)
        throw new Failure(
          `--base-ref compares with the repository that the command runs in, and ${JSON.stringify(here)} is in no git repository`,
        );
      top = dirname(top);
    }
    // Whether it belongs to this user, or is one of those that safe.directory names, git says.
    const folder = (
      await ask(
        ["-c", "safe.bareRepository=explicit", "-c", "core.fsmonitor=false", "rev-parse", "--absolute-git-dir"],
        {
          ...Object.fromEntries(Object.entries(process.env).filter(([name]) => trustVariables.test(name))),
          GIT_CEILING_DIRECTORIES: dirname(top),
        },
        `git takes ${JSON.stringify(top)} for no repository`,
        top,
      )
    )
      .toString("utf8")
      .trimEnd();
    // A `.git` that is none: git would look at the folder itself.
    if (realpathSync(folder) === top) throw new Failure(`git takes ${JSON.stringify(top)} for a bare repository`);
    return new Repository(top, folder);
  }

  /**
   * The path in the work tree by which a file is named, with `/`, whether or not there is such a file. Links on the way to the work tree
   * are followed, links in it are not: a change may have made them. Throws a Failure for what is in another repository, or in none.
   */
  pathOf(file: string): string {
    const named = resolve(file);
    const path = this.namedPath(named);
    if (path === undefined)
      throw new Failure(
        `${JSON.stringify(file)} is outside of the repository ${JSON.stringify(this.top)}, in which this command runs: --base-ref ` +
          "compares files of that; run the command in the repository of the file",
      );
    const parts = path.split("/");
    if (path === "" || parts.some((part) => part.toLowerCase() === ".git"))
      throw new Failure(`${JSON.stringify(file)} is not a file under version control`);
    for (const [index] of parts.entries()) {
      const folder = join(this.top, ...parts.slice(0, index));
      if (index > 0 && existsSync(join(folder, ".git")))
        throw new Failure(
          `${JSON.stringify(file)} is in a repository of its own, ${JSON.stringify(folder)} (a submodule?): run the command there`,
        );
    }
    this.refuseEscape(file, named);
    return path;
  }

  /** Throws a Failure for a file, or a folder of files, that is named in the work tree and is a link out of it. */
  refuseLinkOut(file: string): void {
    const named = resolve(file);
    if (this.namedPath(named) === undefined) return;
    const real = realPath(file);
    if (real === undefined || !lstatSync(real).isDirectory()) this.refuseEscape(file, named);
    else this.refuseLinksIn(file, real, deepestFolder);
  }

  private refuseLinksIn(folder: string, real: string, depth: number): void {
    this.refuseOutside(folder, real, "read");
    for (const name of depth === 0 ? [] : readdirSync(real)) {
      const path = join(folder, name);
      const target = realPath(path);
      if (target !== undefined) this.refuseLinksIn(path, target, lstatSync(target).isDirectory() ? depth - 1 : 0);
    }
  }

  /** Throws a Failure for a file to write that is named in the work tree and lies elsewhere, or is one of git's own. */
  refuseOutputOut(file: string): void {
    if (this.namedPath(resolve(file)) === undefined) return;
    // A link to a device is written to as it stands.
    const target = realPath(file) ?? resolve(targetOf(file));
    let folder = dirname(target);
    while (!existsSync(folder)) folder = dirname(folder);
    this.refuseOutside(file, join(realpathSync(folder), relative(folder, target)), "written");
  }

  /** Whether a file is in the work tree. */
  holds(file: string): boolean {
    try {
      this.pathOf(file);
      return true;
    } catch (error) {
      if (error instanceof Failure) return false;
      throw error;
    }
  }

  /**
   * The files as they were where the present commit and `ref` part: what a pull request into `ref` changes; each of at most `limit`
   * bytes. Throws a Failure where git knows no such commit, or has not the history (a shallow clone) or the objects (a partial one).
   */
  async oldVersion(ref: string, files: readonly string[], limit: number): Promise<OldVersion> {
    const paths = files.map((file) => ({ file, path: this.pathOf(file) }));
    const wanted = await this.line(
      ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`],
      `git knows no commit ${JSON.stringify(ref)} here; a workflow has to fetch it: git fetch origin ` +
        `${JSON.stringify(ref.replace(/^origin\//, ""))}`,
    );
    const base = await this.line(
      ["merge-base", wanted, "HEAD"],
      `git finds no commit that ${JSON.stringify(ref)} and the present one have in common; a shallow clone needs its history: ` +
        "git fetch --unshallow",
    );
    const tree = await this.line(["rev-parse", "--verify", "--quiet", "--end-of-options", `${base}^{tree}`], `git cannot read ${base}`);
    const sources: Source[] = [];
    for (const { file, path } of paths) {
      const blob = await this.find(tree, path, file);
      if (blob === undefined) continue;
      sources.push({ file, text: decode(await this.content(blob, `${JSON.stringify(path)} of ${base}`, limit)).text });
    }
    return { commit: base.slice(0, 12), sources };
  }

  /** What a file holds, of at most `limit` bytes: its size is asked for first. `what` is how it is called. Throws a Failure. */
  private async content(blob: string, what: string, limit: number): Promise<Buffer> {
    const complaint = `git cannot read ${what}; a partial clone needs all of its objects: git fetch --refetch --no-filter`;
    const size = Number(await this.line(["cat-file", "-s", blob], complaint));
    if (!(size <= limit)) throw tooLarge(what, limit);
    const bytes = await this.bytes(["cat-file", "blob", blob], complaint, size);
    // git compares what it reads of a file with nothing.
    const algorithm = blob.length === 64 ? "sha256" : "sha1";
    const hash = createHash(algorithm).update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
    if (hash !== blob) throw new Failure(`${what} is damaged: git keeps something else by its name, ${blob}`);
    return bytes;
  }

  /** The object of a path in a tree, with the links of that tree followed; undefined where there is no such file. */
  private async find(tree: string, path: string, file: string): Promise<string | undefined> {
    /** The folders on the way, the tree itself first. */
    let folders = [tree];
    let rest = path.split("/");
    let links = 0;
    const known = new Map<string, Entry | undefined>();
    while (rest.length > 0) {
      const [name, ...more] = rest;
      rest = more;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (folders.length === 1) throw new Failure(`${JSON.stringify(file)} was a link out of the repository`);
        folders = folders.slice(0, -1);
        continue;
      }
      const key = `${folders.at(-1)!}/${name!}`;
      if (!known.has(key)) {
        if (known.size === mostEntries) throw new Failure(`${JSON.stringify(file)} was a link that leads too far`);
        known.set(key, await this.entry(folders.at(-1)!, name!));
      }
      const entry = known.get(key);
      if (entry?.type === "link") {
        links += 1;
        if (links > mostLinks) throw new Failure(`${JSON.stringify(file)} was a link that leads to itself`);
        const target = (await this.content(entry.object, `the link ${JSON.stringify(name)}`, longestLink)).toString("utf8");
        if (target.startsWith("/"))
          throw new Failure(`${JSON.stringify(file)} was a link out of the repository, to ${JSON.stringify(target)}`);
        if (target.includes("\0")) throw new Failure(`${JSON.stringify(file)} was a link to what is no name`);
        rest = [...target.split("/"), ...rest];
      } else if (entry?.type === "submodule") {
        throw new Failure(`${JSON.stringify(file)} was in a submodule, whose files are not in this repository`);
      } else if (entry?.type === "folder") {
        if (rest.length === 0) throw new Failure(`${JSON.stringify(file)} was a folder`);
        folders = [...folders, entry.object];
      } else return rest.length === 0 ? entry?.object : undefined;
    }
    return undefined;
  }

  /** What a folder holds by this name; undefined where there is no such thing. Throws a Failure. */
  private async entry(tree: string, name: string): Promise<Entry | undefined> {
    const listed = await this.bytes(
      ["ls-tree", "-z", tree, "--", name],
      `git cannot read the folder ${tree}; a partial clone needs all of its objects`,
    );
    const found = listed
      .toString("utf8")
      .split("\0")
      .flatMap((line) => {
        const [, mode = "", object = "", of] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
        // The bits that say what it is; the others are permissions.
        return of === name ? [{ type: entryTypes[Number.parseInt(mode, 8) & 0o170000] ?? ("file" as const), object }] : [];
      });
    if (found.length > 1) throw new Failure(`the folder ${tree} of git is damaged: it holds ${JSON.stringify(name)} twice`);
    return found[0];
  }

  /** The shortest beginning of the path that really is in the work tree is the owner's; what follows may be the change's. */
  private namedPath(named: string): string | undefined {
    const parts = named.split(sep);
    for (let length = 1; length <= parts.length; length += 1) {
      const beginning = parts.slice(0, length).join(sep) || sep;
      if (!existsSync(beginning)) return undefined;
      const within = relative(this.top, realpathSync(beginning));
      if (isInside(within)) return [...within.split(sep), ...parts.slice(length)].filter((part) => part !== "").join("/");
    }
    return undefined;
  }

  /** A link of the change could lead to a file that is nobody's to show, and `..` behind a link to another than is named. */
  private refuseEscape(file: string, named: string): void {
    const real = realPath(file);
    if (real === undefined) return;
    this.refuseOutside(file, real, "read");
    if (real !== realPath(named)) throw new Failure(`${JSON.stringify(file)} goes back over a link with "..": name the file without`);
    if (!lstatSync(real).isFile()) throw new Failure(`${JSON.stringify(file)} is no file`);
  }

  private refuseOutside(file: string, real: string, done: "read" | "written"): void {
    const within = relative(this.top, real);
    if (!isInside(within) || within.split(sep).some((part) => part.toLowerCase() === ".git"))
      throw new Failure(`${JSON.stringify(file)} is a link out of the work tree, to ${JSON.stringify(real)}: it is not ${done}`);
  }

  private async line(words: readonly string[], complaint: string): Promise<string> {
    return (await this.bytes(words, complaint)).toString("utf8").trim();
  }

  /** What git answers; `size` is how many bytes of content it was asked for. */
  private bytes(words: readonly string[], complaint: string, size = 0): Promise<Buffer> {
    return ask(
      [`--git-dir=${this.folder}`, `--work-tree=${this.top}`, "--no-pager", ...settings.flatMap((setting) => ["-c", setting]), ...words],
      // A small file may be kept as the difference from a huge one.
      { ...closed, GIT_ALLOC_LIMIT: String(leastMemory + size) },
      complaint,
      this.top,
      size,
    );
  }
}

interface Entry {
  readonly type: "file" | "folder" | "link" | "submodule";
  readonly object: string;
}

/** By the type of a file in its mode (inode(7)); git's own for submodules. */
const entryTypes: Readonly<Record<number, Entry["type"]>> = { 0o040000: "folder", 0o120000: "link", 0o160000: "submodule" };

const isInside = (path: string): boolean => path !== ".." && !path.startsWith(`..${sep}`) && resolve(path) !== path;

/** Undefined where there is no such file. */
function realPath(path: string): string | undefined {
  return existsSync(path) ? realpathSync(path) : undefined;
}

async function ask(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  complaint: string,
  directory: string,
  size = 0,
): Promise<Buffer> {
  const answer = await runProgram({
    program: "git",
    arguments: words,
    environment,
    directory,
    seconds: patience,
    mostOutput: largestAnswer + size,
  });
  if (answer.kind === "missing") throw new Failure("--base-ref needs the program git, which is not installed here");
  if (answer.kind === "ended" && answer.status === 0) return answer.stdout;
  const said = answer.kind === "stopped" ? `git: ${answer.reason}` : answer.stderr.toString("utf8").trim();
  throw new Failure(said === "" ? complaint : `${complaint}\n${said}`);
}
