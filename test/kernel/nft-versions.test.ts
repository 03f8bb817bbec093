/**
 * The scripts of the corpus in other versions of nft. A script says which least version it needs, and is tried from that one on; what is
 * made for an older version is tried in that one.
 */

import { describe, expect, it } from "vitest";

import type { KernelPartName } from "../../src/nft/kernel-parts.js";
import { requirements } from "../../src/nft/requirements.js";
import { isOlder } from "../../src/nft/versions.js";
import { translate } from "../../src/translate.js";
import { lackingParts } from "../../src/verify/kernel-parts.js";
import { readCases } from "../corpus/cases.js";
import { notUnpacked, otherVersions, refusedBy, type Tried } from "./other-nft.js";
import { missingRequirement } from "./requirements.js";

const scripts = readCases();

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
