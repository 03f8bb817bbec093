/** `corpus --kernel` on a folder with right and wrong scripts. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

import type { CorpusJson } from "../../src/corpus/render.js";
import { translate } from "../../src/translate.js";
import { execute } from "../cli/execute.js";
import { describeOnKernel } from "./requirements.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "corpus-kernel-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What stands in the place of the script of a case of the name. */
const wrong: Readonly<Record<string, (script: string) => string>> = {
  "no-nft": () => "no nft\n",
  grows: (script) => script.replace(/^delete table .*$/m, ""),
};

describeOnKernel("corpus --kernel", () => {
  it("notes what is left when it is stopped, with exit status 130", async () => {
    writeFileSync(join(folder, "right.v4"), "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n");
    await execute(["corpus", folder, "--update"]);
    // Once for the comparison with what is expected, then for the kernel.
    let asked = 0;
    const { output, status } = await execute(["corpus", folder, "--kernel"], {
      translate: (sources, options) => {
        if (++asked === 2) process.kill(process.pid, "SIGINT");
        return translate(sources, options);
      },
    });
    expect(status).toBe(130);
    expect(output).toContain("note: right: not verified: stopped by SIGINT");
  });

  it("verifies scripts, and tells those that do not load or that load differently a second time", async () => {
    for (const name of ["right", ...Object.keys(wrong)]) {
      writeFileSync(join(folder, `${name}.v4`), "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp --dport 53 -j DROP\nCOMMIT\n");
    }
    writeFileSync(join(folder, "refused.v4"), "*filter\n");
    const { output, status } = await execute(["corpus", folder, "--kernel", "--json"], {
      translate: (sources, options) => {
        const name = typeof sources === "string" ? "" : sources[0]!.file.replace(".v4", "");
        const translation = translate(sources, options);
        return { ...translation, script: translation.script && (wrong[name] ?? String)(translation.script) };
      },
    });
    expect(status).toBe(1);
    const { results } = JSON.parse(output) as CorpusJson;
    expect(results.find(({ name }) => name === "right")!.kernel!.verified).toMatchObject({ rules: 1, hit: 1, leftOut: 0 });
    expect(results.find(({ name }) => name === "refused")!.kernel).toBeUndefined();
    const kernelProblems = results.map(({ name, problems }) => [
      name,
      problems.filter(({ kind }) => kind === "load" || kind === "verify").map(({ kind, message }) => `${kind}: ${message}`),
    ]);
    expect(Object.fromEntries(kernelProblems)).toEqual({
      right: [],
      refused: [],
      "no-nft": ["load: the kernel does not load the script"],
      grows: ["load: loading the script a second time changes the ruleset, or nft complains"],
    });
    expect(results.find(({ name }) => name === "no-nft")!.problems.find(({ kind }) => kind === "load")!.detail).toContain(
      "script.nft:1:7-7: Error: syntax error",
    );
  });
});
