/**
 * Repositories with a hostile change in them: a firewall that was closed is open in the work tree, and beside it lies what might make git,
 * or this program, run something, read something else, or never end. One is made of a template, spoiled by some of the `spoilers`.
 */

import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";

import { run } from "../../src/cli/run.js";
import type { Random } from "../../src/random.js";
import type { ReviewReport } from "../../src/review/report.js";
import { translate } from "../../src/translate.js";
import { filterTable } from "../bench/growth-inputs.js";

const closed = filterTable("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -j DROP\n");
const open = filterTable("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 23 -j ACCEPT\n-A INPUT -j DROP\n");

/** Stands in every file that is nobody's to show. */
const secret = "password-of-the-machine";

/** Seconds of one command: git starts up to ten times. */
const longest = 20;

/** A repository, with what lies outside of it, in a folder of its own. */
interface Place {
  readonly folder: string;
  readonly top: string;
  /** Appears where anything of the repository is run. */
  readonly canary: string;
  readonly random: Random;
}

type Spoiler = (place: Place) => void;

const pick = <Value>(random: Random, values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;

const quiet: ExecFileSyncOptionsWithStringEncoding = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 20_000 };

function git(at: string, ...words: readonly string[]): string {
  const settings = [
    "user.name=Test",
    "user.email=test@example.com",
    "init.defaultBranch=main",
    "commit.gpgsign=false",
    "core.hooksPath=/dev/null",
  ];
  return execFileSync("git", ["-C", at, ...settings.flatMap((one) => ["-c", one]), ...words], quiet).trim();
}

/**
 * The path in the repository, free and in a folder. What another spoiler has made a link may lead to the machine's own files: it is taken
 * away, and nothing is written through it.
 */
function room(top: string, path: string): string {
  const parts = path.split("/");
  for (const [index] of parts.entries()) {
    const beginning = join(top, ...parts.slice(0, index + 1));
    const isLast = index === parts.length - 1;
    const isFolder = lstatSync(beginning, { throwIfNoEntry: false })?.isDirectory() === true;
    if (isLast || !isFolder) rmSync(beginning, { force: true, recursive: true });
    if (!isLast && !isFolder) mkdirSync(beginning);
  }
  return join(top, path);
}

const write = (top: string, path: string, content: string | Uint8Array): void => writeFileSync(room(top, path), content);
const link = (top: string, path: string, target: string): void => symlinkSync(target, room(top, path));

/** Keeps an object as git does, by its name or by another. */
function store(top: string, kind: string, content: string | Uint8Array, size = content.length, name?: string): string {
  const bytes = Buffer.concat([Buffer.from(`${kind} ${size}\0`), Buffer.from(content)]);
  const object = name ?? createHash("sha1").update(bytes).digest("hex");
  write(top, `.git/objects/${object.slice(0, 2)}/${object.slice(2)}`, deflateSync(bytes));
  return object;
}

const entry = (mode: string, name: string, object: string): Uint8Array =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(object, "hex")]);

/** Makes the old version this tree. */
function old(top: string, ...entries: readonly Uint8Array[]): void {
  const person = "Test <test@example.com> 1700000000 +0000";
  const tree = store(top, "tree", Buffer.concat(entries));
  const commit = store(top, "commit", `tree ${tree}\nauthor ${person}\ncommitter ${person}\n\nold\n`);
  for (const branch of ["main", "change"]) write(top, `.git/refs/heads/${branch}`, `${commit}\n`);
}

/** A folder that looks like a bare repository, with the open firewall on each of its branches. */
function intrude({ folder, top, random }: Place, config: string): void {
  const intruder = join(folder, "intruder");
  if (!existsSync(intruder)) {
    git(folder, "init", "--quiet", intruder);
    write(intruder, "fw/rules.v4", open);
    write(intruder, "rules.v4", open);
    git(intruder, "add", ".");
    git(intruder, "commit", "--quiet", "--message", "theirs");
  }
  const at = pick(random, ["fw", "", "sub"]);
  for (const name of readdirSync(join(intruder, ".git")))
    cpSync(join(intruder, ".git", name), room(top, join(at, name)), { recursive: true });
  write(top, join(at, "config"), config);
}

const config = (top: string, ...settings: readonly (readonly [name: string, value: string])[]): void => {
  for (const [name, value] of settings) git(top, "config", name, value);
};

/** What a change can bring into the work tree. */
const brought: Readonly<Record<string, Spoiler>> = {
  "a bare repository with a remote that runs": (place) =>
    intrude(
      place,
      `[core]\nrepositoryformatversion = 1\nbare = ${pick(place.random, ["true", "false"])}\n[extensions]\npartialClone = evil\n` +
        `[remote "evil"]\npromisor = true\nurl = ext::sh -c touch% ${place.canary}\n[protocol "ext"]\nallow = always\n`,
    ),
  "a bare repository that runs by its settings": (place) =>
    intrude(
      place,
      `[core]\nbare = true\nfsmonitor = ${spy(place)}\npager = ${spy(place)}\nsshCommand = ${spy(place)}\nhooksPath = hooks\n` +
        `alternateRefsCommand = ${spy(place)}\n[alias]\ncat-file = !${spy(place)}\nls-tree = !${spy(place)}\nrev-parse = !${spy(place)}\n` +
        `[filter "x"]\nsmudge = ${spy(place)}\n[diff "x"]\ntextconv = ${spy(place)}\n[include]\npath = ${place.folder}/secret\n`,
    ),
  "objects lent by a bare repository": (place) => {
    intrude(place, "[core]\nbare = true\n");
    write(place.top, "objects/info/alternates", `${place.top}/.git/objects\n`);
  },
  attributes: ({ top, random }) =>
    write(
      top,
      pick(random, [".gitattributes", "fw/.gitattributes"]),
      "* filter=x diff=x merge=x ident working-tree-encoding=UTF-16 export-subst\n",
    ),
  submodules: (place) => {
    write(place.top, ".gitmodules", `[submodule "fw"]\npath = fw\nurl = ext::${spy(place)}\nupdate = !${spy(place)}\n`);
    write(
      place.top,
      "fw/.git",
      `gitdir: ${pick(place.random, ["../.git", "../../intruder/.git", "../fw", "/dev/zero", "\0", "x".repeat(9_000)])}\n`,
    );
  },
  "a repository in the way": ({ top }) => {
    git(top, "init", "--quiet", "another");
    cpSync(join(top, "another/.git"), room(top, "fw/.git"), { recursive: true });
  },
  "a dump that is a link": ({ top, folder, random }) =>
    link(
      top,
      "fw/rules.v4",
      pick(random, [
        join(folder, "secret"),
        "../.git/config",
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/environ",
        "rules.v4",
        "nowhere",
        "../fw2/rules.v4",
        "/",
        "..",
        join(folder, "pipe"),
      ]),
    ),
  "a folder that is a link": ({ top, folder, random }) =>
    link(top, "fw", pick(random, [folder, ".git", "..", "/", "fw", "other", join(folder, "intruder/fw"), "/proc/self/cwd/fw"])),
  "a dump that is none": ({ top, random }) =>
    write(
      top,
      "fw/rules.v4",
      pick(random, ["", "\0", secret.slice(0, 3), "*filter\n".repeat(5_000), "-A ".repeat(20_000), "\u001b]0;x\u0007", "::error::x\n"]),
    ),
  "outputs and inputs that are links": ({ top, folder, random }) => {
    for (const name of ["report", "baseline.json", "sets.ipset", "table.csv", "script.nft"])
      if (random() < 0.5)
        link(
          top,
          name,
          pick(random, [join(folder, "secret"), join(folder, "new"), "../.git/config", ".git/hooks/post-checkout", "/dev/zero", "report"]),
        );
  },
  "a script that reads": ({ top, folder }) => write(top, "script.nft", `include "${folder}/secret"\ninclude "/dev/zero"\n`),
  "names of programs": ({ top, canary }) => {
    for (const name of ["git", "sh", "nft", "unshare", "setpriv"]) {
      write(top, name, `#!/bin/sh\ntouch ${canary}\n`);
      chmodSync(join(top, name), 0o755);
    }
  },
  "a corpus of links": ({ top, folder, random }) => {
    for (const name of ["x.v4", "x.nft", "x.diagnostics", "y", "z.v4", "x.options.json"])
      if (random() < 0.6)
        link(
          top,
          `cases/${name}`,
          pick(random, ["/", folder, join(folder, "secret"), "..", ".", "../fw", "../fw/rules.v4", name, "/proc/self/root", "/dev/zero"]),
        );
  },
};

/** What the repository itself may hold: git keeps what it was sent. */
const kept: Readonly<Record<string, Spoiler>> = {
  "settings that run": (place) =>
    config(
      place.top,
      ["core.fsmonitor", spy(place)],
      ["core.pager", spy(place)],
      ["core.sshCommand", spy(place)],
      ["core.alternateRefsCommand", spy(place)],
      ["core.hooksPath", join(place.top, "hooks")],
      ["filter.x.smudge", spy(place)],
      ["filter.x.required", "true"],
      ["diff.x.textconv", spy(place)],
      ["alias.cat-file", `!${spy(place)}`],
      ["alias.merge-base", `!${spy(place)}`],
      ["gpg.program", spy(place)],
      ["log.showSignature", "true"],
    ),
  hooks: ({ top, canary }) => {
    for (const hook of ["post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman"]) {
      write(top, `.git/hooks/${hook}`, `#!/bin/sh\ntouch ${canary}\n`);
      chmodSync(join(top, ".git/hooks", hook), 0o755);
    }
  },
  "a missing object": (place) => {
    const { top, random, canary } = place;
    if (random() < 0.7)
      config(
        top,
        ["core.repositoryformatversion", "1"],
        ["extensions.partialClone", "evil"],
        ["remote.evil.promisor", "true"],
        ["remote.evil.url", `ext::sh -c touch% ${canary}`],
        ["protocol.ext.allow", "always"],
      );
    const object = git(top, "rev-parse", pick(random, ["main", "main^{tree}", "main:fw", "main:fw/rules.v4"]));
    rmSync(join(top, ".git/objects", object.slice(0, 2), object.slice(2)), { force: true });
  },
  "a corrupt object": ({ top, random }) => {
    const object = git(top, "rev-parse", pick(random, ["main", "main^{tree}", "main:fw", "main:fw/rules.v4"]));
    const path = `.git/objects/${object.slice(0, 2)}/${object.slice(2)}`;
    const bytes = readFileSync(join(top, path));
    bytes[Math.floor(random() * bytes.length)]! ^= 1 + Math.floor(random() * 255);
    write(top, path, random() < 0.3 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes);
  },
  "another object by its name": ({ top, random }) => {
    const object = git(top, "rev-parse", "main:fw/rules.v4");
    store(top, pick(random, ["blob", "tree", "commit", "junk"]), open, pick(random, [open.length, 0, 1e9, 2 ** 40]), object);
  },
  "replaced objects": ({ top }) =>
    void git(top, "replace", "-f", git(top, "rev-parse", "main:fw/rules.v4"), git(top, "rev-parse", "main:other/rules.v4")),
  grafts: ({ top, random }) => write(top, pick(random, [".git/info/grafts", ".git/shallow"]), `${git(top, "rev-parse", "HEAD")}\n`),
  alternates: ({ top, folder, random }) =>
    write(
      top,
      ".git/objects/info/alternates",
      `${pick(random, [join(folder, "intruder/.git/objects"), "/dev/zero", join(top, ".git/objects"), "../../x", folder])}\n`,
    ),
  "packed references": ({ top, random }) => {
    git(top, "pack-refs", "--all");
    if (random() < 0.5)
      write(
        top,
        ".git/packed-refs",
        pick(random, [
          "",
          "junk\n",
          `${"1".repeat(40)} refs/heads/main\n`,
          "\0".repeat(100),
          `${"1".repeat(40)} refs/heads/x\n`.repeat(2_000),
        ]),
      );
  },
  packs: ({ top }) => void git(top, "gc", "--quiet"),
  "references to each other": ({ top, random }) =>
    write(
      top,
      `.git/refs/heads/${pick(random, ["main", "change"])}`,
      pick(random, ["ref: refs/heads/main\n", "ref: refs/heads/change\n", "ref: ../../../secret\n", "junk", ""]),
    ),
  "trees with hostile names": ({ top, random }) => {
    const [first, other] = [store(top, "blob", closed), store(top, "blob", open)];
    const name = pick(random, ["..", ".", "", ".git", "fw/rules.v4", "fw\n", "../fw", "*", "fw\0"]);
    const fw = store(
      top,
      "tree",
      Buffer.concat([entry("100644", pick(random, ["rules.v4", "rules.v4 ", name]), other), entry("100644", "rules.v4", first)]),
    );
    old(top, entry(pick(random, ["40000", "100644", "120000", "160000"]), name, other), entry("40000", "fw", fw));
  },
  "another kind of thing in the old version": ({ top, random }) => {
    const object = pick(random, [store(top, "blob", closed), store(top, "tree", ""), "1".repeat(40), git(top, "rev-parse", "main")]);
    const fw = store(
      top,
      "tree",
      entry(pick(random, ["100644", "100755", "40000", "120000", "160000", "0", "777777"]), "rules.v4", object),
    );
    old(top, entry("40000", "fw", fw));
  },
  "a link in the old version": ({ top, folder, random }) => {
    const target = pick(random, [
      "../other/rules.v4",
      "/etc/passwd",
      join(folder, "secret"),
      "../../secret",
      "rules.v4",
      "x/".repeat(3_000),
      "../fw/".repeat(300),
      "\0",
      "",
    ]);
    const fw = store(top, "tree", entry("120000", "rules.v4", store(top, "blob", target)));
    old(
      top,
      entry("40000", "fw", fw),
      entry("40000", "other", store(top, "tree", entry("100644", "rules.v4", store(top, "blob", closed)))),
    );
  },
  "a huge file in the old version": ({ top }) => {
    const blob = store(top, "blob", Buffer.concat([Buffer.from(closed), Buffer.alloc(3_000_000, `#${" ".repeat(99)}\n`)]));
    old(top, entry("40000", "fw", store(top, "tree", entry("100644", "rules.v4", blob))));
  },
  "a tree that never ends": ({ top }) => {
    const blob = store(top, "blob", closed);
    const entries = Array.from({ length: 20_000 }, (_, index) => entry("100644", `${index + 100_000}`, blob));
    old(top, entry("40000", "fw", store(top, "tree", Buffer.concat([...entries, entry("100644", "rules.v4", blob)]))));
  },
};

const spy = ({ canary }: Place): string => `sh -c 'touch ${canary}'`;

let template: string | undefined;

/** As the repository of a pull request is: the dump is closed on `main`, and open in the work tree. */
function templateFolder(): string {
  if (template !== undefined) return template;
  const top = realpathSync(mkdtempSync(join(tmpdir(), "git-template-")));
  process.on("exit", () => rmSync(top, { recursive: true, force: true }));
  git(top, "init", "--quiet");
  write(top, "fw/rules.v4", closed);
  write(top, "other/rules.v4", open);
  write(top, "cases/x.v4", closed);
  git(top, "add", ".");
  git(top, "commit", "--quiet", "--message", "base");
  git(top, "checkout", "--quiet", "-b", "change");
  write(top, "fw/rules.v4", open);
  return (template = top);
}

const review = ["review", "--format", "json", "--no-simulate", "--base-ref", "main"];

const commandLines: readonly (readonly string[])[] = [
  [...review, "fw/rules.v4"],
  [...review, "--max-input", "1", "-o", "report", "fw/rules.v4"],
  [...review, "--write", "html=report", "--baseline", "baseline.json", "--update-baseline", "fw/rules.v4"],
  [...review, "--ipset", "sets.ipset", "--old-ipset", "sets.ipset", "--geoip", "table.csv", "fw/rules.v4"],
  [...review, "--script", "script.nft", "fw/rules.v4"],
  ["corpus", "cases"],
  ["corpus", "--update", "cases"],
];

/** Makes one repository, and runs a command in it. Throws where a promise is broken. */
export async function tryGitTree(random: Random): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "git-tree-")));
  const place: Place = { folder, top: join(folder, "repository"), canary: join(folder, "canary"), random };
  const started = process.cwd();
  try {
    cpSync(templateFolder(), place.top, { recursive: true });
    writeFileSync(join(folder, "secret"), `${secret}\n`);
    execFileSync("mkfifo", [join(folder, "pipe")]);
    const all = Object.entries({ ...brought, ...kept });
    const chosen = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(random, all));
    for (const [, spoil] of chosen) {
      try {
        spoil(place);
      } catch {
        // What another one has spoiled can be spoiled no further, as a file where a folder was.
      }
    }
    rmSync(place.canary, { force: true });
    const outside = listing(folder);
    process.chdir(place.top);
    const words = pick(random, commandLines);
    const begin = performance.now();
    const { status, output, error } = await execute(words);
    const seconds = (performance.now() - begin) / 1000;
    process.chdir(started);

    const broken: string[] = [];
    if (existsSync(place.canary)) broken.push("something of the repository was run");
    if (listing(folder) !== outside || readFileSync(join(folder, "secret"), "utf8") !== `${secret}\n`)
      broken.push("something outside was written");
    if (`${output}${error}${reportOf(place)}`.includes(secret)) broken.push("something outside was shown");
    if (seconds > longest) broken.push(`it takes ${seconds.toFixed(1)} s`);
    if (![0, 1, 2].includes(status) || (status === 2 && error === "")) broken.push(`it ends with status ${status} and says nothing`);
    if (/\n {4}at |please report|internal error/.test(error)) broken.push(`it fails: ${error}`);
    // What is accepted at once is safe.
    if (
      words[0] === "review" &&
      !words.includes("--update-baseline") &&
      output !== "" &&
      !isHonest(JSON.parse(output) as ReviewReport, place)
    )
      broken.push("the change is safe");
    if (broken.length > 0)
      throw new Error(
        `${broken.join("; ")}\n${words.join(" ")}\n${chosen.map(([name]) => name).join(", ")}\n${status}\n${error}${output.slice(0, 500)}`,
      );
  } finally {
    process.chdir(started);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The names in a folder, without what is in them. */
const listing = (folder: string): string => readdirSync(folder).sort().join("\n");

/** What was written as a report; the link that a change has made is none. */
function reportOf({ top }: Place): string {
  const report = join(top, "report");
  return lstatSync(report, { throwIfNoEntry: false })?.isFile() ? readFileSync(report, "utf8") : "";
}

const objectOf = (text: string): string => createHash("sha1").update(`blob ${text.length}\0${text}`).digest("hex");

/** The open firewall is safe where it was open before, as the owner's own objects have it, or where there was none. */
function isHonest({ verdict, inputs }: ReviewReport, { top }: Place): boolean {
  if (verdict !== "safe" || readFileSync(join(top, "fw/rules.v4"), "utf8") !== open) return true;
  const listed = ownVersion(top);
  if (inputs.some(({ role }) => role === "old")) return listed?.includes(objectOf(open)) === true;
  return listed !== undefined && !listed.includes(objectOf(closed));
}

/** What git itself says that was there, with nothing replaced; undefined where it cannot say. */
function ownVersion(top: string): string | undefined {
  try {
    const words = ["--no-replace-objects", `--git-dir=${top}/.git`, "ls-tree", "-r", "main", "--", "fw/rules.v4"];
    return execFileSync("git", words, { ...quiet, cwd: top });
  } catch {
    return undefined;
  }
}

async function execute(words: readonly string[]): Promise<{ status: number; output: string; error: string }> {
  let output = "";
  let error = "";
  const status = await run(words, {
    translate,
    environment: {},
    readInput: async () => Buffer.alloc(0),
    inputIsTerminal: async () => false,
    writeOutput: async (text) => void (output += text),
    writeError: async (text) => void (error += text),
    outputIsTerminal: async () => false,
    outputWidth: async () => undefined,
    errorIsTerminal: async () => false,
    errorWidth: async () => undefined,
  });
  return { status, output, error };
}
