/** Other versions of nft beside that of this machine: `.ci/nft-versions node_modules/.cache/nft-versions` unpacks them. */

import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { runInNamespace, withFiles } from "../../src/verify/namespace.js";

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

export interface Tried {
  readonly name: string;
  readonly script: string;
}

/** What each script that does not load twice is told, by this version of nft or by that of the machine. */
export async function refusedBy(version: string | undefined, tried: readonly Tried[]): Promise<string[]> {
  const within = version === undefined ? "." : "/in";
  const files = {
    ...Object.fromEntries(tried.map(({ script }, index) => [`${index}.nft`, script])),
    // nft 0.9.8 reads standard input by the name of a device, which is not there.
    "load.sh": `cd "$(dirname "$0")"
${version === undefined ? "" : changedRoot(rootOf(version))}
for ((index = 0; index < ${tried.length}; index++)); do
  nft flush ruleset
  { nft -f ${within}/$index.nft && nft -f ${within}/$index.nft; } >messages 2>&1 || cp messages $index.refused
done
`,
  };
  return withFiles(files, async (directory) => {
    const { status, stderr } = await runInNamespace(join(directory, "load.sh"), 300);
    if (status !== 0) throw new Error(`the scripts were not loaded: ${stderr}`);
    const told = await Promise.all(
      tried.map(async ({ name }, index) => {
        const file = join(directory, `${index}.refused`);
        return existsSync(file) ? `${name}: ${(await readFile(file, "utf8")).slice(0, 300)}` : [];
      }),
    );
    return told.flat();
  });
}

function changedRoot(root: string): string {
  return `mount --bind . "${root}/in" || exit
nft() { chroot "${root}" /usr/sbin/nft "$@"; }`;
}
