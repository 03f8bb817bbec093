/** Dumps of every kind made anonymous: what is said about them stays, and what was written by people goes. */

import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";

import { anonymize, AnonymizeFault } from "../../src/corpus/anonymize/anonymize.js";
import { translate } from "../../src/translate.js";
import { saidOf } from "../corpus/anonymize/said-of.js";
import { anyDump } from "./hostile-dumps.js";

const runs = Number(process.env["FUZZ_RUNS"] ?? 200);
const seed = Number(process.env["FUZZ_SEED"] ?? 20240229);

const digest = (text: string): Uint8Array => createHmac("sha256", "a key").update(text).digest();

it("says the same of a ruleset and of the anonymous one, or refuses it", { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(anyDump, ({ sources, options }) => {
      const { ipsets = [], ...rest } = options;
      let hidden;
      try {
        hidden = anonymize({ sources, ipsets }, digest);
      } catch (error) {
        expect(error).toBeInstanceOf(AnonymizeFault);
        return;
      }
      // A word that cannot stand where it does, such as an address in the place of a name, may be too long as well.
      fc.pre(translate(sources, options).outcome !== "invalid");
      expect(saidOf(hidden.sources, { ...rest, ...(ipsets.length > 0 && { ipsets: hidden.ipsets }) })).toEqual(saidOf(sources, options));
    }),
    { seed, numRuns: runs },
  );
});
