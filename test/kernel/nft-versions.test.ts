/**
 * The scripts of the corpus in other versions of nft. A script says which least version it needs, and is tried from that one on; what is
 * made for an older version is tried in that one.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import type { KernelPartName } from "../../src/nft/kernel-parts.js";
import { requirements } from "../../src/nft/requirements.js";
import { isOlder } from "../../src/nft/versions.js";
import { translate } from "../../src/translate.js";
import { lackingParts } from "../../src/verify/kernel-parts.js";
import { runInNamespace, withFiles } from "../../src/verify/namespace.js";
import { readCases } from "../corpus/cases.js";
import { notUnpacked, otherVersions, rootOf } from "./other-nft.js";
import { missingRequirement } from "./requirements.js";

const scripts = readCases();

interface Tried {
  readonly name: string;
  readonly script: string;
}

/** Scripts for the version, and those for any version that this one is new enough for, where they are others. */
function scriptsFor(version: string, without: readonly KernelPartName[]): Tried[] {
  return scripts.flatMap(({ name, sources, options }): Tried[] => {
    const made = translate(sources, { ...options, without, targetNft: version });
    const plain = translate(sources, { ...options, without });
    const fits = plain.nft !== undefined && !isOlder(version, requirements(plain.nft).nft);
    return [
      ...(made.script === undefined ? [] : [{ name: `${name} for ${version}`, script: made.script }]),
      ...(fits && plain.script !== undefined && plain.script !== made.script ? [{ name, script: plain.script }] : []),
    ];
  });
}

/** What each script that does not load twice is told. */
async function refusedBy(version: string, tried: readonly Tried[]): Promise<string[]> {
  const files = {
    ...Object.fromEntries(tried.map(({ script }, index) => [`${index}.nft`, script])),
    // nft 0.9.8 reads standard input by the name of a device, which is not there.
    "load.sh": `cd "$(dirname "$0")"
mount --bind . "${rootOf(version)}/in" || exit
nft() { chroot "${rootOf(version)}" /usr/sbin/nft "$@"; }
for ((index = 0; index < ${tried.length}; index++)); do
  nft flush ruleset
  { nft -f /in/$index.nft && nft -f /in/$index.nft; } >messages 2>&1 || cp messages $index.refused
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

const title = "other versions of nft";
const reason = missingRequirement ?? (otherVersions.length === 0 ? notUnpacked : undefined);
if (reason !== undefined) describe.skip(`${title} (skipped: ${reason})`, () => it("is there", () => undefined));
else {
  describe(title, () => {
    it.concurrent.each([...otherVersions])(
      "nft %s loads every script made for it, and every script that says so, twice",
      { timeout: 320_000 },
      async (version) => {
        const tried = scriptsFor(version, [...(await lackingParts())]);
        expect(tried.length).toBeGreaterThan(scripts.length / 2);
        expect(await refusedBy(version, tried)).toEqual([]);
      },
    );
  });
}
