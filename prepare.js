/**
 * Builds the package when npm prepares it: for `npm ci`, `npm pack`, and an installation from git. For
 * `npm install --global git+…`, which pre-commit does, too, npm runs this without having installed what the build needs
 * (https://github.com/npm/cli/issues/8440).
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const npm = process.env.npm_execpath;

/** Ends this process with the status of one that fails. */
function run(program, words) {
  const { status, error } = spawnSync(program, words, { stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync("node_modules/esbuild")) {
  const words = ["ci", "--no-global", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
  if (npm === undefined) run("npm", words);
  else run(process.execPath, [npm, ...words]);
}
run(process.execPath, ["build.js"]);
