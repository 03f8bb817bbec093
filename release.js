/**
 * Builds everything that a release has, into release/VERSION: the packages for npm and for Debian, the Ansible collection, the single
 * executable for the platform of this machine, alone and in an archive with its manual and completions, the playground, and their sums.
 *
 *     npm run -s release
 *
 * It publishes nothing. Fails where the clone has changes, or where CHANGELOG.md has no part for the version of package.json.
 */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL(".", import.meta.url)));
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const folder = join("release", version);

function fail(reason) {
  process.stderr.write(`release: ${reason}\n`);
  process.exit(1);
}

function run(program, words) {
  const { status, error, stdout } = spawnSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (error) fail(`${program} cannot be run: ${error.message}`);
  if (status !== 0) fail(`${program} ${words.join(" ")} ends with status ${status}`);
  return stdout;
}

if (run("git", ["status", "--porcelain"]) !== "") fail("the clone has changes: commit them first");
const [, latest] = /^## (.+)$/m.exec(readFileSync("CHANGELOG.md", "utf8")) ?? [];
if (latest?.split(" ")[0] !== version) {
  fail(
    `the first part of CHANGELOG.md is "${latest}": give the version in package.json and in package-lock.json, and that part, the new number`,
  );
}
const { version: locked } = JSON.parse(readFileSync("package-lock.json", "utf8"));
if (locked !== version) fail(`package-lock.json has the version ${locked}, and package.json ${version}`);

// Of the commit, so that whoever builds it again gets the same.
process.env.SOURCE_DATE_EPOCH ??= run("git", ["log", "-1", "--format=%ct"]).trim();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
run("npm", ["pack", "--pack-destination", folder]);
run(process.execPath, ["build-deb.js", "--directory", folder]);
run(process.execPath, ["build-ansible.js", "--directory", folder]);
run(process.execPath, ["build-single.js", "--directory", folder, "--archive"]);
run(process.execPath, ["build-playground.js", "--output", join(folder, "playground.html")]);

const sums = readdirSync(folder)
  .sort()
  .map(
    (name) =>
      `${createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex")}  ${name}\n`,
  );
writeFileSync(join(folder, "SHA256SUMS"), sums.join(""));
process.stdout.write(`${folder}\n${sums.join("")}`);
