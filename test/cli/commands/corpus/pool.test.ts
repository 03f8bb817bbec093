import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { runCases } from "../../../../src/cli/commands/corpus/pool.js";
import { usualMaxInput } from "../../../../src/cli/read-file.js";
import type { CaseFiles } from "../../../../src/corpus/layout.js";
import type { CaseResult } from "../../../../src/corpus/result.js";
import { translate } from "../../../../src/translate.js";

let folder: string;
let pool: { readonly runCases: typeof runCases };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ipt2nft-pool-"));
  await build({
    entryPoints: [new URL("../../../../src/cli/commands/corpus/pool.ts", import.meta.url).pathname],
    bundle: true,
    format: "esm",
    platform: "node",
    mainFields: ["module", "main"],
    outfile: join(folder, "pool.mjs"),
    define: { IS_SINGLE_EXECUTABLE: "false" },
  });
  // In the place of the worker one that does as the case's name says.
  writeFileSync(
    join(folder, "corpus-worker.mjs"),
    `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ name, sources }) => {
      if (name.startsWith("exit")) process.exit(3);
      if (name.startsWith("throw")) throw new Error("out of cheese");
      parentPort.postMessage({ name, file: sources[0], seconds: 0, problems: [], written: [] });
    });`,
  );
  pool = (await import(pathToFileURL(join(folder, "pool.mjs")).href)) as typeof pool;
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs cases of these names; those that the thread of the caller takes are slow. */
async function run(names: readonly string[], jobs?: number): Promise<{ threads: number; results: CaseResult[] }> {
  const cases = names.map(
    (name): CaseFiles => ({ name, sources: [`${name}.v4`], script: `${name}.nft`, diagnostics: `${name}.diagnostics` }),
  );
  for (const { name } of cases) writeFileSync(join(folder, `${name}.v4`), "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n");
  const results: CaseResult[] = [];
  const threads = await pool.runCases(
    cases,
    { directory: folder, update: false, maxInput: usualMaxInput },
    (input, options) => {
      const until = performance.now() + 400;
      while (performance.now() < until);
      return translate(input, options);
    },
    jobs,
    async (result) => {
      results.push(result);
    },
  );
  return { threads, results };
}

it("goes on behind cases that take their threads down", async () => {
  const names = ["a", "exit", "b", "throw", "c", "exit again", "d", "e"];
  const { threads, results } = await run(names, 2);
  expect(threads).toBe(2);
  expect(results.map(({ name }) => name).sort()).toEqual([...names].sort());
  const failed = results.filter(({ problems }) => problems.length > 0);
  expect(failed.map(({ name }) => name).sort()).toEqual(["exit", "exit again", "throw"]);
  expect(failed.flatMap(({ problems }) => problems.map(({ kind }) => kind))).toEqual(["crash", "crash", "crash"]);
  expect(failed.find(({ name }) => name === "exit")!.problems[0]!.detail).toBe("the thread ended with status 3");
  expect(failed.find(({ name }) => name === "throw")!.problems[0]!.detail).toContain("out of cheese");
});

it("takes the thread of the caller for one job", async () => {
  const { threads, results } = await run(["a", "b"], 1);
  expect([threads, results.length]).toEqual([0, 2]);
});

it.runIf(availableParallelism() > 1)("starts threads for what would take long, and for nothing else", async () => {
  expect(await run(["a", "b"])).toMatchObject({ threads: 0 });
  const names = Array.from({ length: 9 }, (_, index) => `case ${index}`);
  const { threads, results } = await run(names);
  expect(threads).toBe(Math.min(availableParallelism(), 8));
  expect(results.map(({ name }) => name).sort()).toEqual(names);
});
