/**
 * Builds the Ansible collection: dist/ipt2nft_recent-firewall-VERSION.tar.gz, byte for byte the same from the same source.
 *
 *     node build-ansible.js [--directory dist]
 *
 * Needs tar, and no Ansible: `ansible-galaxy collection build` writes the same files, with the dates of the clone. SOURCE_DATE_EPOCH
 * (seconds) is the date of everything in it, otherwise that of the last commit.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { parse } from "yaml";

const { values: options } = parseArgs({ options: { directory: { type: "string", default: "dist" } } });
process.chdir(fileURLToPath(new URL(".", import.meta.url)));
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const { build_ignore: _, ...about } = parse(readFileSync("ansible/galaxy.yml", "utf8"));
if (about.version !== version) throw new Error(`ansible/galaxy.yml has the version ${about.version}, and package.json ${version}`);

/** As `ansible-galaxy collection build` leaves them out. */
const leftOut = /^(?:galaxy\.yml|\.ansible-lint)$|\.pyc$|(?:^|\/)(?:__pycache__|\.cache|\.ansible)(?:\/|$)/;

const root = mkdtempSync(join(tmpdir(), "ipt2nft-ansible-"));
try {
  const names = readdirSync("ansible", { recursive: true, encoding: "utf8" })
    .filter((name) => !leftOut.test(name))
    .sort();
  for (const name of names) {
    const isFolder = statSync(join("ansible", name)).isDirectory();
    if (isFolder) mkdirSync(join(root, name));
    else cpSync(join("ansible", name), join(root, name));
  }
  const files = [".", ...names].map((name) => entryOf(name));
  const listed = json({ files, format: 1 });
  writeFileSync(join(root, "FILES.json"), listed);
  const information = { documentation: null, homepage: null, issues: null, license: [], ...about };
  writeFileSync(
    join(root, "MANIFEST.json"),
    json({ collection_info: information, file_manifest_file: fileEntry("FILES.json", listed), format: 1 }),
  );
  const file = join(options.directory, `${about.namespace}-${about.name}-${version}.tar.gz`);
  mkdirSync(options.directory, { recursive: true });
  writeFileSync(file, gzipSync(tar(["MANIFEST.json", "FILES.json", ...names]), { level: 9 }));
  process.stdout.write(`${file}\n`);
} finally {
  rmSync(root, { recursive: true, force: true });
}

function json(value) {
  return `${JSON.stringify(value, undefined, 1)}\n`;
}

function fileEntry(name, content) {
  return { name, ftype: "file", chksum_type: "sha256", chksum_sha256: createHash("sha256").update(content).digest("hex"), format: 1 };
}

function entryOf(name) {
  const path = join(root, name);
  if (!statSync(path).isDirectory()) return fileEntry(name, readFileSync(path));
  return { name, ftype: "dir", chksum_type: null, chksum_sha256: null, format: 1 };
}

/** Seconds. */
function epochOf() {
  const said = process.env.SOURCE_DATE_EPOCH || spawnSync("git", ["log", "-1", "--format=%ct"], { encoding: "utf8" }).stdout;
  const seconds = Number.parseInt(said, 10);
  if (Number.isNaN(seconds)) throw new Error("the date is not known: set SOURCE_DATE_EPOCH");
  return seconds;
}

function tar(names) {
  const owners = ["--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"];
  const words = ["--create", "--format=gnu", "--no-recursion", `--mtime=@${epochOf()}`, ...owners, "--directory", root, "--", ...names];
  const { status, error, stdout, stderr } = spawnSync("tar", words, { maxBuffer: 1 << 28, env: { ...process.env, LC_ALL: "C.UTF-8" } });
  if (error) throw error;
  if (status !== 0) throw new Error(`tar failed: ${stderr.toString()}`);
  return stdout;
}
