/**
 * Old versions of files, from git, which is only a store of objects here.
 *
 * A change under review brings files, and git believes some that it finds: a folder that looks like a bare repository beside a dump, the
 * configuration in it, its objects. So the repository is the one around this process's own folder, told to git by its path;
 * git finds none itself, reads no configuration but that of this repository, fetches nothing, follows no replacement of objects,
 * and is asked only what needs no filter, hook or other program: `rev-parse`, `merge-base`, `ls-tree` and `cat-file`.
 */

import { existsSync, lstatSync, realpathSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Failure } from "../../../failure.js";
import { runProgram } from "../../../run-program.js";
import type { Source } from "../../../translate.js";
import { decode } from "../../read-file.js";

export interface OldVersion {
  /** Of each file that was there. */
  readonly sources: readonly Source[];
  /** The commit they are of, in short. */
  readonly commit: string;
}

/** Seconds that git has for an answer. */
const patience = 60;

/** Bytes of a file, or of a list of a folder. */
const largestAnswer = 256 * 1024 * 1024;

/** Links that are followed on the way to one file, as Linux does (MAXSYMLINKS). */
const mostLinks = 40;

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

  /** Throws a Failure for a file that is named in the work tree and is a link out of it. */
  refuseLinkOut(file: string): void {
    const named = resolve(file);
    if (this.namedPath(named) !== undefined) this.refuseEscape(file, named);
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
   * The files as they were where the present commit and `ref` part: what a pull request into `ref` changes. Throws a Failure
   * where git knows no such commit, or has not the history (a shallow clone) or the objects (a partial one).
   */
  async oldVersion(ref: string, files: readonly string[]): Promise<OldVersion> {
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
      const bytes = await this.bytes(
        ["cat-file", "blob", blob],
        `git cannot read ${JSON.stringify(path)} of ${base}; a partial clone needs all of its objects: git fetch --refetch --no-filter`,
      );
      sources.push({ file, text: decode(bytes).text });
    }
    return { commit: base.slice(0, 12), sources };
  }

  /** The object of a path in a tree, with the links of that tree followed; undefined where there is no such file. */
  private async find(tree: string, path: string, file: string): Promise<string | undefined> {
    /** The folders on the way, the tree itself first. */
    let folders = [{ name: "", object: tree }];
    let rest = path.split("/");
    let links = 0;
    while (rest.length > 0) {
      const [name, ...more] = rest;
      rest = more;
      if (name === "" || name === ".") continue;
      if (name === "..") {
        if (folders.length === 1) throw new Failure(`${JSON.stringify(file)} was a link out of the repository`);
        folders = folders.slice(0, -1);
        continue;
      }
      const entry = (await this.entries(folders.at(-1)!.object)).get(name!);
      if (entry?.type === "link") {
        links += 1;
        if (links > mostLinks) throw new Failure(`${JSON.stringify(file)} was a link that leads to itself`);
        const target = (await this.bytes(["cat-file", "blob", entry.object], "git cannot read a link")).toString("utf8");
        if (target.startsWith("/"))
          throw new Failure(`${JSON.stringify(file)} was a link out of the repository, to ${JSON.stringify(target)}`);
        rest = [...target.split("/"), ...rest];
      } else if (entry?.type === "submodule") {
        throw new Failure(`${JSON.stringify(file)} was in a submodule, whose files are not in this repository`);
      } else if (entry?.type === "folder") {
        folders = [...folders, { name: name!, object: entry.object }];
      } else return rest.length === 0 ? entry?.object : undefined;
    }
    return undefined;
  }

  private async entries(tree: string): Promise<ReadonlyMap<string, { readonly type: EntryType; readonly object: string }>> {
    const listed = await this.bytes(
      ["ls-tree", "-z", tree],
      `git cannot read the folder ${tree}; a partial clone needs all of its objects`,
    );
    return new Map(
      listed
        .toString("utf8")
        .split("\0")
        .flatMap((line) => {
          const [, mode = "", object = "", name = ""] = /^(\d+) \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
          return line === "" ? [] : [[name, { type: entryTypes[mode] ?? ("file" as const), object }] as const];
        }),
    );
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
    const within = relative(this.top, real);
    if (!isInside(within) || within.split(sep).some((part) => part.toLowerCase() === ".git"))
      throw new Failure(`${JSON.stringify(file)} is a link out of the work tree, to ${JSON.stringify(real)}: it is not read`);
    if (real !== realPath(named)) throw new Failure(`${JSON.stringify(file)} goes back over a link with "..": name the file without`);
    if (!lstatSync(real).isFile()) throw new Failure(`${JSON.stringify(file)} is no file`);
  }

  private async line(words: readonly string[], complaint: string): Promise<string> {
    return (await this.bytes(words, complaint)).toString("utf8").trim();
  }

  private bytes(words: readonly string[], complaint: string): Promise<Buffer> {
    return ask(
      [`--git-dir=${this.folder}`, `--work-tree=${this.top}`, "--no-pager", ...settings.flatMap((setting) => ["-c", setting]), ...words],
      closed,
      complaint,
      this.top,
    );
  }
}

type EntryType = "file" | "folder" | "link" | "submodule";
const entryTypes: Readonly<Record<string, EntryType>> = { "040000": "folder", "120000": "link", "160000": "submodule" };

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
): Promise<Buffer> {
  const answer = await runProgram({
    program: "git",
    arguments: words,
    environment,
    directory,
    seconds: patience,
    mostOutput: largestAnswer,
  });
  if (answer.kind === "missing") throw new Failure("--base-ref needs the program git, which is not installed here");
  if (answer.kind === "ended" && answer.status === 0) return answer.stdout;
  const said = answer.kind === "stopped" ? `git: ${answer.reason}` : answer.stderr.toString("utf8").trim();
  throw new Failure(said === "" ? complaint : `${complaint}\n${said}`);
}
