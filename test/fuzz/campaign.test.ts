/**
 * Spoiled files of every kind that is read, in a process of their own: each ends within 2 s of processor time and 512 MB, and throws
 * nothing but what is documented. A longer campaign:
 *
 *     FUZZ_INPUTS=500000 FUZZ_SEED=7 FUZZ_KINDS="dump,script" npx vitest run --project unit test/fuzz/campaign.test.ts
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";

const inputs = Number(process.env["FUZZ_INPUTS"] ?? 700);
const seed = Number(process.env["FUZZ_SEED"] ?? 20240229);
const kinds = (process.env["FUZZ_KINDS"] ?? "").split(",").filter((kind) => kind !== "");
/** The most rules of a ruleset of a reviewed pair. */
const reviewedRules = Number(process.env["FUZZ_REVIEWED_RULES"] ?? 8);

// Where the corpus is found from the file's own place, as from test/corpus.
const program = fileURLToPath(new URL("../../node_modules/.cache/fuzz-campaign.mjs", import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "campaign-"));
  const { rawText } = (await import(new URL("../../bundling.js", import.meta.url).href)) as { readonly rawText: Plugin };
  await build({
    entryPoints: [fileURLToPath(new URL("campaign-process.ts", import.meta.url))],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    plugins: [rawText],
    logLevel: "error",
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

it(`${inputs} spoiled files break no promise`, { timeout: Math.max(60_000, inputs * 2_000) }, () => {
  const progress = join(folder, "progress");
  const words = [String(seed), "0", String(inputs), String(reviewedRules), progress, ...kinds];
  const { status, signal, stdout, stderr } = spawnSync("node", ["--max-old-space-size=512", program, ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    // An input that hangs is the one in the progress file.
    timeout: Math.max(60_000, inputs * 1_000),
    killSignal: "SIGKILL",
  });
  const lines = stdout.split("\n").filter((line) => line !== "");
  const found = lines.map((line) => JSON.parse(line) as { readonly kind?: string; readonly broken?: string; readonly times?: object });
  expect(found.filter(({ broken }) => broken !== undefined)).toEqual([]);
  const last = readFileSync(progress, "utf8").trim();
  expect({ status, signal, stderr, last: status === 0 ? "" : last }).toEqual({ status: 0, signal: null, stderr: "", last: "" });
  const figures = found.at(-1);
  if (inputs > 1_000) process.stdout.write(`${JSON.stringify(figures)}\n`);
  expect(Object.keys(figures?.times ?? {}).length).toBe(kinds.length === 0 ? 14 : kinds.length);
});
