/** Other versions of nft beside that of this machine: `.ci/nft-versions node_modules/.cache/nft-versions` unpacks them. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const folder = new URL("../../node_modules/.cache/nft-versions", import.meta.url).pathname;

/** Those that are unpacked. */
export const otherVersions: readonly string[] = existsSync(folder)
  ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "complete")))
  : [];

/** The root directory of one of them; it has a folder `in` for files from outside. */
export function rootOf(version: string): string {
  return join(folder, version);
}

/** Why there is none to be tried. */
export const notUnpacked = "not unpacked: see .ci/nft-versions";
