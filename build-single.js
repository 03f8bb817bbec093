/**
 * Builds the command as a single executable for machines without Node.js, dist/ipt2nft-recent-VERSION-PLATFORM, of the Node.js that runs
 * this; with `--archive` a .tar.gz, too, of it, the manual, completions and licences, laid out as /usr/local is.
 *
 *     node build-single.js [--directory dist] [--archive] [--node-license FILE]
 *
 * Needs Linux and no network; the archive needs GNU tar. The Node.js must be one that is all in one file, as that of nodejs.org is and
 * Debian's own is not, of version 20.12 or newer. Its license is looked for where installations have it.
 * SOURCE_DATE_EPOCH (seconds) is the date of everything in the archive, otherwise that of the last commit.
 */

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";

const { values: options } = parseArgs({
  options: {
    directory: { type: "string", default: "dist" },
    archive: { type: "boolean", default: false },
    "node-license": { type: "string" },
  },
});
process.chdir(fileURLToPath(new URL(".", import.meta.url)));
// It takes the directory that it is loaded in.
const { asFunction, joinNotices, knownReleaseTime, ofNode, version, withoutImports } = await import("./bundling.js");
const { name, license } = JSON.parse(readFileSync("package.json", "utf8"));
/** Where Node.js looks whether it is to run what is put into it (https://nodejs.org/docs/latest-v20.x/api/single-executable-applications.html). */
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";
const postject = join(dirname(fileURLToPath(import.meta.resolve("postject"))), "cli.js");
const start = "start";
/** As in dist/, with that of Node.js, and of the command itself. */
const licenses = "third-party-licenses.txt";

refuseOtherNodes();
const nodeLicense = licenseOfNode();
const work = mkdtempSync(join(tmpdir(), `${name}-single-`));
try {
  run(process.execPath, ["build.js", "--directory", built(), "--no-types"]);
  await buildParts();
  const executable = join(work, name);
  injectParts(executable);
  const release = `${name}-${version}-${process.platform}-${process.arch}`;
  mkdirSync(options.directory, { recursive: true });
  put(executable, join(options.directory, release));
  if (options.archive) writeArchive(executable, release);
} finally {
  rmSync(work, { recursive: true, force: true });
}

function fail(reason) {
  process.stderr.write(`build-single: ${reason}\n`);
  process.exit(1);
}

function run(program, words, folder = process.cwd()) {
  const { status, error, stdout, stderr } = spawnSync(program, words, { cwd: folder, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${words.join(" ")} failed: ${stdout}${stderr}`);
}

function built(...path) {
  return join(work, "built", ...path);
}

/** What comes to be in the executable. */
function inside(...path) {
  return join(work, "inside", ...path);
}

function refuseOtherNodes() {
  if (process.platform !== "linux") fail("it is made on Linux only");
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 12)) fail(`Node.js ${process.version} cannot hold files: take 20.12 or newer`);
  if (process.config.variables.node_shared || !readFileSync(process.execPath).includes(fuse))
    fail(`${process.execPath} is not all of Node.js, or takes no program: take the Node.js of nodejs.org`);
}

function licenseOfNode() {
  const prefix = join(dirname(process.execPath), "..");
  const usual = [join(prefix, "LICENSE"), join(prefix, "share", "doc", "nodejs", "LICENSE")];
  const found = options["node-license"] === undefined ? usual.find((path) => existsSync(path)) : options["node-license"];
  if (found === undefined) fail(`the license of Node.js is not in ${usual.join(" or ")}: say --node-license FILE`);
  const text = readFileSync(found, "utf8");
  if (!text.startsWith("Node.js is licensed for use as follows")) fail(`${found} is not the license of Node.js`);
  return text;
}

/** Builds what is in the executable beside Node.js. */
async function buildParts() {
  const ofExecutable = {
    ...ofNode,
    outdir: inside(),
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    define: { ...ofNode.define, IS_SINGLE_EXECUTABLE: "true" },
    ...withoutImports,
    // Where parts are files they know each other by it.
    logOverride: { "empty-import-meta": "silent" },
  };
  mkdirSync(inside());
  const seldom = readdirSync(built("parts")).filter((part) => /^translate-.*\.cjs$/.test(part));
  for (const part of seldom) writeFileSync(inside(part), functionOf(readFileSync(built("parts", part), "utf8")));
  for (const part of ["translate.cjs", "translate.cjs.compiled"]) cpSync(built("parts", part), inside(part));
  await Promise.all([
    build({ ...ofExecutable, entryPoints: { [start]: "src/cli/start-single-executable.ts" } }),
    build({ ...ofExecutable, entryPoints: { main: "src/cli/main.ts" }, ...asFunction }),
    build({
      ...ofExecutable,
      entryPoints: { "corpus-worker": "src/cli/commands/corpus/worker.ts", "fleet-worker": "src/cli/commands/fleet/worker.ts" },
    }),
  ]);
  const own = `${name} ${version} (${license})\n\n${readFileSync("LICENSE", "utf8")}`;
  const nodes = `Node.js ${process.versions.node}\n\n${nodeLicense}`;
  writeFileSync(inside(licenses), joinNotices([own, readFileSync(built(licenses), "utf8"), nodes]));
}

function functionOf(text) {
  return asFunction.banner.js + text + asFunction.footer.js;
}

/** The Node.js that runs this, with the parts in it. */
function injectParts(executable) {
  const blob = join(work, "blob");
  const assets = readdirSync(inside()).filter((part) => part !== `${start}.cjs`);
  const config = {
    main: `${start}.cjs`,
    output: blob,
    disableExperimentalSEAWarning: true,
    assets: Object.fromEntries(assets.map((part) => [part, part])),
  };
  writeFileSync(join(work, "config.json"), JSON.stringify(config));
  // Relative, since the name of what is run shows in reports of faults.
  run(process.execPath, ["--experimental-sea-config", join(work, "config.json")], inside());
  cpSync(process.execPath, executable);
  chmodSync(executable, 0o755);
  // As a program: its library says on the terminal what it thinks of the names of sections.
  run(process.execPath, [postject, executable, "NODE_SEA_BLOB", blob, "--sentinel-fuse", fuse]);
}

/** In the place of a file that may be running, and never half of it. */
function put(from, to) {
  cpSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
  process.stdout.write(`${to}\n`);
}

/** An archive with one folder, laid out as /usr/local is. */
function writeArchive(executable, release) {
  const place = (...path) => join(work, release, ...path);
  const copies = [
    [executable, "bin", name],
    [built("man"), "share", "man", "man1"],
    [built("completions", name), "share", "bash-completion", "completions", name],
    [built("completions", `_${name}`), "share", "zsh", "site-functions", `_${name}`],
    [built("completions", `${name}.fish`), "share", "fish", "vendor_completions.d", `${name}.fish`],
    [inside(licenses), "share", "doc", name, licenses],
  ];
  for (const [from, ...to] of copies) cpSync(from, place(...to), { recursive: true });
  const archive = join(work, `${release}.tar.gz`);
  // Nothing in it hangs on the umask, or on who builds it.
  const sameEverywhere = [
    "--sort=name",
    `--mtime=@${knownReleaseTime()}`,
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--mode=u=rwX,go=rX",
  ];
  run("tar", ["--create", "--gzip", "--file", archive, "--directory", work, ...sameEverywhere, release]);
  put(archive, join(options.directory, `${release}.tar.gz`));
}
