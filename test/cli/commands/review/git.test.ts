/** What a change brings into a repository must not make `--base-ref` run anything, or compare with anything but the old version. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deflateSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ReviewReport } from "../../../../src/review/report.js";
import { dump } from "../../../review/dumps.js";
import { execute } from "../../execute.js";

const closed = dump("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "-A INPUT -j DROP");
const open = dump("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", "-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT", "-A INPUT -j DROP");
const telnet = "TCP to port 23 (Telnet) of this machine from anywhere";

const started = process.cwd();
const environment = { ...process.env };
/** Holds the repository, and what is outside of it. */
let folder: string;
let top: string;

/** As the repository of a pull request is: the dump is closed on `main`, and open in the work tree. */
const template = mkdtempSync(join(tmpdir(), "ipt2nft-git-"));
beforeAll(() => {
  top = template;
  git(top, "init", "--quiet");
  write("fw/rules.v4", closed);
  write("other/rules.v4", open);
  git(top, "add", ".");
  git(top, "commit", "--quiet", "--message", "base");
  git(top, "checkout", "--quiet", "-b", "change");
  write("fw/rules.v4", open);
});
afterAll(() => rmSync(template, { recursive: true }));

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "ipt2nft-git-")));
  top = join(folder, "repository");
  cpSync(template, top, { recursive: true });
  process.chdir(top);
});
afterEach(() => {
  process.chdir(started);
  process.env = { ...environment };
  rmSync(folder, { recursive: true });
});

function git(at: string, ...words: readonly string[]): string {
  const identity = ["user.name=Test", "user.email=test@example.com", "init.defaultBranch=main", "commit.gpgsign=false"];
  return execFileSync("git", ["-C", at, ...identity.flatMap((one) => ["-c", one]), ...words], { encoding: "utf8" }).trim();
}

function write(path: string, text: string): string {
  const at = join(top, path);
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, text);
  return at;
}

const review = (...words: readonly string[]) => execute(["review", "--no-simulate", "--format", "json", "--base-ref", "main", ...words]);

/** What the change opens. */
async function opened(...words: readonly string[]): Promise<readonly string[]> {
  const { output, error } = await review(...words);
  expect(error).toBe("");
  return (JSON.parse(output) as ReviewReport).opens.map(({ sentence }) => sentence);
}

async function refused(...words: readonly string[]): Promise<string> {
  const { status, output, error } = await review(...words);
  expect({ status, output }).toEqual({ status: 2, output: "" });
  return error;
}

const marker = (): string => join(folder, "ran");
/** A program that says that it ran. */
const spy = (): string => `sh -c 'touch ${marker()}'`;
const ran = (): boolean => existsSync(marker());

/** Makes `fw` look like a repository of its own, with what a change brings along. */
function intrude(config: string): string {
  const intruder = join(folder, "intruder");
  git(folder, "init", "--quiet", intruder);
  writeFileSync(join(intruder, "rules.v4"), open);
  git(intruder, "add", ".");
  git(intruder, "commit", "--quiet", "--message", "theirs");
  const commit = git(intruder, "rev-parse", "HEAD");
  for (const name of readdirSync(join(intruder, ".git")))
    if (name !== "config") renameSync(join(intruder, ".git", name), join(top, "fw", name));
  write("fw/config", config);
  return commit;
}

describe("a repository that a change brings", () => {
  it("runs no program as a remote that promises objects", async () => {
    intrude(
      `[core]\nrepositoryformatversion = 1\nbare = false\nworktree = .\n[extensions]\npartialClone = evil\n` +
        `[remote "evil"]\npromisor = true\nurl = ext::sh -c touch% ${marker()}\n[protocol "ext"]\nallow = always\n`,
    );
    write("fw/refs/heads/main", `${"1".repeat(40)}\n`);
    const { output } = await review("fw/rules.v4");
    expect(ran()).toBe(false);
    expect((JSON.parse(output) as ReviewReport).opens.map(({ sentence }) => sentence)).toEqual([telnet]);
  });

  it("is not where the old version comes from", async () => {
    intrude("[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n");
    expect(await opened("fw/rules.v4")).toEqual([telnet]);
  });

  it("lends no objects", async () => {
    const commit = intrude("[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n");
    write("fw/objects/info/alternates", `${join(top, ".git/objects")}\n`);
    expect(await refused("--base-ref", commit, "fw/rules.v4")).toContain("git knows no commit");
  });

  it("is not found from a folder in it", async () => {
    intrude("[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\n");
    process.chdir(join(top, "fw"));
    expect(await opened("rules.v4")).toEqual([telnet]);
  });

  it("is refused where it is a repository", async () => {
    git(top, "init", "--quiet", "fw");
    expect(await refused("fw/rules.v4")).toMatch(/is in a repository of its own, .*fw/);
  });

  it("is refused as a submodule of the old version", async () => {
    git(join(top, "fw"), "init", "--quiet", "inner");
    write("fw/inner/rules.v4", closed);
    git(join(top, "fw/inner"), "add", ".");
    git(join(top, "fw/inner"), "commit", "--quiet", "--message", "inner");
    git(top, "checkout", "--quiet", "-f", "main");
    git(top, "-c", "advice.addEmbeddedRepo=false", "add", "fw/inner");
    git(top, "commit", "--quiet", "--message", "submodule");
    git(top, "checkout", "--quiet", "-B", "change");
    rmSync(join(top, "fw/inner"), { recursive: true });
    write("fw/inner/rules.v4", open);
    expect(await refused("fw/inner/rules.v4")).toContain("was in a submodule");
  });
});

describe("what the repository itself holds", () => {
  it("runs nothing: hooks, filters, textconv, fsmonitor, aliases, pagers", async () => {
    for (const hook of ["post-checkout", "reference-transaction", "fsmonitor-watchman", "post-index-change"]) {
      const file = join(top, ".git/hooks", hook);
      writeFileSync(file, `#!/bin/sh\ntouch ${marker()}\n`);
      chmodSync(file, 0o755);
    }
    for (const [name, value] of [
      ["core.fsmonitor", spy()],
      ["core.pager", spy()],
      ["pager.cat-file", spy()],
      ["core.sshCommand", spy()],
      ["core.alternateRefsCommand", spy()],
      ["filter.spy.smudge", spy()],
      ["filter.spy.required", "true"],
      ["diff.spy.textconv", spy()],
      ["alias.cat-file", `!${spy()}`],
      ["alias.ls-tree", `!${spy()}`],
    ] as const)
      git(top, "config", name, value);
    rmSync(marker(), { force: true });
    write(".gitattributes", "*.v4 filter=spy diff=spy\n");
    expect(await opened("fw/rules.v4")).toEqual([telnet]);
    expect(ran()).toBe(false);
  });

  it("fetches no object that it lacks, and does not take the file for a new one", async () => {
    const blob = git(top, "rev-parse", "main:fw/rules.v4");
    for (const [name, value] of [
      ["core.repositoryformatversion", "1"],
      ["extensions.partialClone", "evil"],
      ["remote.evil.promisor", "true"],
      ["remote.evil.url", `ext::sh -c touch% ${marker()}`],
      ["protocol.ext.allow", "always"],
    ] as const)
      git(top, "config", name, value);
    rmSync(join(top, ".git/objects", blob.slice(0, 2), blob.slice(2)), { force: true });
    expect(await refused("fw/rules.v4")).toContain("a partial clone needs all of its objects");
    expect(ran()).toBe(false);
  });

  it("is read as it was stored: no replaced objects, no grafts", async () => {
    const old = git(top, "rev-parse", "main:fw/rules.v4");
    git(top, "replace", old, git(top, "rev-parse", "main:other/rules.v4"));
    write("later", "");
    git(top, "add", "later");
    git(top, "commit", "--quiet", "--message", "later");
    write(".git/info/grafts", `${git(top, "rev-parse", "HEAD")}\n`);
    expect(await opened("fw/rules.v4")).toEqual([telnet]);
  });
});

describe("objects", () => {
  /** Keeps an object as git does, by this name or by its own; returns the name. */
  function store(kind: string, content: string | Uint8Array, name?: string, size = content.length): string {
    const bytes = Buffer.concat([Buffer.from(`${kind} ${size}\0`), Buffer.from(content)]);
    const object = name ?? createHash("sha1").update(bytes).digest("hex");
    const file = write(`.git/objects/${object.slice(0, 2)}/${object.slice(2)}`, "");
    rmSync(file);
    writeFileSync(file, deflateSync(bytes));
    return object;
  }
  /** Makes `main` a commit of this tree, and the present commit one that follows it. */
  function commitTree(...entries: readonly (readonly [mode: string, name: string, object: string])[]): void {
    const tree = Buffer.concat(entries.flatMap(([mode, name, object]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(object, "hex")]));
    const person = "Test <test@example.com> 1700000000 +0000";
    const commit = store("commit", `tree ${store("tree", tree)}\nauthor ${person}\ncommitter ${person}\n\ntree\n`);
    git(top, "update-ref", "refs/heads/main", commit);
    git(top, "update-ref", "refs/heads/change", commit);
  }

  it("larger than what is read are refused by their size", async () => {
    git(top, "checkout", "--quiet", "-f", "main");
    write("fw/rules.v4", `${closed}# ${"x".repeat(2_000_000)}\n`);
    git(top, "commit", "--quiet", "--all", "--message", "large");
    git(top, "checkout", "--quiet", "-B", "change");
    write("fw/rules.v4", closed);
    expect(await refused("--max-input", "1", "fw/rules.v4")).toMatch(/"fw\/rules\.v4" of [0-9a-f]{40} is larger than 1 MB; --max-input/);
  });

  it("that say a size which they have not are refused without memory for it", async () => {
    commitTree(["100644", "rules.v4", store("blob", closed, undefined, 200_000_000)]);
    expect(await refused(write("rules.v4", open))).toMatch(/git cannot read|is damaged/);
    store("commit", "tree x", "1".repeat(40), 200_000_000);
    expect(await refused("--base-ref", "1".repeat(40), "rules.v4")).toContain("git knows no commit");
  });

  it("kept by the name of others are refused", async () => {
    const blob = git(top, "rev-parse", "main:fw/rules.v4");
    store("blob", open, blob);
    expect(await refused("fw/rules.v4")).toContain("is damaged");
  });

  it("of folders are read by the very name", async () => {
    const [first, second] = [store("blob", closed), store("blob", open)];
    commitTree(["100644", "*.v4", second], ["100644", "-x.v4", first], ["100664", "rules.v4", first], ["100644", "\u00a0.v4", second]);
    for (const name of ["rules.v4", "-x.v4"]) expect(await opened(write(name, open))).toEqual([telnet]);
    commitTree(["100644", "rules.v4", first], ["100644", "rules.v4", second]);
    expect(await refused("rules.v4")).toContain("twice");
    commitTree(["40000", "rules.v4", first]);
    expect(await refused("rules.v4")).toContain("was a folder");
    commitTree(["100644", "rules.v4", git(top, "rev-parse", "HEAD^{tree}")]);
    expect(await refused("rules.v4")).toContain("git cannot read");
  });

  it("of links lead no farther than paths do", async () => {
    commitTree(["120000", "rules.v4", store("blob", "x/".repeat(3_000))]);
    expect(await refused(write("rules.v4", open))).toContain("is larger than");
    commitTree(["120000", "rules.v4", store("blob", "x\0y")]);
    expect(await refused("rules.v4")).toContain("was a link to what is no name");
    let tree = store("tree", "");
    for (let depth = 0; depth < 300; depth++) tree = store("tree", Buffer.concat([Buffer.from("40000 x\0"), Buffer.from(tree, "hex")]));
    commitTree(["120000", "rules.v4", store("blob", "x/".repeat(300))], ["40000", "x", tree]);
    expect(await refused("rules.v4")).toContain("leads too far");
    commitTree(["120000", "rules.v4", store("blob", "x/../".repeat(800))], ["40000", "x", tree]);
    expect(await review("rules.v4")).toMatchObject({ status: expect.any(Number) as number });
  });
});

describe("links", () => {
  it("to a file outside of the work tree are not read", async () => {
    writeFileSync(join(folder, "secret"), "password");
    rmSync(join(top, "fw/rules.v4"));
    symlinkSync(join(folder, "secret"), join(top, "fw/rules.v4"));
    const said = await refused("fw/rules.v4");
    expect(said).toContain("is a link out of the work tree");
    expect(said).not.toContain("password");
  });

  it.each([["fw/rules.v4"], ["rules.nft"], ["baseline.json"], ["sets.ipset"]])("to git's own files are not read as %s", async (name) => {
    rmSync(join(top, name), { force: true });
    symlinkSync(join(top, ".git/config"), join(top, name));
    const words = { "rules.nft": ["--script", name], "baseline.json": ["--baseline", name], "sets.ipset": ["--ipset", name] }[name] ?? [];
    expect(await refused(...words, "fw/rules.v4")).toContain("is a link out of the work tree");
  });

  it.each([["--old-ipset"], ["--geoip"]])("are not followed for %s", async (option) => {
    writeFileSync(join(folder, "secret"), "password");
    symlinkSync(join(folder, "secret"), join(top, "beside"));
    const said = await refused(option, "beside", "fw/rules.v4");
    expect(said).toContain("is a link out of the work tree");
    expect(said).not.toContain("password");
  });

  it("in a folder of countries are not followed out of the work tree", async () => {
    mkdirSync(join(top, "geoip/LE"), { recursive: true });
    symlinkSync(join(folder, "secret"), join(top, "geoip/LE/CN.iv4"));
    writeFileSync(join(folder, "secret"), "12345678");
    symlinkSync("..", join(top, "geoip/round"));
    expect(await refused("--geoip", "geoip", "fw/rules.v4")).toContain("is a link out of the work tree");
  });

  it.each([
    ["a file outside", () => join(folder, "profile")],
    ["nothing yet", () => join(folder, "new")],
    ["git's own files", () => join(top, ".git/hooks/post-checkout")],
    ["a folder outside", () => folder],
    ["a device", () => "/dev/null"],
  ])("to %s are not written to", async (_, target) => {
    writeFileSync(join(folder, "profile"), "mine\n");
    symlinkSync(target(), join(top, "report"));
    symlinkSync(dirname(target()), join(top, "reports"));
    const before = readdirSync(folder);
    for (const words of [
      ["-o", "report"],
      ["--write", "html=report"],
      ["-o", "reports/report"],
      ["--baseline", "report", "--update-baseline"],
    ]) {
      const { status, error } = await review(...words, "fw/rules.v4");
      expect([words, status, error]).toEqual([words, 2, expect.stringContaining("is a link out of the work tree")]);
    }
    expect(readdirSync(folder)).toEqual(before);
    expect(existsSync(join(top, ".git/hooks/post-checkout"))).toBe(false);
    expect(readFileSync(join(folder, "profile"), "utf8")).toBe("mine\n");
  });

  it("to files of the work tree are written to", async () => {
    symlinkSync("../kept.json", join(top, "fw/report"));
    expect((await review("-o", "fw/report", "fw/rules.v4")).error).toBe("");
    expect((JSON.parse(readFileSync(join(top, "kept.json"), "utf8")) as ReviewReport).opens).toHaveLength(1);
    expect((await review("-o", join(folder, "elsewhere.json"), "fw/rules.v4")).error).toBe("");
  });

  it("in the place of a folder do not hide what was there", async () => {
    rmSync(join(top, "fw"), { recursive: true });
    symlinkSync("other", join(top, "fw"));
    expect(await opened("fw/rules.v4")).toEqual([telnet]);
  });

  it("of the old version are followed in it, and not out of it", async () => {
    git(top, "checkout", "--quiet", "-f", "main");
    symlinkSync("fw/rules.v4", join(top, "current.v4"));
    symlinkSync("/etc/hosts", join(top, "out.v4"));
    symlinkSync("../repository/fw/rules.v4", join(top, "back.v4"));
    symlinkSync("round.v4", join(top, "round.v4"));
    git(top, "add", ".");
    git(top, "commit", "--quiet", "--message", "links");
    git(top, "checkout", "--quiet", "-B", "change");
    write("fw/rules.v4", open);
    expect(await opened("current.v4")).toEqual([telnet]);
    for (const name of ["out.v4", "back.v4", "round.v4"]) rmSync(join(top, name));
    for (const name of ["out.v4", "back.v4"]) expect(await refused(write(name, open))).toContain("was a link out of the repository");
    expect(await refused(write("round.v4", open))).toContain("leads to itself");
  });

  it("on the way to the work tree are the owner's", async () => {
    symlinkSync(top, join(folder, "way"));
    expect(await opened(join(folder, "way/fw/rules.v4"))).toEqual([telnet]);
  });
});

describe("the repository", () => {
  it("is the one that the command runs in, and no other", async () => {
    git(folder, "init", "--quiet", "elsewhere");
    writeFileSync(join(folder, "elsewhere/rules.v4"), open);
    expect(await refused(join(folder, "elsewhere/rules.v4"))).toMatch(/is outside of the repository .*in which this command runs/);
    process.chdir(folder);
    expect(await refused(join(top, "fw/rules.v4"))).toContain("is in no git repository");
  });

  it("is not told by the environment", async () => {
    git(folder, "init", "--quiet", "elsewhere");
    Object.assign(process.env, {
      GIT_DIR: join(folder, "elsewhere/.git"),
      GIT_WORK_TREE: join(folder, "elsewhere"),
      GIT_OBJECT_DIRECTORY: join(folder, "elsewhere/.git/objects"),
      GIT_EXTERNAL_DIFF: spy(),
    });
    expect(await opened("fw/rules.v4")).toEqual([telnet]);
  });

  it("is read by the git of PATH, and not by one that lies where the command runs", async () => {
    write("git", `#!/bin/sh\ntouch ${marker()}\n`);
    chmodSync(join(top, "git"), 0o755);
    process.env["PATH"] = `.::${process.env["PATH"]}`;
    expect(await opened("fw/rules.v4")).toEqual([telnet]);
    expect(ran()).toBe(false);
  });

  it("may be a linked work tree", async () => {
    git(top, "worktree", "add", "--quiet", join(folder, "linked"), "main");
    process.chdir(join(folder, "linked"));
    writeFileSync(join(folder, "linked/fw/rules.v4"), open);
    expect(await opened("fw/rules.v4")).toEqual([telnet]);
  });

  // In a container of a workflow root works in the checkout of another user.
  it.runIf(process.getuid?.() === 0)("of another user is read where safe.directory names it, and refused elsewhere", async () => {
    chownSync(top, 65534, 65534);
    chownSync(join(top, ".git"), 65534, 65534);
    Object.assign(process.env, { HOME: folder, GIT_CONFIG_NOSYSTEM: "1" });
    expect(await refused("fw/rules.v4")).toContain("dubious ownership");
    writeFileSync(join(folder, ".gitconfig"), `[safe]\ndirectory = ${top}\n`);
    expect(await opened("fw/rules.v4")).toEqual([telnet]);
    rmSync(join(folder, ".gitconfig"));
    Object.assign(process.env, { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "safe.directory", GIT_CONFIG_VALUE_0: "*" });
    expect(await opened("fw/rules.v4")).toEqual([telnet]);
  });
});
