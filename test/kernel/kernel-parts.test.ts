/** The rules by which a kernel is asked what it lacks. */

import { expect, it } from "vitest";

import { checkScript } from "../../src/cli/commands/translate/check.js";
import { emit } from "../../src/nft/emit.js";
import { dispensableParts, sampleOf } from "../../src/nft/kernel-parts.js";
import { translate } from "../../src/translate.js";
import { lackingParts } from "../../src/verify/kernel-parts.js";
import { loadAllTwice } from "../../src/verify/load.js";
import { describeOnKernel } from "./requirements.js";

const families = ["ip", "ip6", "inet"] as const;
const environment = { PATH: process.env["PATH"] };

describeOnKernel("parts of the kernel", () => {
  it("nft reads the rule for each, in every family, and this kernel has most", { timeout: 60_000 }, async () => {
    // nft has `dup` in tables of one family only.
    const has = (family: string, part: string): boolean => part !== "dup" || family !== "inet";
    const samples = families.flatMap((family) =>
      dispensableParts.filter((part) => has(family, part)).map((part) => ({ family, part, script: emit(sampleOf(part, family, [])) })),
    );
    const results = await loadAllTwice(samples.map(({ script }) => script));
    const refused = results.flatMap(({ loaded, messages }, index) => (loaded ? [] : [{ ...samples[index]!, messages }]));
    for (const { family, part, messages } of refused)
      expect([family, part, messages]).toEqual([
        family,
        part,
        expect.stringContaining("Could not process rule: No such file or directory"),
      ]);
    expect(refused.length).toBeLessThan(samples.length / 2);
    const lacking = await lackingParts();
    expect(refused.filter(({ family }) => family === "ip").map(({ part }) => part)).toEqual([...lacking]);
  });

  it("--check says what this kernel lacks, and accepts a script without it", { timeout: 60_000 }, async () => {
    const lacking = await lackingParts();
    const dump = "*filter\n-A INPUT -j NFQUEUE --queue-num 3 --queue-bypass\n-A INPUT -m conntrack --ctstate NEW -j REJECT\nCOMMIT\n";
    const whole = translate(dump, { family: "ipv4" });
    const asked = checkScript(whole.script!, whole.nft!.tables, environment);
    if (lacking.has("queue"))
      await expect(asked).rejects.toThrow("this kernel lacks what the script needs: queue (nft_queue)\n--without queue");
    else await asked;
    const without = translate(dump, { family: "ipv4", without: ["queue", ...lacking] });
    await checkScript(without.script!, without.nft!.tables, environment);
  });
});
