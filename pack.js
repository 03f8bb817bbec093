/**
 * What npm does around `npm pack`: the package's own package.json tells nothing of its making. With the script `prepare` in it npm warns
 * whoever installs the package from a file that it might run something.
 *
 *     node pack.js begin    builds, and takes scripts and development out of package.json
 *     node pack.js end      puts package.json back
 */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

const whole = ".package.json.whole";

function restore() {
  if (existsSync(whole)) renameSync(whole, "package.json");
}

// One that was not ended has left the whole file here.
restore();
if (process.argv[2] === "begin") {
  const { status } = spawnSync(process.execPath, ["build.js"], { stdio: "inherit" });
  if (status !== 0) process.exit(1);
  const text = readFileSync("package.json", "utf8");
  const { scripts: _, devDependencies: __, ...published } = JSON.parse(text);
  writeFileSync(whole, text);
  writeFileSync("package.json", `${JSON.stringify(published, undefined, 2)}\n`);
}
