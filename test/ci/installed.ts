/** This package, built, packed and installed the way a platform does it, in a folder of its own. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("../../", import.meta.url).pathname;

export interface Installed {
  /** The temporary folder that holds everything. */
  readonly folder: string;
  /** The package unpacked, as a runner checks an action out. */
  readonly checkout: string;
  /** What `npm pack` made. */
  readonly tarball: string;
  /** The folder with the installed command. */
  readonly programs: string;
  readonly remove: () => void;
}

export function install(): Installed {
  const folder = mkdtempSync(join(tmpdir(), "ipt2nft-ci-"));
  const checkout = join(folder, "checkout");
  mkdirSync(checkout);
  for (const file of ["package.json", "README.md", "LICENSE", "docs", "action.yml"])
    cpSync(join(root, file), join(checkout, file), { recursive: true });
  execFileSync(process.execPath, [join(root, "build.js"), "--directory", join(checkout, "dist"), "--no-types"]);
  const npm = (words: readonly string[]): string =>
    execFileSync("npm", [...words, "--ignore-scripts", "--offline", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: checkout,
      encoding: "utf8",
    });
  const tarball = join(folder, npm(["pack", "--pack-destination", folder]).trim());
  npm(["install", "--global", "--prefix", join(folder, "prefix"), tarball]);
  return {
    folder,
    checkout,
    tarball,
    programs: join(folder, "prefix", "bin"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
